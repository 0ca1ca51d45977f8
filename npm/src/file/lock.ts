// One writer per object, over processes and languages.
//
// A lock is a file beside the object, `.<name>.lock`, that says who holds it. It is made by a hard
// link of a file already written, so it appears whole, and only where there is none: that works
// from every language.
//
// A lock whose process is gone is taken over: looked at once more and removed, by one at a time.
// Whether a process of another machine is gone only its signs of life tell: the file's time of change.

import {
  type Stats,
  closeSync,
  fstatSync,
  futimesSync,
  linkSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

import { TurnkeepError } from "../errors.js";
import type { Holder } from "../store.js";
import { codeOf, failed, notFound } from "./failure.js";
import { ownName } from "./own.js";
import {
  type Owner,
  holderOf,
  isAlive,
  isSame,
  lockedBy,
  readOwner,
  thisProcessAsJson,
} from "./owner.js";

/** Takeovers tried before giving up. */
const TRIES = 8;
/** Signs of life are no closer to each other than that. */
const HEARTBEAT_MS = 10_000;

/** An object's lock, held until it is released. */
export class Lock {
  readonly #path: string;
  /** Open as long as the lock is held, so that no other file gets its number. */
  readonly #fd: number;
  readonly #stats: Stats;
  readonly #key: string;
  /** When it last showed a sign of life. */
  #shown = performance.now();

  private constructor(path: string, fd: number, key: string) {
    this.#path = path;
    this.#fd = fd;
    this.#stats = fstatSync(fd);
    this.#key = key;
    held.add(this);
    if (held.size === 1) process.on("exit", releaseAll);
  }

  /** Takes an object's lock; `locked` where a living writer holds it. */
  static acquire(object: string, key: string): Lock {
    const path = pathOf(object);
    try {
      for (let left = TRIES; left > 0; left -= 1) {
        const fd = make(path);
        if (fd !== undefined) return new Lock(path, fd, key);
        const owner = readOwner(path);
        if (owner === undefined) continue; // It was let go just now.
        if (isAlive(owner)) throw lockedBy(owner, key);
        bury(path, owner);
      }
    } catch (error) {
      if (error instanceof TurnkeepError) throw error;
      if (codeOf(error) === "ENOENT") throw notFound(key);
      throw failed("cannot lock", object, error);
    }
    throw locked("many other writers, one after the other,", key);
  }

  /** Who holds an object's lock. */
  static holder(object: string): Holder | undefined {
    const owner = readOwner(pathOf(object));
    return owner && holderOf(owner);
  }

  /** Whether the lock is still this one's: someone may have taken it for abandoned. */
  check(): void {
    if (!this.#isHeld()) throw locked("another writer, who took this lock over,", this.#key);
  }

  /** Shows a sign of life, if there was none for some time. */
  showLife(): void {
    if (performance.now() - this.#shown < HEARTBEAT_MS) return;
    this.#shown = performance.now();
    try {
      futimesSync(this.#fd, new Date(), new Date());
    } catch {
      // What the lock is held for will fail too, and say why.
    }
  }

  release(): void {
    if (!held.delete(this)) return;
    if (held.size === 0) process.off("exit", releaseAll);
    if (this.#isHeld()) unlinkQuietly(this.#path);
    closeSync(this.#fd);
  }

  #isHeld(): boolean {
    const now = statSync(this.#path, { throwIfNoEntry: false });
    return now?.ino === this.#stats.ino && now.dev === this.#stats.dev;
  }
}

function pathOf(object: string): string {
  return join(dirname(object), `.${basename(object)}.lock`);
}

/** All locks of this process, let go when it exits. */
const held = new Set<Lock>();

function releaseAll(): void {
  for (const lock of [...held]) lock.release();
}

/** Makes the lock's file, whole, if there is none; gives it open. */
function make(path: string): number | undefined {
  const own = ownName(path, "new");
  let fd: number | undefined;
  try {
    fd = openSync(own, "wx");
    writeSync(fd, thisProcessAsJson());
    linkSync(own, path);
    return fd;
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    if (codeOf(error) === "EEXIST") return undefined;
    throw error;
  } finally {
    unlinkQuietly(own);
  }
}

/**
 * Removes an abandoned lock. Only one process at a time may, under a lock of its own: so between
 * the second look and the removal it cannot become a living writer's.
 */
function bury(path: string, owner: Owner): void {
  const right = `${path}-bury`;
  const fd = make(right);
  if (fd === undefined) {
    const other = readOwner(right);
    if (other !== undefined && !isAlive(other)) setAside(right, other);
    // Whoever is at it needs but a moment.
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    return;
  }
  try {
    if (isSame(owner, readOwner(path)) && !isAlive(owner)) unlinkQuietly(path);
  } finally {
    unlinkQuietly(right);
    closeSync(fd);
  }
}

/**
 * Removes the right to bury of a process that died at it. Puts it back if it is another one than
 * the one that was read.
 */
function setAside(path: string, owner: Owner): void {
  const aside = ownName(path, "old");
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  if (!isSame(owner, readOwner(aside))) {
    try {
      linkSync(aside, path);
    } catch {
      // Someone has the lock by now.
    }
  }
  unlinkQuietly(aside);
}

function locked(who: string, key: string): TurnkeepError {
  return new TurnkeepError("locked", `${who} is writing to it`, { key });
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is gone already.
  }
}
