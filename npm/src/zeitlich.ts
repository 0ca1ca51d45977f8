// turnkeep/zeitlich: threads of zeitlich's as sessions, its snapshots read and written as they are.

import { drive } from "./drive.js";
import { TurnkeepError, checkText, checked } from "./errors.js";
import { holding } from "./holds.js";
import { jsonText } from "./json.js";
import { wasm } from "./load.js";
import { deleteSession } from "./manage.js";
import type { CallOptions } from "./options.js";
import { type Flushed, Tier } from "./tier.js";

export { type BucketOptions, threadsInBucket } from "./zeitlich/bucket.js";
export { type RedisThreadsOptions, threadsInRedis } from "./zeitlich/redis.js";

/** zeitlich's `PersistedThreadState`: its tasks and what a workflow keeps. */
export interface ThreadState {
  // Both ways must fit: zeitlich's own types are narrower, and others may be kept.
  tasks: [string, never][];
  custom: Record<string, never>;
}

/** A thread as zeitlich keeps it in its cold store, version 1. */
export interface ThreadSnapshot {
  v: 1;
  /** The messages as they stood in its Redis list. */
  messages: string[];
  /** Its state slice; `null`: none was saved. */
  state: ThreadState | null;
  /** The messages' ids, in their order; none where it did not know them. */
  dedupIds: string[];
}

/** zeitlich's `ColdThreadStore`. */
export interface ColdThreadStore {
  /** The thread; `null` where there is none. */
  read(threadKey: string, threadId: string): Promise<ThreadSnapshot | null>;
  /** Makes a thread what the snapshot says. */
  write(threadKey: string, threadId: string, snapshot: ThreadSnapshot): Promise<void>;
  /** Removes a thread; nothing where there is none. */
  delete(threadKey: string, threadId: string): Promise<void>;
}

/**
 * A cold store for zeitlich in which each thread is a session. A `write` stores only what changed; one
 * that drops messages keeps them in the log. Several writers cannot overwrite each other's messages
 * unknowingly: each write holds what its snapshot says, after what was there.
 *
 * @example
 * ```ts
 * import { Tier } from "turnkeep";
 * import { MemoryStore } from "turnkeep/memory";
 * import { createColdThreadStore } from "turnkeep/zeitlich";
 *
 * // In earnest the second one is an S3Store; the first holds what is being written.
 * const tier = await Tier.open(new MemoryStore(), new MemoryStore());
 * const coldStore = createColdThreadStore(tier);
 * await coldStore.write("messages", "t-1", { v: 1, messages: ['{"id":"m1"}'], state: null, dedupIds: ["m1"] });
 * console.log((await coldStore.read("messages", "t-1"))?.messages.length);
 * ```
 */
export function createColdThreadStore(tier: Tier): ColdThreadStore {
  return {
    async read(threadKey, threadId) {
      const id = threadSession(threadKey, threadId);
      const json = await drive<Uint8Array | undefined>(wasm().read_thread(id), tier);
      return json === undefined ? null : parsed(json);
    },
    async write(threadKey, threadId, snapshot) {
      await writeThread(tier, threadSession(threadKey, threadId), snapshot);
    },
    async delete(threadKey, threadId) {
      try {
        await deleteSession(tier, threadSession(threadKey, threadId));
      } catch (error) {
        if (!(error instanceof TurnkeepError && error.code === "not_found")) throw error;
      }
    },
  };
}

/** The id of the session that holds a thread. No two threads share one. */
export function threadSession(threadKey: string, threadId: string): string {
  checkText(threadKey, "a thread's key");
  checkText(threadId, "a thread's id");
  return checked(() => wasm().thread_session(threadKey, threadId));
}

/**
 * Reads an object of zeitlich's cold store; whether it is gzipped, its first bytes tell.
 * `unsupported_version`, `bad_entry` or `bad_json` where it is none of version 1.
 *
 * @example
 * ```ts
 * const { messages } = readThreadSnapshot(await readFile("t-1.json.gz"));
 * ```
 */
export function readThreadSnapshot(object: Uint8Array): ThreadSnapshot {
  return parsed(checked(() => wasm().read_snapshot(object) as Uint8Array));
}

/**
 * An object of zeitlich's cold store, gzipped unless told otherwise.
 *
 * @example
 * ```ts
 * const object = writeThreadSnapshot({ v: 1, messages: [], state: null, dedupIds: [] });
 * ```
 */
export function writeThreadSnapshot(snapshot: ThreadSnapshot, options: { gzip?: boolean } = {}): Uint8Array {
  return checked(() => wasm().write_snapshot(bytesOf(snapshot), options.gzip ?? true));
}

/** A thread that is to be brought over, from wherever it was kept. */
export interface Thread {
  readonly threadKey: string;
  readonly threadId: string;
  /** Gives its snapshot, or an object of zeitlich's cold store. */
  snapshot(): Promise<ThreadSnapshot | Uint8Array>;
}

/** What became of a thread. */
export interface Migrated {
  readonly threadKey: string;
  readonly threadId: string;
  /** The session that holds it now. */
  readonly session: string | undefined;
  /** How many entries were new there; none where it was brought over before. */
  readonly entries: number;
  /** Why it could not be brought over; it stays where it was. */
  readonly fault: unknown;
}

/**
 * Brings threads over into sessions, one after the other, and tells of each. What was brought over
 * before costs a look; what failed can be done again. Where they come from they stay as they are.
 *
 * @example
 * ```ts
 * for await (const { threadId, entries, fault } of migrateThreads(tier, threadsInBucket(bucket))) {
 *   console.log(threadId, fault ?? `${entries} new`);
 * }
 * ```
 */
export async function* migrateThreads(
  tier: Tier,
  threads: AsyncIterable<Thread> | Iterable<Thread>,
  options: CallOptions = {},
): AsyncGenerator<Migrated, void, undefined> {
  for await (const thread of threads) {
    options.signal?.throwIfAborted();
    const { threadKey, threadId } = thread;
    let session: string | undefined;
    try {
      session = threadSession(threadKey, threadId);
      const { entries } = await writeThread(tier, session, await thread.snapshot());
      yield { threadKey, threadId, session, entries, fault: undefined };
    } catch (fault) {
      yield { threadKey, threadId, session, entries: 0, fault };
    }
  }
}

function writeThread(tier: Tier, id: string, snapshot: ThreadSnapshot | Uint8Array): Promise<Flushed> {
  const bytes = snapshot instanceof Uint8Array ? snapshot : bytesOf(snapshot);
  const task = checked(() => wasm().write_thread(id, bytes));
  return holding(tier, id, () => drive<Flushed>(task, tier));
}

function bytesOf(snapshot: ThreadSnapshot): Uint8Array {
  return new TextEncoder().encode(jsonText(snapshot, "a snapshot"));
}

function parsed(json: Uint8Array): ThreadSnapshot {
  return JSON.parse(new TextDecoder().decode(json)) as ThreadSnapshot;
}
