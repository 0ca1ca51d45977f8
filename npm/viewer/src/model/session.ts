import { batch, effect, signal, untracked } from "@preact/signals";

import type { Engine, Entry, Head, Layout, Listed, Problem, Report, Row, Usage } from "../engine/api";
import { Runner } from "./jobs";
import { KnownRows } from "./known";
import { allMarks } from "./marks";
import { problemOf } from "../common/problem";
import { Publisher } from "./publisher";
import { Reader } from "./reader";
import { createSearch } from "./search";
import { addTokens, noTokens, type Tokens } from "./segments";
import { isFiltering, NO_FILTER, shownOf } from "./shown";
import { turnsOf } from "./turns";
import type { Counts, Filter, Mark, SessionModel, Shown, Target, Totals, Turn } from "./types";

const NO_COUNTS: Counts = { roles: new Map(), kinds: new Map(), tools: new Map(), errors: 0 };
const NO_TOTALS: Totals = { entries: 0, usage: noTokens(), fromMs: undefined, toMs: undefined };

/** Opens a session that was listed. */
export function createSession(engine: Engine, listed: Listed): SessionModel {
  return new Session(engine, listed);
}

type ResultOf = NonNullable<ReturnType<SessionModel["resultOf"]>>;

class Session implements SessionModel {
  readonly listed: Listed;
  readonly layout = signal<Layout | undefined>(undefined);
  readonly failure = signal<Problem | undefined>(undefined);
  readonly filter = signal<Filter>(NO_FILTER);
  readonly shown = signal<Shown>(shownOf(new KnownRows().layout, [], false));
  readonly counts = signal<Counts>(NO_COUNTS);
  readonly turns = signal<readonly Turn[]>([]);
  readonly totals = signal<Totals>(NO_TOTALS);
  readonly marks = signal<readonly Mark[]>([]);
  readonly version = signal(0);
  readonly current = signal<number | undefined>(undefined);
  readonly folds = signal<ReadonlyMap<string, boolean>>(new Map());
  readonly isUnfolded = signal(false);
  readonly target = signal<Target | undefined>(undefined);
  readonly search: ReturnType<typeof createSearch>;

  readonly #engine: Engine;
  readonly #rows = new KnownRows();
  readonly #survey = new Runner<undefined>();
  readonly #verification = new Runner<Report>();
  readonly #reader: Reader;
  /** While everything is read: what is computed of all rows. */
  readonly #publisher = new Publisher(() => this.#publish());
  readonly #summaries = new Publisher(() => this.#summarize());
  readonly #unfilter: () => void;
  readonly #opened: Promise<void>;
  #results = { version: -1, ofRow: new Map<number, ReadonlyMap<string, ResultOf>>() };
  #isClosed = false;

