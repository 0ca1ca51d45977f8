/// <reference lib="esnext.disposable" preserve="true" />
// An open session.

import { type Draft, encodeDrafts, jsonOf } from "./draft.js";
import { drive } from "./drive.js";
import {
  type Compaction,
  type ItemPlace,
  type StartWrite,
  compaction,
  replacement,
  truncation,
} from "./edit.js";
import type { Entry } from "./entry.js";
import { TurnkeepError, checkText, checked, fromWasm } from "./errors.js";
import { type EnsureHeadOptions, type Ensured, type ForkOptions, forkTask } from "./fork.js";
import { wasm } from "./load.js";
import { type Report, reportOf } from "./log.js";
import { deleteSession } from "./manage.js";
import { type Opened, open } from "./opened.js";
import type {
  AppendOptions,
  Appended,
  Archived,
  CallOptions,
  CreateOptions,
  Form,
  OpenOptions,
  StateOptions,
  Summary,
  VerifyOptions,
  WriteOptions,
} from "./options.js";
import { Queue } from "./queue.js";
import { type Page, type ReadRange, eachEntry, pageOf, readTask } from "./read.js";
import { type RecoveryRecord, recordOf } from "./recovery.js";
import { type RawState, type SessionState, stateOf } from "./state.js";
import type { Head, Store, Torn } from "./store.js";
import type * as glue from "./wasm/turnkeep.js";

/** A session that was opened just now, with its recovery record kept if wanted. @internal */
export let sessionOf: (store: Store, opened: Opened, options: OpenOptions) => Promise<Session>;

export interface Session extends AsyncDisposable {}

/**
 * An open session: appends to its log, reads from it, and verifies it. Calls are carried out in the
 * order in which they are made, whether or not the ones before were awaited.
 *
 * @example
 * ```ts
 * import { Session } from "turnkeep";
 * import { FileStore } from "turnkeep/fs";
 *
 * const store = new FileStore("./sessions");
 * await using session = await Session.create(store, { start: { system_prompt: "Be brief." } });
 * await session.append([
 *   { kind: "user_input", item: { role: "user", content: "What is 6 × 7?" } },
 *   { kind: "assistant_item", item: { role: "assistant", content: "42" } },
 * ]);
 * console.log((await session.state()).history.length, (await session.verify()).isWhole);
 * ```
 */
export class Session {
  readonly #store: Store;
  readonly #options: OpenOptions;
  readonly #calls = new Queue();
  readonly #traces = new Queue();
  /** Syncs under way, which other calls need not wait for. */
  readonly #syncs = new Set<Promise<unknown>>();
  #opened: Opened;
  #isClosed = false;
  /** Whether the recovery record is kept no longer. */
  #isCompleted = false;

  static {
    sessionOf = async (store, opened, options) => {
      const session = new Session(store, opened, options);
      try {
        await session.#track(options.signal);
      } catch (error) {
        await session.close();
        throw error;
      }
      return session;
    };
    // Older browsers lack the symbol.
    if (Symbol.asyncDispose !== undefined) {
      this.prototype[Symbol.asyncDispose] = function (this: Session) {
        return this.close();
      };
    }
  }

  private constructor(store: Store, opened: Opened, options: OpenOptions) {
    this.#store = store;
    this.#opened = opened;
    this.#options = options;
  }

  /**
   * Creates a session with its first entry. `already_exists` where there is one of that id.
   *
   * @example
   * ```ts
   * const session = await Session.create(store, { id: "run-7", durability: "disk" });
   * ```
   */
  static async create(store: Store, options: CreateOptions = {}): Promise<Session> {
    const { id, start, entries = [], salted, durability, signal } = options;
    if (id !== undefined) checkText(id, "an id", "invalid_id");
    checkOptions(options);
    const first = start === undefined ? [] : [{ kind: "session_start", ...start }];
    const drafts = encodeDrafts([...first, ...entries]);
    const task = checked(() => wasm().create(id, drafts, salted, durability));
    return sessionOf(store, await drive<Opened>(task, store, signal), options);
  }

  /**
   * Opens a session at its head, whatever its length. `not_found` where there is none. The chain is
   * not checked; {@link Session.verify} does that.
   *
   * @example
   * ```ts
   * const session = await Session.open(store, "run-7");
   * ```
   */
  static async open(store: Store, id: string, options: OpenOptions = {}): Promise<Session> {
    checkOptions(options);
    return sessionOf(store, await open(store, id, options.signal), options);
  }

