import type { Totals, Turn } from "./types";
import type { Known } from "./facts";
import { addTokens, dropTwice, earlier, later, noTokens, type Segment } from "./segments";

/** Turns and sums of all blocks that are known. */
export function turnsOf(blocks: readonly (Known | undefined)[]): { turns: Turn[]; totals: Totals } {
  const usage = noTokens();
  const turns: Turn[] = [];
  let entries = 0;
  let fromMs: number | undefined;
  let toMs: number | undefined;
  for (const turn of joined(blocks)) {
    addTokens(usage, turn.usage);
    entries += turn.rows;
    fromMs = earlier(fromMs, turn.fromMs);
    toMs = later(toMs, turn.toMs);
    if (turn.start !== undefined && turns.length < TURNS_MAX) turns.push(asTurn(turn, turns.length + 1));
  }
  return { turns, totals: { entries, usage, fromMs, toMs } };
}

/** More than an outline can be used for; without an end, a log of nothing but questions would fill the memory. */
const TURNS_MAX = 100_000;

/** Segments joined where a turn goes on in the next block. Where blocks between are unknown, none is joined. */
function* joined(blocks: readonly (Known | undefined)[]): Generator<Segment> {
  let turn: Segment | undefined;
  for (const block of blocks) {
    for (const segment of block?.segments ?? []) {
      if (turn !== undefined && segment.start === undefined) {
        turn = join(turn, segment);
      } else {
        if (turn !== undefined) yield turn;
        turn = segment;
      }
    }
    if (block === undefined && turn !== undefined) {
      yield turn;
      turn = undefined;
    }
  }
  if (turn !== undefined) yield turn;
}

function join(turn: Segment, more: Segment): Segment {
  const usage = noTokens();
  addTokens(usage, turn.usage);
  addTokens(usage, more.usage);
  if (turn.answer !== undefined && more.before !== undefined) dropTwice(usage, turn.answer, more.before);
  return {
    start: turn.start,
    rows: turn.rows + more.rows,
    calls: turn.calls + more.calls,
    errors: turn.errors + more.errors,
    fromMs: earlier(turn.fromMs, more.fromMs),
    toMs: later(turn.toMs, more.toMs),
    usage,
    answer: more.answer,
    before: turn.before,
  };
}

function asTurn(turn: Segment, number: number): Turn {
  const { start, rows, calls, errors, fromMs, toMs, usage } = turn;
  const tookMs = fromMs === undefined || toMs === undefined ? undefined : toMs - fromMs;
  return {
    number,
    row: start?.row ?? 0,
    seq: start?.seq,
    preview: start?.preview ?? "",
    ts: start?.ts,
    rows,
    calls,
    errors,
    usage,
    tookMs,
  };
}
