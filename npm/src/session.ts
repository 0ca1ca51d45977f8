/// <reference lib="esnext.disposable" preserve="true" />
// An open session.

import { type Draft, type StartFields, encodeDrafts } from "./draft.js";
import { drive } from "./drive.js";
import { type Entry, entriesOf } from "./entry.js";
import { TurnkeepError, checkText, checked } from "./errors.js";
import { wasm } from "./load.js";
import { type Report, reportOf } from "./log.js";
import { type State, parseState } from "./state.js";
import type { Durability, Head, Store, Torn } from "./store.js";
import type * as glue from "./wasm/turnkeep.js";

/** How a session is kept: as a log, or as an archive. */
export type Form = "live" | "archived";

/** What every call takes. */
export interface CallOptions {
  /**
   * Ends the call before its next request to the store, with the signal's reason. What was
   * requested before has happened.
   */
  readonly signal?: AbortSignal | undefined;
}

/** How to create a session. */
export interface CreateOptions extends CallOptions {
  /** Its id: 1 to 128 bytes of UTF-8 without control characters. Made up where there is none. */
  readonly id?: string | undefined;
  /** The fields of its first entry. */
  readonly start?: StartFields | undefined;
  /** Entries that are written with the first one, all or nothing. */
  readonly entries?: readonly Draft[] | undefined;
  /** Whether entries are salted, so that they can be withheld safely later; unless told, yes. */
  readonly salted?: boolean | undefined;
  /** What acknowledged appends survive; `"os"` unless told. */
  readonly durability?: Durability | undefined;
}

/** How to open a session. */
export interface OpenOptions extends CallOptions {
  /** What acknowledged appends survive; `"os"` unless told. */
  readonly durability?: Durability | undefined;
}

/** What an append did. */
export interface Appended {
  /** Number of the first entry that was appended; they follow one another. */
  readonly firstSeq: number;
  /** The session's head now. */
  readonly head: Head;
}

/** Which entries to read: all, unless told. */
export interface ReadRange {
  /** The number of the first entry. */
  readonly from?: number | undefined;
  /** The number of the last entry. */
  readonly to?: number | undefined;
  /** So that the last entries come, that many. */
  readonly last?: number | undefined;
  /** From where a page ended on. */
  readonly after?: Cursor | undefined;
  /** About how many bytes of lines a page holds; at least one line. */
  readonly pageBytes?: number | undefined;
}

/** Where a page ended. Opaque. */
export interface Cursor {
  /** Lets go of its memory ahead of the garbage collector. */
  free(): void;
}

/**
 * Some entries, verified among themselves: each line's hash, and that each follows the one before
 * it. Lines that reach the head are also compared with it.
 */
export interface Page {
  /** The entries. */
  readonly entries: readonly Entry[];
  /** Their lines, each with its line break. */
  readonly lines: Uint8Array;
  /** Number of the first one. */
  readonly firstSeq: number;
  /** The session's head. */
  readonly head: Head;
  /** Where to go on; `undefined` after the last page. */
  readonly next: Cursor | undefined;
}

/** What to verify. */
export interface VerifyOptions extends CallOptions {
  /** An entry that must be there, such as a head that was kept elsewhere. */
  readonly expected?: { readonly seq: number; readonly hash: string } | undefined;
  /** Whether every entry's content is checked too, as a fold would. */
  readonly deep?: boolean | undefined;
}

/** What archiving or its reverse did. */
export interface Archived {
  /** The session's head, the same before and after. */
  readonly head: Head;
  /** Length of the log. */
  readonly rawBytes: number;
  /** Length of the archive. */
  readonly archiveBytes: number;
  /** An unfinished write after the head, which was left out. */
  readonly torn: Torn | undefined;
}

/** What a session is, in numbers. */
export interface Summary {
  readonly id: string;
  readonly form: Form;
  readonly head: Head;
  /** An unfinished write after the head. */
  readonly torn: Torn | undefined;
  /** Bytes it takes in the store. */
  readonly storedBytes: number;
  /** Time of the earliest entry, in milliseconds since 1970. */
  readonly from: number | undefined;
  /** Time of the latest entry. */
  readonly to: number | undefined;
  /** How many entries there are of each kind. */
  readonly kinds: ReadonlyMap<string, number>;
  /** Entries whose content was withheld. */
  readonly withheld: number;
}

