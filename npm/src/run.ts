// A piece of work on a session in two stores: brought in before it, saved and flushed after it.

import { RawJson, jsonOf } from "./draft.js";
import { drive } from "./drive.js";
import { TurnkeepError, checkText, checked } from "./errors.js";
import { type ForkOptions, forkSession } from "./fork.js";
import { wasm } from "./load.js";
import type { Opened } from "./opened.js";
import type { CreateOptions, OpenOptions } from "./options.js";
import { Session } from "./session.js";
import type { Awaitable } from "./store.js";
import type { FlushOptions, Tier } from "./tier.js";

/** How a run begins: with a session of its own, an old one, or a fork of one. */
export type RunMode = "new" | "continue" | "fork";

/** How to run. {@link runSession} says what becomes of it. */
export type RunOptions = RunExit &
  (
    | ({ readonly mode: "new" } & CreateOptions)
    | ({ readonly mode: "continue"; readonly id: string } & OpenOptions)
    | ({ readonly mode: "fork"; readonly forkFrom: string } & ForkOptions)
  );

/** What is done when the work is over, however it ended. */
export interface RunExit extends Omit<FlushOptions, "signal"> {
  /**
   * Gives the state slice, once the work is over; it is appended if it differs from the session's,
   * as JSON text. `undefined`: the session's stays; `null`: it has none from then on.
   */
  readonly saveState?: (() => unknown) | undefined;
  /** Hears of each thing that failed after the work. Without it, they are thrown. */
  readonly onExitFault?: ((fault: unknown) => unknown) | undefined;
}

/** What a run begins with. */
export interface RunStart {
  /** The state slice, parsed; `undefined` where there is none yet, as in a new session. */
  readonly state: unknown;
  /** How it began. */
  readonly mode: RunMode;
}

/**
 * Works on a session: opens it, lets `work` go on with it, saves its state slice, flushes it. Gives
 * what `work` gives.
 *
 * 1. Open. `"new"` creates the session, and asks the cold store only whether it has one of that id: one
 *    that is in either store is `already_exists`, and stays as it is. `"continue"` hydrates it.
 *    `"fork"` hydrates `forkFrom`, and forks it `at` a point. But for new ones the state slice is
 *    loaded then. Where the opening fails, that is thrown, and nothing else happens.
 * 2. Work, until it returns, throws, or `signal` is aborted. An abort ends the waiting at once, with
 *    the signal's reason, whatever the work is waiting for; its session is closed soon after.
 * 3. Leave, however the work ended, and whether or not the signal is aborted, each step even where the
 *    one before failed: what `saveState` gives is appended as a `state` entry, if it differs from the
 *    slice that the session has; the session is closed, after which nothing more is appended to it;
 *    it is flushed.
 * 4. Tell. What failed in step 3 is given to `onExitFault`. What it does not hear, for want of it or
 *    because it throws (then with what it throws), is thrown where the work returned (several as an
 *    `AggregateError`). Where
 *    the work failed, its error is thrown, the same object, with the faults added to its property
 *    `suppressed`; an error that takes no property is the first of an `AggregateError`, and its
 *    `cause`.
 *
 * Leave the session open: closing it is for step 3. What was acknowledged and not flushed is in the hot
 * store, and goes into the cold one with the next flush.
 *
 * @example
 * ```ts
 * const tasks = new Map<string, string>();
 * const answer = await runSession(
 *   tier,
 *   {
 *     mode: "continue",
 *     id: "thread-1",
 *     saveState: () => ({ tasks: [...tasks] }),
 *     onExitFault: (fault) => console.error("not saved yet:", fault),
 *   },
 *   async (session, { state }) => {
 *     const known = state as { tasks: [string, string][] } | undefined;
 *     for (const [id, task] of known?.tasks ?? []) tasks.set(id, task);
 *     await session.append({ item: { role: "user", content: "Hi" } });
 *     return "Ho";
 *   },
 * );
 * console.log(answer);
 * ```
 */
