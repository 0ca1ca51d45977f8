// Keeping a store small: what is idle is archived, what is oldest is pruned, by a policy. Nothing
// of this runs unless asked.

import { drive, driveUntil } from "./drive.js";
import { TurnkeepError, checkMembers, checkText, checked, fromWasm, texts } from "./errors.js";
import { wasm } from "./load.js";
import { CALL, type CallOptions, type Form } from "./options.js";
import type { Head, Store } from "./store.js";

/** What a sweep archives and prunes. What is not given is as said. */
export interface Policy {
  /**
   * Archive what was not written to for that long, in milliseconds; 7 days unless told. `null`:
   * archive nothing.
   */
  readonly inactiveMs?: number | null | undefined;
  /**
   * Prune the longest unused archives until all of them together have at most so many bytes; 2 GiB
   * unless told. `null`: prune nothing.
   */
  readonly maxBytes?: number | null | undefined;
  /** Prune nothing that was in use since then, whatever the bytes; 1 day unless told. */
  readonly minAgeMs?: number | undefined;
  /** Only sessions of these kinds ({@link About.kind}); of any where there are none. */
  readonly kinds?: readonly string[] | undefined;
  /** Leave sessions alone that have one of these tags. */
  readonly keepTags?: readonly string[] | undefined;
  /** Change nothing, and tell what would be done. */
  readonly dryRun?: boolean | undefined;
}

/** What a sweep did or, with {@link Policy.dryRun}, would do. */
export interface Sweep {
  /** Every session of the store, in order of their encoded ids. */
  readonly sessions: readonly Swept[];
  /** How many were archived. */
  readonly archived: number;
  /** How many were pruned. */
  readonly pruned: number;
  /** Bytes that the store has less now; of what would only be archived nothing is known. */
  readonly freedBytes: number;
  /** Bytes of all archives afterwards. */
  readonly archiveBytes: number;
}

/** What became of a session. */
export interface Swept {
  readonly id: string;
  /** What was done: it was archived, its archive was removed, nothing, or nothing could be done. */
  readonly outcome: "archived" | "pruned" | "kept" | "failed";
  /** Why it was kept. */
  readonly reason: KeptReason | undefined;
  /** Why it failed; the sweep went on. */
  readonly error: TurnkeepError | undefined;
  /** Bytes it had in the store. */
  readonly bytes: number;
  /** Bytes it has less now. */
  readonly freedBytes: number;
}

/**
 * Why a sweep left a session as it is: it was in use not long ago (`recent`), or the store does not
 * know (`unknown_activity`); it is of another kind (`kind`), has a tag that keeps it (`tag`); a
 * living process holds it (`held`) or a fork of it (`fork_held`), a run of it has not ended
 * (`running`); it is archived and there is room for it (`archived`), or was not archived here
 * (`foreign`); nothing was recorded in it (`empty`), its first entries lie in the cold store of a
 * tier (`tiered`), the policy archives nothing (`live`), or the
 * sweep was ended before (`stopped`). Later versions may have more.
 */
export type KeptReason =
  | "recent"
  | "unknown_activity"
  | "kind"
  | "tag"
  | "held"
  | "running"
  | "fork_held"
  | "archived"
  | "foreign"
  | "empty"
  | "tiered"
  | "live"
  | "stopped"
  | (string & {});

/** What is noted of an archived or pruned session. */
export interface Retention {
  /** When it was archived, in milliseconds since 1970. */
  readonly archivedMs: number;
  /** When it was last written to, or restored. */
  readonly lastActivityMs: number;
  /** Its head, and how long its log was. */
  readonly head: Head;
  /** How long the archive is, or was. */
  readonly archiveBytes: number;
  /** When and why the archive was removed. */
  readonly pruned: { readonly atMs: number; readonly reason: string } | undefined;
}

/** The room that sessions take. */
export interface StoreUsage {
  /** Each session, in order of their encoded ids. */
  readonly sessions: readonly SessionUsage[];
  /** All of them together. */
  readonly total: UsedBytes;
}

/** The room that a session takes. */
export interface SessionUsage {
  readonly id: string;
  readonly form: Form;
  /** When it was last written, in milliseconds since 1970, where the store knows. */
  readonly modifiedMs: number | undefined;
  /** Its bytes. */
  readonly bytes: UsedBytes;
}

/** Bytes, by what they are for. */
export interface UsedBytes {
  /** Of logs. */
  readonly live: number;
  /** Of archives. */
  readonly archived: number;
  /** Of what is beside them: title and tags, recovery records, traces. */
  readonly beside: number;
  /**
   * Of logs that were not written to for the given time: a sweep would archive them, which leaves
   * about a fourth.
   */
  readonly reclaimable: number;
}

