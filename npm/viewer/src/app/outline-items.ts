// The outline's lines: turns, and under each the places that are pointed out in it.

import type { Mark, Turn } from "../model/types";
import { counted } from "../common/format";

export type Item = TurnItem | MarkItem;

interface Placed {
  readonly row: number;
  readonly level: 1 | 2;
  /** Its number among its siblings, from 1, and how many there are. */
  position: number;
  siblings: number;
}

export interface TurnItem extends Placed {
  readonly type: "turn";
  readonly turn: Turn;
  /** Whether its errors are listed; undefined where it has none. */
  readonly isExpanded: boolean | undefined;
}

export interface MarkItem extends Placed {
  readonly type: "mark";
  readonly what: Mark["what"];
  readonly text: string;
  /** Marks of the same kind, one after the other, share a line. */
  readonly count: number;
}

/** Turns and marks in the order of their rows. Errors are listed only in turns that were expanded. */
export function outlineItems(
  turns: readonly Turn[],
  marks: readonly Mark[],
  expanded: ReadonlySet<number>,
): readonly Item[] {
  const items: Item[] = [];
  let next = marksUpTo(items, marks, 0, turns[0]?.row ?? Infinity, 1, true);
  for (const [index, turn] of turns.entries()) {
    const end = turns[index + 1]?.row ?? Infinity;
    const isExpanded = expanded.has(turn.number);
    const hasErrors = hasError(marks, next, end);
    items.push({
      type: "turn",
      row: turn.row,
      level: 1,
      position: 0,
      siblings: 0,
      turn,
      isExpanded: hasErrors ? isExpanded : undefined,
    });
    next = marksUpTo(items, marks, next, end, 2, isExpanded);
  }
  number(items);
  return items;
}

/** The last item that does not lie after a row. */
export function itemAt(items: readonly Item[], row: number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((items[middle]?.row ?? 0) <= row) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low - 1;
}

/** Appends the marks before a row, and gives the number of the first one that is left. */
function marksUpTo(
  items: Item[],
  marks: readonly Mark[],
  from: number,
  end: number,
  level: 1 | 2,
  withErrors: boolean,
): number {
  let index = from;
  for (; index < marks.length; index += 1) {
    const mark = marks[index];
    if (mark === undefined || mark.row >= end) {
      break;
    }
    if (mark.what !== "error" || withErrors) {
      addMark(items, mark, level);
    }
  }
  return index;
}

function addMark(items: Item[], mark: Mark, level: 1 | 2): void {
  const last = items.at(-1);
  if (mark.what === "withheld" && last?.type === "mark" && last.what === mark.what) {
    const count = last.count + 1;
    items[items.length - 1] = { ...last, count, text: `${counted(count, "entry", "entries")} withheld` };
  } else {
    const { row, what, text } = mark;
    items.push({ type: "mark", row, level, position: 0, siblings: 0, what, text, count: 1 });
  }
}

function hasError(marks: readonly Mark[], from: number, end: number): boolean {
  for (let index = from; index < marks.length && (marks[index]?.row ?? end) < end; index += 1) {
    if (marks[index]?.what === "error") {
      return true;
    }
  }
  return false;
}

/** Numbers siblings: all of the first level, and those of the second up to the next of the first. */
function number(items: readonly Item[]): void {
  const tops = items.filter((item) => item.level === 1);
  tops.forEach((item, index) => place(item, index, tops.length));
  let children: Item[] = [];
  const closeGroup = (): void => {
    const siblings = children.length;
    children.forEach((item, index) => place(item, index, siblings));
    children = [];
  };
  for (const item of items) {
    if (item.level === 1) {
      closeGroup();
    } else {
      children.push(item);
    }
  }
  closeGroup();
}

function place(item: Item, index: number, siblings: number): void {
  item.position = index + 1;
  item.siblings = siblings;
}
