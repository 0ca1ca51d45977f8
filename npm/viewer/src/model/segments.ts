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
  /** What answers say of themselves, and what entries of their own say of them. */
  readonly own: Tokens;
  readonly told: Tokens;
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

export function isEmpty(tokens: Tokens): boolean {
  return Object.values(tokens).every((count) => count === 0);
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
  const sums = { own: noTokens(), told: noTokens() };
  return { start, rows: 0, calls: 0, errors: 0, fromMs: undefined, toMs: undefined, ...sums };
}

function addRow(segment: Segment, row: Row): void {
  if (row.role !== "gap") segment.rows++;
  segment.calls += row.calls?.length ?? 0;
  if (row.isError === true || row.problem !== undefined) segment.errors++;
  segment.fromMs = earlier(segment.fromMs, row.ts);
  segment.toMs = later(segment.toMs, row.ts);
  if (row.usage !== undefined) addTokens(row.kind === "llm_usage" ? segment.told : segment.own, row.usage);
}
