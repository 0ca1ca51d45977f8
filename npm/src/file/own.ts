// Names of the store's own, and what processes that are gone left under them. The Rust host gives
// the same names:
//
// `.NAME.PURPOSE-PID-START-HOST-NONCE`: beside the object NAME, for a `put`, a `stage`, or a lock
// that is being made (`new`) or taken over (`old`); by the process PID that started at START, on
// the machine whose name hashes to HOST.

import { readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { host, isRunning, thisStart } from "./owner.js";

/** Of longer names only the start is used, so that all fits into what file systems allow. */
const NAME_LENGTH_MAX = 128;
const OWN = /^\..+\.(?:put|stage|new|old)-(\d+)-([^-]*)-([0-9a-f]{8})-[0-9a-f]{16}$/;

/** A name beside `path` that no key can have and nobody else uses. */
export function ownName(path: string, purpose: string): string {
  const name = basename(path).slice(0, NAME_LENGTH_MAX);
  const nonce = crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n;
  const owner = `${process.pid}-${thisStart()}-${hostMark()}`;
  return join(dirname(path), `.${name}.${purpose}-${owner}-${hex(nonce, 16)}`);
}

/**
 * Removes from a folder what this machine's processes left that are gone. What cannot be removed
 * stays: it is in nobody's way.
 */
export async function sweep(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter(isLeft)) {
    await rm(join(folder, name), { recursive: true, force: true }).catch(() => {});
  }
}

/** Whether that is a name of a process of this machine that is gone. */
function isLeft(name: string): boolean {
  const [, pid, start = "", mark] = OWN.exec(name) ?? [];
  return pid !== undefined && mark === hostMark() && !isRunning(Number(pid), start);
}

/** The machine's name as a number (FNV-1a), which fits into a file's name whatever it is. */
function hostMark(): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(host())) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hex(hash, 8);
}

function hex(number: number | bigint, digits: number): string {
  return number.toString(16).padStart(digits, "0");
}
