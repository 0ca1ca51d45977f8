import type { Row } from "../engine/api";
import type { Mark } from "./types";
import type { Known } from "./facts";

export function marksOf(rows: readonly Row[]): Mark[] {
  const marks: Mark[] = [];
  for (const [at, row] of rows.entries()) {
    const what = isMoreOfGap(row, rows[at - 1]) ? undefined : markOf(row);
    if (what !== undefined) marks.push({ row: row.row, what, text: textOf(row) });
  }
  return marks;
}

/** Whether a row cannot be read as the one before it: both are one place. */
function isMoreOfGap(row: Row, before: Row | undefined): boolean {
  return row.role === "gap" && before?.role === "gap" && row.preview === "";
}

/** A gap says first what is missing, then why. */
function textOf({ role, preview, problem }: Row): string {
  const why = problem?.message ?? preview;
  return role === "gap" && preview !== "" && preview !== why ? `${preview}: ${why}` : why;
}

function markOf(row: Row): Mark["what"] | undefined {
  if (row.role === "gap") return "gap";
  if (row.kind === "redacted") return "withheld";
  if (row.isError === true || row.problem !== undefined) return "error";
  if (row.kind === "compaction" || row.kind === "fork" || row.kind === "truncated") return row.kind;
  return undefined;
}

/** The marks of all known blocks: of errors, as many as can be of use. */
export function allMarks(blocks: readonly (Known | undefined)[]): Mark[] {
  const all: Mark[] = [];
  let errors = 0;
  for (const block of blocks) {
    for (const mark of block?.marks ?? []) {
      if (mark.what === "error") errors++;
      if (mark.what !== "error" || errors <= ERRORS_MAX) all.push(mark);
    }
  }
  return all;
}

const ERRORS_MAX = 20_000;
