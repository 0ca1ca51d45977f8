// turnkeep/s3: the store in a bucket of S3, or of what speaks its protocol. What signs and sends is
// the application's; the module imports none of it.

import { TurnkeepError } from "./errors.js";
import { checkKey, isKey } from "./key.js";
import { type Bucket, type Found, Refusal, Strange, type Write, failed } from "./s3/bucket.js";
import { type S3FetchOptions, overHttp } from "./s3/http.js";
import { type S3ClientOptions, SdkBucket } from "./s3/sdk.js";
import type {
  ByteRange,
  Capabilities,
  Condition,
  Info,
  Listing,
  Store,
  StoredObject,
} from "./store.js";

export type { S3FetchOptions } from "./s3/http.js";
export type { S3ClientOptions, S3SdkClient, S3SdkCommand, S3SdkCommands } from "./s3/sdk.js";

/** How often a write is tried again that met another one, and how long to wait before the first. */
const RETRIES = 4;
const RETRY_MS = 20;
/** Most objects that S3 names at once. */
const PAGE_MAX = 1000;

/**
 * Objects in a bucket: for archives, which other stores make room for, and which any machine reads
 * by ranges. S3 cannot append, so no session is recorded there.
 *
 * Conditions of writes are S3's own (`If-None-Match`, `If-Match`); a server that does not look at
 * them is no place for what several write. S3's versions are ETags: an object that is written again
 * with the same bytes may keep its version.
 *
 * @example
 * ```ts
 * import { AwsClient } from "aws4fetch";
 * import { S3Store } from "turnkeep/s3";
 *
 * // Each request is to be sent once: a retry is for whoever knows what the request was.
 * const aws = new AwsClient({ accessKeyId: "…", secretAccessKey: "…", service: "s3", retries: 0 });
 * const store = S3Store.fetching({
 *   url: "https://bucket.s3.eu-central-1.amazonaws.com/sessions",
 *   fetch: (url, init) => aws.fetch(url, { ...init, signal: AbortSignal.timeout(30_000) }),
 * });
 * ```
 *
 * @example
 * ```ts
 * import * as commands from "@aws-sdk/client-s3";
 * import { S3Store } from "turnkeep/s3";
 *
 * const client = new commands.S3Client({ region: "eu-central-1", maxAttempts: 1 });
 * const store = S3Store.withClient({ client, commands, bucket: "bucket", prefix: "sessions" });
 * ```
 */
export class S3Store implements Store {
  readonly capabilities: Capabilities = {
    append: false,
    staging: false,
    createIfAbsent: true,
    replaceIfVersion: true,
    range: true,
    ttl: false,
    durability: "disk",
  };
  readonly #bucket: Bucket;
  readonly #prefix: string;

  private constructor(bucket: Bucket, prefix: string) {
    this.#bucket = bucket;
    this.#prefix = prefix;
  }

  /**
   * A store over a `fetch` that signs, such as that of aws4fetch's `AwsClient`. Have it send each
   * request once (aws4fetch: `retries: 0`): a write that is sent again, because its answer was lost,
   * meets its own work. The store knows that again where the server keeps metadata, as S3 does. In
   * browsers the bucket must allow the page's origin, and expose `ETag`, `Content-Range` and
   * `x-amz-meta-turnkeep-write`; `cache: "no-store"` keeps old answers out.
   */
  static fetching(options: S3FetchOptions): S3Store {
    const { bucket, prefix } = overHttp(options);
    return new S3Store(bucket, prefix);
  }

  /** A store over the AWS SDK. Best with `maxAttempts: 1`, for the reason given above. */
  static withClient(options: S3ClientOptions): S3Store {
    const prefix = (options.prefix ?? "").replace(/^\/+|\/+$/g, "");
    return new S3Store(new SdkBucket(options), prefix === "" ? "" : `${prefix}/`);
  }

  async get(key: string, range?: ByteRange): Promise<StoredObject> {
    checkKey(key);
    const nothing = async () => ({ bytes: new Uint8Array(0), info: await this.info(key) });
    // S3 has no way to ask for nothing.
    if (range !== undefined && range.start >= range.end) return nothing();
    try {
      const { bytes, found } = await this.#bucket.get(this.#prefix + key, range);
      return { bytes, info: infoOf(found) };
    } catch (error) {
      // Nothing from there on, or nothing at all in the object.
      if (error instanceof Refusal && error.status === 416) return nothing();
      throw missingOrFailed("read", key, error);
    }
  }

  async put(key: string, bytes: Uint8Array, condition: Condition): Promise<Info> {
    checkKey(key);
    // What is no ETag would be no condition to S3, or one that always holds.
    if (typeof condition === "object" && !ETAG.test(condition.version)) throw conflict(key);
    const writer = crypto.getRandomValues(new Uint32Array(4)).join("-");
    for (let attempt = 0; ; attempt += 1) {
      try {
        const write = { ...conditionOf(condition), writer };
        const etag = await this.#bucket.put(this.#prefix + key, bytes, write);
        if (etag === undefined) return await this.info(key);
        return { bytes: bytes.length, version: etag };
      } catch (error) {
        if (!(error instanceof Refusal)) throw failed("write", key, error);
        if (error.status === 409 && attempt < RETRIES) {
          await pause(attempt);
          continue;
        }
        return await this.#refused(key, condition, error, writer);
      }
    }
  }

