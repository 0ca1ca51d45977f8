// Forking: a new session that starts with a copy of another's entries.

import { type Draft, type Point, encodeDrafts } from "./draft.js";
import { drive } from "./drive.js";
import { checkMembers, checkText, checked } from "./errors.js";
import type { Handle } from "./handle.js";
import { wasm } from "./load.js";
import type { Opened } from "./opened.js";
import { CALL, type CallOptions, OPEN, type OpenOptions, checkOptions } from "./options.js";
import { type Session, sessionOf } from "./session.js";
import type { Store } from "./store.js";
import type * as glue from "./wasm/turnkeep.js";

/** The last entry that a fork shares with its parent: by number, by hash, or as a turn's end. */
export type ForkPoint =
  | { readonly seq: number }
  | { readonly hash: string }
  | { readonly turn: number };

/** How to fork. */
export interface ForkOptions extends OpenOptions {
  /** Where; the parent's head unless told. */
  readonly at?: ForkPoint | undefined;
  /** The new session's id; made up where there is none. */
  readonly id?: string | undefined;
  /** Entries that are written with the fork, all or nothing. */
  readonly entries?: readonly Draft[] | undefined;
}

/** How to make sure of the head. */
export interface EnsureHeadOptions extends CallOptions {
  /** The id of the fork, should one be made; made up where there is none. */
  readonly id?: string | undefined;
}

/** Whether a fork was made. */
export interface Ensured {
  /** The entry at which the session was forked; `undefined` where it was at its head. */
  readonly forkedFrom: Point | undefined;
}

/**
 * Forks a session, live or archived: copies its log up to a point, verifying it, and adds the entry
 * that says so; all of it appears at once. The parent is not touched, and may be held by another
 * writer. `not_found` where there is no such session or point, `already_exists` where the new
 * session does.
 *
 * @example
 * ```ts
 * const branch = await forkSession(store, "run-7", { at: { turn: 3 }, id: "run-7b" });
 * ```
 */
export async function forkSession(
  store: Store,
  id: string,
  options: ForkOptions = {},
): Promise<Session> {
  const opened = await drive<Opened>(forkTask(id, options), store, options.signal);
  return sessionOf(store, opened, options);
}

/** A task that forks. @internal */
export function forkTask(parent: string, options: ForkOptions): glue.Task {
  checkText(parent, "an id", "invalid_id");
  checkOptions(options, { ...OPEN, at: true, id: true, entries: true });
  const { at = {}, id, entries = [] } = options;
  const point: Partial<Record<"seq" | "turn", number> & { hash: string }> = at;
  checkMembers(point, { seq: true, hash: true, turn: true });
  const { seq, hash, turn } = point;
  if (hash !== undefined) checkText(hash, "a hash");
  if (id !== undefined) checkText(id, "an id", "invalid_id");
  const drafts = encodeDrafts(entries);
  return checked(() => wasm().fork(parent, seq, hash, turn, id, drafts));
}

/** Goes on with a fork, should others have written to the session. @internal */
export function ensureHead(handle: Handle, options: EnsureHeadOptions): Promise<Ensured> {
  const { id, signal } = options;
  return handle.inOrder(async () => {
    checkMembers(options, { ...CALL, id: true });
    if (id !== undefined) checkText(id, "an id", "invalid_id");
    const task = checked(() => wasm().ensure_head(handle.opened.handle, id));
    const { opened, forkedFrom } = await drive<RawEnsured>(task, handle.store, signal);
    await handle.moveTo(opened, signal);
    return { forkedFrom };
  });
}

interface RawEnsured extends Ensured {
  readonly opened: Opened;
}
