// Looking at files and reading them.

import { type BigIntStats, closeSync, constants, fstatSync, openSync, read } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { isKey } from "../key.js";
import type { Info } from "../store.js";
import { failed, missingOrFailed, notFound } from "./failure.js";

/** Changes with every write: a published file is a new one, an appended one is longer. */
export function version({ ino, size, mtimeNs }: BigIntStats): string {
  const inode = process.platform === "win32" ? 0n : ino;
  return `${inode.toString(16)}-${size.toString(16)}-${mtimeNs.toString(16)}`;
}

export function infoOf(stats: BigIntStats): Info {
  // Before 1970 nothing was written: such a time says that nobody knows.
  const modifiedMs = stats.mtimeNs < 0n ? undefined : Number(stats.mtimeNs / 1_000_000n);
  return { bytes: Number(stats.size), version: version(stats), modifiedMs };
}

/** A file that is open for reading. */
export interface Opened {
  readonly fd: number;
  readonly stats: BigIntStats;
}

/** Without the last one, opening a pipe would wait for whoever writes to it. Windows has neither. */
const READING = constants.O_RDONLY | constants.O_NONBLOCK;

/** Opens a file; `undefined` where something else is there. */
export function openFile(path: string): Opened | undefined {
  const fd = openSync(path, READING);
  const stats = fstatSync(fd, { bigint: true });
  if (stats.isFile()) return { fd, stats };
  closeSync(fd);
  return undefined;
}

/** Opens a file that must be one. */
export function openToRead(key: string, path: string): Opened {
  let opened: Opened | undefined;
  try {
    opened = openFile(path);
  } catch (error) {
    throw missingOrFailed(key, "cannot open", path, error);
  }
  if (opened === undefined) throw notFound(key);
  return opened;
}

/** Fills `bytes` from that place on, in another thread; gives how many there were. */
export async function readLater(fd: number, bytes: Uint8Array, start: number): Promise<number> {
  let length = 0;
  while (length < bytes.length) {
    const read = await readSome(fd, bytes, length, start + length);
    if (read === 0) break;
    length += read;
  }
  return length;
}

function readSome(fd: number, bytes: Uint8Array, at: number, from: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, bytes, at, bytes.length - at, from, (error, count) => {
      if (error) reject(error);
      else resolve(count);
    });
  });
}

/** The keys under a folder of a root. Whatever is not named like a key is none of ours. */
export async function keysIn(root: string, parent: string, prefix: string): Promise<string[]> {
  const folder = join(root, parent);
  const entries = await readdir(folder, { withFileTypes: true }).catch((error) => {
    throw failed("cannot list", folder, error);
  });
  const keys: string[] = [];
  for (const entry of entries) {
    const key = parent + entry.name;
    if (entry.name.startsWith(".") || !isKey(key)) continue;
    if (!entry.isDirectory()) {
      if (key.startsWith(prefix)) keys.push(key);
      continue;
    }
    const inner = `${key}/`;
    if (inner.startsWith(prefix) || prefix.startsWith(inner)) {
      keys.push(...(await keysIn(root, inner, prefix)));
    }
  }
  return keys;
}
