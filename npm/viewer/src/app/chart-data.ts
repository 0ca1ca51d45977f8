// What the strip chart draws: a bar for each turn, or, of many turns, for each stretch of rows.

import type { Layout } from "../engine/api";
import type { Mark, Turn } from "../model/types";
import { brief, bytes, cost, counted, duration } from "../common/format";

export interface Bar {
  /** Its first row, and the row behind its last one. */
  readonly row: number;
  readonly end: number;
  /** What its height stands for: tokens, or bytes where nothing tells tokens. */
  readonly size: number;
  readonly label: string;
}

/** Where something is, or several of its kind. */
export interface Tick {
  readonly row: number;
  readonly what: Mark["what"];
}

export interface ChartData {
  readonly rows: number;
  readonly bars: readonly Bar[];
  readonly max: number;
  readonly ticks: readonly Tick[];
}

/** More bars than that would be narrower than what can be seen or hit. */
const BARS_MAX = 400;

export function chartData(layout: Layout | undefined, turns: readonly Turn[], marks: readonly Mark[]): ChartData {
  const rows = layout?.rows ?? 0;
  const hasTokens = turns.some((turn) => tokensOf(turn) > 0);
  const bars = hasTokens ? tokenBars(turns, rows) : byteBars(layout);
  return { rows, bars, max: bars.reduce((max, bar) => Math.max(max, bar.size), 0), ticks: ticksOf([...marks, ...laterErrors(turns, marks)], rows) };
}

/** The bar that a row lies in. */
export function barAt(bars: readonly Bar[], row: number): number {
  let low = 0;
  let high = bars.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((bars[middle]?.row ?? 0) <= row) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return Math.max(0, low - 1);
}

function tokenBars(turns: readonly Turn[], rows: number): Bar[] {
  return grouped(turns, rows, (turn) => turn.row).map(({ items, end }) => {
    const first = items[0] as Turn;
    const size = sum(items, tokensOf);
    const last = items.at(-1) as Turn;
    const facts = [
      items.length === 1 ? `Turn ${first.number}` : `Turns ${first.number}–${last.number}`,
      `${brief(size)} tokens`,
      costText(sum(items, (turn) => turn.usage.cost ?? 0)),
      durationText(sum(items, (turn) => turn.tookMs ?? 0)),
      errorText(sum(items, (turn) => turn.errors)),
    ];
    return { row: first.row, end, size, label: facts.filter((fact) => fact !== "").join(" · ") };
  });
}

function byteBars(layout: Layout | undefined): Bar[] {
  const blocks = layout?.blocks ?? [];
  return grouped(blocks, layout?.rows ?? 0, (block) => block.first).map(({ items, end }) => {
    const row = items[0]?.first ?? 0;
    const size = sum(items, (block) => block.bytes);
    return { row, end, size, label: `Rows ${row + 1}–${end} · ${bytes(size)}` };
  });
}

interface Group<T> {
  readonly items: T[];
  readonly end: number;
}

/** Each on its own where they are few, else those of each of equal stretches together. */
function grouped<T>(items: readonly T[], rows: number, rowOf: (item: T) => number): Group<T>[] {
  const groups: T[][] = [];
  let current = -1;
  for (const [index, item] of items.entries()) {
    const group = items.length <= BARS_MAX ? index : Math.floor((rowOf(item) * BARS_MAX) / Math.max(1, rows));
    if (group !== current) {
      groups.push([]);
      current = group;
    }
    groups.at(-1)?.push(item);
  }
  return groups.map((own, index) => {
    const next = groups[index + 1]?.[0];
    return { items: own, end: next === undefined ? rows : rowOf(next) };
  });
}

/** Of very long sessions not all marks are kept; turns still count their errors. */
function laterErrors(turns: readonly Turn[], marks: readonly Mark[]): Tick[] {
  const known = marks.at(-1)?.row ?? -1;
  return turns.filter(({ row, errors }) => row > known && errors > 0).map(({ row }) => ({ row, what: "error" }));
}

/** One of each kind for each place that can be told apart. */
function ticksOf(marks: readonly Tick[], rows: number): Tick[] {
  const seen = new Map<Mark["what"], Set<number>>();
  return marks.filter(({ row, what }) => {
    const places = seen.get(what) ?? new Set();
    const { size } = places;
    seen.set(what, places.add(Math.floor((row * BARS_MAX) / Math.max(1, rows))));
    return places.size > size;
  });
}

function tokensOf(turn: Turn): number {
  return (turn.usage.input ?? 0) + (turn.usage.output ?? 0);
}

function sum<T>(items: readonly T[], sizeOf: (item: T) => number): number {
  return items.reduce((total, item) => total + sizeOf(item), 0);
}

function costText(dollars: number): string {
  return dollars > 0 ? cost(dollars) : "";
}

function durationText(ms: number): string {
  return ms > 0 ? duration(ms) : "";
}

function errorText(errors: number): string {
  return errors > 0 ? counted(errors, "error") : "";
}
