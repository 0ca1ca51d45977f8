// What an object starts with, which tells it from another one in its place.

import { TurnkeepError } from "./errors.js";

/** `conflict` where an object whose first bytes are `found` does not start with `start`. */
export function checkStart(key: string, found: Uint8Array | undefined, start?: Uint8Array): void {
  if (start === undefined || start.every((byte, place) => found?.[place] === byte)) return;
  throw new TurnkeepError("conflict", "another object is in its place", { key });
}
