// A whole runtime: its sessions, what else is busy in it, and its cache.

import { alone } from "./alone.js";
import { Answers, type Cache } from "./cache.js";
import { type Beside, type Request, answerTo, driveBeside } from "./drive.js";
import { TurnkeepError, checkMembers, checkText, checked, fromWasm, texts } from "./errors.js";
import { wasm } from "./load.js";
import { CALL, type CallOptions } from "./options.js";
import {
  type BundleSource,
  type BundleTarget,
  attempt,
  explain,
  randomNumber,
  reading,
  sourceOf,
  spool,
  targetOf,
  writing,
} from "./place.js";
import { type Probe, type Run, Runs, WAIT, type WaitOptions } from "./runs.js";
import { type Awaitable, type Head, type Store, checkStore } from "./store.js";
import type { Task } from "./wasm/turnkeep.js";

/** What a runtime is made of. */
export interface RuntimeOptions extends CallOptions {
  /** Where its sessions lie. */
  readonly store: Store;
  /** The values that it keeps beside them. */
  readonly cache?: Cache | undefined;
  /** Whether to give up values that an earlier restoring has yet to put into the cache. */
  readonly givesUpCache?: boolean | undefined;
  /** What else can be busy. */
  readonly probes?: readonly Probe[] | undefined;
}

/** How to write a bundle. */
export interface SnapshotOptions extends WaitOptions {
  /** These sessions only, by their ids; all unless told. */
  readonly sessions?: readonly string[] | undefined;
  /**
   * Leave out what the cache holds under keys that start with one of these: `chat_session:` and
   * `chat_history:` unless told, for sessions are kept there that the bundle has anyway.
   */
  readonly skippedPrefixes?: readonly string[] | undefined;
  /**
   * Take the place of an older bundle although damaged sessions are left out of this one
   * (`already_exists` unless told): the older one may be the only place where they are whole.
   */
  readonly replacesFuller?: boolean | undefined;
  /** Under which key, in a store; `bundles/runtime.bundle` unless told. */
  readonly key?: string | undefined;
}

/** What was written. */
export interface Snapshotted {
  /** How many sessions it holds. */
  readonly sessions: number;
  /** How many entries those have. */
  readonly entries: number;
  /** How many values of the cache it holds. */
  readonly cached: number;
  /** Length of its content. */
  readonly rawBytes: number;
  /** Length of the file. */
  readonly bytes: number;
  /** SHA-256 of its content: 64 lower-case hex digits. */
  readonly digest: string;
  /** Sessions that could not be read, and are not in it. */
  readonly leftOut: readonly { readonly id: string; readonly error: TurnkeepError }[];
  /** Values of the cache that were passed over for their keys' prefixes. */
  readonly cacheSkipped: number;
}

/** How to restore. */
export interface RestoreOptions extends WaitOptions {
  /** These sessions only, by their ids, and nothing of the cache; all there is unless told. */
  readonly sessions?: readonly string[] | undefined;
  /** Change nothing, and tell what would change. */
  readonly dryRun?: boolean | undefined;
  /** Under which key it lies, in a store; `bundles/runtime.bundle` unless told. */
  readonly key?: string | undefined;
}

/** What was restored, or would be. */
export interface Restored {
  /** The bundle's sessions, in its order. */
  readonly sessions: readonly RestoredSession[];
  /** Its values: those that are put; that have expired since; for which there is no cache. */
  readonly cache: { readonly put: number; readonly expired: number; readonly leftOut: number };
  /** What was done about an earlier restoring that was cut off. */
  readonly recovered: Recovered;
}

/** A session of a bundle. */
export interface RestoredSession {
  readonly id: string;
  /** Its last entry. */
  readonly head: Head;
  /** What becomes of the session of that id: there is none, it is another one, or the same already. */
  readonly change: "new" | "replaced" | "unchanged";
}

/**
 * What was done about a restoring that was cut off: there was none; it was undone, so that every session
 * is as it was before, but for those `kept` that someone wrote to since; or it was finished, so that
 * every session is the bundle's, and so many values were put into the cache.
 */
export type Recovered =
  | { readonly what: "nothing" }
  | { readonly what: "undone"; readonly kept: readonly string[] }
  | { readonly what: "finished"; readonly cached: number };

/**
 * Opens a runtime: the sessions of a store, a cache beside them, and what is busy with either, so that
 * all of it can be written into one bundle while nothing goes on, and restored from it, all or nothing.
 * A restoring that was cut off is finished or undone first; `locked` where another process is restoring
 * just now.
 *
 * @example
 * ```ts
 * import { createMemoryCache, createRuntime } from "turnkeep";
 * import { FileStore } from "turnkeep/fs";
 *
 * const runtime = await createRuntime({ store: new FileStore("./sessions"), cache: createMemoryCache() });
 * await runtime.snapshotTo("agents.bundle");
 * const { sessions } = await runtime.restoreFrom("agents.bundle", { dryRun: true });
 * ```
 */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  checkMembers(options, { ...CALL, store: true, cache: true, givesUpCache: true, probes: true });
  const { store, cache, probes = [], signal } = options;
  checkStore(store);
  const task = () => wasm().recover_task(cache !== undefined, options.givesUpCache === true, thisProcess());
  const recover = () => driveWith<Recovered>(checked(task), { store, cache }, signal);
  const recovered = await alone(store, recover, signal);
  const runtime = new Runtime(store, cache, recovered);
  for (const probe of probes) runtime.watch(probe);
  return runtime;
}

