import type { Layout } from "../engine/api";
import type { Filter, Shown } from "./types";
import { IS_ERROR, HOLDS_ERROR, IS_REPEAT, ROLE_BITS, ROLES, type Known, type Names } from "./facts";

export const NO_FILTER: Filter = { roles: new Set(), kinds: new Set(), tools: new Set(), errorsOnly: false };

export function isFiltering(filter: Filter): boolean {
  return filter.roles.size + filter.kinds.size + filter.tools.size > 0 || filter.errorsOnly;
}

/** Says of a row's facts whether the filter lets it through. */
export type Matcher = (block: Known, offset: number) => boolean;

export function matcherOf(filter: Filter, kinds: Names, tools: Names): Matcher | undefined {
  if (!isFiltering(filter)) return undefined;
  // What a number means never changes, so each is decided once; names that came since are decided late.
  const kindMatches = decided(kinds, (name) => filter.kinds.has(name));
  const toolMatches = decided(tools, (names) => names.split("\n").some((name) => filter.tools.has(name)));
  const errors = filter.errorsOnly ? IS_ERROR | HOLDS_ERROR : 0;
  return (block, offset) => {
    const flags = block.flags[offset] as number;
    if (errors !== 0 && (flags & errors) === 0) return false;
    if (filter.roles.size > 0 && !filter.roles.has(ROLES[flags & ROLE_BITS] ?? "event")) return false;
    if (filter.kinds.size > 0 && !kindMatches(block.kinds[offset] as number)) return false;
    return filter.tools.size === 0 || toolMatches(block.tools[offset] as number);
  };
}

function decided(names: Names, decide: (name: string) => boolean): (number: number) => boolean {
  const known: boolean[] = [];
  return (number) => (known[number] ??= decide(names.list[number] ?? ""));
}

/** Chooses what is shown of a block. */
export function choose(blocks: BlockIndex, at: number, matches: Matcher | undefined): void {
  const block = blocks.known[at];
  if (block === undefined) return;
  const offsets: number[] = [];
  for (let offset = 0; offset < block.flags.length; offset++) {
    if (isShown(blocks, block, offset, matches)) offsets.push(offset);
  }
  block.shown = offsets.length === block.flags.length ? undefined : Uint32Array.from(offsets);
}

/** A row that is drawn in another one is shown by itself only where it matches and the other does not. */
function isShown(blocks: BlockIndex, block: Known, offset: number, matches: Matcher | undefined): boolean {
  const repeats = ((block.flags[offset] as number) & IS_REPEAT) !== 0;
  if (repeats || (matches !== undefined && !matches(block, offset))) return false;
  const home = block.home[offset] as number;
  if (home < 0) return true;
  if (matches === undefined) return false;
  const homeBlock = blocks.known[blocks.blockOf(home)];
  return homeBlock !== undefined && !matches(homeBlock, home - homeBlock.first);
}

/** Blocks by their rows. */
export interface BlockIndex {
  readonly known: readonly (Known | undefined)[];
  blockOf(row: number): number;
}

/** The block that a row lies in, by halving. */
export function blockOf(layout: Layout, row: number): number {
  let low = 0;
  let high = layout.blocks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((layout.blocks[middle]?.first ?? 0) <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** What is shown of all blocks. Rows of unknown ones are, unless there is a filter. */
export function shownOf(layout: Layout, known: readonly (Known | undefined)[], isFiltered: boolean): Shown {
  const blocks = layout.blocks.length;
  const before = new Float64Array(blocks + 1);
  const chosen: (Uint32Array | undefined)[] = new Array(blocks);
  for (let at = 0; at < blocks; at++) {
    const facts = known[at];
    const rows = layout.blocks[at]?.rows ?? 0;
    chosen[at] = facts?.shown;
    const count = facts === undefined ? (isFiltered ? 0 : rows) : (facts.shown?.length ?? rows);
    before[at + 1] = (before[at] as number) + count;
  }
  return new ShownRows(layout, before, chosen);
}

class ShownRows implements Shown {
  readonly length: number;
  readonly #layout: Layout;
  /** How many are shown before each block. */
  readonly #before: Float64Array;
  readonly #chosen: readonly (Uint32Array | undefined)[];

  constructor(layout: Layout, before: Float64Array, chosen: readonly (Uint32Array | undefined)[]) {
    this.#layout = layout;
    this.#before = before;
    this.#chosen = chosen;
    this.length = before[before.length - 1] ?? 0;
  }

  rowAt(index: number): number {
    const block = lastAtMost(this.#before, index, this.#chosen.length);
    const offset = index - (this.#before[block] ?? 0);
    return (this.#layout.blocks[block]?.first ?? 0) + (this.#chosen[block]?.[offset] ?? offset);
  }

  indexOf(row: number): number {
    const block = blockOf(this.#layout, row);
    const before = this.#before[block] ?? 0;
    const offset = row - (this.#layout.blocks[block]?.first ?? 0);
    const chosen = this.#chosen[block];
    const count = (this.#before[block + 1] ?? 0) - before;
    const within = chosen === undefined ? Math.min(offset, count - 1) : lastAtMost(chosen, offset, chosen.length);
    return Math.max(0, Math.min(before + within, this.length - 1));
  }
}

/** The last place of a sorted array whose value is at most that; -1: none. */
function lastAtMost(sorted: Float64Array | Uint32Array, value: number, length: number): number {
  let low = -1;
  let high = length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((sorted[middle] as number) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