/** What a listing tells of a session, without opening it. */
export interface Listed {
  readonly id: string;
  readonly form: Form;
  /** Bytes it takes in the store. */
  readonly storedBytes: number;
  /** When it was last written, in milliseconds since 1970, where the store knows. */
  readonly modifiedMs: number | undefined;
}

/** What the wasm tells of an open session. */
interface Opened {
  readonly id: string;
  readonly key: string;
  readonly head: Head;
  readonly torn: Torn | undefined;
  readonly form: Form;
  readonly handle: glue.Session;
}

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
  readonly #durability: Durability | undefined;
  #opened: Opened;
  #isClosed = false;
  /** Settles when the last call does; `undefined` while none is under way. */
  #last: Promise<unknown> | undefined;

  static {
    // Older browsers lack the symbol.
    if (Symbol.asyncDispose !== undefined) {
      this.prototype[Symbol.asyncDispose] = function (this: Session) {
        return this.close();
      };
    }
  }

  private constructor(store: Store, opened: Opened, durability: Durability | undefined) {
    this.#store = store;
    this.#opened = opened;
    this.#durability = durability;
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
    if (durability !== undefined) checkText(durability, "durability");
    const first = start === undefined ? [] : [{ kind: "session_start", ...start }];
    const drafts = encodeDrafts([...first, ...entries]);
    const task = checked(() => wasm().create(id, drafts, salted, durability));
    return new Session(store, await drive<Opened>(task, store, signal), durability);
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
    const { durability, signal } = options;
    if (durability !== undefined) checkText(durability, "durability");
    return new Session(store, await open(store, id, signal), durability);
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
   * Appends entries, all or nothing. `conflict` where someone else wrote in between: nothing was
   * appended; open the session again. Drafts are read during the call, and may be changed after it.
   *
   * @example
   * ```ts
   * const { firstSeq, head } = await session.append([
   *   { kind: "user_input", item: { role: "user", content: "Hi" }, id: "m1" },
   *   { kind: "turn_end", turn: 1 },
   * ]);
   * ```
   */
  append<const Kind extends string>(
    drafts: Draft<Kind> | readonly Draft<Kind>[],
    options?: CallOptions,
  ): Promise<Appended> {
    let lines: Uint8Array | undefined;
    try {
      lines = encodeDrafts(Array.isArray(drafts) ? drafts : [drafts]);
    } catch (error) {
      return Promise.reject(error);
    }
    // The lines are in a buffer that the next call fills anew.
    if (this.#last !== undefined) lines = lines?.slice();
    const start = () => checked(() => wasm().append(this.#opened.handle, lines, this.#durability));
    return this.#queue(options?.signal, start, ({ handle, head, firstSeq }: RawAppended) => {
      this.#replace({ ...this.#opened, handle, head, torn: undefined });
      return { firstSeq, head };
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
   * const { history, turns } = await session.state();
   * ```
   */
  async state(options: CallOptions = {}): Promise<State> {
    return parseState(await this.stateJson(options));
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
  stateJson(options: CallOptions = {}): Promise<string> {
    const start = () => checked(() => wasm().state(this.id));
    return this.#queue(options.signal, start, (json: string) => json);
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
    await this.#last?.catch(() => {});
    this.#opened.handle.free();
    await this.#store.release?.(this.#opened.key);
  }

  #convert(signal: AbortSignal | undefined, start: () => glue.Task): Promise<Archived> {
    return this.#inOrder(async () => {
      const archived = await drive<Archived>(checked(start), this.#store, signal);
      this.#replace(await open(this.#store, this.id));
      return archived;
    });
  }

  #replace(opened: Opened): void {
    this.#opened.handle.free();
    this.#opened = opened;
  }

  /** Carries out a task after the calls before it, and makes of its result what callers get. */
  #queue<T, U>(
    signal: AbortSignal | undefined,
    start: () => glue.Task,
    then: (result: T) => U,
  ): Promise<U> {
    return this.#inOrder(() => {
      const result = drive<T>(start(), this.#store, signal);
      return result instanceof Promise ? result.then(then) : then(result);
    });
  }

  /** Runs something after the calls before it: at once, if none is under way. */
  #inOrder<T>(run: () => T | Promise<T>): Promise<T> {
    if (this.#isClosed) {
      const message = "the session is closed";
      return Promise.reject(new TurnkeepError("invalid_argument", message, { session: this.id }));
    }
    let call: Promise<T>;
    if (this.#last === undefined) {
      try {
        const result = run();
        if (!(result instanceof Promise)) return Promise.resolve(result);
        call = result;
      } catch (error) {
        return Promise.reject(error);
      }
    } else {
      call = this.#last.then(run, run);
    }
    this.#last = call;
    const isOver = () => {
      if (this.#last === call) this.#last = undefined;
    };
    call.then(isOver, isOver);
    return call;
  }
}

/** What the wasm tells of an append. */
interface RawAppended {
  readonly handle: glue.Session;
  readonly head: Head;
  readonly firstSeq: number;
}

type Kinds = Iterable<[string, number]>;

/**
 * Every session of a store, in order of their encoded ids.
 *
 * @example
 * ```ts
 * for await (const { id, form } of sessions(store)) console.log(id, form);
 * ```
 */
export async function* sessions(
  store: Store,
  options: CallOptions = {},
): AsyncGenerator<Listed, void, undefined> {
  let after: string | undefined;
  let before: string | undefined;
  do {
    const task = checked(() => wasm().list("", after, LIST_LIMIT));
    const listed = await drive<Sessions>(task, store, options.signal);
    for (const session of listed.sessions) {
      // Live and archived at once is what an interrupted archiving leaves. The live log, whose key
      // comes first, is the session.
      if (session.id !== before) yield session;
      before = session.id;
    }
    after = listed.next;
  } while (after !== undefined);
}

interface Sessions {
  readonly sessions: readonly Listed[];
  readonly next: string | undefined;
}

/** Objects a listing asks for at once. */
const LIST_LIMIT = 1000;

/** What the wasm tells of a session at its head. @internal */
export function open(
  store: Store,
  id: string,
  signal?: AbortSignal,
): Opened | Promise<Opened> {
  checkText(id, "an id", "invalid_id");
  return drive<Opened>(checked(() => wasm().open(id)), store, signal);
}

/** A task that reads a page. @internal */
export function readTask(id: string, range: ReadRange): glue.Task {
  return checked(() => {
    const wanted = new (wasm().Range)();
    const { from, to, last, after, pageBytes } = range;
    if (from !== undefined) wanted.set_from(from);
    if (last !== undefined) wanted.set_last(last);
    if (after !== undefined) wanted.set_after(checkCursor(after));
    if (to !== undefined) wanted.set_to(to);
    if (pageBytes !== undefined) wanted.set_page_bytes(pageBytes);
    return wasm().read(id, wanted);
  });
}

function checkCursor(after: unknown): glue.Cursor {
  if (after instanceof wasm().Cursor) return after;
  throw new TurnkeepError("invalid_argument", "after must be where a page ended");
}

/** A page as the wasm gives it. @internal */
export interface RawPage {
  readonly lines: Uint8Array;
  readonly firstSeq: number;
  readonly head: Head;
  readonly next: Cursor | undefined;
}

/** A page as callers see it. @internal */
export function pageOf({ lines, firstSeq, head, next }: RawPage): Page {
  return { entries: entriesOf(lines, firstSeq), lines, firstSeq, head, next };
}

/** Entries one by one, given how pages are read. @internal */
export async function* eachEntry(
  range: ReadRange & CallOptions,
  read: (range: ReadRange & CallOptions) => Promise<Page>,
): AsyncGenerator<Entry, void, undefined> {
  let { after } = range;
  do {
    const page = await read({ ...range, after });
    yield* page.entries;
    after = page.next;
  } while (after !== undefined);
}