  constructor(engine: Engine, listed: Listed) {
    this.#engine = engine;
    this.listed = listed;
    this.#reader = new Reader(engine, listed.key, this.#rows, {
      time: () => this.version.peek(),
      arrived: (block, rows) => this.#arrived(block, rows),
    });
    this.search = createSearch(engine, listed.key, {
      from: () => this.current.peek() ?? 0,
      goTo: (row) => this.goTo(row),
    });
    this.#unfilter = effect(() => this.#filtered(this.filter.value));
    this.#opened = this.#open();
  }

  get survey(): SessionModel["survey"] {
    return this.#survey.job;
  }

  get verification(): SessionModel["verification"] {
    return this.#verification.job;
  }

  async #open(): Promise<void> {
    try {
      const layout = await this.#engine.layout(this.listed.key);
      if (this.#isClosed) return;
      this.#rows.layout = layout;
      this.#publish();
      if (isFiltering(this.filter.peek())) this.startSurvey();
      if (!layout.isLarge) void this.#readAll();
    } catch (error) {
      this.failure.value = problemOf(error);
    }
  }

  /** Reads everything, and verifies it when the reader can already look around. */
  async #readAll(): Promise<void> {
    const isDone = await this.#runSurvey();
    const isStopped = this.#survey.job.peek().state === "stopped";
    const isAsked = this.#verification.job.peek().state !== "idle";
    if (!this.#isClosed && !isAsked && (isDone || !isStopped)) this.startVerification();
  }

  startSurvey(): void {
    void this.#runSurvey();
  }

  async #runSurvey(): Promise<boolean> {
    const isDone = await this.#survey.run(async (aborted) => {
      await this.#engine.survey(this.listed.key, (found) => {
        if (aborted.aborted) return;
        this.#survey.progress(found.progress);
        this.#rows.grow(found.added, found.isComplete);
        this.#reader.offer(found.block, found.rows);
        if (this.#rows.add(found.block, found.rows)) this.#publisher.soon();
      }, aborted);
      return undefined;
    });
    if (!this.#isClosed) this.#publisher.now();
    return isDone;
  }

  startVerification(head?: Pick<Head, "seq" | "hash">): void {
    void this.#verification.run((aborted) => {
      const each = (progress: { done: number; total: number }): void => {
        if (!aborted.aborted) this.#verification.progress(progress);
      };
      return this.#engine.verify(this.listed.key, { head }, each, aborted);
    });
  }

  stop(): void {
    this.#survey.stop();
    this.#verification.stop();
    this.search.stop();
  }

  #filtered(filter: Filter): void {
    untracked(() => {
      this.#rows.filter = filter;
      if (this.layout.peek() === undefined) return;
      this.#publishShown();
      if (isFiltering(filter) && this.#rows.isPartial && !this.#survey.isRunning) this.startSurvey();
    });
  }

  /** A block came that somebody draws: it is drawn at once, sums follow. */
  #arrived(block: number | undefined, rows: readonly Row[] | undefined): void {
    batch(() => {
      if (block !== undefined && rows !== undefined && this.#rows.add(block, rows)) {
        this.#publishShown();
        this.#summaries.soon();
      }
      this.version.value++;
    });
  }

  #publish(): void {
    batch(() => {
      this.#publishShown();
      this.#summarize();
      this.version.value++;
    });
  }

  #publishShown(): void {
    const { layout, known } = this.#rows;
    this.layout.value = layout;
    this.shown.value = shownOf(layout, known, isFiltering(this.filter.peek()));
  }

  #summarize(): void {
    batch(() => {
      const { turns, totals } = turnsOf(this.#rows.known);
      this.counts.value = this.#rows.counts;
      this.turns.value = turns;
      this.totals.value = totals;
      this.marks.value = allMarks(this.#rows.known);
    });
  }

  row(row: number): Row | undefined {
    return this.#reader.row(row);
  }

  entry(row: number): Entry | undefined {
    return this.#reader.entry(row);
  }

  trouble(row: number): Problem | undefined {
    return this.#reader.trouble(row);
  }

  retry(row: number): void {
    this.#reader.retry(row);
  }

  resultOf(row: number, call: string): ResultOf | undefined {
    return this.#resultsOf(row).get(call);
  }

  /** Every call of a row asks for its result: they are gone through once for a drawing, not once for each. */
  #resultsOf(row: number): ReadonlyMap<string, ResultOf> {
    const version = this.version.peek();
    if (this.#results.version !== version) this.#results = { version, ofRow: new Map() };
    const known = this.#results.ofRow.get(row);
    if (known !== undefined) return known;
    const results = new Map<string, ResultOf>();
    for (const child of this.#rows.childrenOf(row)) {
      for (const part of this.entry(child)?.parts ?? []) {
        if (part.type === "result" && !results.has(part.call)) results.set(part.call, { row: child, part });
      }
    }
    this.#results.ofRow.set(row, results);
    return results;
  }

  usageOf(row: number): Usage | undefined {
    const own = this.row(row)?.usage;
    const children = this.#rows.childrenOf(row).map((child) => this.row(child));
    const told = children.flatMap((child) => (child?.kind === "llm_usage" ? (child.usage ?? []) : []));
    if (told.length === 0) return own;
    const sum: Usage = told.length === 1 ? told[0]! : told.reduce<Tokens>((sum, one) => (addTokens(sum, one), sum), noTokens());
    return { ...own, ...sum };
  }

  drawnAt(row: number): number {
    return this.#rows.drawnAt(row);
  }

  repeatsOf(row: number): number {
    return this.#rows.repeatsOf(row);
  }

  part(row: number, part: number): Promise<string> {
    return this.#engine.part(this.listed.key, row, part);
  }

  raw(row: number): Promise<string> {
    return this.#engine.raw(this.listed.key, row);
  }

  /** With what is drawn in those rows. */
  markdown(rows: readonly number[]): Promise<string> {
    const all = new Set(rows.flatMap((row) => [row, ...this.#rows.childrenOf(row)]));
    return this.#engine.markdown(this.listed.key, [...all].sort((one, other) => one - other));
  }

  goTo(row: number, how: Parameters<SessionModel["goTo"]>[1] = {}): void {
    if (row < 0 || row >= this.#rows.layout.rows) return;
    this.#aim(row, how);
    if (this.#rows.isKnown(row) && this.#rows.homeOf(row) === undefined) return;
    const aimed = this.target.peek();
    void this.#unfold(row).then(() => {
      if (this.target.peek() === aimed) this.#aim(row, how);
    }, ignore);
  }

  #aim(row: number, { focus = false, at = "start" }: NonNullable<Parameters<SessionModel["goTo"]>[1]>): void {
    batch(() => {
      const place = this.#isShown(row) ? row : this.#rows.drawnAt(row);
      if (!this.#isShown(place)) this.filter.value = NO_FILTER;
      this.current.value = place;
      this.target.value = { row: place, focus, at };
    });
  }

  #isShown(row: number): boolean {
    const shown = this.shown.peek();
    return shown.length > 0 && shown.rowAt(shown.indexOf(row)) === row;
  }

  /** Opens the calls whose results stand in the row. */
  async #unfold(row: number): Promise<void> {
    const results = (await this.#reader.loadRow(row))?.results ?? [];
    const home = this.#rows.homeOf(row);
    if (home === undefined) return;
    const parts = (await this.#reader.loadEntry(home))?.parts ?? [];
    const calls = new Set(results.map((result) => result.call));
    const folds = new Map(this.folds.peek());
    parts.forEach((part, at) => {
      if (part.type === "call" && calls.has(part.id)) folds.set(`${home}:${at}`, true);
    });
    this.folds.value = folds;
  }

  /** Where a log was not read to its end, it is read until the entry comes. */
  async rowOfSeq(seq: number): Promise<number | undefined> {
    await this.#opened;
    const found = await this.#reader.rowOfSeq(seq);
    if (found !== undefined || this.#rows.layout.isComplete) return found;
    if (this.failure.peek() !== undefined) return undefined;
    if (!this.#survey.isRunning) this.startSurvey();
    const { rows } = this.#rows.layout;
    await until(() => (this.layout.value?.rows ?? 0) > Math.max(seq, rows) || this.survey.value.state !== "running");
    return this.#reader.rowOfSeq(seq);
  }

  close(): void {
    this.#isClosed = true;
    this.search.clear();
    this.stop();
    this.#unfilter();
    this.#publisher.cancel();
    this.#summaries.cancel();
    this.#reader.close();
  }
}

/** Waits until a condition on signals holds. */
function until(holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = effect(() => {
      if (!holds()) return;
      resolve();
      queueMicrotask(() => stop());
    });
  });
}

function ignore(): void {
  // What cannot be read is drawn where it would be.
}
