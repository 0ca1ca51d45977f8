// What a store has to do. The core's `store` module says what each verb promises.

import { TurnkeepError } from "./errors.js";

/** The last entry of a log: the identity of a session's content. */
export interface Head {
  /** The entry's number, counted from 0. */
  readonly seq: number;
  /** The entry's hash: 64 lower-case hex digits. */
  readonly hash: string;
  /** Length of the log up to and including the entry's line. */
  readonly bytes: number;
}

/** The trace of a write that never finished, after the head. The next append cuts it off. */
export interface Torn {
  /** Where it starts; equals the head's `bytes`. */
  readonly offset: number;
  /** Its length. */
  readonly bytes: number;
}

/**
 * What an acknowledged append survives: nothing but the end of the call (`"memory"`), the end of
 * the process (`"os"`), or loss of power (`"disk"`).
 */
export type Durability = "memory" | "os" | "disk";

/**
 * What must hold for a write to happen: nothing; that the object does not exist (else
 * `already_exists`); that it exists and has this version (else `conflict`).
 */
export type Condition = "any" | "absent" | { readonly version: string };

/** What is known of an object. */
export interface Info {
  /** Its length. */
  readonly bytes: number;
  /** Changes whenever its content does. Opaque; compare it, nothing else. */
  readonly version: string;
  /** When it was last written, in milliseconds since 1970, where the store knows. */
  readonly modifiedMs?: number | undefined;
}

/** Who holds an object for appending. */
export interface Holder {
  /** Its process. */
  readonly pid: number;
  /** The machine it runs on. */
  readonly host: string;
  /** When it started, in a form only good for comparing. */
  readonly start: string;
  /** When it last showed a sign of life, in milliseconds since 1970. */
  readonly heartbeatMs?: number | undefined;
  /** Whether it is alive, as far as can be told from here. */
  readonly isAlive: boolean;
  /** Whether it is this process. */
  readonly isSelf: boolean;
}

/** Bytes of an object, and what is known of it. */
export interface StoredObject {
  /** The bytes asked for. */
  readonly bytes: Uint8Array;
  /** Of the object as a whole. */
  readonly info: Info;
}

/** Some of a store's objects. */
export interface Listing {
  /** In order of their keys' bytes. */
  readonly objects: readonly { readonly key: string; readonly info: Info }[];
  /** Whether more follow. */
  readonly more: boolean;
}

/** A stretch of bytes: from `start` on, up to and without `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What stands in an object from `at` on: at most 128 bytes. */
export interface Mark {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** What a store can do. What it cannot do it answers with `not_supported`; it never pretends. */
export interface Capabilities {
  /** {@link Store.append}. */
  readonly append: boolean;
  /** {@link Store.stage} and what belongs to it. */
  readonly staging: boolean;
  /** The condition `"absent"`. */
  readonly createIfAbsent: boolean;
  /** The condition `{ version }`. */
  readonly replaceIfVersion: boolean;
  /** {@link Store.get} of a range reads only that range. */
  readonly range: boolean;
  /** Objects may expire. */
  readonly ttl: boolean;
  /** The strongest durability it can give. */
  readonly durability: Durability;
}

/** A value, or a promise of one. A store that answers without a promise is driven without one. */
export type Awaitable<T> = T | PromiseLike<T>;

/**
 * Where bytes live. A store knows keys, bytes and versions; it never sees what a session is. It
 * says what went wrong with a `TurnkeepError`; whatever else it throws becomes `store_failed`.
 *
 * @example
 * ```ts
 * // A store over another one, which counts what is read.
 * class Counting extends MemoryStore {
 *   bytesRead = 0;
 *   override get(key: string, range?: ByteRange): StoredObject {
 *     const object = super.get(key, range);
 *     this.bytesRead += object.bytes.length;
 *     return object;
 *   }
 * }
 * ```
 */
export interface Store {
  /** What it can do. */
  readonly capabilities: Capabilities;

  /**
   * An object's bytes, or those of a range, cut off at the object's end. `not_found` only where the
   * key is missing. The bytes may lie in `room`, where they fit: its owner is done with them before
   * it uses that again.
   */
  get(key: string, range?: ByteRange, room?: Uint8Array): Awaitable<StoredObject>;

