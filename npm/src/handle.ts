// What an open session holds, and the order in which its calls are carried out.

import { drive } from "./drive.js";
import type { StartWrite } from "./edit.js";
import { TurnkeepError, checkText, checked, fromWasm } from "./errors.js";
import { hold, letGo } from "./holds.js";
import { wasm } from "./load.js";
import { type Opened, open } from "./opened.js";
import type { Appended, Archived, Form, OpenOptions, WriteOptions } from "./options.js";
import { Queue } from "./queue.js";
import type { Store, Torn } from "./store.js";
import type * as glue from "./wasm/turnkeep.js";

/** @internal */
export class Handle {
  readonly store: Store;
  readonly #options: OpenOptions;
  readonly #calls = new Queue();
  readonly #traces = new Queue();
  /** Syncs under way, which other calls need not wait for. */
  readonly #syncs = new Set<Promise<unknown>>();
  /** The keys of what it wrote to. */
  readonly #held = new Set<string>();
  #opened: Opened;
  #isClosed = false;
  #isTracked: boolean;

  constructor(store: Store, opened: Opened, options: OpenOptions) {
    this.store = store;
    this.#opened = opened;
    this.#options = options;
    this.#isTracked = options.recovery !== undefined;
  }

  get opened(): Opened {
    return this.#opened;
  }

  /** Whether a call is under way. */
  get isBusy(): boolean {
    return this.#calls.isBusy;
  }

  /** Carries out a write after the calls before it. What it has to survive may come later. */
  write({ durability, signal }: WriteOptions, prepare: () => StartWrite): Promise<Appended> {
    const wanted = durability ?? this.#options.durability;
    const { sync, capabilities } = this.store;
    const isShared = wanted === "disk" && sync !== undefined && capabilities.durability === "disk";
    const syncs: Promise<unknown>[] = [];
    let start: StartWrite;
    try {
      if (wanted !== undefined) checkText(wanted, "durability");
      start = prepare();
    } catch (error) {
      return Promise.reject(fromWasm(error));
    }
    const task = () => {
      this.hold(this.#opened.key);
      return checked(() => start(this.#opened.handle, isShared ? "os" : wanted));
    };
    const written = this.queue(signal, task, ({ handle, torn, form, ...raw }: RawAppended): Appended => {
      this.#replace({ ...this.#opened, handle, head: raw.head, torn, form });
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

  /** Is about to write to an object, or did. */
  hold(key: string): void {
    if (this.#held.has(key)) return;
    this.#held.add(key);
    hold(this.store, key);
  }

  /** Carries out a task after the calls before it, and makes of its result what callers get. */
  queue<T, U>(
    signal: AbortSignal | undefined,
    start: () => glue.Task,
    then: (result: T) => U | Promise<U>,
  ): Promise<U> {
    return this.inOrder(() => {
      const result = drive<T>(start(), this.store, signal);
      return result instanceof Promise ? result.then(then) : then(result);
    });
  }

  /** Runs something after the calls before it: at once, if none is under way. */
  inOrder<T>(run: () => T | Promise<T>): Promise<T> {
    try {
      this.checkOpen();
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#calls.run(run);
  }

  /** The same, after the traces before it. */
  tracing<T>(run: () => Promise<T>): Promise<T> {
    this.checkOpen();
    return this.#traces.run(run);
  }

  convert(signal: AbortSignal | undefined, start: () => glue.Task): Promise<Archived> {
    return this.inOrder(async () => {
      const archived = await drive<Archived>(checked(start), this.store, signal);
      this.#replace(await open(this.store, this.#opened.id));
      await this.track();
      return archived;
    });
  }

  /** Goes on with another session. */
  async moveTo(opened: Opened, signal: AbortSignal | undefined): Promise<void> {
    const left = this.#opened;
    this.#replace(opened);
    if (left.id === opened.id) return;
    await this.#release();
    await this.track(signal);
  }

  /** Keeps the recovery record from now on, if it is wanted. */
  async track(signal?: AbortSignal): Promise<void> {
    const { recovery } = this.#options;
    if (recovery === undefined || !this.#isTracked) return;
    const task = wasm().track(this.#opened.handle, recovery.projectDir);
    await drive(task, this.store, signal);
  }

  /** The recovery record says that the session is over; opening it anew would change that. */
  untrack(): void {
    this.#isTracked = false;
  }

  checkOpen(): void {
    if (!this.#isClosed) return;
    const place = { session: this.#opened.id };
    throw new TurnkeepError("invalid_argument", "the session is closed", place);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#calls.idle();
    await this.#traces.idle();
    await Promise.allSettled(this.#syncs);
    this.#opened.handle.free();
    await this.#release();
  }

  /** Makes what was appended durable, beside the calls that follow. */
  #sync(signal: AbortSignal | undefined): Promise<unknown> {
    const task = wasm().sync(this.#opened.handle);
    const sync = (async () => drive(task, this.store, signal))();
    this.#syncs.add(sync);
    const isOver = () => this.#syncs.delete(sync);
    sync.then(isOver, isOver);
    return sync;
  }

  #replace(opened: Opened): void {
    this.#opened.handle.free();
    this.#opened = opened;
  }

  async #release(): Promise<void> {
    for (const key of this.#held) {
      this.#held.delete(key);
      await letGo(this.store, key);
    }
  }
}

interface RawAppended extends Appended {
  readonly handle: glue.Session;
  readonly torn: Torn | undefined;
  readonly form: Form;
}
