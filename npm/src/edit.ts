// Changing what a model would be sent. The log keeps everything.

import { type RawJson, encodeDrafts, encodeItems } from "./draft.js";
import { drive } from "./drive.js";
import { checkText, checked } from "./errors.js";
import { wasm } from "./load.js";
import type { Opened } from "./opened.js";
import { CREATE, type CreateOptions, checkOptions } from "./options.js";
import { type Session, sessionOf } from "./session.js";
import type { Durability, Store } from "./store.js";
import type * as glue from "./wasm/turnkeep.js";

/**
 * An item of the history: the first one that came with that entry, the last one with that caller's
 * id, or by its place, counted from 0.
 */
export type ItemPlace =
  | { readonly seq: number }
  | { readonly id: string }
  | { readonly index: number };

/** What the history becomes. */
export interface Compaction {
  /** Items that stand for what goes: the framework's own JSON. */
  readonly summary: readonly (RawJson | object | string)[];
  /** How many of the last items stay; none unless told. */
  readonly keepLast?: number | undefined;
}

/** How to create a session that goes on from another one's summary. */
export interface CreateCompactedOptions extends Omit<CreateOptions, "start">, Compaction {}

/**
 * Creates a new session whose history is a summary of another's and its last items, and which says
 * where it comes from. The other is not touched. `invalid_argument` where the history has fewer
 * items than are to stay.
 *
 * @example
 * ```ts
 * const next = await createCompacted(store, "run-7", {
 *   summary: [{ role: "user", content: "So far: …" }],
 *   keepLast: 4,
 * });
 * ```
 */
export async function createCompacted(
  store: Store,
  source: string,
  options: CreateCompactedOptions,
): Promise<Session> {
  checkText(source, "an id", "invalid_id");
  const { summary, keepLast = 0, id, entries = [], salted, durability, signal } = options;
  if (id !== undefined) checkText(id, "an id", "invalid_id");
  const { start: _, ...members } = CREATE;
  checkOptions(options, { ...members, summary: true, keepLast: true });
  const items = encodeItems(summary);
  const drafts = encodeDrafts(entries);
  const task = checked(() =>
    wasm().create_compacted(source, items, keepLast, id, drafts, salted, durability),
  );
  return sessionOf(store, await drive<Opened>(task, store, signal), options, true);
}

/** What starts a write, given what it has to survive. @internal */
export type StartWrite = (
  session: glue.Session,
  durability: Durability | undefined,
) => glue.Task;

/** A write that drops the end of the history. @internal */
export function truncation(place: ItemPlace): StartWrite {
  const { seq, id, index }: Partial<Record<"seq" | "index", number> & { id: string }> = place;
  if (id !== undefined) checkText(id, "an id");
  return (session, durability) => wasm().truncate_from(session, seq, id, index, durability);
}

/** A write that replaces the history. @internal */
export function replacement(items: readonly unknown[]): StartWrite {
  const lines = encodeItems(items);
  return (session, durability) => wasm().replace_history(session, lines, durability);
}

/** A write that compacts the history. @internal */
export function compaction({ summary, keepLast = 0 }: Compaction): StartWrite {
  const lines = encodeItems(summary);
  return (session, durability) => wasm().compact(session, lines, keepLast, durability);
}
