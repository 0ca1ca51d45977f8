// A hot store in front of a cold one.

import { drive } from "./drive.js";
import { type TurnkeepError, checkMembers, checkText, checked, fromWasm } from "./errors.js";
import { holding } from "./holds.js";
import { wasm } from "./load.js";
import { deleteSession } from "./manage.js";
import type { Opened } from "./opened.js";
import { CALL, type CallOptions, OPEN, type OpenOptions, checkOptions } from "./options.js";
import { type Session, sessionOf } from "./session.js";
import {
  type Awaitable,
  type ByteRange,
  type Capabilities,
  type Condition,
  type Durability,
  type Head,
  type Holder,
  type Info,
  type Listing,
  type Mark,
  type Store,
  type StoredObject,
  checkStore,
} from "./store.js";
import type * as glue from "./wasm/turnkeep.js";

/** How to flush. */
export interface FlushOptions extends CallOptions {
  /**
   * What becomes of the hot part: it is removed, if nothing was appended meanwhile (`"clear"`, unless
   * told); it stays hydrated, an anchor and the last lines (`"keep"`); it is left as it is
   * (`"leave"`).
   */
  readonly hot?: "clear" | "keep" | "leave" | undefined;
  /**
   * Join segments where many small ones came together, unless told otherwise: now and then costs some
   * more requests, and keeps reading cheap.
   */
  readonly merge?: boolean | undefined;
}

/** What a flush did. */
export interface Flushed {
  /** The session's head in the cold store; `undefined` where nothing was in the hot store. */
  readonly head: Head | undefined;
  /** How many entries were new there. */
  readonly entries: number;
  /** How many segments were written, by joining others too. */
  readonly segments: number;
  /** The hot part was removed or cut down; not where something was appended meanwhile. */
  readonly cleared: boolean;
  /** Why small segments could not be joined, if they were to be. The flush holds. */
  readonly mergeFault: TurnkeepError | undefined;
}

/** What copying did. */
export interface Copied {
  /** The session's head, the same in both stores. */
  readonly head: Head;
  /** How many entries were new where it was copied to. */
  readonly entries: number;
}

/** How to collect. */
export interface CollectOptions extends CallOptions {
  /**
   * For how long an object must have been unused, in milliseconds: seven days unless told, at least
   * two hours.
   */
  readonly graceMs?: number | undefined;
  /** Only tell what would be done. */
  readonly dryRun?: boolean | undefined;
}

/** What collecting found and did. */
export interface Collected {
  /** Sessions that are not deleted. */
  readonly sessions: number;
  /** Segments and lists that they use. */
  readonly used: number;
  /** The length of those. */
  readonly usedBytes: number;
  /** Keys of what nothing uses, and stays for now. */
  readonly unused: readonly string[];
  /** The length of those. */
  readonly unusedBytes: number;
  /** Keys of what was deleted, or would be. */
  readonly deleted: readonly string[];
  /** The length of those. */
  readonly deletedBytes: number;
}

/** A session of a cold store. */
export interface ColdSession {
  readonly id: string;
  /** Its last entry there. */
  readonly head: Head;
  /** Length of its segments, which it may share with others. */
  readonly storedBytes: number;
  /** When it was last flushed, in milliseconds since 1970. */
  readonly flushedMs: number;
}

/** Which sessions of a cold store to list. */
export interface ColdSessionsOptions extends CallOptions {
  /** Those after this one. */
  readonly after?: string | undefined;
  /** At most that many. */
  readonly limit?: number | undefined;
}

/**
 * A hot store (Redis, memory, files) in front of a cold one (S3 and the like). It is a store itself:
 * sessions are created, opened, forked, appended to and read through it as through any other,
 * wherever their entries lie. What happens now is in the hot store; {@link Tier.flush} writes what is
 * new into the cold one, and {@link Tier.hydrate} brings back what going on needs. {@link runSession}
 * does both around a piece of work.
 *
 * @example
 * ```ts
 * import { Session, Tier } from "turnkeep";
 * import { MemoryStore } from "turnkeep/memory";
 *
 * // In earnest: Redis and S3.
 * const tier = await Tier.open(new MemoryStore(), new MemoryStore());
 * const session = await Session.create(tier, { id: "thread-1" });
 * await session.append({ item: { role: "user", content: "Hi" } });
 * await session.close();
 * const { entries } = await tier.flush("thread-1");
 *
 * // Another worker, another day.
 * const again = await tier.hydrate("thread-1");
 * await again.append({ item: { role: "assistant", content: "Ho" } });
 * console.log(entries, (await again.state()).history.length);
 * ```
 */
