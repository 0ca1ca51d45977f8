// Appending to files, each under its lock.

import {
  type BigIntStats,
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

import { TurnkeepError } from "../errors.js";
import { checkStart } from "../start.js";
import type { Awaitable, Durability, Info, Mark } from "../store.js";
import { codeOf, failed, poisoned } from "./failure.js";
import { Lock } from "./lock.js";
import { infoOf } from "./look.js";
import { syncFolder } from "./publish.js";
import { Syncs } from "./sync.js";

/** Files held for appending at once; the one unused for longest is let go for another, unless poisoned. */
const HELD_MAX = 256;

const NOTHING = new Uint8Array(0);

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
    mark?: Mark,
    tornStart?: Uint8Array,
  ): Awaitable<Info> {
    const appender = this.#hold(path, key, at + torn === 0);
    let info: Info;
    try {
      info = appender.append(bytes, at, torn, mark, tornStart);
    } catch (error) {
      if (appender.isNew || appender.isLost) this.take(key)?.release();
      throw error;
    }
    return durability === "disk" ? appender.sync().then(() => info) : info;
  }

  /** Makes all that was appended to an object durable; `undefined` where it is not held. */
  sync(key: string): Promise<void> | undefined {
    return this.#held.get(key)?.sync();
  }

  /** Shows a sign of life, where the object is held. */
  heartbeat(key: string): void {
    this.#held.get(key)?.heartbeat();
  }

  /** Settles when the syncs of a file do that are under way; never rejects. */
  busy(key: string): Promise<void> | undefined {
    return this.#held.get(key)?.busy;
  }

  /** Closes a file, once it is not busy, and gives its lock, where it is held. */
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
    for (const [key, { busy, isPoisoned }] of this.#held) {
      if (busy === undefined && !isPoisoned) return this.take(key)?.release();
    }
  }
}

/** A file held for appending. */
class Appender {
  /** Nothing was written to it yet. */
  isNew: boolean;
  /** Its name is another file's now, or nobody's. */
  isLost = false;
  readonly #path: string;
  readonly #key: string;
  readonly #fd: number;
  readonly #lock: Lock;
  readonly #syncs = new Syncs(() => this.#syncNow());
  /** Not known of a file that was there: whoever made it may not have synced it. */
  #isNameSynced = false;
  /** Why nothing may be written any more. */
  #failure: TurnkeepError | undefined;

  private constructor(path: string, key: string, fd: number, lock: Lock, isNew: boolean) {
    this.#path = path;
    this.#key = key;
    this.#fd = fd;
    this.#lock = lock;
    this.isNew = isNew;
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
      if (!isMissing && codeOf(error) !== "ENOENT") throw failed("cannot open", path, error, key);
      throw new TurnkeepError("conflict", "the object has 0 bytes", { key });
    }
  }

  append(
    bytes: Uint8Array,
    at: number,
    torn: number,
    mark?: Mark,
    tornStart: Uint8Array = NOTHING,
  ): Info {
    if (this.#failure !== undefined) throw this.#failure;
    this.heartbeat();
    try {
      const stats = fstatSync(this.#fd, { bigint: true });
      this.#checkName(stats);
      const length = Number(stats.size);
      if (length !== at + torn) {
        const message = `the object has ${length} bytes, not ${at + torn}`;
        throw new TurnkeepError("conflict", message, { key: this.#key });
      }
      if (mark !== undefined) {
        checkStart(this.#key, this.#part(mark.at, mark.bytes.length), mark.bytes);
      }
      checkStart(this.#key, this.#part(at, tornStart.length), tornStart);
      this.#write(bytes, at, torn);
      this.isNew = false;
      return infoOf(fstatSync(this.#fd, { bigint: true }));
    } catch (error) {
      if (error instanceof TurnkeepError) throw error;
      throw failed("cannot append to", this.#path, error, this.#key);
    }
  }

  /** Who copies or removes files knows no locks: what is written to a file without its name is gone. */
  #checkName(held: BigIntStats): void {
    // Windows gives no numbers to rely on.
    if (process.platform === "win32") return;
    const named = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    if (named?.ino === held.ino && named.dev === held.dev) return;
    this.isLost = true;
    const message = "the file was replaced or removed by something else while it was held";
    throw new TurnkeepError("conflict", message, { key: this.#key });
  }

  /** So many bytes of the file, or fewer at its end. */
  #part(at: number, bytes: number): Uint8Array {
    const part = new Uint8Array(bytes);
    return bytes === 0 ? part : part.subarray(0, readSync(this.#fd, part, 0, bytes, at));
  }

  /** Makes all that was written until now durable. */
  sync(): Promise<void> {
    return this.#syncs.join();
  }

  /** Settles when the syncs that are under way do; never rejects. */
  get busy(): Promise<void> | undefined {
    return this.#syncs.busy;
  }

  /** Nothing may be written any more, until it is let go. */
  get isPoisoned(): boolean {
    return this.#failure !== undefined;
  }

  heartbeat(): void {
    this.#lock.check();
    this.#lock.showLife();
  }

  /** Closes the file, once no sync needs it, but keeps its lock. */
  intoLock(): Lock {
    const { busy } = this;
    if (busy === undefined) this.#close();
    else void busy.then(() => this.intoLock());
    return this.#lock;
  }

  #close(): void {
    try {
      closeSync(this.#fd);
    } catch {
      // It was closed from outside.
    }
  }

  /** Writes after the first `at` bytes, in place of the `torn` ones there are: all or nothing. */
  #write(bytes: Uint8Array, at: number, torn: number): void {
    const cut = this.#cut(at, torn);
    try {
      writeAll(this.#fd, bytes);
    } catch (error) {
      // Back to what it was, so that a half-written line is never seen.
      try {
        ftruncateSync(this.#fd, at);
        writeAll(this.#fd, cut);
      } catch (undoing) {
        this.#poison("a write failed and could not be undone", undoing);
      }
      if (this.isNew) rmSync(this.#path, { force: true });
      throw error;
    }
  }

  /** Cuts off what follows the first `at` bytes, and gives it. */
  #cut(at: number, torn: number): Uint8Array {
    const cut = new Uint8Array(torn);
    if (torn === 0) return cut;
    for (let read = 0; read < torn; ) {
      const count = readSync(this.#fd, cut, read, torn - read, at + read);
      if (count === 0) throw new Error("the file became shorter meanwhile");
      read += count;
    }
    ftruncateSync(this.#fd, at);
    return cut;
  }

  async #syncNow(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      await syncLater(this.#fd);
      if (!this.#isNameSynced) await syncFolder(this.#path);
      this.#isNameSynced = true;
    } catch (error) {
      // What the disk holds now is unknown, and a second sync may lie.
      throw this.#poison("cannot sync", error);
    }
  }

  /** Lets nothing be written any more. */
  #poison(what: string, cause: unknown): TurnkeepError {
    return (this.#failure = poisoned(what, this.#path, cause, this.#key));
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

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(fd, bytes, written, bytes.length - written);
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
