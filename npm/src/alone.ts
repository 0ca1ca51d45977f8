// Restorings take turns where they write to the same place.

import type { Store } from "./store.js";

/** When the last restoring into a place is over; it never rejects. */
const last = new Map<unknown, Promise<unknown>>();

/** One restoring into a place after the other: a process's own lock does not keep it out. @internal */
export async function alone<T>(store: Store, restore: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const place = placeOf(store);
  const before = last.get(place);
  const restored = (async () => {
    await before;
    signal?.throwIfAborted();
    return restore();
  })();
  const over = restored.then(nothing, nothing).then(() => {
    if (last.get(place) === over) last.delete(place);
  });
  last.set(place, over);
  // Whoever only waits for others may leave at once.
  if (signal !== undefined) await untilAborted(before, signal);
  return restored;
}

/** Waits for what never rejects; rejects as soon as the signal is aborted. */
function untilAborted(over: Promise<unknown> | undefined, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort);
    void Promise.resolve(over).then(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    });
  });
}

/** The same of stores of the same files. */
function placeOf(store: Store): unknown {
  const { root, hot } = store as { root?: unknown; hot?: Store };
  return hot === undefined ? (root ?? store) : placeOf(hot);
}

function nothing(): void {}
