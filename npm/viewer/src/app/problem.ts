// What can be done about a problem, and where it is.

import type { Problem } from "../engine/api";

/** The next step, where there is one. */
export function nextStep(problem: Problem, name?: string): string | undefined {
  switch (problem.code) {
    case "bad_line":
    case "line_too_long":
    case "bad_json":
    case "not_gzip":
    case "no_index":
      return `If another tool wrote it, import it first: turnkeep import ${name ?? "FILE"}`;
    case "gzip_truncated":
    case "gzip_corrupt":
    case "gzip_checksum":
    case "bad_bundle":
      return "Copy the file again from where it came.";
    case "unsupported_version":
      return "Open it with a newer turnkeep.";
    case "empty_log":
      return "Nothing was recorded in it yet.";
    case "torn_tail":
      return "Everything up to the head is whole; the next append cuts the rest off.";
    case "broken_link":
      return "Lines were removed, inserted or moved here; what comes before them holds.";
    case "bad_hash":
      return "This line was changed or damaged; what comes before it holds.";
    case "head_mismatch":
      return "The log was cut short or written anew since that head was noted.";
    case "wrong_session":
      return "The file was renamed or replaced.";
    default:
      return undefined;
  }
}

/** `line 12, byte 3,406`: where it is. */
export function place(problem: Problem): string {
  const parts = [
    problem.line === undefined ? "" : `line ${problem.line}`,
    problem.offset === undefined ? "" : `byte ${problem.offset.toLocaleString("en")}`,
  ];
  return parts.filter((part) => part !== "").join(", ");
}