export async function runSession<T>(
  tier: Tier,
  options: RunOptions,
  work: (session: Session, start: RunStart) => Awaitable<T>,
): Promise<T> {
  const { mode, signal, onExitFault } = options;
  const session = await open(tier, options);
  const outcome = await outcomeOf(signal, async () => {
    const state = mode === "new" ? undefined : await tier.slice(session.id, { signal });
    signal?.throwIfAborted();
    return work(session, { state, mode });
  });
  const unheard = await tell(await leave(tier, session, options), onExitFault);
  if ("error" in outcome) throw unheard.length === 0 ? outcome.error : suppressing(outcome.error, unheard);
  if (unheard.length > 1) throw new AggregateError(unheard, "the work is done, but not all of it was saved");
  if (unheard.length > 0) throw unheard[0];
  return outcome.result;
}

async function open(tier: Tier, options: RunOptions): Promise<Session> {
  const { hot: _hot, merge: _merge, saveState: _save, onExitFault: _hear, ...begin } = options;
  switch (begin.mode) {
    case "new": {
      const { mode: _, ...create } = begin;
      return Session.create(tier, create);
    }
    case "continue": {
      const { mode: _, id, ...how } = begin;
      return tier.hydrate(id, how);
    }
    case "fork": {
      const { mode: _, forkFrom, ...how } = begin;
      const { signal } = how;
      checkText(forkFrom, "an id", "invalid_id");
      const task = checked(() => wasm().hydrate(forkFrom));
      const { opened } = await drive<{ opened: Opened }>(task, tier, signal);
      opened.handle.free();
      return forkSession(tier, forkFrom, how);
    }
    default:
      throw new TurnkeepError("invalid_argument", "a mode is new, continue or fork");
  }
}

type Outcome<T> = { readonly result: T } | { readonly error: unknown };

/** What the work came to, or the reason of an abort before that. */
function outcomeOf<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<Outcome<T>> {
  return new Promise((resolve) => {
    const abort = () => resolve({ error: signal?.reason });
    const isOver = (outcome: Outcome<T>) => {
      signal?.removeEventListener("abort", abort);
      resolve(outcome);
    };
    signal?.addEventListener("abort", abort);
    work().then(
      (result) => isOver({ result }),
      (error: unknown) => isOver({ error }),
    );
  });
}

/** Saves, closes and flushes; gives what failed. */
async function leave(tier: Tier, session: Session, { saveState, hot, merge }: RunExit): Promise<unknown[]> {
  const steps = [
    async () => saveState !== undefined && save(tier, session, await saveState()),
    () => session.close(),
    () => tier.flush(session.id, { hot, merge }),
  ];
  const faults: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (fault) {
      faults.push(fault);
    }
  }
  return faults;
}

/** Appends the state slice, if it is another one. */
async function save(tier: Tier, session: Session, state: unknown): Promise<void> {
  if (state === undefined) return;
  const json = state instanceof RawJson ? state.text : jsonOf(state);
  if (json === ((await tier.sliceJson(session.id)) ?? "null")) return;
  await session.append({ kind: "state", state });
}

/** Tells of faults; gives those that were not heard. */
async function tell(faults: readonly unknown[], hear: RunExit["onExitFault"]): Promise<unknown[]> {
  const unheard: unknown[] = [];
  for (const fault of faults) {
    try {
      if (hear === undefined) unheard.push(fault);
      else await hear(fault);
    } catch (error) {
      unheard.push(...new Set([fault, error]));
    }
  }
  return unheard;
}

/** The same error, which also tells what failed after it. */
function suppressing(error: unknown, faults: readonly unknown[]): unknown {
  if (error instanceof Error && Object.isExtensible(error)) {
    const { suppressed } = error as { suppressed?: unknown };
    const before: readonly unknown[] = Array.isArray(suppressed) ? suppressed : [];
    return Object.assign(error, { suppressed: [...before, ...faults] });
  }
  const message = "the work failed, and not all of it was saved";
  return new AggregateError([error, ...faults], message, { cause: error });
}
