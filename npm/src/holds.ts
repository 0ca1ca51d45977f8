// Which objects the open sessions of a store may hold for writing. The store is told once none does:
// a session that only reads lets go of nothing, and one that wrote only what no other holds.

import { wasm } from "./load.js";
import { type Awaitable, type Store, checkStore } from "./store.js";

const counts = new WeakMap<Store, Map<string, number>>();

/** Counts one more that may hold an object. @internal */
export function hold(store: Store, key: string): void {
  const held = counts.get(store) ?? new Map<string, number>();
  counts.set(store, held.set(key, (held.get(key) ?? 0) + 1));
}

/** Counts one less; the last one lets go. @internal */
export function letGo(store: Store, key: string): Awaitable<void> {
  const held = counts.get(store);
  const left = (held?.get(key) ?? 1) - 1;
  if (left > 0) return void held?.set(key, left);
  held?.delete(key);
  return store.release?.(key);
}

/** Does what may write to a session's log, and lets go of it. @internal */
export async function holding<T>(store: Store, id: string, work: () => Awaitable<T>): Promise<T> {
  checkStore(store);
  const key = `${wasm().encode_id(id)}.jsonl`;
  hold(store, key);
  try {
    return await work();
  } finally {
    await letGo(store, key);
  }
}
