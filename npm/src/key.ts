// Keys from outside. The core's own are right by construction, but stores are public.

import { TurnkeepError } from "./errors.js";
import { wasm } from "./load.js";

/** Throws `invalid_id` for what is no key of an object. @internal */
export function checkKey(key: string): void {
  if (!isKey(key)) throw new TurnkeepError("invalid_id", "not a key of a store");
}

/** Whether it can be the key of an object. @internal */
export function isKey(key: string): boolean {
  return typeof key === "string" && wasm().is_key(key);
}
