/// <reference lib="esnext.disposable" preserve="true" />
// An open session.

import { type Draft, encodeDrafts } from "./draft.js";
import { drive } from "./drive.js";
import { type Compaction, type ItemPlace, compaction, replacement, truncation } from "./edit.js";
import type { Entry } from "./entry.js";
import { checkMembers, checkText, checked } from "./errors.js";
import { type EnsureHeadOptions, type Ensured, type ForkOptions, ensureHead, forkTask } from "./fork.js";
import { Handle } from "./handle.js";
import { wasm } from "./load.js";
import { type Report, reportOf } from "./log.js";
import { deleteSession } from "./manage.js";
import { type Opened, open } from "./opened.js";
import {
  type AppendOptions,
  type Appended,
  type Archived,
  type CallOptions,
  type CreateOptions,
  type Form,
  type OpenOptions,
  type StateOptions,
  type Summary,
  type VerifyOptions,
  type WriteOptions,
  CALL,
  CREATE,
  OPEN,
  WRITE,
  checkOptions,
  summaryOf,
} from "./options.js";
import { type Page, type ReadRange, eachEntry, pageOf, readTask } from "./read.js";
import { type RecoveryRecord, recordOf } from "./recovery.js";
import { type RawState, type SessionState, stateOf, viewTask } from "./state.js";
import type { Head, Store, Torn } from "./store.js";
import { trace } from "./trace.js";

/** A session that was opened just now, with its recovery record kept if wanted. @internal */
export let sessionOf: (store: Store, opened: Opened, options: OpenOptions, isCreated?: boolean) => Promise<Session>;

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
  readonly #handle: Handle;

  static {
    sessionOf = async (store, opened, options, isCreated = false) => {
      const session = new Session(store, opened, options);
      if (isCreated) session.#handle.hold(opened.key);
      try {
        await session.#handle.track(options.signal);
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
    this.#handle = new Handle(store, opened, options);
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
    checkOptions(options, CREATE);
    const first = start === undefined ? [] : [{ kind: "session_start", ...start }];
    const drafts = encodeDrafts([...first, ...entries]);
    const task = checked(() => wasm().create(id, drafts, salted, durability));
    return sessionOf(store, await drive<Opened>(task, store, signal), options, true);
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
    checkOptions(options, OPEN);
    return sessionOf(store, await open(store, id, options.signal), options);
  }

  /** Its id. */
  get id(): string {
    return this.#handle.opened.id;
  }

  /** Its last entry, as of the last call that was carried out. */
  get head(): Head {
    return this.#handle.opened.head;
  }

  /** Live, archived or cold. */
  get form(): Form {
    return this.#handle.opened.form;
  }

  /** An unfinished write that was found on opening; the next append cuts it off. */
  get torn(): Torn | undefined {
    return this.#handle.opened.torn;
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
    return this.#handle.write(options, () => {
      checkMembers(options, { ...WRITE, expected: true, once: true });
      const { expected, once } = options;
      if (expected !== undefined) checkText(expected.hash, "a hash");
      const [seq, hash] = [expected?.seq, expected?.hash];
      // The lines are in a buffer that the next call fills anew.
      const encoded = encodeDrafts(Array.isArray(drafts) ? drafts : [drafts]);
      const lines = this.#handle.isBusy ? encoded?.slice() : encoded;
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
    return this.#handle.write(options, () => {
      checkMembers(options, WRITE);
      return truncation(place);
    });
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
    return this.#handle.write(options, () => {
      checkMembers(options, WRITE);
      return replacement(items);
    });
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
    return this.#handle.write(options, () => {
      checkMembers(options, { ...WRITE, summary: true, keepLast: true });
      return compaction(options);
    });
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
    return this.#handle.queue(options.signal, start, (opened: Opened) =>
      sessionOf(this.#handle.store, opened, options),
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
  ensureHead(options: EnsureHeadOptions = {}): Promise<Ensured> {
    return ensureHead(this.#handle, options);
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
    return trace(this.#handle, event, options.signal);
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
    return this.#handle.queue(options.signal, start, (json: string) => {
      this.#handle.untrack();
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
    return this.#handle.queue(range.signal, () => readTask(this.id, range), pageOf);
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
      checkMembers(options, { ...CALL, expected: true, deep: true });
      if (expected !== undefined) checkText(expected.hash, "a hash");
      return checked(() => wasm().verify(this.id, expected?.seq, expected?.hash, deep));
    };
    return this.#handle.queue(signal, start, reportOf);
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
    return this.#handle.queue(options.signal, () => viewTask(this.id, options, true), stateOf);
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
    const start = () => viewTask(this.id, options, false);
    return this.#handle.queue(options.signal, start, ({ json }: RawState) => json);
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
    return this.#handle.queue(options.signal, start, summaryOf);
  }

  /**
   * Archives the session: its log becomes one gzip file with an index, which is read back and
   * verified before the log goes. It can be read and appended to as before; what is appended is a
   * log of its own, which the next archiving adds to the archive.
   *
   * @example
   * ```ts
   * const { rawBytes, archiveBytes } = await session.archive();
   * ```
   */
  archive(options: CallOptions = {}): Promise<Archived> {
    return this.#handle.convert(options.signal, () => wasm().archive(this.id));
  }

  /**
   * Makes the archived session live again, byte for byte as it was.
   *
   * @example
   * ```ts
   * await session.restore();
   * ```
   */
  restore(options: CallOptions = {}): Promise<Archived> {
    return this.#handle.convert(options.signal, () => wasm().restore(this.id));
  }

  /**
   * Lets go of the session, once the calls before are over: the store's lock, the wasm's memory.
   *
   * @example
   * ```ts
   * await session.close();
   * ```
   */
  close(): Promise<void> {
    return this.#handle.close();
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
    checkMembers(options, CALL);
    this.#handle.checkOpen();
    await this.close();
    await deleteSession(this.#handle.store, this.id, options);
  }
}