export class Tier implements Store {
  readonly cold: Store;
  // Not there where the hot store has none: that a store has them says what it can do.
  readonly sync?: (key: string) => Awaitable<void>;
  readonly holder?: (key: string) => Awaitable<Holder | undefined>;
  readonly release?: (key: string) => Awaitable<void>;
  readonly #hot: Store;

  private constructor(hot: Store, cold: Store) {
    checkStore(hot);
    // Without one, what needs it says so.
    if ((cold as Store | undefined) !== undefined) checkStore(cold);
    this.#hot = hot;
    this.cold = cold;
    if (hot.sync !== undefined) this.sync = hot.sync.bind(hot);
    if (hot.holder !== undefined) this.holder = hot.holder.bind(hot);
    if (hot.release !== undefined) this.release = hot.release.bind(hot);
  }

  /**
   * Puts a hot store in front of a cold one, after trying out by a small race whether the cold one
   * lets exactly one writer create an object. `not_supported` where it does not: sessions in it could
   * be lost.
   *
   * @example
   * ```ts
   * const tier = await Tier.open(new MemoryStore(), new MemoryStore());
   * ```
   */
  static async open(hot: Store, cold: Store, options: CallOptions = {}): Promise<Tier> {
    const tier = new Tier(hot, cold);
    await drive(wasm().probe(), tier, options.signal);
    return tier;
  }

  /**
   * The same for reading only: the cold store is not tried out.
   *
   * @example
   * ```ts
   * const session = await Session.open(Tier.openReading(hot, cold), "thread-1");
   * ```
   */
  static openReading(hot: Store, cold: Store): Tier {
    return new Tier(hot, cold);
  }

  /**
   * Brings a session into the hot store, as far as going on with it needs, and opens it: two requests
   * to the cold one, whatever the session's length; none where it is hot already. May be done again
   * at any time, and by several at once. `not_found` where neither store has it.
   *
   * @example
   * ```ts
   * const session = await tier.hydrate("thread-1");
   * ```
   */
  async hydrate(id: string, options: OpenOptions = {}): Promise<Session> {
    checkOptions(options, OPEN);
    const task = started(id, () => wasm().hydrate(id));
    const { opened } = await drive<{ opened: Opened }>(task, this, options.signal);
    return sessionOf(this, opened, options);
  }

  /**
   * Writes what is new in the hot store into the cold one, and then clears the hot one unless
   * something was appended meanwhile. May be done again at any time, and by several at once: what is
   * there is not written twice. `conflict` where the cold store has other entries, `not_found` where
   * the session was deleted. Session objects stay good: the next append brings back what it needs.
   *
   * @example
   * ```ts
   * const { entries, cleared } = await tier.flush("thread-1", { hot: "keep" });
   * ```
   */
  async flush(id: string, options: FlushOptions = {}): Promise<Flushed> {
    checkMembers(options, { ...CALL, hot: true, merge: true });
    const { hot, merge, signal } = options;
    if (hot !== undefined) checkText(hot, "hot");
    const task = started(id, () => wasm().flush(id, hot, merge));
    const { mergeFault, ...flushed } = await drive<Flushed>(task, this, signal);
    return { ...flushed, mergeFault: mergeFault && (fromWasm(mergeFault) as TurnkeepError) };
  }

  /**
   * The last state slice of a session, `undefined` where it has none, or `null`. What was appended since the last
   * flush is read, nothing before that.
   *
   * @example
   * ```ts
   * const tasks = await tier.slice("thread-1");
   * ```
   */
  async slice(id: string, options: CallOptions = {}): Promise<unknown> {
    const json = await this.sliceJson(id, options);
    return json === undefined ? undefined : JSON.parse(json);
  }

  /**
   * The same as JSON text, byte for byte what was appended.
   *
   * @example
   * ```ts
   * console.log(await tier.sliceJson("thread-1"));
   * ```
   */
  async sliceJson(id: string, options: CallOptions = {}): Promise<string | undefined> {
    return drive(started(id, () => wasm().slice(id)), this, options.signal);
  }

  /**
   * Brings all of a session into the hot store, as a log that stands alone.
   *
   * @example
   * ```ts
   * const { entries } = await tier.pull("thread-1");
   * ```
   */
  async pull(id: string, options: CallOptions = {}): Promise<Copied> {
    return drive(started(id, () => wasm().pull(id)), this, options.signal);
  }

