import type { Row, Usage } from "../engine/api";

/** The part of a turn that lies in one block. */
export interface Segment {
  /** The row that begins the turn, if that is in this block. */
  readonly start: Row | undefined;
  rows: number;
  calls: number;
  errors: number;
  fromMs: number | undefined;
  toMs: number | undefined;
  readonly usage: Tokens;
  /** What the last answer said of itself, as long as no entry of its own says it again. */
  answer: Usage | undefined;
  /** What is said first of an answer that stands before these rows. */
  before: Usage | undefined;
}

/** Sums of usage. */
export type Tokens = { -readonly [K in keyof Usage]-?: number };

export function noTokens(): Tokens {
  return { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, cost: 0 };
}

export function addTokens(to: Tokens, usage: Usage): void {
  to.input += usage.input ?? 0;
  to.output += usage.output ?? 0;
  to.cacheRead += usage.cacheRead ?? 0;
  to.cacheWrite += usage.cacheWrite ?? 0;
  to.cost += usage.cost ?? 0;
}

/** Takes out what was counted twice: of an answer's own figures, those that were told again. */
export function dropTwice(from: Tokens, own: Usage, told: Usage): void {
  for (const name of Object.keys(from) as (keyof Tokens)[]) {
    if (told[name] !== undefined) from[name] -= own[name] ?? 0;
  }
}

export function earlier(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

export function later(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}

/** A block's rows by turns. The first segment is of a turn that began before. */
export function segmentsOf(rows: readonly Row[]): Segment[] {
  let segment = emptySegment(undefined);
  const segments = [segment];
  for (const row of rows) {
    if (row.role === "user") segments.push((segment = emptySegment(row)));
    addRow(segment, row);
  }
  return segments;
}

function emptySegment(start: Row | undefined): Segment {
  const times = { fromMs: undefined, toMs: undefined };
  return { start, rows: 0, calls: 0, errors: 0, ...times, usage: noTokens(), answer: undefined, before: undefined };
}

function addRow(segment: Segment, row: Row): void {
  if (row.role !== "gap") segment.rows++;
  segment.calls += row.calls?.length ?? 0;
  if (row.isError === true || row.problem !== undefined) segment.errors++;
  segment.fromMs = earlier(segment.fromMs, row.ts);
  segment.toMs = later(segment.toMs, row.ts);
  if (row.usage !== undefined) addUsage(segment, row.usage, row.kind === "llm_usage");
}

function addUsage(segment: Segment, usage: Usage, isTold: boolean): void {
  const isFirst = Object.values(segment.usage).every((count) => count === 0);
  addTokens(segment.usage, usage);
  if (!isTold) {
    segment.answer = usage;
  } else if (segment.answer !== undefined) {
    dropTwice(segment.usage, segment.answer, usage);
    segment.answer = undefined;
  } else if (isFirst) {
    segment.before = usage;
  }
}
