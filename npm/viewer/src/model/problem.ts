import type { Problem } from "../engine/api";

/** Whatever was thrown, as a problem that can be shown. */
export function problemOf(error: unknown): Problem {
  if (typeof error === "object" && error !== null && "message" in error) {
    const { message } = error;
    const code = "code" in error && typeof error.code === "string" ? error.code : "failed";
    return { ...error, code, message: String(message) };
  }
  return { code: "failed", message: String(error) };
}
