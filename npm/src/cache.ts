// What a runtime keeps beside its sessions: a key-value cache, as far as snapshots need it.

import { TurnkeepError, checkText } from "./errors.js";
import { jsonText } from "./json.js";
import type { Awaitable } from "./store.js";

/**
 * What a cache holds under a key: JSON, parsed or as its text, or bytes, in a `Uint8Array`. Of what
 * JSON does not have only members that are `undefined` are left out, as `JSON.stringify` does; all else,
 * such as objects of classes without a `toJSON`, is refused.
 */
export type CacheValue = {
  /** When it expires, in milliseconds since 1970; `undefined`: never. */
  readonly expiresMs?: number | undefined;
} & (
  | { readonly value: unknown; readonly json?: undefined }
  | { readonly json: string; readonly value?: undefined }
);

/**
 * A runtime's key-value cache, as far as a snapshot and a restoring need it.
 *
 * @example
 * ```ts
 * // Over a map of JSON texts.
 * const map = new Map<string, string>();
 * const cache: Cache = {
 *   rawJson: true,
 *   list: () => map.keys(),
 *   get(key) {
 *     const json = map.get(key);
 *     return json === undefined ? undefined : { json };
 *   },
 *   put(key, { json }) {
 *     if (json !== undefined) map.set(key, json);
 *   },
 * };
 * ```
 */
export interface Cache {
  /**
   * `put` gets JSON as its text, {@link CacheValue.json}, so that nothing is lost by parsing, such as
   * integers beyond 2^53. What `get` gives may be text or not, whatever this says.
   */
  readonly rawJson?: boolean | undefined;
  /** Its keys, each once. What is put meanwhile may be among them or not. */
  list(): Iterable<string> | AsyncIterable<string>;
  /** What it holds under a key; `undefined` where there is nothing, or nothing any more. */
  get(key: string): Awaitable<CacheValue | undefined>;
  /** Puts a value in the place of the one there is, with its expiry. */
  put(key: string, value: CacheValue): Awaitable<void>;
}

/**
 * A cache in memory. Values that have expired are there no more.
 *
 * @example
 * ```ts
 * const cache = createMemoryCache();
 * cache.put("result:1", { value: { total: 7 }, expiresMs: Date.now() + 60_000 });
 * ```
 */
export function createMemoryCache(options: Pick<Cache, "rawJson"> = {}): MemoryCache {
  return new MemoryCache(options.rawJson);
}

/** Made by {@link createMemoryCache}. */
export class MemoryCache implements Cache {
  readonly rawJson: boolean | undefined;
  readonly #values = new Map<string, CacheValue>();

  /** @internal */
  constructor(rawJson: boolean | undefined) {
    this.rawJson = rawJson;
  }

  list(): Iterable<string> {
    return [...this.#values.keys()].filter((key) => this.get(key) !== undefined);
  }

  get(key: string): CacheValue | undefined {
    const value = this.#values.get(key);
    if ((value?.expiresMs ?? Number.POSITIVE_INFINITY) > Date.now()) return value;
    this.#values.delete(key);
    return undefined;
  }

  put(key: string, value: CacheValue): void {
    this.#values.set(key, value);
  }
}

/** A value as it crosses to the wasm, and from it. @internal */
export interface CacheEntry {
  readonly key: string;
  readonly json?: string | undefined;
  readonly bytes?: Uint8Array | undefined;
  readonly expiresMs?: number | undefined;
}

/** A cache's answers to the requests of one task. @internal */
export class Answers {
  readonly #cache: Cache;
  /** The keys that were not given yet, once they were asked for. */
  #keys: Iterator<string> | AsyncIterator<string> | undefined;

  constructor(cache: Cache) {
    this.#cache = cache;
  }

  async keys(limit: number): Promise<string[]> {
    this.#keys ??= iterated(this.#cache.list());
    const keys: string[] = [];
    while (keys.length < limit) {
      const { done, value } = await this.#keys.next();
      if (done === true) break;
      checkText(value, "a key of the cache");
      keys.push(value);
    }
    return keys;
  }

  /** The values of as many keys as have 1 MiB together, but of one at least. */
  async values(keys: readonly string[]): Promise<(CacheEntry | undefined)[]> {
    const entries: (CacheEntry | undefined)[] = [];
    let bytes = 0;
    for (const key of keys) {
      const value = await this.#cache.get(key);
      // Many clients say `null` where there is nothing.
      const entry = (value ?? undefined) === undefined ? undefined : entryOf(key, value as CacheValue);
      entries.push(entry);
      bytes += entry?.json?.length ?? entry?.bytes?.length ?? 0;
      if (bytes >= VALUES_BYTES) break;
    }
    return entries;
  }

  async put(entries: readonly CacheEntry[]): Promise<void> {
    for (const { key, json, bytes, expiresMs } of entries) {
      if (json === undefined) await this.#cache.put(key, { value: bytes, expiresMs });
      else if (this.#cache.rawJson === true) await this.#cache.put(key, { json, expiresMs });
      else await this.#cache.put(key, { value: JSON.parse(json), expiresMs });
    }
  }

  /** Ends a listing that was not read to its end. */
  async close(): Promise<void> {
    await this.#keys?.return?.();
  }
}

const VALUES_BYTES = 1 << 20;

function iterated(keys: Iterable<string> | AsyncIterable<string>): Iterator<string> | AsyncIterator<string> {
  return Symbol.asyncIterator in keys ? keys[Symbol.asyncIterator]() : keys[Symbol.iterator]();
}

function entryOf(key: string, { value, json, expiresMs }: CacheValue): CacheEntry {
  const what = `the cache's value ${JSON.stringify(key)}`;
  if (expiresMs !== undefined && !(Number.isSafeInteger(expiresMs) && expiresMs >= 0)) {
    throw new TurnkeepError("invalid_argument", `${what}: expiresMs is a whole number`);
  }
  if (value instanceof Uint8Array) return { key, bytes: value, expiresMs };
  const text = json ?? jsonText(value, what);
  checkText(text, what, "bad_json");
  return { key, json: text, expiresMs };
}
