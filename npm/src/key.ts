// Keys from outside. The core's own are right by construction, but stores are public.

import { TurnkeepError } from "./errors.js";
import { wasm } from "./load.js";

const known = new Set<string>();
const KNOWN_MAX = 4096;

/** Throws `invalid_id` for what is no key of an object. @internal */
export function checkKey(key: string): void {
  if (known.has(key)) return;
  if (!isKey(key)) throw new TurnkeepError("invalid_id", "not a key of a store");
  if (known.size >= KNOWN_MAX) known.clear();
  known.add(key);
}

/** Whether it can be the key of an object. @internal */
export function isKey(key: string): boolean {
  return typeof key === "string" && wasm().is_key(key);
}
