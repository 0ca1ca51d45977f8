// What is remembered of every row that was ever read, in a few bytes each: enough to filter, fold and
// count millions of them. The rows themselves are read again when they are drawn.

import type { Block, Role, Row } from "../engine/api";
import type { Mark } from "./types";
import { marksOf } from "./marks";
import { segmentsOf, type Segment } from "./segments";

export const ROLES: readonly Role[] = ["user", "assistant", "tool", "system", "event", "gap"];

/** Bits of {@link Known.flags}; the lowest three are the role. */
export const ROLE_BITS = 7;
export const IS_ERROR = 8;
/** A result that is folded into it says that something failed. */
export const HOLDS_ERROR = 16;
/** An event that says the same as the row before it, or more of the same gap. */
export const IS_REPEAT = 32;

/** A call's or a result's id, and the row it stands in. */
export interface Link {
  readonly id: string;
  readonly row: number;
}

/** The facts of one block. */
export interface Known {
  readonly first: number;
  readonly flags: Uint8Array;
  /** Numbers of {@link Names}. */
  readonly kinds: Uint16Array;
  /** Numbers of {@link Names}, of all the row's tools joined by line breaks. */
  readonly tools: Uint16Array;
  /** The row that a row is drawn in, or -1. */
  readonly home: Int32Array;
  /** The first row that is drawn in a row; of one that is drawn in another, the next one there. Or -1. */
  readonly next: Int32Array;
  /** Its calls without their results, and rows that wait for a row before this block. */
  readonly calls: Map<string, number>;
  waiting: Waiting[];
  /** What a row at the start of the next block would take for the answer that it belongs to. */
  readonly lastAnswer: number | "none" | "earlier";
  readonly segments: readonly Segment[];
  readonly marks: readonly Mark[];
  /** Offsets of the rows that are shown; undefined: all. */
  shown: Uint32Array | undefined;
}

/** A row that is drawn in an earlier one as soon as that is known. */
export interface Waiting {
  readonly row: number;
  readonly isError: boolean;
  /** Calls whose results it brings; none: it tells the usage of the answer before it. */
  readonly calls: readonly string[];
}

/** Numbers for the few names that rows have. Whatever comes after 65,535 names shares one. */
export class Names {
  readonly list: string[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    if (this.list.length === NAMES_MAX) return NAMES_MAX;
    this.#numbers.set(name, this.list.length);
    return this.list.push(name) - 1;
  }
}

const NAMES_MAX = 0xffff;

/** Takes down the facts of a block's rows. */
export function factsOf(block: Block, rows: readonly Row[], kinds: Names, tools: Names): Known {
  const { first } = block;
  const count = block.rows;
  const known: Known = {
    first,
    flags: new Uint8Array(count),
    kinds: new Uint16Array(count),
    tools: new Uint16Array(count),
    home: new Int32Array(count).fill(-1),
    next: new Int32Array(count).fill(-1),
    calls: new Map(),
    waiting: [],
    lastAnswer: lastAnswerOf(rows),
    segments: segmentsOf(rows),
    marks: marksOf(rows),
    shown: undefined,
  };
  for (let at = 0; at < Math.min(count, rows.length); at++) {
    const row = rows[at] as Row;
    known.flags[at] = flagsOf(row, rows[at - 1]);
    known.kinds[at] = kinds.numberOf(row.kind);
    known.tools[at] = tools.numberOf(toolsOf(row).join("\n"));
  }
  return known;
}

function flagsOf(row: Row, before: Row | undefined): number {
  const role = Math.max(0, ROLES.indexOf(row.role));
  const isError = row.isError === true || row.problem !== undefined;
  return role | (isError ? IS_ERROR : 0) | (isRepeat(row, before) ? IS_REPEAT : 0);
}

function isRepeat(row: Row, before: Row | undefined): boolean {
  if (row.role === "gap") return isMissingLikewise(row, before);
  if (before === undefined || row.role !== "event" || row.problem !== undefined) return false;
  return row.kind === before.kind && row.preview === before.preview && REPEATING.test(row.kind);
}

/** Of lines that are not there the first one says how many they are; lines that are there are drawn each. */
function isMissingLikewise(row: Row, before: Row | undefined): boolean {
  return before?.role === "gap" && row.bytes === 0 && row.preview === "" && row.problem?.offset === before.problem?.offset;
}

// Boundaries and what is withheld are drawn one by one, and usage belongs to answers.
const REPEATING = /^(?!compaction$|fork$|truncated$|replaced$|redacted$|session_start$|llm_usage$)/;

function toolsOf(row: Row): string[] {
  const names = new Set<string>();
  for (const call of row.calls ?? []) names.add(call.name);
  for (const result of row.results ?? []) if (result.name !== undefined) names.add(result.name);
  return [...names];
}

function lastAnswerOf(rows: readonly Row[]): number | "none" | "earlier" {
  for (let at = rows.length - 1; at >= 0; at--) {
    const { role, row } = rows[at] as Row;
    if (role === "assistant") return row;
    if (role === "user") return "none";
  }
  return "earlier";
}
