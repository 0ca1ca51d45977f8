/** The bytes that base64 text stands for, by the fastest way that this host has. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const { fromBase64 } = Uint8Array as { fromBase64?: Decode };
  if (fromBase64 !== undefined) return fromBase64.call(Uint8Array, text);
  const { Buffer } = globalThis as { Buffer?: { from(text: string, encoding: "base64"): Bytes } };
  if (Buffer !== undefined) return Buffer.from(text, "base64");
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index += 1) bytes[index] = binary.charCodeAt(index);
  return bytes;
}

type Bytes = Uint8Array<ArrayBuffer>;
type Decode = (this: typeof Uint8Array, text: string) => Bytes;