/** Made by {@link createRuntime}. */
export class Runtime {
  /** Where its sessions lie. */
  readonly store: Store;
  /** What was done about a restoring that was cut off, when it was opened. */
  readonly recovered: Recovered;
  readonly #cache: Cache | undefined;
  readonly #runs = new Runs();

  /** @internal */
  constructor(store: Store, cache: Cache | undefined, recovered: Recovered) {
    this.store = store;
    this.#cache = cache;
    this.recovered = recovered;
  }

  /**
   * Does something with a session, which is busy until that is over. Waits while the runtime is
   * quiesced.
   *
   * @example
   * ```ts
   * await runtime.run("talk", async (run) => {
   *   const session = await Session.open(runtime.store, "talk");
   *   await session.append({ item: { role: "user", content: "Hi" } });
   *   await session.close();
   *   await runtime.snapshotTo("agents.bundle", { except: run }); // in the middle of its own turn
   * });
   * ```
   */
  run<T>(sessionId: string, work: (run: Run) => Awaitable<T>): Promise<T> {
    return this.#runs.run(sessionId, work);
  }

  /**
   * Asks something else whether it is busy, whenever that is to be known. What this gives ends that.
   *
   * @example
   * ```ts
   * const jobs = new Set<string>();
   * const forget = runtime.watch({ name: "jobs", busy: () => [...jobs] });
   * ```
   */
  watch(probe: Probe): () => void {
    return this.#runs.watch(probe);
  }

  /**
   * Waits until nothing is busy at two looks in a row, 50 ms apart. `timeout` names what was busy.
   *
   * @example
   * ```ts
   * await runtime.awaitIdle({ timeoutMs: 5000 });
   * ```
   */
  async awaitIdle(options: WaitOptions = {}): Promise<void> {
    checkMembers(options, WAIT);
    return this.#runs.wait(options, false);
  }

  /**
   * Runs something while nothing is busy: waits for that, and lets new runs wait until it is over. So it
   * must wait for no run itself, nor for a snapshot or a restoring of this runtime: those wait for it.
   *
   * @example
   * ```ts
   * await runtime.quiesce(() => console.log("nothing goes on"), { timeoutMs: Infinity });
   * ```
   */
  async quiesce<T>(work: () => Awaitable<T>, options: WaitOptions = {}): Promise<T> {
    checkMembers(options, WAIT);
    return this.#runs.quiesce(work, options);
  }

