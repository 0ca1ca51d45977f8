// What is busy in a runtime, and waiting until nothing is.

import { TurnkeepError, checkText, fromWasm } from "./errors.js";
import { wasm } from "./load.js";
import { CALL, type CallOptions } from "./options.js";
import { type Awaitable, isPromise } from "./store.js";

/**
 * Something besides sessions that can be busy: terminals, jobs, timers.
 *
 * @example
 * ```ts
 * const jobs = new Set<string>();
 * const probe: Probe = { name: "jobs", busy: () => [...jobs] };
 * ```
 */
export interface Probe {
  /** What it is called where it cannot tell. */
  readonly name?: string | undefined;
  /**
   * The names of what is busy just now; none where nothing is. What throws, rejects or does not answer
   * within 5 seconds counts as busy.
   */
  busy(): Awaitable<readonly string[]>;
  /**
   * Calls back whenever something may not be busy any more, so that nobody waits longer than needed,
   * until what this gives is called.
   */
  onChange?(listener: () => void): (() => void) | void;
}

/** How to wait until nothing is busy. */
export interface WaitOptions extends CallOptions {
  /** For how long, in milliseconds: 30 seconds unless told, `Infinity` for ever. */
  readonly timeoutMs?: number | undefined;
  /** Whether or not that run is over: the caller's own, so that an agent's tool can take a snapshot. */
  readonly except?: Run | undefined;
}

/** The members of {@link WaitOptions}. @internal */
export const WAIT: Record<keyof WaitOptions, true> = { ...CALL, timeoutMs: true, except: true };

/** Someone's turn: its session is busy until it is over. */
export class Run {
  /** The session's id. */
  readonly sessionId: string;

  /** @internal */
  constructor(sessionId: string) {
    this.sessionId = sessionId;
  }
}

const TIMEOUT_MS = 30_000;
/** How long a probe may take to answer. */
const ANSWER_MS = 5000;

/** The runs of a runtime. @internal */
export class Runs {
  readonly #open = new Set<Run>();
  readonly #probes = new Set<Probe>();
  readonly #waiting = new Set<() => void>();
  /** Who quiesces lets new runs wait. */
  #isHeld = false;
  /** How often something was said to have changed. */
  #changes = 0;

  async run<T>(sessionId: string, work: (run: Run) => Awaitable<T>): Promise<T> {
    checkText(sessionId, "an id", "invalid_id");
    while (this.#isHeld) await this.#woken();
    const run = new Run(sessionId);
    this.#open.add(run);
    try {
      return await work(run);
    } finally {
      this.#open.delete(run);
      this.#wake();
    }
  }

  watch(probe: Probe): () => void {
    this.#probes.add(probe);
    const changed = () => {
      this.#changes += 1;
      this.#wake();
    };
    const stop = probe.onChange?.(changed);
    return () => {
      this.#probes.delete(probe);
      stop?.();
      this.#wake();
    };
  }

  /** Runs something while nothing is busy; new runs wait until it is over. */
  async quiesce<T>(work: () => Awaitable<T>, options: WaitOptions): Promise<T> {
    await this.wait(options, true);
    try {
      return await work();
    } finally {
      this.#isHeld = false;
      this.#wake();
    }
  }

  /** Waits until nothing is busy, and, if told so, lets new runs wait from that moment on. */
  async wait({ timeoutMs, except, signal }: WaitOptions, holds: boolean): Promise<void> {
    signal?.throwIfAborted();
    const now = clock();
    const idle = idleFor(timeoutMs);
    /** How long to wait for the next look; `undefined`: it is idle. */
    const look = (busy: string[]) => idle.look(now(), busy);
    try {
      for (;;) {
        const changes = this.#changes;
        const probed = await this.#probed();
        signal?.throwIfAborted();
        // From here to the hold nothing is awaited: no run begins in between.
        let ms = look([...this.#busy(except), ...probed]);
        // What changed while others were asked is asked again.
        if (ms === undefined && changes !== this.#changes) ms = look(["something that just changed"]);
        if (ms === undefined) {
          if (!holds) return;
          this.#isHeld = true;
          ms = await this.#asked(look);
          if (ms === undefined) return;
        }
        await this.#woken(ms, signal);
        signal?.throwIfAborted();
      }
    } catch (error) {
      throw fromWasm(error);
    } finally {
      idle.free();
    }
  }

  /** Asks once more what cannot be held. Lets go where something is busy, and says how long to wait. */
  async #asked(look: (busy: string[]) => number | undefined): Promise<number | undefined> {
    let ms: number | undefined;
    try {
      const busy = await this.#probed();
      if (busy.length === 0) return undefined;
      ms = look(busy);
    } catch (error) {
      this.#letGo();
      throw error;
    }
    this.#letGo();
    return ms;
  }

  #letGo(): void {
    this.#isHeld = false;
    this.#wake();
  }

  #busy(except: Run | undefined): string[] {
    const open = [...this.#open].filter((run) => run !== except);
    const busy = open.map(({ sessionId }) => `session ${sessionId}`);
    if (this.#isHeld) busy.push("another snapshot or restoring");
    return busy;
  }

  async #probed(): Promise<string[]> {
    if (this.#probes.size === 0) return [];
    const asked = [...this.#probes].map(ask);
    return (await Promise.all(asked)).flat();
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  /** Waits for a change, at most that long, or until the signal. */
  #woken(ms?: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const isOver = () => {
        clearTimeout(timer);
        this.#waiting.delete(isOver);
        signal?.removeEventListener("abort", isOver);
        resolve();
      };
      const timer = ms === undefined ? undefined : setTimeout(isOver, ms);
      this.#waiting.add(isOver);
      signal?.addEventListener("abort", isOver);
    });
  }
}

function idleFor(timeoutMs: number = TIMEOUT_MS): InstanceType<ReturnType<typeof wasm>["Idle"]> {
  const isFinite = timeoutMs !== Number.POSITIVE_INFINITY;
  if (isFinite && !(timeoutMs >= 0)) {
    throw new TurnkeepError("invalid_argument", "timeoutMs is a number of milliseconds, or Infinity");
  }
  return new (wasm().Idle)(0, isFinite ? Math.min(Math.ceil(timeoutMs), 2 ** 52) : undefined);
}

/** Whole milliseconds since now. */
function clock(): () => number {
  const since = performance.now();
  return () => Math.floor(performance.now() - since);
}

/** What a probe says is busy; the probe itself where it cannot tell. */
async function ask(probe: Probe): Promise<readonly string[]> {
  const name = probe.name ?? "a probe";
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    let busy = probe.busy();
    if (isPromise(busy)) {
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(reject, ANSWER_MS, new Error("it does not answer"));
      });
      busy = await Promise.race([busy, late]);
    }
    if (!Array.isArray(busy)) throw new Error("it names nothing");
    return busy.map(String);
  } catch (error) {
    return [`${name} (${error instanceof Error ? error.message : String(error)})`];
  } finally {
    clearTimeout(timer);
  }
}
