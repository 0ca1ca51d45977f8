import type { Problem } from "../engine/api";
import { problemOf } from "../common/problem";

interface Kept<T> {
  readonly value: T;
  readonly weight: number;
  /** When it was last asked for, in the caller's time. */
  asked: number;
}

interface Options<T> {
  readonly limit: number;
  readonly load: (block: number) => Promise<T>;
  readonly weigh: (block: number, value: T) => number;
  /** A number that grows from one drawing to the next. */
  readonly time: () => number;
  /** Something came that `get` had not, or failed to come. */
  readonly arrived: (block: number, value: T | undefined) => void;
}

/** Blocks that were read, up to a limit; those not asked for the longest are forgotten first. */
export class BlockCache<T> {
  readonly #options: Options<T>;
  /** In the order in which they were asked for. */
  readonly #kept = new Map<number, Kept<T>>();
  readonly #loading = new Map<number, Promise<T>>();
  readonly #failed = new Map<number, Problem>();
  /** Blocks that wait to be read. */
  #waiting: number[] = [];
  #weight = 0;
  #isClosed = false;

  constructor(options: Options<T>) {
    this.#options = options;
  }

  /** What is at hand; else it is asked for, and `arrived` is called later. */
  get(block: number): T | undefined {
    const value = this.peek(block);
    if (value === undefined) this.#ask(block);
    return value;
  }

  peek(block: number): T | undefined {
    const kept = this.#kept.get(block);
    if (kept === undefined) return undefined;
    const now = this.#options.time();
    // The order only has to be right between drawings, so one drawing of many rows moves a block once.
    if (kept.asked < now) {
      kept.asked = now;
      this.#kept.delete(block);
      this.#kept.set(block, kept);
    }
    return kept.value;
  }

  isComing(block: number): boolean {
    return this.#loading.has(block) || this.#waiting.includes(block);
  }

  failure(block: number): Problem | undefined {
    return this.#failed.get(block);
  }

  retry(block: number): void {
    this.#failed.delete(block);
    this.#ask(block);
  }

  /** What is at hand, or is read now. */
  load(block: number): Promise<T> {
    const value = this.peek(block);
    return value === undefined ? this.#read(block) : Promise.resolve(value);
  }

  /** What is read now, in place of what is at hand. */
  reload(block: number): Promise<T> {
    return this.#read(block);
  }

  /** Keeps what came otherwise, if nothing has to go for it. */
  offer(block: number, value: T): void {
    const weight = this.#options.weigh(block, value);
    if (!this.#kept.has(block) && this.#weight + weight <= this.#options.limit) this.#keep(block, value, weight);
  }

  close(): void {
    this.#isClosed = true;
    this.#kept.clear();
    this.#waiting = [];
  }

  /**
   * The last one asked for is read first; of many the oldest are dropped. Whoever still draws them asks
   * again once something has arrived, and those who scrolled by do not.
   */
  #ask(block: number): void {
    if (this.#isClosed || this.#failed.has(block) || this.#loading.has(block)) return;
    this.#waiting = this.#waiting.filter((other) => other !== block).slice(1 - WAITING_MAX);
    this.#waiting.push(block);
    this.#readNext();
  }

  #readNext(): void {
    if (this.#loading.size >= LOADING_MAX) return;
    const block = this.#waiting.pop();
    if (block !== undefined) this.#read(block).catch(() => undefined);
  }

  #read(block: number): Promise<T> {
    const loading = this.#loading.get(block);
    if (loading !== undefined) return loading;
    const reading = this.#readNow(block, this.#options.time());
    this.#loading.set(block, reading);
    return reading;
  }

  async #readNow(block: number, since: number): Promise<T> {
    try {
      const value = await this.#options.load(block);
      this.#failed.delete(block);
      this.#loading.delete(block);
      if (!this.#isClosed) {
        this.#keep(block, value, this.#options.weigh(block, value));
        this.#forget(since);
        this.#options.arrived(block, value);
      }
      return value;
    } catch (error) {
      this.#loading.delete(block);
      this.#failed.set(block, problemOf(error));
      if (!this.#isClosed) this.#options.arrived(block, undefined);
      throw error;
    } finally {
      if (!this.#isClosed) this.#readNext();
    }
  }

  #keep(block: number, value: T, weight: number): void {
    const old = this.#kept.get(block);
    if (old !== undefined) this.#weight -= old.weight;
    this.#kept.delete(block);
    this.#kept.set(block, { value, weight, asked: this.#options.time() });
    this.#weight += weight;
  }

  /**
   * Forgets what is over the limit, but nothing that was asked for since: a drawing that needs more than
   * the limit would otherwise push out its own blocks, one for the other, for ever.
   */
  #forget(since: number): void {
    for (const [block, kept] of this.#kept) {
      if (this.#weight <= this.#options.limit || kept.asked >= since) return;
      this.#kept.delete(block);
      this.#weight -= kept.weight;
    }
  }
}

const LOADING_MAX = 2;
const WAITING_MAX = 6;
