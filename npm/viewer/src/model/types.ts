// What the panes share of one session: signals that they draw, and calls that change them. Nothing here
// knows the DOM.

import type { ReadonlySignal, Signal } from "@preact/signals";

import type { Entry, Layout, Listed, Part, Problem, Progress, Report, Role, Row, Usage } from "../engine/api";

/** One open session. */
export interface SessionModel {
  readonly listed: Listed;
  readonly layout: ReadonlySignal<Layout | undefined>;
  /** Opening failed. */
  readonly failure: ReadonlySignal<Problem | undefined>;

  /** Reading all rows: begun unasked, but for large sessions. */
  readonly survey: ReadonlySignal<Job<undefined>>;
  startSurvey(): void;
  /** Verifying: begun unasked, but for large sessions. */
  readonly verification: ReadonlySignal<Job<Report>>;
  startVerification(head?: { readonly seq: number; readonly hash: string }): void;
  /** Stops what reads everything: survey, verification, search. */
  stop(): void;

  /** What is shown: filtered; rows of results that are folded into their calls are left out. */
  readonly shown: ReadonlySignal<Shown>;
  readonly filter: Signal<Filter>;
  readonly counts: ReadonlySignal<Counts>;
  readonly turns: ReadonlySignal<readonly Turn[]>;
  readonly totals: ReadonlySignal<Totals>;
  readonly marks: ReadonlySignal<readonly Mark[]>;

  /** Counts up when rows or entries were read: those who draw them read it. */
  readonly version: ReadonlySignal<number>;
  row(row: number): Row | undefined;
  /** The entry, if its block is at hand; else its block is fetched and `version` changes. */
  entry(row: number): Entry | undefined;
  /** The result of a call that stands in that row, if it is known, and its row. */
  resultOf(row: number, call: string): { readonly row: number; readonly part: Part } | undefined;
  /** Why a row that should be there cannot be read; `retry` tries again. */
  trouble(row: number): Problem | undefined;
  retry(row: number): void;
  /** Tokens of an answer: its own, or what an entry after it tells of it. */
  usageOf(row: number): Usage | undefined;
  /** The row that a row is drawn in: its own, or its call's. */
  drawnAt(row: number): number;
  /** How many rows after this one say the same and are left out of what is shown. */
  repeatsOf(row: number): number;
  part(row: number, part: number): Promise<string>;
  raw(row: number): Promise<string>;
  markdown(rows: readonly number[]): Promise<string>;

  /** The row that keys act on. */
  readonly current: Signal<number | undefined>;
  /** Folded parts that the user opened or closed, by `row` or `row:part`. */
  readonly folds: Signal<ReadonlyMap<string, boolean>>;
  /** Whether what is folded by nature is open, where {@link folds} says nothing else. */
  readonly isUnfolded: Signal<boolean>;
  /** Where the list is asked to go; it takes every new value. */
  readonly target: ReadonlySignal<Target | undefined>;
  /** Shows a row: clears filters that hide it, goes to the call that a result is folded into. */
  goTo(row: number, how?: { readonly focus?: boolean; readonly at?: Target["at"] }): void;
  /** The row of an entry's number. */
  rowOfSeq(seq: number): Promise<number | undefined>;

  readonly search: SearchModel;
  close(): void;
}

export interface SearchModel {
  readonly query: ReadonlySignal<{ readonly text: string; readonly matchCase: boolean }>;
  readonly job: ReadonlySignal<Job<undefined>>;
  readonly hits: ReadonlySignal<readonly { readonly row: number; readonly count: number }[]>;
  /** Matches in all hits so far. */
  readonly matches: ReadonlySignal<number>;
  /** Which hit is looked at; -1: none. */
  readonly at: ReadonlySignal<number>;
  start(text: string, matchCase: boolean): void;
  next(): void;
  previous(): void;
  clear(): void;
}

/** Something that takes its time. */
export type Job<T> =
  | { readonly state: "idle" }
  | { readonly state: "running"; readonly progress: Progress }
  | { readonly state: "done"; readonly result: T }
  | { readonly state: "stopped"; readonly progress: Progress }
  | { readonly state: "failed"; readonly problem: Problem };

/** The rows that are shown, in order. */
export interface Shown {
  readonly length: number;
  /** The row at that place. */
  rowAt(index: number): number;
  /** The place of a row, or of the nearest one before it that is shown. */
  indexOf(row: number): number;
}

/** What is shown: everything, where a set is empty. */
export interface Filter {
  readonly roles: ReadonlySet<Role>;
  readonly kinds: ReadonlySet<string>;
  readonly tools: ReadonlySet<string>;
  readonly errorsOnly: boolean;
}

export interface Counts {
  readonly roles: ReadonlyMap<Role, number>;
  readonly kinds: ReadonlyMap<string, number>;
  readonly tools: ReadonlyMap<string, number>;
  readonly errors: number;
}

/** What follows one thing the user said, up to the next. */
export interface Turn {
  readonly number: number;
  readonly row: number;
  readonly seq: number | undefined;
  readonly preview: string;
  readonly ts: number | undefined;
  /** Rows of it, tools called, things that failed. */
  readonly rows: number;
  readonly calls: number;
  readonly errors: number;
  readonly usage: Required<Usage>;
  /** Milliseconds from its first entry to its last. */
  readonly tookMs: number | undefined;
}

export interface Totals {
  readonly entries: number;
  readonly usage: Required<Usage>;
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
}

/** A place that outline and chart point out. */
export interface Mark {
  readonly row: number;
  readonly what: "error" | "compaction" | "fork" | "truncated" | "gap" | "withheld";
  readonly text: string;
}

export interface Target {
  readonly row: number;
  readonly focus: boolean;
  /** Where in view it comes to stand; `nearest` moves no more than it has to. */
  readonly at: "start" | "end" | "nearest";
}
