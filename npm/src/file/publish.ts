// Making files appear and disappear: all at once, and for good.

import { linkSync, renameSync, statSync, unlinkSync } from "node:fs";
import { type FileHandle, mkdir, open, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";

import { type ByteRange, within } from "../store.js";
import { readLater } from "./look.js";

const LOG = ".jsonl";
const ZIPPED = ".gz";
/** Reading, writing and running. */
const MODE = 0o777;
/** Reading and writing of who owns it. */
const OWNER = 0o600;

/** Writes a file that will be published at `path`, and syncs it; makes its folder where it is missing. */
export async function writeBeside(staged: string, path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(staged), { recursive: true });
  const mode = modeFor(path);
  const file = await open(staged, "wx", mode);
  try {
    await file.writeFile(bytes);
    await setMode(file, mode);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** An object that is written part by part. */
export interface Stage {
  readonly key: string;
  readonly folder: string;
  /** The lengths of the parts, by number. */
  readonly parts: Map<number, number>;
}

/** Makes a folder for parts: who may read what they become is only said then. */
export async function makeStage(folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  await mkdir(folder, { mode: 0o700 });
}

/**
 * Who may do what with a file that will be published at `path`: only who may with the one that it
 * replaces, and with the session's log and archive, which hold the same. Who owns it can always write.
 */
function modeFor(path: string): number | undefined {
  // Windows has no modes.
  if (process.platform === "win32") return undefined;
  const log = path.endsWith(LOG + ZIPPED) ? path.slice(0, -ZIPPED.length) : path;
  const same = log.endsWith(LOG) ? [log, log + ZIPPED] : [path];
  const modes = same.map(modeOf).filter((mode) => mode !== undefined);
  return modes.length === 0 ? undefined : modes.reduce((one, other) => one & other) | OWNER;
}

function modeOf(path: string): number | undefined {
  try {
    const stats = statSync(path);
    return stats.isFile() ? stats.mode & MODE : undefined;
  } catch {
    // There is none: what else is wrong, publishing says.
    return undefined;
  }
}

/** The process's mask cut it where the file was made. Not every file system knows modes. */
async function setMode(file: FileHandle, mode: number | undefined): Promise<void> {
  if (mode === undefined || ((await file.stat()).mode & MODE) === mode) return;
  await file.chmod(mode);
}

/** Publishes a synced file under a name that must be free. */
export const link: (staged: string, path: string) => void = linkSync;

/** Publishes a synced file in place of what has that name. */
export const rename: (staged: string, path: string) => void = renameSync;

/** Removes a file. */
export const remove: (path: string) => void = unlinkSync;

/** Without this, a power cut can undo what was done to a name. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const WHOLE: ByteRange = { start: 0, end: Number.POSITIVE_INFINITY };

/**
 * Reads a range of the parts in a stage's folder as if they were joined, and tells how long that
 * would be. Opens no part but those with bytes of the range.
 */
export async function readParts(
  folder: string,
  { start, end }: ByteRange = WHOLE,
  room?: Uint8Array,
): Promise<{ bytes: Uint8Array; whole: number }> {
  const parts = partsOf(folder);
  const whole = parts.reduce((sum, { length }) => sum + length, 0);
  const bytes = within(room, Math.max(0, Math.min(end, whole) - start));
  let before = 0;
  let filled = 0;
  for (const { path, length } of parts) {
    const from = Math.max(0, start - before);
    const to = Math.min(length, end - before);
    if (from < to) filled += await readPart(path, from, bytes.subarray(filled, filled + to - from));
    before += length;
  }
  return { bytes: bytes.subarray(0, filled), whole };
}

/** The parts in a stage's folder, by number. */
function partsOf(folder: string): { path: string; length: number }[] {
  const parts = [];
  for (;;) {
    const path = join(folder, String(parts.length + 1));
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return parts;
    parts.push({ path, length: stats.size });
  }
}

async function readPart(path: string, from: number, bytes: Uint8Array): Promise<number> {
  const file = await open(path, "r");
  try {
    return await readLater(file.fd, bytes, from);
  } finally {
    await file.close();
  }
}

/**
 * Joins a stage's parts, as long as they were written, into one synced file that will be published at
 * `path`. Whoever took this process for gone may have removed some: then nothing is published.
 */
export async function joinParts({ folder, parts }: Stage, path: string): Promise<string> {
  const first = join(folder, "1");
  const whole = await open(first, "a");
  try {
    if (!parts.has(1)) throw new Error("there is no part 1");
    // One piece after the other in the same memory: pieces of their own would be many.
    const piece = new Uint8Array(parts.size > 1 ? PIECE : 0);
    for (const [number, length] of [...parts].sort(([one], [other]) => one - other)) {
      const part = join(folder, String(number));
      const found = number === 1 ? (await whole.stat()).size : await movePart(part, whole, piece);
      if (found === length) continue;
      throw new Error(`part ${number} has ${found} bytes where ${length} were written`);
    }
    await setMode(whole, modeFor(path));
    await whole.sync();
  } finally {
    await whole.close();
  }
  return first;
}

/** Appends a part, which goes; gives its length. */
async function movePart(path: string, whole: FileHandle, piece: Uint8Array): Promise<number> {
  const part = await open(path, "r");
  let moved = 0;
  try {
    for (let length; (length = (await part.read(piece, 0, PIECE)).bytesRead) > 0; moved += length) {
      await whole.writeFile(piece.subarray(0, length));
    }
  } finally {
    await part.close();
  }
  await unlink(path);
  return moved;
}

const PIECE = 1 << 20;
