// Images of a session: only those whose bytes are what their type says, and how large they are.

export interface Picture {
  readonly mediaType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
}

/** Larger ones are not shown: decoding takes four bytes of memory for each pixel. */
const PIXELS_MAX = 50_000_000;
const CHARS_MAX = 28_000_000;

/** What to say where there is no picture. */
export type Refusal = "not an image that can be shown" | "too large to be shown" | "not what its type says";

export function pictureOf(mediaType: string | undefined, base64: string): Picture | Refusal {
  const wanted = mediaType?.trim().toLowerCase().replace("image/jpg", "image/jpeg");
  if (wanted !== undefined && !FORMATS.has(wanted)) return "not an image that can be shown";
  if (base64.length > CHARS_MAX) return "too large to be shown";
  const bytes = bytesOf(base64);
  if (bytes === undefined) return "not an image that can be shown";
  for (const [mediaType, sizeOf] of FORMATS) {
    const size = sizeOf(new DataView(bytes.buffer));
    if (size === undefined) continue;
    if (wanted !== undefined && wanted !== mediaType) break;
    const [width, height] = size;
    return width * height > PIXELS_MAX ? "too large to be shown" : { mediaType, bytes, width, height };
  }
  return wanted === undefined ? "not an image that can be shown" : "not what its type says";
}

type Size = readonly [width: number, height: number];

const FORMATS = new Map<string, (view: DataView) => Size | undefined>([
  ["image/png", sizeOfPng],
  ["image/jpeg", sizeOfJpeg],
  ["image/gif", sizeOfGif],
  ["image/webp", sizeOfWebp],
]);

function bytesOf(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let at = 0; at < bytes.length; at++) bytes[at] = text.charCodeAt(at);
    return bytes;
  } catch {
    return undefined;
  }
}

function startsWith(view: DataView, text: string, at = 0): boolean {
  if (view.byteLength < at + text.length) return false;
  return [...text].every((character, i) => view.getUint8(at + i) === character.charCodeAt(0));
}

function sizeOfPng(view: DataView): Size | undefined {
  if (!startsWith(view, "\x89PNG\r\n\x1a\n") || view.byteLength < 24) return undefined;
  return [view.getUint32(16), view.getUint32(20)];
}

function sizeOfGif(view: DataView): Size | undefined {
  if (!(startsWith(view, "GIF87a") || startsWith(view, "GIF89a")) || view.byteLength < 10) return undefined;
  return [view.getUint16(6, true), view.getUint16(8, true)];
}

function sizeOfWebp(view: DataView): Size | undefined {
  if (!startsWith(view, "RIFF") || !startsWith(view, "WEBP", 8) || view.byteLength < 30) return undefined;
  // Three bytes each: read with the byte before them.
  if (startsWith(view, "VP8X", 12)) return [(view.getUint32(23, true) >>> 8) + 1, (view.getUint32(26, true) >>> 8) + 1];
  if (startsWith(view, "VP8L", 12)) {
    const bits = view.getUint32(21, true);
    return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
  }
  return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff];
}

/** Its frame says how large it is; what stands before is skipped. */
function sizeOfJpeg(view: DataView): Size | undefined {
  if (!startsWith(view, "\xff\xd8\xff")) return undefined;
  for (let at = 2; at + 9 <= view.byteLength; at += 2 + view.getUint16(at + 2)) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return [view.getUint16(at + 7), view.getUint16(at + 5)];
  }
  return undefined;
}
