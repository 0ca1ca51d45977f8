import type { Block, Layout, Role, Row } from "../engine/api";
import { factsOf, HOLDS_ERROR, IS_ERROR, IS_REPEAT, Names, ROLE_BITS, ROLES, type Known } from "./facts";
import { link } from "./links";
import { blockOf, choose, matcherOf, NO_FILTER, type BlockIndex } from "./shown";
import type { Counts, Filter } from "./types";

/** All that is known of a session's rows. */
export class KnownRows implements BlockIndex {
  readonly known: (Known | undefined)[] = [];
  layout: Layout = { blocks: [], rows: 0, isComplete: false, isLarge: false, rawBytes: 0 };
  readonly #kinds = new Names();
  readonly #tools = new Names();
  readonly #roleCounts = new Map<Role, number>();
  readonly #kindCounts = new Map<string, number>();
  readonly #toolCounts = new Map<string, number>();
  #errors = 0;
  #blocks = 0;
  #filter = NO_FILTER;

  /** Whether there are rows that were never read. */
  get isPartial(): boolean {
    return !this.layout.isComplete || this.#blocks < this.layout.blocks.length;
  }

  /** Takes a block that was found at the end, and whether there are no more. */
  grow(block: Block | undefined, isComplete: boolean): void {
    if (block === undefined) return;
    const { blocks, ...layout } = this.layout;
    // The same array: copying it for each block would cost the square of them.
    (blocks as Block[]).push(block);
    this.layout = { ...layout, blocks, rows: block.first + block.rows, isComplete };
  }

  blockOf(row: number): number {
    return blockOf(this.layout, row);
  }

  isKnown(row: number): boolean {
    return this.known[this.blockOf(row)] !== undefined;
  }

  /** Takes the rows of a block that was not known. */
  add(at: number, rows: readonly Row[]): boolean {
    const block = this.layout.blocks[at];
    if (block === undefined || this.known[at] !== undefined) return false;
    while (this.known.length < at) this.known.push(undefined);
    this.known[at] = factsOf(block, rows, this.#kinds, this.#tools);
    this.#blocks++;
    for (const row of rows) this.#count(row);
    const matches = matcherOf(this.#filter, this.#kinds, this.#tools);
    for (const changed of link(this.known, at, rows)) choose(this, changed, matches);
    return true;
  }

  set filter(filter: Filter) {
    this.#filter = filter;
    const matches = matcherOf(filter, this.#kinds, this.#tools);
    for (let at = 0; at < this.known.length; at++) choose(this, at, matches);
  }

  get counts(): Counts {
    return {
      roles: new Map(this.#roleCounts),
      kinds: new Map(this.#kindCounts),
      tools: new Map(this.#toolCounts),
      errors: this.#errors,
    };
  }

  #count(row: Row): void {
    increase(this.#roleCounts, row.role);
    increase(this.#kindCounts, row.kind);
    for (const call of row.calls ?? []) increase(this.#toolCounts, call.name);
    if (row.isError === true || row.problem !== undefined) this.#errors++;
  }

  roleOf(row: number): Role | undefined {
    return ROLES[this.#flags(row) & ROLE_BITS];
  }

  isError(row: number): boolean {
    return (this.#flags(row) & (IS_ERROR | HOLDS_ERROR)) !== 0;
  }

  /** The row that it is drawn in, if not by itself. */
  homeOf(row: number): number | undefined {
    const known = this.known[this.blockOf(row)];
    const home = known?.home[row - known.first] ?? -1;
    return home < 0 ? undefined : home;
  }

  /** Rows that are drawn in it, in their order. */
  childrenOf(row: number): number[] {
    const children: number[] = [];
    if (this.homeOf(row) !== undefined) return children;
    for (let child = this.#next(row); child >= 0; child = this.#next(child)) children.push(child);
    return children.reverse();
  }

  repeatsOf(row: number): number {
    let repeats = 0;
    while ((this.#flags(row + repeats + 1) & IS_REPEAT) !== 0) repeats++;
    return repeats;
  }

  /** The row that is drawn for it: its home, or the first that says the same. */
  drawnAt(row: number): number {
    let drawn = this.homeOf(row) ?? row;
    while ((this.#flags(drawn) & IS_REPEAT) !== 0) drawn--;
    return drawn;
  }

  #flags(row: number): number {
    const known = this.known[this.blockOf(row)];
    return known?.flags[row - known.first] ?? 0;
  }

  #next(row: number): number {
    const known = this.known[this.blockOf(row)];
    return known?.next[row - known.first] ?? -1;
  }
}

function increase<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
