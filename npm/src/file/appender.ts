// Appending to files, each under its lock.

import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

import { TurnkeepError } from "../errors.js";
import type { Awaitable, Durability, Info } from "../store.js";
import { codeOf, failed } from "./failure.js";
import { Lock } from "./lock.js";
import { infoOf } from "./look.js";
import { syncFolder } from "./publish.js";

/** Files held for appending at once; the one unused for longest is let go for another. */
const HELD_MAX = 256;

/** The files a store holds for appending. */
export class Appenders {
  /** In order of their last use. */
  readonly #held = new Map<string, Appender>();

  append(
    path: string,
    key: string,
    bytes: Uint8Array,
    at: number,
    torn: number,
    durability: Durability,
  ): Awaitable<Info> {
    const busy = this.busy(key);
    if (busy !== undefined) {
      return busy.then(() => this.append(path, key, bytes, at, torn, durability));
    }
    const appender = this.#hold(path, key, at + torn === 0);
    try {
      return appender.append(bytes, at, torn, durability);
    } catch (error) {
      if (appender.isNew) this.take(key)?.release();
      throw error;
    }
  }

  /** Settles when the sync of a file does that is under way; never rejects. */
  busy(key: string): Promise<void> | undefined {
    return this.#held.get(key)?.busy;
  }

  /** Closes a file that is not busy and gives its lock, where it is held. */
  take(key: string): Lock | undefined {
    const appender = this.#held.get(key);
    this.#held.delete(key);
    return appender?.intoLock();
  }

  release(key: string): Awaitable<void> {
    const busy = this.busy(key);
    if (busy !== undefined) return busy.then(() => this.release(key));
    this.take(key)?.release();
  }

  close(): void {
    for (const key of [...this.#held.keys()]) this.take(key)?.release();
  }

  #hold(path: string, key: string, mayCreate: boolean): Appender {
    const known = this.#held.get(key);
    if (known !== undefined) {
      this.#held.delete(key);
      this.#held.set(key, known);
      return known;
    }
    this.#makeRoom();
    const appender = Appender.open(path, key, mayCreate);
    this.#held.set(key, appender);
    return appender;
  }

  #makeRoom(): void {
    if (this.#held.size < HELD_MAX) return;
    for (const [key, { busy }] of this.#held) {
      if (busy === undefined) return this.take(key)?.release();
    }
  }
}

/** A file held for appending. */
class Appender {
  /** Nothing was written to it yet. */
  isNew: boolean;
  /** Settles when a sync that is under way does; never rejects. */
  busy: Promise<void> | undefined;
  readonly #path: string;
  readonly #key: string;
  readonly #fd: number;
  readonly #lock: Lock;
  #isNameSynced: boolean;
  #isPoisoned = false;

  private constructor(path: string, key: string, fd: number, lock: Lock, isNew: boolean) {
    this.#path = path;
    this.#key = key;
    this.#fd = fd;
    this.#lock = lock;
    this.isNew = isNew;
    this.#isNameSynced = !isNew;
  }

  static open(path: string, key: string, mayCreate: boolean): Appender {
    let lock: Lock | undefined;
    try {
      if (mayCreate) mkdirSync(dirname(path), { recursive: true });
      lock = Lock.acquire(path, key);
      const { fd, isNew } = openToAppend(path, mayCreate);
      return new Appender(path, key, fd, lock, isNew);
    } catch (error) {
      lock?.release();
      const isMissing = error instanceof TurnkeepError && error.code === "not_found";
      if (error instanceof TurnkeepError && !isMissing) throw error;
      if (!isMissing && codeOf(error) !== "ENOENT") throw failed("cannot open", path, error);
      throw new TurnkeepError("conflict", "the object has 0 bytes", { key });
    }
  }

  append(bytes: Uint8Array, at: number, torn: number, durability: Durability): Awaitable<Info> {
    if (this.#isPoisoned) {
      throw this.#poisoned("an earlier write to this file could not be made whole");
    }
    this.#lock.check();
    try {
      const length = fstatSync(this.#fd).size;
      if (length !== at + torn) {
        const message = `the object has ${length} bytes, not ${at + torn}`;
        throw new TurnkeepError("conflict", message, { key: this.#key });
      }
      if (torn > 0) ftruncateSync(this.#fd, at);
      this.#write(bytes, at);
      this.isNew = false;
      if (durability !== "disk") return infoOf(fstatSync(this.#fd, { bigint: true }));
    } catch (error) {
      if (error instanceof TurnkeepError) throw error;
      throw failed("cannot append to", this.#path, error);
    }
    const synced = this.#sync();
    this.busy = synced.then(
      () => (this.busy = undefined),
      () => (this.busy = undefined),
    );
    return synced;
  }

  /** Closes the file but keeps its lock. */
  intoLock(): Lock {
    try {
      closeSync(this.#fd);
    } catch {
      // It was closed from outside.
    }
    return this.#lock;
  }

  #write(bytes: Uint8Array, at: number): void {
    try {
      for (let written = 0; written < bytes.length; ) {
        written += writeSync(this.#fd, bytes, written, bytes.length - written);
      }
    } catch (error) {
      // Back to what it was, so that a half-written line is never seen.
      try {
        ftruncateSync(this.#fd, at);
      } catch {
        this.#isPoisoned = true;
      }
      if (this.isNew) unlinkSync(this.#path);
      throw error;
    }
  }

  async #sync(): Promise<Info> {
    try {
      await syncLater(this.#fd);
      if (!this.#isNameSynced) {
        await syncFolder(this.#path);
        this.#isNameSynced = true;
      }
      return infoOf(fstatSync(this.#fd, { bigint: true }));
    } catch (error) {
      // What the disk holds now is unknown, and a second sync may lie.
      this.#isPoisoned = true;
      const said = error instanceof Error ? error.message : String(error);
      throw this.#poisoned(`cannot sync ${this.#path}: ${said}`, error);
    }
  }

  #poisoned(message: string, cause?: unknown): TurnkeepError {
    return new TurnkeepError("poisoned", message, { key: this.#key, cause });
  }
}

function openToAppend(path: string, mayCreate: boolean): { fd: number; isNew: boolean } {
  const { O_APPEND, O_CREAT, O_EXCL, O_RDWR } = constants;
  try {
    return { fd: openSync(path, O_RDWR | O_APPEND), isNew: false };
  } catch (error) {
    if (codeOf(error) !== "ENOENT" || !mayCreate) throw error;
    return { fd: openSync(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL), isNew: true };
  }
}

function syncLater(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(fd, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