  /**
   * Writes all sessions and the cache's values into a bundle, once nothing is busy. A file, or an
   * object of a store, is replaced all at once, after the new one was read back and verified; a stream
   * is not read back, is closed at the end, and aborted where writing fails. A session that is damaged
   * is left out and named; any other failure fails the snapshot.
   *
   * @example
   * ```ts
   * const { sessions, bytes, leftOut } = await runtime.snapshotTo("agents.bundle");
   * ```
   */
  async snapshotTo(target: BundleTarget, options: SnapshotOptions = {}): Promise<Snapshotted> {
    checkMembers(options, { ...WAIT, sessions: true, skippedPrefixes: true, replacesFuller: true, key: true });
    const bundle = await targetOf(target);
    const snapshot = () => this.#snapshot(bundle, this.#cache, options);
    return writing(bundle, () => this.#runs.quiesce(snapshot, options));
  }

  /**
   * Restores a bundle once nothing is busy. All of it is verified before anything is changed; then each
   * of its sessions takes the place of the one of its id. Others are left alone, and so are the cache's
   * values under other keys. An error before the end of the sessions leaves everything as it was, and
   * a crash does so when a runtime is next opened. `locked` where a session is held by another writer.
   * A stream is kept in the runtime's store until it is restored.
   *
   * @example
   * ```ts
   * const { sessions } = await runtime.restoreFrom("agents.bundle");
   * for (const { id, change } of sessions) console.log(id, change);
   * ```
   */
  async restoreFrom(source: BundleSource, options: RestoreOptions = {}): Promise<Restored> {
    checkMembers(options, { ...WAIT, sessions: true, dryRun: true, key: true });
    const found = await sourceOf(source);
    if ("store" in found) return this.#runs.quiesce(() => this.#restore(found.store, options), options);
    return reading(found.pieces, async () => {
      // First: no run waits for whoever sends.
      const key = await spool(this.store, found.pieces, options.signal);
      try {
        return await this.#runs.quiesce(() => this.#restore(this.store, { ...options, key }), options);
      } finally {
        // What became of the restoring is what is told.
        await attempt(() => this.store.delete(key, "any"));
      }
    });
  }

  /**
   * Writes one session into a bundle. It waits for nobody: a session may do this in the middle of its
   * own turn.
   *
   * @example
   * ```ts
   * await runtime.exportSession("talk", "talk.bundle");
   * ```
   */
  async exportSession(
    id: string,
    target: BundleTarget,
    options: Pick<SnapshotOptions, "key" | "signal"> = {},
  ): Promise<Snapshotted> {
    checkMembers(options, { ...CALL, key: true });
    const bundle = await targetOf(target);
    return writing(bundle, () => this.#snapshot(bundle, undefined, { ...options, sessions: [id] }));
  }

  /**
   * Replaces one session by the one of its id in a bundle, once nothing is busy.
   *
   * @example
   * ```ts
   * await runtime.replaceSession("talk", "talk.bundle");
   * ```
   */
  replaceSession(
    id: string,
    source: BundleSource,
    options: Omit<RestoreOptions, "sessions"> = {},
  ): Promise<Restored> {
    return this.restoreFrom(source, { ...options, sessions: [id] });
  }

  async #snapshot(
    bundle: Store,
    cache: Cache | undefined,
    { sessions, skippedPrefixes, replacesFuller, key, signal }: SnapshotOptions,
  ): Promise<Snapshotted> {
    const ids = idsOf(sessions);
    const prefixes = skippedPrefixes && texts(skippedPrefixes, "a prefix");
    if (key !== undefined) checkText(key, "a key");
    const task = checked(() => wasm().snapshot_task(ids, cache !== undefined, prefixes, replacesFuller === true, key));
    await alone(this.store, () => this.#recover(signal), signal);
    const written = await driveWith<Snapshotted>(task, { store: this.store, bundle, cache }, signal);
    const leftOut = written.leftOut.map(({ id, error }) => ({
      id,
      error: fromWasm(error) as TurnkeepError,
    }));
    return { ...written, leftOut };
  }

  /** A restoring that failed before, for the cache refused it, is finished first. */
  #recover(signal: AbortSignal | undefined): Promise<Recovered> {
    const task = wasm().recover_task(this.#cache !== undefined, false, thisProcess());
    return driveWith(task, { store: this.store, cache: this.#cache }, signal);
  }

  async #restore(bundle: Store, options: RestoreOptions): Promise<Restored> {
    const { sessions, dryRun = false, key, signal } = options;
    const ids = idsOf(sessions);
    if (key !== undefined) checkText(key, "a key");
    const cache = this.#cache;
    const task = () => wasm().restore_task(ids, cache !== undefined, dryRun, key, thisProcess());
    const host = { store: this.store, bundle, cache };
    return alone(this.store, () => driveWith<Restored>(checked(task), host, signal), signal).catch(explain);
  }
}

let processNumber: number | undefined;

/** Tells this process's restorings from those of others. Made late: workerd gives no chance to modules that load. */
function thisProcess(): number {
  return (processNumber ??= randomNumber());
}

function idsOf(sessions: readonly string[] | undefined): string[] | undefined {
  return sessions && texts(sessions, "an id");
}

/** What a task of a runtime's asks. */
interface Host {
  readonly store: Store;
  readonly bundle?: Store | undefined;
  readonly cache?: Cache | undefined;
}

async function driveWith<T>(task: Task, host: Host, signal: AbortSignal | undefined): Promise<T> {
  const answers = host.cache && new Answers(host.cache);
  try {
    return await driveBeside<T>(task, host.store, beside(host, answers), signal);
  } finally {
    await answers?.close();
  }
}

/** As much as is read at once. */
const ROOM_BYTES = 256 << 10;

function beside({ store, bundle }: Host, answers: Answers | undefined): Beside {
  const ofCache = (answer: (answers: Answers) => Awaitable<unknown>) => {
    if (answers !== undefined) return answer(answers);
    throw new TurnkeepError("not_supported", "the runtime has no cache");
  };
  // All that is read goes there, one piece after the other.
  const memory = new Uint8Array(ROOM_BYTES);
  return (request: Request, isAlone: boolean) => {
    const room = isAlone ? memory : undefined;
    if (request.isBundle === true) {
      if (bundle !== undefined) return answerTo(request, bundle, room);
      throw new TurnkeepError("not_supported", "no bundle was named");
    }
    switch (request.kind) {
      case "cache_keys":
        return ofCache((cache) => cache.keys(request.limit));
      case "cache_get":
        return ofCache((cache) => cache.values(request.keys));
      case "cache_put":
        return ofCache((cache) => cache.put(request.entries));
      default:
        return answerTo(request, store, room);
    }
  };
}