/** How to look at the room that is used. */
export interface UsageOptions extends CallOptions {
  /** How long a log was not written to, in milliseconds, to count as reclaimable; 7 days. */
  readonly inactiveMs?: number | undefined;
}

/**
 * Archives the sessions of a store that are idle, then prunes the longest unused archives until
 * they fit. Looks at what is noted of sessions, and at the logs of those only that it archives.
 * What fails for one session is told, and the others go on. `locked` where another sweep is under
 * way. An aborted `signal` ends it after the session it is at, with the signal's reason. While it
 * computes, other things have their turn.
 *
 * @example
 * ```ts
 * const { sessions } = await sweep(store, { maxBytes: 1e9, keepTags: ["pinned"], dryRun: true });
 * for (const { id, outcome, reason } of sessions) console.log(id, outcome, reason ?? "");
 * ```
 */
export async function sweep(
  store: Store,
  policy: Policy = {},
  options: CallOptions = {},
): Promise<Sweep> {
  checkMembers(options, CALL);
  const { signal } = options;
  signal?.throwIfAborted();
  const { limits, kinds, keepTags, dryRun } = policyOf(policy);
  const task = checked(() => wasm().sweep(limits, kinds, keepTags, dryRun));
  const swept = await driveUntil<Sweep>(task, store, signal);
  signal?.throwIfAborted();
  return sweepOf(swept);
}

/**
 * Removes an archived session and leaves a tombstone: whoever looks for it hears `pruned`, with
 * time and reason. Only archives that this store made are removed, and only as they were then, else
 * `not_supported`. `locked` where the session was in use within the last minute, `conflict` where it
 * is not archived. What a crash leaves is finished by doing it again; {@link deleteSession} removes
 * the tombstone.
 *
 * @example
 * ```ts
 * const { pruned } = await prune(store, "run-7", "the customer asked for it");
 * ```
 */
export async function prune(
  store: Store,
  id: string,
  reason: string,
  options: CallOptions = {},
): Promise<Retention> {
  checkMembers(options, CALL);
  checkText(id, "an id", "invalid_id");
  checkText(reason, "a reason");
  return drive(checked(() => wasm().prune(id, reason)), store, options.signal);
}

/**
 * Tells the room that every session of a store takes, and how much of it is in logs that were not
 * written to for some time. Reads listings only.
 *
 * @example
 * ```ts
 * const { total } = await usage(store, { inactiveMs: 30 * 24 * 3_600_000 });
 * console.log(total.live, total.archived, total.reclaimable);
 * ```
 */
export async function usage(store: Store, options: UsageOptions = {}): Promise<StoreUsage> {
  checkMembers(options, { ...CALL, inactiveMs: true });
  const { inactiveMs, signal } = options;
  if (inactiveMs !== undefined) checkWhole(inactiveMs, "inactiveMs");
  return drive(checked(() => wasm().usage(inactiveMs)), store, signal);
}

/** How to sweep again and again. */
export interface SweepingOptions extends CallOptions {
  /** What to archive and prune. */
  readonly policy?: Policy | undefined;
  /** How long after the end of a sweep, whosever it was, the next one is due, in milliseconds. */
  readonly everyMs: number;
  /** Hears what each sweep of this one did. What it throws, `onError` hears. */
  readonly onSweep?: ((sweep: Sweep) => unknown) | undefined;
  /**
   * Hears why a sweep failed; it is tried again after a minute at most. What this throws itself
   * becomes a rejection that nobody handles: Node ends the process then, unless told otherwise.
   */
  readonly onError: (error: unknown) => unknown;
}

/** A store that is swept again and again. */
export interface Sweeping {
  /** Ends it after the session it is at; resolves when nothing runs any more. */
  stop(): Promise<void>;
}

/**
 * Sweeps a store again and again, until it is stopped or the signal is aborted. Any number of
 * processes may do so: one sweeps at a time, and each only when the last sweep, whosever it was, is
 * long enough ago. Where it is due the first one starts at once. It keeps no process alive: between
 * sweeps Node may exit.
 *
 * Neither a failed sweep nor what a callback throws ends it. Callbacks are not waited for, so they
 * may call `stop`.
 *
 * @example
 * ```ts
 * const sweeping = startSweeping(store, {
 *   policy: { maxBytes: 1e9 },
 *   everyMs: 3_600_000,
 *   onSweep: ({ archived, pruned }) => console.log(`${archived} archived, ${pruned} pruned`),
 *   onError: (error) => console.error(error),
 * });
 * await sweeping.stop();
 * ```
 */
