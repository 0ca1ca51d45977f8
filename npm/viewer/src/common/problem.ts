// What goes wrong, as it is shown.

import type { Problem } from "../engine/api";

/** A problem of the page's own. */
export function problem(code: string, message: string): Problem {
  return { code, message };
}

/** Whatever was thrown, as a problem. The core throws problems as JSON texts. */
export function problemOf(error: unknown): Problem {
  if (typeof error === "string" && error.startsWith("{")) return JSON.parse(error) as Problem;
  if (typeof error === "object" && error !== null && "message" in error) {
    const { message } = error;
    const code = "code" in error && typeof error.code === "string" ? error.code : "store_failed";
    return { ...error, code, message: String(message) };
  }
  return problem("store_failed", String(error));
}
