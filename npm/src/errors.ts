// The one error type, and its conversion from the wasm's.

import type { Head } from "./store.js";

/** What went wrong, stable: branch on this, never on a message (`docs/format.md` §9). */
export type ErrorCode =
  | "invalid_id"
  | "invalid_argument"
  | "bad_json"
  | "too_deep"
  | "too_large"
  | "duplicate_key"
  | "bad_entry"
  | "line_too_long"
  | "bad_line"
  | "broken_link"
  | "bad_hash"
  | "bad_seq"
  | "invalid_utf8"
  | "empty_log"
  | "torn_tail"
  | "wrong_session"
  | "head_mismatch"
  | "unsupported_version"
  | "not_gzip"
  | "gzip_truncated"
  | "gzip_corrupt"
  | "gzip_checksum"
  | "trailing_data"
  | "bad_index"
  | "no_index"
  | "output_limit"
  | "bad_bundle"
  | "not_found"
  | "pruned"
  | "already_exists"
  | "conflict"
  | "locked"
  | "not_supported"
  | "poisoned"
  | "timeout"
  | "store_failed";

/** What is known of an error beside its code and message. */
export interface ErrorDetails {
  /** The session's id. */
  readonly session?: string | undefined;
  /** The key in the store. */
  readonly key?: string | undefined;
  /** The entry's number, counted from 0. */
  readonly seq?: number | undefined;
  /** The line's number, counted from 1. */
  readonly line?: number | undefined;
  /** Offset in bytes of the line's start, or of the fault in a file that has no lines. */
  readonly offset?: number | undefined;
  /** Position among the drafts that were to be appended, counted from 0. */
  readonly draft?: number | undefined;
  /** Whether the same call may succeed later. */
  readonly retryable?: boolean | undefined;
  /** After a conflict: the head that the log has now, where it is known. */
  readonly actual?: Head | undefined;
  /** What to do next, in a sentence. */
  readonly hint?: string | undefined;
  /** What the error was caught from, such as the store's own. */
  readonly cause?: unknown;
}

/**
 * What everything here throws, or rejects with. Stores throw it too, to say what they mean;
 * whatever else a store throws becomes `store_failed`, with the store's own error as `cause`.
 *
 * @example
 * ```ts
 * try {
 *   await session.append({ kind: "user_input", item: { role: "user", content: "Hi" } });
 * } catch (error) {
 *   if (!(error instanceof TurnkeepError && error.code === "conflict")) throw error;
 *   console.log("someone else wrote; the session is now at entry", error.actual?.seq);
 * }
 * ```
 */
export class TurnkeepError extends Error implements ErrorDetails {
  /** What went wrong. */
  readonly code: ErrorCode;
  /** Whether the same call may succeed later. Only a store's failures ever are. */
  readonly retryable: boolean;
  // Those that are not known are not there, so that an error is short where it is shown.
  declare readonly session?: string;
  declare readonly key?: string;
  declare readonly seq?: number;
  declare readonly line?: number;
  declare readonly offset?: number;
  declare readonly draft?: number;
  declare readonly actual?: Head;
  declare readonly hint?: string;

  static {
    this.prototype.name = "TurnkeepError";
  }

  /** An error of that code; `message` says what exactly is wrong. */
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = details.retryable === true;
    for (const name of PLACES) {
      if (details[name] !== undefined) Object.assign(this, { [name]: details[name] });
    }
  }
}

const PLACES = [
  "session",
  "key",
  "seq",
  "line",
  "offset",
  "draft",
  "actual",
  "hint",
] as const satisfies readonly (keyof ErrorDetails)[];

/**
 * What the wasm threw as what the package throws. `caught` is what a store threw before, if
 * anything: it becomes the `cause` of the error that came of it. Whatever is not of the core stays.
 * @internal
 */
export function fromWasm(thrown: unknown, caught?: unknown): unknown {
  if (!(thrown instanceof Error) || thrown.name !== "TurnkeepError") return thrown;
  const error = thrown as TurnkeepError;
  const own = caught instanceof TurnkeepError ? caught : undefined;
  const isCause = error.code === (own?.code ?? "store_failed");
  const cause = own === undefined ? caught : own.cause;
  const details = isCause ? { ...error, cause, hint: own?.hint ?? error.hint } : error;
  return new TurnkeepError(error.code, error.message, details);
}

/** Calls into the wasm and throws its errors as the package's. @internal */
export function checked<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw fromWasm(error);
  }
}

/** Options from outside: a misspelt one must not be taken for one that is not given. @internal */
export function checkMembers<T extends object>(options: T, members: Readonly<Record<keyof T, true>>): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TurnkeepError("invalid_argument", "options must be an object");
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(members, name));
  if (unknown === undefined) return;
  const hint = `There are: ${Object.keys(members).join(", ")}.`;
  throw new TurnkeepError("invalid_argument", `there is no option ${JSON.stringify(unknown)}`, { hint });
}

/** Bytes from outside: the wasm's border would take other things for bytes. @internal */
export function checkBytes(bytes: unknown, what: string): asserts bytes is Uint8Array {
  if (bytes instanceof Uint8Array) return;
  throw new TurnkeepError("invalid_argument", `${what} must be a Uint8Array`);
}

/**
 * Text from outside: the wasm's border would take other things for text, and put U+FFFD in place of
 * a lone surrogate.
 * @internal
 */
export function checkText(text: unknown, what: string, code: ErrorCode = "invalid_argument"): void {
  if (typeof text !== "string") throw new TurnkeepError(code, `${what} must be a string`);
  if (LONE_SURROGATE.test(text)) {
    throw new TurnkeepError(code, `${what} holds half of a surrogate pair`);
  }
}

/** The same for each of several texts. @internal */
export function texts(list: readonly string[], what: string): string[] {
  for (const text of list) checkText(text, what);
  return [...list];
}

/** Half of a character beyond U+FFFF, which UTF-8 cannot express. @internal */
export const LONE_SURROGATE: RegExp =
  /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