  /** Always `not_supported`. */
  append(key: string): never {
    throw notSupported("append to an object", key);
  }

  /** Does nothing where there is an object: what was written is durable. */
  async sync(key: string): Promise<void> {
    await this.info(key);
  }

  /** Always nobody: nothing can be held. */
  holder(key: string): undefined {
    checkKey(key);
  }

  /** Only with the condition `"any"` or `"absent"`: S3 does not compare what it deletes. */
  async delete(key: string, condition: Condition): Promise<void> {
    // S3 deletes what is not there without a word.
    await this.info(key);
    if (condition === "absent") {
      throw new TurnkeepError("already_exists", "the object exists", { key });
    }
    if (condition !== "any") throw notSupported("delete an object of one version only", key);
    try {
      await this.#bucket.delete(this.#prefix + key);
    } catch (error) {
      throw missingOrFailed("delete", key, error);
    }
  }

  async list(prefix: string, after: string | undefined, limit: number): Promise<Listing> {
    let from = after === undefined ? undefined : this.#prefix + after;
    for (;;) {
      const { objects, isTruncated } = await this.#page(this.#prefix + prefix, from, limit);
      // What is not named like a key is none of ours.
      const ours = objects.flatMap(({ name, found }) => {
        const key = name.slice(this.#prefix.length);
        return isKey(key) ? [{ key, info: infoOf(found) }] : [];
      });
      const last = objects.at(-1)?.name;
      if (ours.length > 0 || !isTruncated || last === undefined) {
        return { objects: ours, more: isTruncated };
      }
      if (last === from) throw failed("list objects", undefined, new Strange("a listing does not go on"));
      from = last;
    }
  }

  async info(key: string): Promise<Info> {
    checkKey(key);
    try {
      return infoOf(await this.#look(key));
    } catch (error) {
      throw missingOrFailed("look at", key, error);
    }
  }

  /** Always `not_supported`. */
  stage(key: string): never {
    throw notSupported("write an object in parts", key);
  }

  /** Always `not_supported`. */
  stagePart(): never {
    throw notSupported("write an object in parts");
  }

  /** Always `not_supported`. */
  getStaged(): never {
    throw notSupported("write an object in parts");
  }

  /** Always `not_supported`. */
  commit(): never {
    throw notSupported("write an object in parts");
  }

  /** Always `not_supported`. */
  abort(): never {
    throw notSupported("write an object in parts");
  }

  /** What is known of an object. */
  async #look(key: string): Promise<Found> {
    const name = this.#prefix + key;
    try {
      return await this.#bucket.head(name);
    } catch (error) {
      if (!(error instanceof Refusal && error.status === 404)) throw error;
    }
    // Without a body nobody tells a missing object from a missing bucket. With one they do.
    const { found } = await this.#bucket.get(name, { start: 0, end: 1 });
    return found;
  }

  async #page(...[prefix, after, limit]: Parameters<Bucket["list"]>): ReturnType<Bucket["list"]> {
    try {
      return await this.#bucket.list(prefix, after, Math.min(limit, PAGE_MAX));
    } catch (error) {
      throw failed("list objects", undefined, error);
    }
  }

  /** What a refused write means. */
  async #refused(key: string, condition: Condition, error: Refusal, writer: string): Promise<Info> {
    const isMissing = error.isMissing && typeof condition === "object";
    if (error.status === 409 && condition !== "any") {
      const message = "the object is being written by others";
      throw new TurnkeepError("conflict", message, { key, retryable: true, cause: error });
    }
    if (error.status === 501) throw notSupported("write on a condition", key, error);
    if (error.status !== 412 && !isMissing) throw failed("write", key, error);
    // A client that sent the write twice is refused because of its own first one.
    const found = await this.#bucket.head(this.#prefix + key).catch(() => undefined);
    if (found?.writer === writer) return infoOf(found);
    if (condition === "absent") {
      throw new TurnkeepError("already_exists", "the object exists", { key });
    }
    throw conflict(key);
  }
}

/** Quoted; some servers forget that. */
const ETAG = /^(?:W\/)?"[^"]*"$|^[\w+\/=-]+$/;

function conflict(key: string): TurnkeepError {
  return new TurnkeepError("conflict", "the object has another version", { key });
}

function conditionOf(condition: Condition): Write {
  if (condition === "any") return {};
  return condition === "absent" ? { ifNoneMatch: "*" } : { ifMatch: condition.version };
}

function infoOf({ bytes, etag, modifiedMs }: Found): Info {
  return { bytes, version: etag, modifiedMs };
}

/** `not_found` where the object is missing, and nothing but the object. */
function missingOrFailed(what: string, key: string, error: unknown): TurnkeepError {
  if (error instanceof TurnkeepError) return error;
  if (!(error instanceof Refusal && error.isMissing)) return failed(what, key, error);
  return new TurnkeepError("not_found", "there is no such object", { key, cause: error });
}

function notSupported(what: string, key?: string, cause?: unknown): TurnkeepError {
  return new TurnkeepError("not_supported", `S3 does not ${what}`, { key, cause });
}

/** Waits longer each time, and not as long as others do. */
function pause(attempt: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, RETRY_MS * 2 ** attempt * (0.5 + Math.random()));
  });
}
