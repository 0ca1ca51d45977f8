// Which rows are drawn in an earlier one: results in the row of their calls, usage in the answer it tells
// of. Blocks come in any order, and some frameworks use the same ids for calls again and again: so a row
// only is linked where all blocks between are known, to the nearest one that fits.

import type { Row } from "../engine/api";
import { HOLDS_ERROR, IS_ERROR, type Known, type Waiting } from "./facts";

/** How many blocks back a row's home is looked for. */
const REACH = 32;

/** Links the rows of a block that came, and those of others that waited for it. Says which blocks changed. */
export function link(blocks: readonly (Known | undefined)[], at: number, rows: readonly Row[]): Set<number> {
  const changed = new Set([at]);
  linkInside(blocks[at] as Known, rows);
  for (let later = at; later <= at + REACH && blocks[later] !== undefined; later++) {
    linkBefore(blocks, later, changed);
  }
  return changed;
}

function linkInside(block: Known, rows: readonly Row[]): void {
  let answer: number | "none" | "earlier" = "earlier";
  for (const row of rows) {
    if (row.role === "user") answer = "none";
    if (row.role === "assistant") answer = row.row;
    const waiting = waitingOf(row);
    if (waiting?.calls.length === 0) linkUsage(block, waiting, answer);
    else if (waiting !== undefined) linkResult(block, waiting);
    for (const call of row.calls ?? []) block.calls.set(call.id, row.row);
  }
}

function waitingOf(row: Row): Waiting | undefined {
  const isError = row.isError === true || row.problem !== undefined;
  if (row.kind === "llm_usage" && row.problem === undefined) return { row: row.row, isError, calls: [] };
  if (row.kind !== "tool_result" || row.calls !== undefined || row.problem !== undefined) return undefined;
  const calls = row.results?.map((result) => result.call) ?? [];
  return calls.length === 0 ? undefined : { row: row.row, isError, calls };
}

function linkUsage(block: Known, waiting: Waiting, answer: number | "none" | "earlier"): void {
  if (answer === "earlier") block.waiting.push(waiting);
  else if (answer !== "none") adopt(block, answer, block, waiting);
}

function linkResult(block: Known, waiting: Waiting): void {
  const home = homeIn(block, waiting);
  if (home === undefined) block.waiting.push(waiting);
  else answered(block, home, block, waiting);
}

/** The one row of the block that makes all these calls. */
function homeIn(block: Known, { calls }: Waiting): number | undefined {
  const home = block.calls.get(calls[0] as string);
  return home !== undefined && calls.every((call) => block.calls.get(call) === home) ? home : undefined;
}

function linkBefore(blocks: readonly (Known | undefined)[], at: number, changed: Set<number>): void {
  const block = blocks[at] as Known;
  if (block.waiting.length === 0) return;
  block.waiting = block.waiting.filter((waiting) => {
    const before = waiting.calls.length === 0 ? findAnswer(blocks, at) : findCalls(blocks, at, waiting);
    if (before === "none") return false;
    if (before === undefined) return true;
    const home = blocks[before.block] as Known;
    if (waiting.calls.length === 0) adopt(home, before.row, block, waiting);
    else answered(home, before.row, block, waiting);
    changed.add(before.block).add(at);
    return false;
  });
}

interface Place {
  readonly block: number;
  readonly row: number;
}

function findAnswer(blocks: readonly (Known | undefined)[], at: number): Place | "none" | undefined {
  for (let block = at - 1; block >= Math.max(0, at - REACH); block--) {
    const last = blocks[block]?.lastAnswer;
    if (last === undefined || last === "none") return last;
    if (last !== "earlier") return { block, row: last };
  }
  return undefined;
}

function findCalls(blocks: readonly (Known | undefined)[], at: number, waiting: Waiting): Place | undefined {
  for (let block = at - 1; block >= Math.max(0, at - REACH); block--) {
    const known = blocks[block];
    const row = known === undefined ? undefined : homeIn(known, waiting);
    if (known === undefined || row !== undefined) return row === undefined ? undefined : { block, row };
  }
  return undefined;
}

function answered(home: Known, row: number, block: Known, waiting: Waiting): void {
  for (const call of waiting.calls) home.calls.delete(call);
  adopt(home, row, block, waiting);
}

function adopt(home: Known, row: number, block: Known, waiting: Waiting): void {
  const parent = row - home.first;
  const child = waiting.row - block.first;
  block.home[child] = row;
  block.next[child] = home.next[parent] as number;
  home.next[parent] = waiting.row;
  if (waiting.isError) home.flags[parent] = (home.flags[parent] as number) | HOLDS_ERROR;
}

export function isErrorFlag(flags: number): boolean {
  return (flags & (IS_ERROR | HOLDS_ERROR)) !== 0;
}
