// What the system says, as errors of the package.

import { TurnkeepError } from "../errors.js";

/** The system's code of an error, such as `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}

/** What may be different the next time. */
const PASSING = new Set(["ENOSPC", "EDQUOT", "EINTR", "EAGAIN", "EMFILE", "ENFILE"]);

/** The store's own failure. */
export function failed(what: string, path: string, error: unknown, key?: string): TurnkeepError {
  const retryable = PASSING.has(codeOf(error) ?? "");
  const message = `${what} ${path}: ${said(error)}${retryable ? "; this may pass" : ""}`;
  return new TurnkeepError("store_failed", message, { key, retryable, cause: error });
}

/** What the file holds, or the disk, is not known any more. */
export function poisoned(what: string, path: string, error: unknown, key: string): TurnkeepError {
  const message = `${path}: ${what}: ${said(error)}`;
  return new TurnkeepError("poisoned", message, { key, cause: error });
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `not_found` where the file is missing, the store's own failure otherwise. */
export function missingOrFailed(
  key: string,
  what: string,
  path: string,
  error: unknown,
): TurnkeepError {
  return codeOf(error) === "ENOENT" ? notFound(key) : failed(what, path, error);
}

export function notFound(key: string): TurnkeepError {
  return new TurnkeepError("not_found", "there is no such object", { key });
}
