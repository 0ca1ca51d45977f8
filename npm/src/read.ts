// Which entries to read, and pages of them.

import type { KnownKind } from "./draft.js";
import { type Entry, entriesOf } from "./entry.js";
import { TurnkeepError, checkMembers, checked, texts } from "./errors.js";
import { wasm } from "./load.js";
import { CALL, type CallOptions } from "./options.js";
import type { Head } from "./store.js";
import type * as glue from "./wasm/turnkeep.js";

/** Which entries to read: all, unless told. */
export interface ReadRange {
  /** The number of the first entry. */
  readonly from?: number | undefined;
  /** The number of the last entry. */
  readonly to?: number | undefined;
  /** So that the last entries come, that many. */
  readonly last?: number | undefined;
  /** The entries of that turn: the last one of that number. */
  readonly turn?: number | undefined;
  /** From where a page ended on. The rest of the range must be the same. */
  readonly after?: Cursor | undefined;
  /** About how many bytes of lines a page holds; at least one line. */
  readonly pageBytes?: number | undefined;
  /** Only entries of these kinds. A page may then be empty, and have a `next`. */
  readonly kinds?: readonly KnownKind[] | undefined;
  /** From the last entry to the first. */
  readonly newestFirst?: boolean | undefined;
  /** At most that many entries, over all pages. */
  readonly limit?: number | undefined;
}

/** Where a page ended. Opaque. */
export interface Cursor {
  /** Lets go of its memory ahead of the garbage collector. */
  free(): void;
}

/**
 * Some entries, verified among themselves: each line's hash, and that each follows the one before
 * it. Lines that reach the head are also compared with it.
 */
export interface Page {
  /** The entries. */
  readonly entries: readonly Entry[];
  /** Their lines, in the same order, each with its line break. */
  readonly lines: Uint8Array;
  /** Number of the first one that was looked at. */
  readonly firstSeq: number;
  /** The session's head. */
  readonly head: Head;
  /** Where to go on; `undefined` after the last page. */
  readonly next: Cursor | undefined;
}

/** A task that reads a page. @internal */
export function readTask(id: string, range: ReadRange & CallOptions): glue.Task {
  checkMembers(range, RANGE);
  return checked(() => {
    const wanted = new (wasm().Range)();
    const { from, to, last, turn, after, pageBytes, kinds, newestFirst, limit } = range;
    if (from !== undefined) wanted.set_from(from);
    if (last !== undefined) wanted.set_last(last);
    if (turn !== undefined) wanted.set_turn(turn);
    if (after !== undefined) wanted.set_after(checkCursor(after));
    if (to !== undefined) wanted.set_to(to);
    if (pageBytes !== undefined) wanted.set_page_bytes(pageBytes);
    if (kinds !== undefined) wanted.set_kinds(texts(kinds, "a kind"));
    if (newestFirst === true) wanted.set_newest_first();
    if (limit !== undefined) wanted.set_limit(limit);
    return wasm().read(id, wanted);
  });
}

const RANGE: Record<keyof (ReadRange & CallOptions), true> = {
  ...CALL,
  from: true,
  to: true,
  last: true,
  turn: true,
  after: true,
  pageBytes: true,
  kinds: true,
  newestFirst: true,
  limit: true,
};

function checkCursor(after: unknown): glue.Cursor {
  if (after instanceof wasm().Cursor) return after;
  throw new TurnkeepError("invalid_argument", "after must be where a page ended");
}

/** A page as the wasm gives it. @internal */
export interface RawPage {
  readonly lines: Uint8Array;
  readonly seqs: Float64Array;
  readonly firstSeq: number;
  readonly head: Head;
  readonly next: Cursor | undefined;
}

/** A page as callers see it. @internal */
export function pageOf({ lines, seqs, firstSeq, head, next }: RawPage): Page {
  return { entries: entriesOf(lines, seqs), lines, firstSeq, head, next };
}

/** Entries one by one, given how pages are read. @internal */
export async function* eachEntry(
  range: ReadRange & CallOptions,
  read: (range: ReadRange & CallOptions) => Promise<Page>,
): AsyncGenerator<Entry, void, undefined> {
  let { after } = range;
  do {
    const page = await read({ ...range, after });
    yield* page.entries;
    after = page.next;
  } while (after !== undefined);
}