export function startSweeping(store: Store, options: SweepingOptions): Sweeping {
  checkMembers(options, { ...CALL, policy: true, everyMs: true, onSweep: true, onError: true });
  const { policy = {}, everyMs, onSweep, onError, signal } = options;
  const { limits, kinds, keepTags, dryRun } = policyOf(policy);
  checkWhole(everyMs, "everyMs");
  if (onSweep !== undefined) checkFunction(onSweep, "onSweep");
  checkFunction(onError, "onError");
  const stopping = new AbortController();
  const look = () => {
    const task = checked(() => wasm().sweep_if_due(limits, kinds, keepTags, dryRun, everyMs));
    return driveUntil<Scheduled>(task, store, stopping.signal);
  };
  const run = async () => {
    // Not before the caller has what it is given here.
    await undefined;
    while (!stopping.signal.aborted) {
      try {
        const { sweep, waitMs } = await look();
        if (sweep !== undefined) void tell(onSweep, sweepOf(sweep), onError);
        await pause(waitMs, stopping.signal);
      } catch (error) {
        void tell(onError, error);
        await pause(Math.min(everyMs, RETRY_MS), stopping.signal);
      }
    }
  };
  const stop = () => stopping.abort();
  signal?.addEventListener("abort", stop);
  if (signal?.aborted === true) stop();
  const running = run().finally(() => signal?.removeEventListener("abort", stop));
  return {
    stop() {
      stop();
      return running;
    },
  };
}

/** How long to wait at most after a failure. */
const RETRY_MS = 60_000;
/** Longer timers go off at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

interface Scheduled {
  readonly sweep: Sweep | undefined;
  readonly waitMs: number;
}

/** Calls back; `caught` hears what that throws, now or later. */
async function tell<T>(
  callback: ((value: T) => unknown) | undefined,
  value: T,
  caught?: (error: unknown) => unknown,
): Promise<void> {
  try {
    await callback?.(value);
  } catch (error) {
    if (caught === undefined) throw error;
    await caught(error);
  }
}

/** Waits that long, or until the signal; keeps no process alive. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const isOver = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", isOver);
      resolve();
    };
    const timer = setTimeout(isOver, Math.min(ms, TIMER_MS_MAX));
    // Browsers' timers are numbers.
    timer.unref?.();
    signal.addEventListener("abort", isOver);
    if (signal.aborted) isOver();
  });
}

/** A policy from outside, as the wasm takes it. */
function policyOf(policy: Policy) {
  const { inactiveMs, maxBytes, minAgeMs, kinds = [], keepTags = [], dryRun = false } = checkPolicy(policy);
  const limits = { inactiveMs, maxBytes, minAgeMs };
  return { limits, kinds: texts(kinds, "a kind"), keepTags: texts(keepTags, "a tag"), dryRun };
}

const MEMBERS: Record<keyof Policy, true> = {
  inactiveMs: true,
  maxBytes: true,
  minAgeMs: true,
  kinds: true,
  keepTags: true,
  dryRun: true,
};

/** A misspelt member must not make a sweep remove what was to be kept. */
function checkPolicy(policy: Policy): Policy {
  if (typeof policy !== "object" || policy === null) throw wrong("a policy must be an object");
  checkMembers(policy, MEMBERS);
  const { inactiveMs, maxBytes, minAgeMs, kinds = [], keepTags = [], dryRun = false } = policy;
  if (inactiveMs !== undefined && inactiveMs !== null) checkWhole(inactiveMs, "inactiveMs");
  if (maxBytes !== undefined && maxBytes !== null) checkWhole(maxBytes, "maxBytes");
  if (minAgeMs !== undefined) checkWhole(minAgeMs, "minAgeMs");
  if (!Array.isArray(kinds)) throw wrong("kinds must be an array");
  if (!Array.isArray(keepTags)) throw wrong("keepTags must be an array");
  if (typeof dryRun !== "boolean") throw wrong("dryRun must be a boolean");
  return policy;
}

function checkWhole(value: unknown, what: string): void {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return;
  throw wrong(`${what} must be a whole number from 0 on, not ${String(value)}`);
}

function checkFunction(value: unknown, what: string): void {
  if (typeof value !== "function") throw wrong(`${what} must be a function`);
}

function wrong(message: string): TurnkeepError {
  return new TurnkeepError("invalid_argument", message);
}

/** A sweep with errors as the package throws them. */
function sweepOf(sweep: Sweep): Sweep {
  const sessions = sweep.sessions.map((swept) =>
    swept.error === undefined ? swept : { ...swept, error: fromWasm(swept.error) as TurnkeepError },
  );
  return { ...sweep, sessions };
}
