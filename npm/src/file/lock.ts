// One writer per object, over processes and languages.
//
// A lock is a file beside the object, `.<name>.lock`, that says who holds it. It is made by a hard
// link of a file already written, so it appears whole, and only where there is none: that works
// from every language.
//
// A lock whose process is gone is taken over: renamed away, looked at once more, removed.

import {
  type Stats,
  closeSync,
  fstatSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";

import { TurnkeepError } from "../errors.js";
import { codeOf, failed, notFound } from "./failure.js";
import { ownName } from "./publish.js";

/** Takeovers tried before giving up. */
const TRIES = 8;

/** An object's lock, held until it is released. */
export class Lock {
  readonly #path: string;
  /** Open as long as the lock is held, so that no other file gets its number. */
  readonly #fd: number;
  readonly #stats: Stats;
  readonly #key: string;

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
    const path = join(dirname(object), `.${basename(object)}.lock`);
    try {
      for (let left = TRIES; left > 0; left -= 1) {
        const fd = make(path);
        if (fd !== undefined) return new Lock(path, fd, key);
        const owner = readOwner(path);
        if (owner === undefined) continue; // It was let go just now.
        if (isAlive(owner)) throw locked(whoIs(owner), key);
        bury(path, owner);
      }
    } catch (error) {
      if (error instanceof TurnkeepError) throw error;
      if (codeOf(error) === "ENOENT") throw notFound(key);
      throw failed("cannot lock", object, error);
    }
    throw locked("many other writers, one after the other,", key);
  }

  /** Whether the lock is still this one's: someone may have taken it for abandoned. */
  check(): void {
    if (!this.#isHeld()) throw locked("another writer, who took this lock over,", this.#key);
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
    writeSync(fd, JSON.stringify(thisProcess()));
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

/** Who holds a lock. */
interface Owner {
  readonly pid: number;
  /** When that process started, so that a later one with the same number is not taken for it. */
  readonly start: string;
  readonly host: string;
}

let self: Owner | undefined;

function thisProcess(): Owner {
  const { pid } = process;
  return (self ??= { pid, start: startOf(pid) ?? "", host: host() });
}

/** `undefined`: there is no lock. One that cannot be read is nobody's. */
function readOwner(path: string): Owner | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
  const said = parse(text);
  const word = (value: unknown) => (typeof value === "string" ? value : "");
  const pid = Number.isInteger(said["pid"]) ? (said["pid"] as number) : 0;
  return { pid, start: word(said["start"]), host: word(said["host"]) };
}

function parse(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

function isAlive(owner: Owner): boolean {
  // Of another machine's processes nothing is known.
  if (owner.host !== host()) return owner.host !== "";
  return owner.pid > 0 && startOf(owner.pid) === owner.start;
}

/** When a process started, in a form only good for comparing; `undefined`: there is none. */
function startOf(pid: number): string | undefined {
  if (process.platform === "linux") {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      // Field 22; the name in field 2 may hold anything, so count from its closing parenthesis.
      return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    } catch {
      return undefined;
    }
  }
  try {
    process.kill(pid, 0);
    return "";
  } catch (error) {
    return codeOf(error) === "EPERM" ? "" : undefined;
  }
}

function host(): string {
  return process.platform === "win32" ? (process.env["COMPUTERNAME"] ?? "") : hostname();
}

/** Removes an abandoned lock. Puts it back if it is another one than the one that was read. */
function bury(path: string, owner: Owner): void {
  const aside = ownName(path, "old");
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  const found = readOwner(aside);
  const isSame =
    found?.pid === owner.pid && found.start === owner.start && found.host === owner.host;
  if (!isSame) {
    try {
      linkSync(aside, path);
    } catch {
      // Someone has the lock by now.
    }
  }
  unlinkQuietly(aside);
}

function whoIs(owner: Owner): string {
  const isSelf = owner.pid === process.pid && owner.host === host();
  return isSelf ? "another handle of this process" : `process ${owner.pid} on ${owner.host}`;
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
