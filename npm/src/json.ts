// What callers hand in, as JSON text that holds all of it.

import { TurnkeepError } from "./errors.js";

/**
 * The JSON text of a value. Members that are `undefined` are left out, as `JSON.stringify` does; all
 * else that JSON has not is `bad_json`, which `JSON.stringify` would drop or make something else of.
 * `what` is told in the error.
 * @internal
 */
export function jsonText(value: unknown, what?: string): string {
  const place = what === undefined ? "" : `${what}: `;
  try {
    // Whoever is asked about each value of a large one takes several times as long.
    return isOrdinary(value, DEPTH) ? JSON.stringify(value) : checkedText(value, place);
  } catch (error) {
    if (error instanceof TurnkeepError) throw error;
    // A cycle, or whatever a `toJSON` throws.
    throw new TurnkeepError("bad_json", `${place}${String(error)}`, { cause: error });
  }
}

/** More than an entry may have (`docs/format.md` §8); a cycle has no end. */
const DEPTH = 70;
const PLAIN: unknown = Object.prototype;

/** Whether all of a value is JSON as it is. Where it says no, it may be JSON all the same. */
function isOrdinary(value: unknown, depth: number): boolean {
  if (typeof value === "object") return value === null || isOrdinaryObject(value, depth - 1);
  return typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}

function isOrdinaryObject(value: object, depth: number): boolean {
  if (depth === 0) return false;
  // Most are texts: for those nothing is called.
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at += 1) {
      const member: unknown = value[at];
      if (typeof member !== "string" && !isOrdinary(member, depth)) return false;
    }
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== PLAIN && prototype !== null) return false;
  // A `toJSON` is a function, which is not ordinary.
  for (const name in value) {
    const member: unknown = (value as Record<string, unknown>)[name];
    if (typeof member !== "string" && !isOrdinary(member, depth) && member !== undefined) return false;
  }
  return true;
}

function checkedText(value: unknown, place: string): string {
  const refuse = (lost: unknown, where = "") => {
    const hint = typeof lost === "bigint" ? HINT_BIGINT : HINT;
    return new TurnkeepError("bad_json", `${place}JSON has no ${nameOf(lost)}${where}`, { hint });
  };
  const check = function (this: unknown, name: string, member: unknown): unknown {
    if (!isLost(member, Array.isArray(this))) return member;
    throw refuse(member, name === "" ? "" : ` (member ${JSON.stringify(name)})`);
  };
  // Of nothing there is no text.
  const text = JSON.stringify(value, check) as string | undefined;
  if (text === undefined) throw refuse(undefined);
  return text;
}

const HINT = "Give text, finite numbers, booleans, null, plain objects and arrays of those, or what has a toJSON.";
const HINT_BIGINT = "Give it as JSON text: as a field of a draft with rawJson, as a cache's value in json.";

/** Whether `JSON.stringify` drops it, refuses it, or makes something of it that nobody gets back. */
function isLost(value: unknown, isInArray: boolean): boolean {
  switch (typeof value) {
    case "object":
      return value !== null && isNoJson(value);
    case "number":
      return !Number.isFinite(value);
    case "undefined":
      return isInArray;
    default:
      return typeof value !== "string" && typeof value !== "boolean";
  }
}

/** No list, and no plain object of any realm. */
function isNoJson(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return !Array.isArray(value) && prototype !== null && Object.getPrototypeOf(prototype) !== null;
}

function nameOf(value: unknown): string {
  if (typeof value === "object") return value?.constructor?.name ?? "such object";
  if (typeof value === "bigint") return "BigInt";
  return typeof value === "number" ? String(value) : typeof value;
}