  /** Its id. */
  get id(): string {
    return this.#opened.id;
  }

  /** Its last entry, as of the last call that was carried out. */
  get head(): Head {
    return this.#opened.head;
  }

  /** Live or archived. */
  get form(): Form {
    return this.#opened.form;
  }

  /** An unfinished write that was found on opening; the next append cuts it off. */
  get torn(): Torn | undefined {
    return this.#opened.torn;
  }

  /**
   * Appends entries, all or nothing. `conflict` where someone else wrote in between, or the session
   * is not at the expected entry: nothing was appended. Drafts are read during the call, and may be
   * changed after it. Appends that survive loss of power share the work when they come together.
   *
   * @example
   * ```ts
   * const { firstSeq, head } = await session.append(
   *   [
   *     { item: { role: "user", content: "Hi" }, id: "m1" },
   *     { kind: "turn_end", turn: 1 },
   *   ],
   *   { durability: "disk", once: true },
   * );
   * ```
   */
  append<const Kind extends string>(
    drafts: Draft<Kind> | readonly Draft<Kind>[],
    options: AppendOptions = {},
  ): Promise<Appended> {
    return this.#write(options, () => {
      const { expected, once } = options;
      if (expected !== undefined) checkText(expected.hash, "a hash");
      const [seq, hash] = [expected?.seq, expected?.hash];
      // The lines are in a buffer that the next call fills anew.
      const encoded = encodeDrafts(Array.isArray(drafts) ? drafts : [drafts]);
      const lines = this.#calls.isBusy ? encoded?.slice() : encoded;
      return (session, durability) => wasm().append(session, lines, durability, seq, hash, once);
    });
  }

  /**
   * Drops an item and everything after it from the history; the log keeps them. `not_found` where
   * the history has no such item.
   *
   * @example
   * ```ts
   * await session.truncateFrom({ id: "m1" });
   * ```
   */
  truncateFrom(place: ItemPlace, options: WriteOptions = {}): Promise<Appended> {
    return this.#write(options, () => truncation(place));
  }

  /**
   * Puts other items in the place of the whole history; the log keeps it.
   *
   * @example
   * ```ts
   * await session.replaceHistory([{ role: "user", content: "Hi" }]);
   * ```
   */
  replaceHistory(items: readonly unknown[], options: WriteOptions = {}): Promise<Appended> {
    return this.#write(options, () => replacement(items));
  }

  /**
   * Makes of the history a summary and its last items. `invalid_argument` where it has fewer items
   * than are to stay.
   *
   * @example
   * ```ts
   * await session.compact({ summary: [{ role: "user", content: "So far: …" }], keepLast: 4 });
   * ```
   */
  compact(options: Compaction & WriteOptions): Promise<Appended> {
    return this.#write(options, () => compaction(options));
  }

  /**
   * Forks the session; see {@link forkSession}.
   *
   * @example
   * ```ts
   * const branch = await session.fork({ at: { turn: 3 } });
   * ```
   */
  fork(options: ForkOptions = {}): Promise<Session> {
    const start = () => forkTask(this.id, options);
    return this.#queue(options.signal, start, (opened: Opened) =>
      sessionOf(this.#store, opened, options),
    );
  }

  /**
   * Makes sure that the session is still at its head. If others wrote meanwhile, this becomes a
   * fork of it at the entry it was at, and what they wrote stays theirs.
   *
   * @example
   * ```ts
   * const { forkedFrom } = await session.ensureHead();
   * ```
   */
  ensureHead({ id, signal }: EnsureHeadOptions = {}): Promise<Ensured> {
    return this.#inOrder(async () => {
      if (id !== undefined) checkText(id, "an id", "invalid_id");
      const task = checked(() => wasm().ensure_head(this.#opened.handle, id));
      const { opened, forkedFrom } = await drive<RawEnsured>(task, this.#store, signal);
      const left = this.#opened;
      this.#replace(opened);
      if (forkedFrom !== undefined) {
        await this.#release(left);
        await this.#track(signal);
      }
      return { forkedFrom };
    });
  }

  /**
   * Adds an event to the session's trace, a file beside the log for whoever looks for what
   * happened. Says whether it was written: that the store failed is no error of the session's.
   *
   * @example
   * ```ts
   * await session.trace({ event: "retry", attempt: 2 });
   * ```
   */
  async trace(event: unknown, options: CallOptions = {}): Promise<boolean> {
    const json = jsonOf(event);
    checkText(json, "an event of the trace");
    this.#checkOpen();
    return this.#traces.run(async () => {
      try {
        await drive(wasm().trace(this.#opened.handle, json), this.#store, options.signal);
        return true;
      } catch {
        return false;
      }
    });
  }

  /**
   * Says that the session was ended on purpose, so that nobody takes it for interrupted.
   *
   * @example
   * ```ts
   * await session.markCompleted();
   * ```
   */
  markCompleted(options: CallOptions = {}): Promise<RecoveryRecord> {
    const start = () => checked(() => wasm().mark_completed(this.id));
    return this.#queue(options.signal, start, (json: string) => {
      this.#isCompleted = true;
      return recordOf(json);
    });
  }

  /**
   * Reads a page of entries. Costs what it gives, whatever the session's length.
   *
   * @example
   * ```ts
   * const page = await session.read({ from: 100, to: 199 });
   * for (const entry of page.entries) console.log(entry.seq, entry.kind);
   * ```
   */
  read(range: ReadRange & CallOptions = {}): Promise<Page> {
    return this.#queue(range.signal, () => readTask(this.id, range), pageOf);
  }

  /**
   * Reads entries one by one, page after page.
   *
   * @example
   * ```ts
   * for await (const entry of session.entries({ last: 50 })) console.log(entry.kind, entry.item);
   * ```
   */
  entries(range: ReadRange & CallOptions = {}): AsyncGenerator<Entry, void, undefined> {
    return eachEntry(range, (page) => this.read(page));
  }

  /**
   * Verifies the chain from end to end. What does not hold is in the report; an error means that it
   * could not be looked at.
   *
   * @example
   * ```ts
   * const report = await session.verify({ expected: { seq: 12, hash }, deep: true });
   * if (!report.isWhole) console.error(report.fault ?? report.entryFault ?? report.torn);
   * ```
   */
  verify(options: VerifyOptions = {}): Promise<Report> {
    const { expected, deep = false, signal } = options;
    const start = () => {
      if (expected !== undefined) checkText(expected.hash, "a hash");
      return checked(() => wasm().verify(this.id, expected?.seq, expected?.hash, deep));
    };
    return this.#queue(signal, start, reportOf);
  }

  /**
   * What the session has come to: verified and folded.
   *
   * @example
   * ```ts
   * const { history, turns, openCalls } = await session.state({ sinceCompaction: true });
   * ```
   */
  state(options: StateOptions = {}): Promise<SessionState> {
    return this.#queue(options.signal, () => this.#view(options, true), stateOf);
  }

  /**
   * The same as JSON text, in which payloads are byte for byte what was appended: the same bytes in
   * every language.
   *
   * @example
   * ```ts
   * console.log(await session.stateJson());
   * ```
   */
  stateJson(options: StateOptions = {}): Promise<string> {
    const start = () => this.#view(options, false);
    return this.#queue(options.signal, start, ({ json }: RawState) => json);
  }

  /**
   * Verifies the session and sums it up.
   *
   * @example
   * ```ts
   * const { kinds, storedBytes } = await session.summary();
   * ```
   */
  summary(options: CallOptions = {}): Promise<Summary> {
    const start = () => checked(() => wasm().summary(this.id));
    return this.#queue(options.signal, start, (summary: Summary & { kinds: Kinds }) => ({
      ...summary,
      kinds: new Map(summary.kinds),
    }));
  }

  /**
   * Archives the session: its log becomes one gzip file with an index, which is read back and
   * verified before the log goes. It can be read as before, but not appended to.
   *
   * @example
   * ```ts
   * const { rawBytes, archiveBytes } = await session.archive();
   * ```
   */
  archive(options: CallOptions = {}): Promise<Archived> {
    return this.#convert(options.signal, () => wasm().archive(this.id));
  }

  /**
   * Makes the archived session live again, byte for byte as it was.
   *
   * @example
   * ```ts
   * await session.unarchive();
   * ```
   */
  unarchive(options: CallOptions = {}): Promise<Archived> {
    return this.#convert(options.signal, () => wasm().unarchive(this.id));
  }

  /**
   * Lets go of the session, once the calls before are over: the store's lock, the wasm's memory.
   *
   * @example
   * ```ts
   * await session.close();
   * ```
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#calls.idle();
    await this.#traces.idle();
    await Promise.allSettled(this.#syncs);
    this.#opened.handle.free();
    await this.#release(this.#opened);
  }

  /**
   * Closes the session and deletes it, with all that is kept beside it.
   *
   * @example
   * ```ts
   * await session.delete();
   * ```
   */
  async delete(options: CallOptions = {}): Promise<void> {
    this.#checkOpen();
    await this.close();
    await deleteSession(this.#store, this.id, options);
  }

  /** Carries out a write after the calls before it. What it has to survive may come later. */
  #write({ durability, signal }: WriteOptions, prepare: () => StartWrite): Promise<Appended> {
    const wanted = durability ?? this.#options.durability;
    const { sync, capabilities } = this.#store;
    const isShared = wanted === "disk" && sync !== undefined && capabilities.durability === "disk";
    const syncs: Promise<unknown>[] = [];
    let start: StartWrite;
    try {
      if (wanted !== undefined) checkText(wanted, "durability");
      start = prepare();
    } catch (error) {
      return Promise.reject(fromWasm(error));
    }
    const task = () => checked(() => start(this.#opened.handle, isShared ? "os" : wanted));
    const written = this.#queue(signal, task, ({ handle, ...raw }: RawAppended): Appended => {
      this.#replace({ ...this.#opened, handle, head: raw.head, torn: undefined });
      if (isShared) syncs.push(this.#sync(signal));
      if (raw.recordFault === undefined) return raw;
      return { ...raw, recordFault: fromWasm(raw.recordFault) as TurnkeepError };
    });
    if (!isShared) return written;
    return written.then(async (appended) => {
      await Promise.all(syncs);
      return appended;
    });
  }

  /** Makes what was appended durable, beside the calls that follow. */
  #sync(signal: AbortSignal | undefined): Promise<unknown> {
    const task = wasm().sync(this.#opened.handle);
    const sync = (async () => drive(task, this.#store, signal))();
    this.#syncs.add(sync);
    const isOver = () => this.#syncs.delete(sync);
    sync.then(isOver, isOver);
    return sync;
  }

  #view({ sinceCompaction = false, closeCalls = false }: StateOptions, calls: boolean): glue.Task {
    return checked(() => wasm().state(this.id, sinceCompaction, closeCalls, calls));
  }

  #convert(signal: AbortSignal | undefined, start: () => glue.Task): Promise<Archived> {
    return this.#inOrder(async () => {
      const archived = await drive<Archived>(checked(start), this.#store, signal);
      this.#replace(await open(this.#store, this.id));
      await this.#track();
      return archived;
    });
  }

  async #track(signal?: AbortSignal): Promise<void> {
    const { recovery } = this.#options;
    if (recovery === undefined || this.#isCompleted) return;
    const task = wasm().track(this.#opened.handle, recovery.projectDir);
    await drive(task, this.#store, signal);
  }

  #replace(opened: Opened): void {
    this.#opened.handle.free();
    this.#opened = opened;
  }

  async #release({ key, traceKey }: Opened): Promise<void> {
    await this.#store.release?.(key);
    await this.#store.release?.(traceKey);
  }

  #checkOpen(): void {
    if (!this.#isClosed) return;
    throw new TurnkeepError("invalid_argument", "the session is closed", { session: this.id });
  }

  /** Carries out a task after the calls before it, and makes of its result what callers get. */
  #queue<T, U>(
    signal: AbortSignal | undefined,
    start: () => glue.Task,
    then: (result: T) => U | Promise<U>,
  ): Promise<U> {
    return this.#inOrder(() => {
      const result = drive<T>(start(), this.#store, signal);
      return result instanceof Promise ? result.then(then) : then(result);
    });
  }

  /** Runs something after the calls before it: at once, if none is under way. */
  #inOrder<T>(run: () => T | Promise<T>): Promise<T> {
    try {
      this.#checkOpen();
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#calls.run(run);
  }
}

/** Options from outside, checked before anything is written. */
function checkOptions({ durability, recovery }: OpenOptions): void {
  if (durability !== undefined) checkText(durability, "durability");
  if (recovery !== undefined) checkText(recovery.projectDir, "a project's directory");
}

interface RawAppended extends Appended {
  readonly handle: glue.Session;
}

interface RawEnsured extends Ensured {
  readonly opened: Opened;
}

type Kinds = Iterable<[string, number]>;