  /** Writes an object whole, durably, visible all at once or not at all. */
  put(key: string, bytes: Uint8Array, condition: Condition): Awaitable<Info>;

  /**
   * Adds bytes after the first `at` bytes of an object, which is created where `at` is 0 and it is
   * missing. The object must be exactly `at + torn` bytes long, else `conflict`; its last `torn`
   * bytes are cut off. `mark` must stand in it (within the first `at` bytes; absent: anything), and
   * the bytes that are cut off must start with `tornStart` (at most 128 bytes), else `conflict`: that
   * tells it from another object of the same length in its place, and a torn write from what someone
   * else wrote over it. `locked` where another writer holds the object. All or nothing as far as the store can:
   * on failure the object is as it was, or the store says `poisoned` from then on.
   *
   * `bytes` are the store's to read until it has answered, and not after that.
   */
  append(
    key: string,
    bytes: Uint8Array,
    at: number,
    torn: number,
    durability: Durability,
    mark?: Mark,
    tornStart?: Uint8Array,
  ): Awaitable<Info>;

  /**
   * Makes everything that was appended to an object durable (`"disk"`). Calls that come at the same
   * time may share one sync. `poisoned` from then on where it fails; a store without this makes
   * nothing durable.
   */
  sync?(key: string): Awaitable<void>;

  /**
   * Who holds an object for appending, without taking it; `undefined`: nobody, or the store cannot
   * know.
   */
  holder?(key: string): Awaitable<Holder | undefined>;

  /** Removes an object. `not_found` where it is missing. */
  delete(key: string, condition: Condition): Awaitable<void>;

  /** Names objects whose key starts with `prefix`, in order, after `after`, at most `limit`. */
  list(prefix: string, after: string | undefined, limit: number): Awaitable<Listing>;

  /** An object's length and version. */
  info(key: string): Awaitable<Info>;

  /** Begins to write an object in parts; gives the stage's name. */
  stage(key: string): Awaitable<string>;

  /**
   * Writes a part. Parts are joined by number, from 1 on, and may come in any order. `bytes` are the
   * store's to read until it has answered, and not after that.
   */
  stagePart(stage: string, number: number, bytes: Uint8Array): Awaitable<void>;

  /**
   * The parts' bytes as they would be published now, or those of a range, cut off at the end. The
   * version may be empty. They may lie in `room`, as with {@link Store.get}.
   */
  getStaged(stage: string, range?: ByteRange, room?: Uint8Array): Awaitable<StoredObject>;

  /** Publishes the parts as one object, as {@link Store.put} does; the stage is gone either way. */
  commit(stage: string, condition: Condition): Awaitable<Info>;

  /** Gives the parts up. */
  abort(stage: string): Awaitable<void>;

  /** Lets go of what is held for writing to an object, such as a lock, so that others can write. */
  release?(key: string): Awaitable<void>;

  /** The cold store behind this one, if there is one: see {@link Tier}. */
  readonly cold?: Store | undefined;
}

/** A store from outside. @internal */
export function checkStore(store: Store): void {
  const { get, list } = ((store as unknown) ?? {}) as Partial<Store>;
  if (typeof get === "function" && typeof list === "function") return;
  const hint = "Give one such as new FileStore(path), of turnkeep/fs.";
  throw new TurnkeepError("invalid_argument", "a store must be an object with a store's methods", { hint });
}

/** Everything but expiry, with that durability. @internal */
export function everything(durability: Durability): Capabilities {
  return {
    append: true,
    staging: true,
    createIfAbsent: true,
    replaceIfVersion: true,
    range: true,
    ttl: false,
    durability,
  };
}

/** Memory for that many bytes: the start of `room`, where they fit. @internal */
export function within(room: Uint8Array | undefined, length: number): Uint8Array {
  return room !== undefined && length <= room.length ? room.subarray(0, length) : new Uint8Array(length);
}

/** Whether an answer is a promise, and not there yet. @internal */
export function isPromise<T>(answer: Awaitable<T>): answer is PromiseLike<T> {
  return typeof (answer as PromiseLike<T> | undefined)?.then === "function";
}
