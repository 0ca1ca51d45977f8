// turnkeep/redis: the store in Redis, or in what speaks its protocol. The client is the
// application's; the module imports none.

import { TurnkeepError } from "./errors.js";
import { checkKey, isKey } from "./key.js";
import { type Answer, Redis, type RedisClient, text } from "./redis/client.js";
import { Layout } from "./redis/layout.js";
import * as scripts from "./redis/scripts.js";
import {
  type ByteRange,
  type Capabilities,
  type Condition,
  type Durability,
  type Info,
  type Listing,
  type Mark,
  type Store,
  type StoredObject,
  everything,
} from "./store.js";

export type {
  IoRedisClient,
  NodeRedisClient,
  NodeRedisCluster,
  NodeRedisOptions,
  NodeRedisSentinel,
  RedisArgument,
  RedisClient,
} from "./redis/client.js";

/** How a {@link RedisStore} keeps its objects. */
export interface RedisStoreOptions {
  /** What all of its keys start with, without braces; by default `turnkeep`. */
  readonly prefix?: string | undefined;
  /**
   * How long a session is kept after the last write to it, in seconds; by default 7,776,000, which
   * is 90 days.
   */
  readonly ttlSeconds?: number | undefined;
}

/** 90 days. */
const TTL_SECONDS = 7_776_000;
/** How many objects are looked at together. */
const LOOK_AT_ONCE = 256;

/**
 * Objects in Redis, for sessions that several machines share, as long as they are in use: each
 * expires some time after the last write to it, all objects of a session together. The client is
 * one of node-redis (5 or later) or of ioredis, of one server or of a cluster; it stays the
 * application's to connect and to close.
 *
 * What Redis acknowledged survives the end of this process (`"os"`), not that of Redis, which
 * syncs its own files as it is told to. What must not be lost is to be archived elsewhere, and
 * Redis to be set to `maxmemory-policy noeviction`.
 *
 * @example
 * ```ts
 * import { createClient } from "redis";
 * import { Session } from "turnkeep";
 * import { RedisStore } from "turnkeep/redis";
 *
 * const client = createClient({ url: "redis://localhost:6379" });
 * client.on("error", console.error);
 * await client.connect();
 * const session = await Session.create(new RedisStore(client), { id: "run-7" });
 * ```
 *
 * @example
 * ```ts
 * import { Redis } from "ioredis";
 * import { RedisStore } from "turnkeep/redis";
 *
 * const store = new RedisStore(new Redis(), { prefix: "agents", ttlSeconds: 7 * 24 * 3600 });
 * ```
 */
export class RedisStore implements Store {
  readonly capabilities: Capabilities = { ...everything("os"), ttl: true };
  readonly #redis: Redis;
  readonly #layout: Layout;
  readonly #ttlMs: number;

  /** A store of that client. */
  constructor(client: RedisClient, options: RedisStoreOptions = {}) {
    const { prefix = "turnkeep", ttlSeconds = TTL_SECONDS } = options;
    if (/[{}]/.test(prefix)) {
      throw new TurnkeepError("invalid_argument", "the prefix of a store holds no braces");
    }
    if (!Number.isSafeInteger(ttlSeconds * 1000) || ttlSeconds <= 0) {
      throw new TurnkeepError("invalid_argument", "ttlSeconds must be a positive number");
    }
    this.#redis = new Redis(client);
    this.#layout = new Layout(prefix);
    this.#ttlMs = ttlSeconds * 1000;
  }

