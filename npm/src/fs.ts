/// <reference lib="esnext.disposable" preserve="true" />
// turnkeep/fs: the store in a directory, for Node. This module and those in file/ are the only ones
// that import node: modules.
//
// Objects are files named by their keys. Names that start with a dot are the store's own: locks,
// staged writes. What is published is published by a rename or a hard link of a file that was
// synced, and then the directory is synced too. The Rust host keeps the same files.

import { type BigIntStats, closeSync, mkdirSync, readSync, statSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { TurnkeepError } from "./errors.js";
import { Appenders } from "./file/appender.js";
import { codeOf, failed, missingOrFailed, notFound } from "./file/failure.js";
import { infoOf, keysIn, openToRead, readLater, version } from "./file/look.js";
import { Lock } from "./file/lock.js";
import { ownName, sweep } from "./file/own.js";
import * as publish from "./file/publish.js";
import { syncUnheld } from "./file/sync.js";
import { checkKey } from "./key.js";
import {
  type Awaitable,
  type ByteRange,
  type Capabilities,
  type Condition,
  type Durability,
  type Holder,
  type Info,
  type Listing,
  type Mark,
  type Store,
  type StoredObject,
  everything,
  within,
} from "./store.js";

export { defaultRoot } from "./file/root.js";

/** Paths that were made once are kept, up to that many: an append is quick enough to notice. */
const KNOWN_PATHS_MAX = 4096;
/** Reads of more bytes than this go to a thread: so long they would hold up everything else. */
const READ_AT_ONCE_MAX = 128 << 10;

/**
 * Objects as files in a directory. Several processes, and hosts in other languages, can share it:
 * whoever appends to an object holds its lock until the object is released (a closed session does
 * that), the store closed, or the process gone.
 *
 * @example
 * ```ts
 * import { Session } from "turnkeep";
 * import { FileStore } from "turnkeep/fs";
 *
 * const session = await Session.create(new FileStore("./sessions"), { id: "run-7" });
 * ```
 */
export class FileStore implements Store {
  readonly capabilities: Capabilities = everything("disk");
  /** The directory. */
  readonly root: string;
  readonly #appenders = new Appenders();
  readonly #stages = new Map<string, publish.Stage>();
  readonly #paths = new Map<string, string>();
  /** Folders that were looked through for what dead processes left. */
  readonly #swept = new Set<string>();

  static {
    if (Symbol.dispose !== undefined) {
      this.prototype[Symbol.dispose] = function (this: FileStore) {
        this.close();
      };
    }
  }

  /** Opens a directory as a store, making it where it is missing. */
  constructor(root: string | URL) {
    this.root = resolve(typeof root === "string" ? root : fileURLToPath(root));
    this.make();
  }

  /** Makes the directory. @internal */
  make(): void {
    try {
      mkdirSync(this.root, { recursive: true });
    } catch (error) {
      throw failed("cannot make", this.root, error);
    }
  }

  /** Refuses to put something else in the place of what is no regular file. @internal */
  checkPlace(): void {}

  /** Where an object's file lies. */
  path(key: string): string {
    const known = this.#paths.get(key);
    if (known !== undefined) return known;
    checkKey(key);
    const path = join(this.root, key);
    if (this.#paths.size >= KNOWN_PATHS_MAX) this.#paths.clear();
    this.#paths.set(key, path);
    return path;
  }

  get(key: string, range?: ByteRange, room?: Uint8Array): Awaitable<StoredObject> {
    const path = this.path(key);
    const { fd, stats } = openToRead(key, path);
    const size = Number(stats.size);
    const { start, end } = range ?? { start: 0, end: size };
    const bytes = within(room, Math.max(0, Math.min(end, size) - start));
    const object = (length: number) => ({ bytes: bytes.subarray(0, length), info: infoOf(stats) });
    const failure = (error: unknown) => failed("cannot read", path, error);
    if (bytes.length > READ_AT_ONCE_MAX) {
      return readLater(fd, bytes, start)
        .then(object, (error) => {
          throw failure(error);
        })
        .finally(() => closeSync(fd));
    }
    try {
      let length = 0;
      while (length < bytes.length) {
        const read = readSync(fd, bytes, length, bytes.length - length, start + length);
        if (read === 0) break;
        length += read;
      }
      return object(length);
    } catch (error) {
      throw failure(error);
    } finally {
      closeSync(fd);
    }
  }

  async put(key: string, bytes: Uint8Array, condition: Condition): Promise<Info> {
    const path = this.path(key);
    const staged = ownName(path, "put");
    await this.#sweepOnce(path);
    try {
      await publish.writeBeside(staged, path, bytes).catch((error) => {
        throw failed("cannot write beside", path, error);
      });
      return await this.#publish(key, staged, condition);
    } finally {
      // Gone already where it was renamed.
      await rm(staged, { force: true });
    }
  }

  append(
    key: string,
    bytes: Uint8Array,
    at: number,
    torn: number,
    durability: Durability,
    mark?: Mark,
    tornStart?: Uint8Array,
  ): Awaitable<Info> {
    return this.#appenders.append(this.path(key), key, bytes, at, torn, durability, mark, tornStart);
  }

  sync(key: string): Promise<void> {
    return this.#appenders.sync(key) ?? syncUnheld(this.path(key), key);
  }

  holder(key: string): Holder | undefined {
    const path = this.path(key);
    try {
      return Lock.holder(path);
    } catch (error) {
      throw failed("cannot look at the lock of", path, error, key);
    }
  }

  /**
   * Shows other machines that this process is alive, where it holds an object for appending: after
   * an hour without an append or this they take the object for abandoned. `locked` where one has.
   */
  heartbeat(key: string): void {
    this.#appenders.heartbeat(key);
  }

  async delete(key: string, condition: Condition): Promise<void> {
    const path = this.path(key);
    this.info(key);
    await this.#guarded(key, () => {
      // A missing object is missing, whatever the condition.
      this.info(key);
      this.#check(key, condition);
      try {
        publish.remove(path);
      } catch (error) {
        throw missingOrFailed(key, "cannot remove", path, error);
      }
    });
    await publish.syncFolder(path);
  }

  async list(prefix: string, after: string | undefined, limit: number): Promise<Listing> {
    const keys = await keysIn(this.root, "", prefix);
    const following = after === undefined ? keys : keys.filter((key) => key > after);
    // Keys are ASCII: JavaScript's order is that of their bytes.
    following.sort();
    const objects = following.slice(0, limit).flatMap((key) => {
      // A file that went away since is no object any more.
      const stats = statSync(join(this.root, key), { bigint: true, throwIfNoEntry: false });
      return stats?.isFile() === true ? [{ key, info: infoOf(stats) }] : [];
    });
    return { objects, more: following.length > limit };
  }

  info(key: string): Info {
    const path = this.path(key);
    let stats: BigIntStats | undefined;
    try {
      stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    } catch (error) {
      throw missingOrFailed(key, "cannot look at", path, error);
    }
    if (stats?.isFile() !== true) throw notFound(key);
    return infoOf(stats);
  }

  async stage(key: string): Promise<string> {
    const folder = ownName(this.path(key), "stage");
    await this.#sweepOnce(folder);
    await publish.makeStage(folder).catch((error) => {
      throw failed("cannot make", folder, error);
    });
    const stage = basename(folder);
    this.#stages.set(stage, { key, folder, parts: new Map() });
    return stage;
  }

  async stagePart(stage: string, number: number, bytes: Uint8Array): Promise<void> {
    const { folder, parts } = this.#stage(stage);
    const path = join(folder, String(number));
    await writeFile(path, bytes).catch((error) => {
      throw failed("cannot write", path, error);
    });
    parts.set(number, bytes.length);
  }

  async getStaged(stage: string, range?: ByteRange, room?: Uint8Array): Promise<StoredObject> {
    const { folder } = this.#stage(stage);
    const { bytes, whole } = await publish.readParts(folder, range, room).catch((error) => {
      throw failed("cannot read", folder, error);
    });
    return { bytes, info: { bytes: whole, version: "" } };
  }

  async commit(stage: string, condition: Condition): Promise<Info> {
    const staged = this.#stage(stage);
    const { key, folder } = staged;
    this.#stages.delete(stage);
    try {
      const whole = await publish.joinParts(staged, this.path(key)).catch((error) => {
        throw failed("cannot join", folder, error);
      });
      return await this.#publish(key, whole, condition);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async abort(stage: string): Promise<void> {
    const { folder } = this.#stage(stage);
    this.#stages.delete(stage);
    await rm(folder, { recursive: true }).catch((error) => {
      throw failed("cannot remove", folder, error);
    });
  }

  release(key: string): Awaitable<void> {
    return this.#appenders.release(key);
  }

  /** Lets go of everything that is held for writing. */
  close(): void {
    this.#appenders.close();
  }

  /**
   * Removes what dead processes left beside `path`, the first time that something is put or staged
   * there: reading a folder takes long where many objects are.
   */
  async #sweepOnce(path: string): Promise<void> {
    const folder = dirname(path);
    if (this.#swept.has(folder)) return;
    this.#swept.add(folder);
    await sweep(folder);
  }

  async #publish(key: string, staged: string, condition: Condition): Promise<Info> {
    const path = this.path(key);
    this.checkPlace();
    const cannot = (error: unknown) =>
      codeOf(error) === "EEXIST"
        ? new TurnkeepError("already_exists", "the object exists", { key })
        : failed("cannot publish", path, error);
    const attempt = <T>(publishing: () => T): T => {
      try {
        return publishing();
      } catch (error) {
        throw cannot(error);
      }
    };
    // Looked at before: once published, another's may be in its place. A new name changes none of it.
    const info = attempt(() => infoOf(statSync(staged, { bigint: true })));
    if (condition === "absent") {
      attempt(() => publish.link(staged, path));
    } else {
      await this.#guarded(key, () => {
        this.#check(key, condition);
        attempt(() => publish.rename(staged, path));
      });
    }
    await publish.syncFolder(path).catch((error) => {
      throw cannot(error);
    });
    return info;
  }

  /** Runs something while no other writer, here or in another process, can change the object. */
  async #guarded(key: string, write: () => void): Promise<void> {
    const path = this.path(key);
    for (let busy; (busy = this.#appenders.busy(key)) !== undefined; ) await busy;
    // Nothing is awaited from here on: to the rest of this process it is one step. What this store
    // holds itself for appending would be in its own way.
    const lock = this.#appenders.take(key) ?? Lock.acquire(path, key);
    try {
      // One that was held may have been taken over since.
      lock.check();
      write();
    } finally {
      lock.release();
    }
  }

  #check(key: string, condition: Condition): void {
    const stats = statSync(this.path(key), { bigint: true, throwIfNoEntry: false });
    if (condition === "absent" && stats !== undefined) {
      throw new TurnkeepError("already_exists", "the object exists", { key });
    }
    if (typeof condition === "object") {
      if (stats === undefined || version(stats) !== condition.version) {
        throw new TurnkeepError("conflict", "the object has another version", { key });
      }
    }
  }

  #stage(stage: string): publish.Stage {
    const found = this.#stages.get(stage);
    if (found === undefined) throw new TurnkeepError("not_found", "there is no such stage");
    return found;
  }
}

export interface FileStore extends Disposable {}

/**
 * A store of one file, whatever the key: where a bundle lies. Its folder is made when it is written.
 * Where there are files, a runtime takes the path itself.
 *
 * @example
 * ```ts
 * await runtime.snapshotTo(fileBundle("./agents.bundle"));
 * ```
 */
export function fileBundle(path: string | URL): FileStore {
  return new OneFile(resolve(typeof path === "string" ? path : fileURLToPath(path)));
}

class OneFile extends FileStore {
  readonly #path: string;

  constructor(path: string) {
    super(dirname(path));
    this.#path = path;
  }

  override make(): void {}

  override checkPlace(): void {
    // A device would become a file.
    if (statSync(this.#path, { throwIfNoEntry: false })?.isFile() !== false) return;
    throw new TurnkeepError("not_supported", `${this.#path} is no regular file: write to it as a stream`);
  }

  override path(): string {
    return this.#path;
  }
}
