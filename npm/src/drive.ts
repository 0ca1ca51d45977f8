// The driver: carries out a task's requests, one after the other; those that a task makes at once, at
// the same time. As long as the store answers without a promise nothing is awaited, and the task is
// over when `drive` returns.

import type { CacheEntry } from "./cache.js";
import { TurnkeepError, fromWasm } from "./errors.js";
import {
  type Awaitable,
  type ByteRange,
  type Condition,
  type Durability,
  type Store,
  checkStore,
  isPromise,
} from "./store.js";
import type { Task } from "./wasm/turnkeep.js";

/** A request as the wasm gives it: its kind tells which of the others are there. @internal */
export interface Request {
  readonly id: number;
  readonly kind: string;
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly start: number | undefined;
  readonly end: number;
  readonly condition: Condition;
  readonly at: number;
  readonly torn: number;
  readonly markAt: number;
  readonly mark: Uint8Array;
  readonly tornStartsWith: Uint8Array;
  readonly durability: Durability;
  readonly prefix: string;
  readonly after: string | undefined;
  readonly limit: number;
  readonly stage: string;
  readonly number: number;
  readonly randomBytes: number;
  readonly keys: readonly string[];
  readonly entries: readonly CacheEntry[];
  /** Whether it is for the cold store. */
  readonly isCold?: true | undefined;
  /** Whether it is for where a bundle lies. */
  readonly isBundle?: true | undefined;
}

/**
 * Answers what a runtime's tasks ask for. `isAlone`: nothing else is asked until this is answered.
 * @internal
 */
export type Beside = (request: Request, isAlone: boolean) => Awaitable<unknown>;

/**
 * Carries out a task over a store, until it is done. An aborted signal fails the next request; the
 * task then tidies up and ends, and the signal's reason is thrown.
 * @internal
 */
export function drive<T>(task: Task, store: Store, signal?: AbortSignal): T | Promise<T> {
  const steps = run<T>(task, store, signal);
  const first = steps.next();
  return first.done === true ? first.value : finish(steps, first);
}

/**
 * Carries out a long task, which is asked to end early when the signal is aborted. Now and then it
 * waits, so that other things, such as whoever aborts, have their turn, however quick the store is.
 * @internal
 */
export async function driveUntil<T>(task: Task, store: Store, signal?: AbortSignal): Promise<T> {
  const steps = run<T>(task, store, undefined, { signal, since: performance.now() });
  return finish(steps, steps.next());
}

/**
 * Carries out a long task of a runtime's: `beside` answers all of its requests. Others have their turn
 * now and then; an aborted signal fails the next request.
 * @internal
 */
export async function driveBeside<T>(
  task: Task,
  store: Store,
  beside: Beside,
  signal?: AbortSignal,
): Promise<T> {
  const turn = { signal: undefined, since: performance.now() };
  const steps = run<T>(task, store, signal, turn, beside);
  return finish(steps, steps.next());
}

async function finish<T>(steps: Steps<T>, first: IteratorResult<Waiting, T>): Promise<T> {
  let step: IteratorResult<Waiting, T> = first;
  while (step.done !== true) {
    const { answer, isError } = await settled(step.value);
    step = isError ? steps.throw(answer) : steps.next(answer);
  }
  return step.value;
}

type Waiting = PromiseLike<unknown>;
type Outcome = { readonly answer: unknown; readonly isError: boolean };
type Steps<T> = Generator<Waiting, T, unknown>;

/** When a long task is to end, and since when others had no turn. */
interface Turn {
  readonly signal: AbortSignal | undefined;
  since: number;
}

/** How long a task goes on before others have their turn, in milliseconds. */
const TURN_MS = 10;

/** The loop. It yields the answers that are not there yet. */
function* run<T>(
  started: Task,
  store: Store,
  signal: AbortSignal | undefined,
  turn?: Turn,
  beside?: Beside,
): Steps<T> {
  try {
    checkStore(store);
  } catch (error) {
    started.free();
    throw error;
  }
  const task = store.cold === undefined ? started : started.with_cold_store();
  /** The last failure of each code: one of them may be what the task ends with. */
  let caught: Map<string, unknown> | undefined;
  let isAborted = false;
  const perform = (request: Request, isAlone: boolean) => {
    if (signal?.aborted === true && !isAborted) {
      isAborted = true;
      // What goes on after a failure is not to begin anything else either.
      task.stop();
      throw new TurnkeepError("store_failed", "the call was aborted");
    }
    return beside === undefined ? answerTo(request, store) : beside(request, isAlone);
  };
  const fail = (request: Request, error: unknown) => {
    const code = error instanceof TurnkeepError ? error.code : "store_failed";
    caught = (caught ?? new Map<string, unknown>()).set(code, error);
    task.reply_failed(request.id, error instanceof Error ? error : new Error(String(error)));
  };
  try {
    for (;;) {
      if (turn !== undefined) {
        if (performance.now() - turn.since > TURN_MS) {
          yield othersTurn();
          turn.since = performance.now();
        }
        if (turn.signal?.aborted === true) task.stop();
      }
      const requests = task.next() as Request[] | undefined;
      if (requests === undefined) return task.result() as T;
      const [request] = requests;
      if (request !== undefined && requests.length === 1) {
        try {
          const answer = perform(request, true);
          reply(task, request, isPromise(answer) ? yield answer : answer);
        } catch (error) {
          fail(request, error);
        }
        continue;
      }
      // All of them are begun before one is waited for.
      const begun = requests.map((request) => outcomeOf(() => perform(request, false)));
      const outcomes = begun.some(isPromise) ? yield Promise.all(begun) : begun;
      for (const [index, { answer, isError }] of (outcomes as Outcome[]).entries()) {
        const request = requests[index] as Request;
        try {
          if (isError) throw answer;
          reply(task, request, answer);
        } catch (error) {
          fail(request, error);
        }
      }
    }
  } catch (error) {
    if (isAborted) throw signal?.reason;
    throw fromWasm(error, caught?.get((error as Partial<TurnkeepError>).code ?? ""));
  } finally {
    task.free();
  }
}