  async get(key: string, range?: ByteRange): Promise<StoredObject> {
    checkKey(key);
    return objectOf(await this.#call(key, scripts.GET, [nonce(), ...boundsOf(range)]));
  }

  async put(key: string, bytes: Uint8Array, condition: Condition): Promise<Info> {
    checkKey(key);
    const args = [nonce(), this.#ttlMs, ...conditionOf(condition), bytes];
    if (typeof condition !== "object") await this.#note(key);
    return infoOf(checked(await this.#write(key, scripts.PUT, args), key));
  }

  async append(
    key: string,
    bytes: Uint8Array,
    at: number,
    torn: number,
    durability: Durability,
    mark: Mark = UNMARKED,
    tornStart: Uint8Array = NOTHING,
  ): Promise<Info> {
    checkKey(key);
    if (durability === "disk") this.#refuseDisk(key);
    if (at + torn === 0) await this.#note(key);
    const args = [nonce(), this.#ttlMs, at, torn, mark.at, mark.bytes, tornStart, bytes];
    const answer = await this.#write(key, scripts.APPEND, args);
    if (answer[0] !== "conflict") return infoOf(checked(answer, key));
    const length = Number(answer[1]);
    const message =
      length < 0
        ? "another object is in its place"
        : `the object has ${length} bytes, not ${at + torn}`;
    throw new TurnkeepError("conflict", message, { key });
  }

  /** Always `not_supported`. */
  sync(key: string): void {
    this.#refuseDisk(key);
  }

  /** Always nobody: an append is one step, for which nothing is held. */
  holder(key: string): undefined {
    checkKey(key);
  }

  async delete(key: string, condition: Condition): Promise<void> {
    checkKey(key);
    await this.#call(key, scripts.DELETE, conditionOf(condition));
  }

  async list(prefix: string, after: string | undefined, limit: number): Promise<Listing> {
    // Keys are ASCII: nothing that starts with the prefix comes after it and this.
    const end = prefix === "" ? "+" : `(${prefix}\u00ff`;
    let from = after !== undefined && after >= prefix ? `(${after}` : `[${prefix}`;
    const objects: { key: string; info: Info }[] = [];
    // One more than asked for tells whether more follow.
    while (objects.length <= limit) {
      const count = Math.min(limit + 1 - objects.length, LOOK_AT_ONCE);
      const keys = await this.#page(from, end, count);
      for (const object of await this.#present(keys)) objects.push(object);
      if (keys.length < count) break;
      const next = `(${keys.at(-1)}`;
      if (next === from) throw new TurnkeepError("store_failed", "Redis: a listing does not go on");
      from = next;
    }
    return { objects: objects.slice(0, limit), more: objects.length > limit };
  }

  async info(key: string): Promise<Info> {
    checkKey(key);
    return infoOf(await this.#call(key, scripts.INFO, [nonce()]));
  }

  async stage(key: string): Promise<string> {
    checkKey(key);
    const stage = `${key}:${nonce()}`;
    await this.#callStage(stage, scripts.STAGE, []);
    return stage;
  }

  async stagePart(stage: string, number: number, bytes: Uint8Array): Promise<void> {
    await this.#callStage(stage, scripts.PART, [number, bytes]);
  }

  async getStaged(stage: string, range?: ByteRange): Promise<StoredObject> {
    return objectOf(await this.#callStage(stage, scripts.STAGED, boundsOf(range)));
  }

  async commit(stage: string, condition: Condition): Promise<Info> {
    const { key, name } = this.#stage(stage);
    const [bytes, version, ...session] = this.#layout.written(key);
    const args = [nonce(), this.#ttlMs, ...conditionOf(condition)];
    if (typeof condition !== "object") await this.#note(key);
    const keys = [bytes, version, name, ...session];
    const answer = await this.#redis.call(scripts.COMMIT, keys, args);
    if (answer[0] === "not_found") throw noStage();
    return infoOf(checked(answer, key));
  }

  async abort(stage: string): Promise<void> {
    await this.#callStage(stage, scripts.ABORT, []);
  }

  /** Calls a script that leaves the object as it is, or removes it. */
  async #call(key: string, script: scripts.Script, args: Args): Promise<Answer> {
    return checked(await this.#redis.call(script, this.#layout.object(key), args), key);
  }

  /** Calls a script that writes the object. What speaks against it is the caller's to tell. */
  #write(key: string, script: scripts.Script, args: Args): Promise<Answer> {
    return this.#redis.call(script, this.#layout.written(key), args);
  }

  async #callStage(stage: string, script: scripts.Script, args: Args): Promise<Answer> {
    const answer = await this.#redis.call(script, [this.#stage(stage).name], args);
    if (answer[0] === "not_found") throw noStage();
    return answer;
  }

  /** Notes a key before something may be created under it: what exists is always in the index. */
  async #note(key: string): Promise<void> {
    await this.#redis.call(scripts.NOTE, this.#indexKeys(), [key]);
  }

  async #page(from: string, end: string, count: number): Promise<string[]> {
    const { index } = this.#layout;
    const args = [index, from, end, "LIMIT", "0", String(count)];
    return (await this.#redis.list("ZRANGEBYLEX", args)).map(text);
  }

  /** Those of the keys under which there is something. The index forgets the others in time. */
  async #present(keys: readonly string[]): Promise<{ key: string; info: Info }[]> {
    const look = (key: string) =>
      this.#redis.call(scripts.INFO, this.#layout.object(key), [nonce()]);
    const answers = await Promise.all(keys.map(look));
    const isThere = (place: number) => answers[place]?.[0] === "ok";
    const absent = keys.filter((_, place) => !isThere(place));
    if (absent.length > 0) {
      await this.#redis.call(scripts.PRUNE, this.#indexKeys(), absent);
    }
    const object = (key: string, place: number) =>
      isThere(place) ? [{ key, info: infoOf(answers[place] as Answer) }] : [];
    return keys.flatMap(object);
  }

  #indexKeys(): string[] {
    return [this.#layout.index, this.#layout.seen];
  }

  /** The key that a stage is of, and where it lies. */
  #stage(stage: string): { key: string; name: string } {
    const [key = "", id, ...more] = stage.split(":");
    if (id === undefined || more.length > 0 || !isKey(key)) throw noStage();
    return { key, name: this.#layout.stage(key, id) };
  }

  #refuseDisk(key: string): never {
    const message = "a client cannot make Redis sync: it does so as its own settings say";
    throw new TurnkeepError("not_supported", message, { key });
  }
}

type Args = readonly (string | number | Uint8Array)[];

const NOTHING = new Uint8Array(0);
const UNMARKED: Mark = { at: 0, bytes: NOTHING };

/** Names one call among all there ever are. */
function nonce(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function boundsOf(range: ByteRange | undefined): [from: number | "", to: number | ""] {
  return range === undefined ? ["", ""] : [range.start, range.end];
}

function conditionOf(condition: Condition): [condition: string, version: string] {
  return typeof condition === "object" ? ["version", condition.version] : [condition, ""];
}

function infoOf([, bytes, version]: Answer): Info {
  return { bytes: Number(bytes), version: text(version) };
}

function objectOf(answer: Answer): StoredObject {
  return { bytes: plain(answer[3]), info: infoOf(answer) };
}

/** Bytes that are not part of something larger, which they would keep in memory, nor a `Buffer`. */
function plain(bytes: unknown): Uint8Array {
  if (bytes instanceof Uint8Array) return new Uint8Array(bytes);
  throw new TurnkeepError("store_failed", "Redis gave no bytes where bytes were asked for");
}

const REFUSALS = {
  not_found: ["not_found", "there is no such object"],
  already_exists: ["already_exists", "the object exists"],
  conflict: ["conflict", "the object has another version"],
} as const;

function checked(answer: Answer, key: string): Answer {
  const [word] = answer;
  if (word === "ok") return answer;
  if (!Object.hasOwn(REFUSALS, word)) {
    throw new TurnkeepError("store_failed", `Redis answered "${word}"`, { key });
  }
  const [code, message] = REFUSALS[word as keyof typeof REFUSALS];
  throw new TurnkeepError(code, message, { key });
}

function noStage(): TurnkeepError {
  return new TurnkeepError("not_found", "there is no such stage");
}