  /**
   * Collects what no session in the cold store needs any more: it is noted, and what was unused for as
   * long as the grace is deleted. Refuses where a listing cannot be right.
   *
   * @example
   * ```ts
   * const { deleted, unusedBytes } = await tier.collect({ dryRun: true });
   * ```
   */
  async collect(options: CollectOptions = {}): Promise<Collected> {
    checkMembers(options, { ...CALL, graceMs: true, dryRun: true });
    const { graceMs, dryRun, signal } = options;
    return drive(checked(() => wasm().collect(graceMs, dryRun)), this, signal);
  }

  /**
   * The sessions of the cold store, in order of their encoded ids. Each costs a look.
   *
   * @example
   * ```ts
   * for await (const { id, flushedMs } of tier.coldSessions({ limit: 20 })) console.log(id, flushedMs);
   * ```
   */
  async *coldSessions(options: ColdSessionsOptions = {}): AsyncGenerator<ColdSession, void, undefined> {
    checkMembers(options, { ...CALL, after: true, limit: true });
    let { after, limit: left = Number.POSITIVE_INFINITY } = options;
    if (after !== undefined) checkText(after, "an id", "invalid_id");
    while (left > 0) {
      const task = checked(() => wasm().cold_sessions(after, Math.min(left, LIST_LIMIT)));
      const page = await drive<ColdSessions>(task, this, options.signal);
      yield* page.sessions;
      left -= page.sessions.length;
      after = page.next;
      if (after === undefined) return;
    }
  }

  /**
   * Deletes a session in both stores, for good: no flush under way brings it back. The same as
   * {@link deleteSession} of this store.
   *
   * @example
   * ```ts
   * await tier.deleteSession("thread-1");
   * ```
   */
  deleteSession(id: string, options: CallOptions = {}): Promise<void> {
    return deleteSession(this, id, options);
  }

  // As a store it is the hot one; only the core asks for the cold one beside it.

  /** @internal */
  get hot(): Store {
    return this.#hot;
  }
  get capabilities(): Capabilities {
    return this.#hot.capabilities;
  }

  get(key: string, range?: ByteRange): Awaitable<StoredObject> {
    return this.#hot.get(key, range);
  }

  put(key: string, bytes: Uint8Array, condition: Condition): Awaitable<Info> {
    return this.#hot.put(key, bytes, condition);
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
    return this.#hot.append(key, bytes, at, torn, durability, mark, tornStart);
  }

  delete(key: string, condition: Condition): Awaitable<void> {
    return this.#hot.delete(key, condition);
  }

  list(prefix: string, after: string | undefined, limit: number): Awaitable<Listing> {
    return this.#hot.list(prefix, after, limit);
  }

  info(key: string): Awaitable<Info> {
    return this.#hot.info(key);
  }

  stage(key: string): Awaitable<string> {
    return this.#hot.stage(key);
  }

  stagePart(stage: string, number: number, bytes: Uint8Array): Awaitable<void> {
    return this.#hot.stagePart(stage, number, bytes);
  }

  getStaged(stage: string, range?: ByteRange): Awaitable<StoredObject> {
    return this.#hot.getStaged(stage, range);
  }

  commit(stage: string, condition: Condition): Awaitable<Info> {
    return this.#hot.commit(stage, condition);
  }

  abort(stage: string): Awaitable<void> {
    return this.#hot.abort(stage);
  }
}

/**
 * Copies a session whole from one store to another, which gets it in that layout: `"files"`, a log, as
 * in files, memory and Redis; `"objects"`, manifests and segments, as in S3. However it lies in the
 * first one. Of a session that is there already what is new is added, so an interrupted copying can
 * be done again. What is copied is verified. `conflict` where the session there has other entries.
 *
 * @example
 * ```ts
 * const { entries } = await copySession(files, cold, "run-7", "objects");
 * ```
 */
export async function copySession(
  from: Store,
  to: Store,
  id: string,
  layout: "files" | "objects",
  options: CallOptions = {},
): Promise<Copied> {
  checkText(layout, "a layout");
  const task = started(id, () => wasm().copy(id, layout));
  return holding(to, id, () => drive<Copied>(task, Tier.openReading(from, to), options.signal));
}

/** A task for a session. */
function started(id: string, start: () => glue.Task): glue.Task {
  checkText(id, "an id", "invalid_id");
  return checked(start);
}

interface ColdSessions {
  readonly sessions: readonly ColdSession[];
  readonly next: string | undefined;
}

/** Sessions that are looked at at once. */
const LIST_LIMIT = 100;