/** Lets whatever waits go first. */
function othersTurn(): Promise<unknown> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}

/** What came of something, whatever it was. */
function outcomeOf(begin: () => Awaitable<unknown>): Awaitable<Outcome> {
  try {
    const answer = begin();
    return isPromise(answer) ? settled(answer) : { answer, isError: false };
  } catch (answer) {
    return { answer, isError: true };
  }
}

function settled(promise: PromiseLike<unknown>): PromiseLike<Outcome> {
  return promise.then(
    (answer) => ({ answer, isError: false }),
    (answer) => ({ answer, isError: true }),
  );
}

function append(store: Store, request: Request): Awaitable<unknown> {
  const { key, bytes, at, torn, durability, tornStartsWith } = request;
  const mark = { at: request.markAt, bytes: request.mark };
  return store.append(key, bytes, at, torn, durability, mark, tornStartsWith);
}

/** What a store answers, with bytes in `room` where it can. @internal */
export function answerTo(request: Request, store: Store, room?: Uint8Array): Awaitable<unknown> {
  if (request.isCold !== true) return answerFrom(store, request, room);
  if (store.cold !== undefined) return answerFrom(store.cold, request, room);
  throw new TurnkeepError("not_supported", "there is no cold store");
}

function answerFrom(store: Store, request: Request, room?: Uint8Array): Awaitable<unknown> {
  const { key, stage, bytes, condition } = request;
  switch (request.kind) {
    case "get":
      return store.get(key, rangeOf(request), room);
    case "put":
      return store.put(key, bytes, condition);
    case "append":
      return append(store, request);
    case "sync":
      if (store.sync !== undefined) return store.sync(key);
      throw new TurnkeepError("not_supported", "this store makes nothing durable", { key });
    case "holder":
      return store.holder?.(key);
    case "delete":
      return store.delete(key, condition);
    case "list":
      return store.list(request.prefix, request.after, request.limit);
    case "info":
      return store.info(key);
    case "stage":
      return store.stage(key);
    case "part":
      return store.stagePart(stage, request.number, bytes);
    case "staged":
      return store.getStaged(stage, rangeOf(request), room);
    case "commit":
      return store.commit(stage, condition);
    case "abort":
      return store.abort(stage);
    case "stamp":
      return random(request.randomBytes);
    default:
      throw new TurnkeepError("not_supported", "a request that this host does not know");
  }
}

function rangeOf({ start, end }: Request): ByteRange | undefined {
  return start === undefined ? undefined : { start, end };
}

function reply(task: Task, request: Request, answer: unknown): void {
  const { id, kind } = request;
  switch (kind) {
    case "get":
    case "staged":
      return task.reply_object(id, answer);
    case "put":
    case "append":
    case "info":
    case "commit":
      return task.reply_info(id, answer);
    case "holder":
      return task.reply_holder(id, answer);
    case "list":
      return task.reply_listing(id, answer);
    case "stage":
      return task.reply_stage(id, answer);
    case "part":
      return task.reply_part(id, request.bytes);
    case "stamp":
      return task.reply_stamp(id, Date.now(), answer as Uint8Array);
    case "cache_keys":
      return task.reply_keys(id, answer);
    case "cache_get":
      return task.reply_values(id, answer);
    default:
      return task.reply_done(id);
  }
}

// Asking for random bytes costs as much as hashing a kilobyte, however few they are: they are
// fetched ahead. What was given is not given again.
const pool = new Uint8Array(4096);
let used: number = pool.length;

function random(count: number): Uint8Array {
  if (count <= pool.length - used) return pool.subarray(used, (used += count));
  if (count <= pool.length) {
    crypto.getRandomValues(pool);
    used = count;
    return pool.subarray(0, count);
  }
  // More than 65,536 bytes at once are refused.
  const bytes = new Uint8Array(count);
  for (let start = 0; start < count; start += pool.length) {
    crypto.getRandomValues(bytes.subarray(start, start + pool.length));
  }
  return bytes;
}
