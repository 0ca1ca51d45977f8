// Deleting and repairing sessions.

import { drive } from "./drive.js";
import { type ErrorCode, type TurnkeepError, checkMembers, checkText, checked, fromWasm } from "./errors.js";
import { wasm } from "./load.js";
import type { Opened } from "./opened.js";
import { CALL, type CallOptions, OPEN, type OpenOptions, checkOptions } from "./options.js";
import { type Session, sessionOf } from "./session.js";
import type { Head, Store } from "./store.js";

/**
 * Deletes a session and all that is kept beside it. `locked` where another writer holds it,
 * `not_found` where there is none. What a crash leaves of it is deleted by doing it again.
 *
 * @example
 * ```ts
 * await deleteSession(store, "run-7");
 * ```
 */
export async function deleteSession(
  store: Store,
  id: string,
  options: CallOptions = {},
): Promise<void> {
  checkMembers(options, CALL);
  checkText(id, "an id", "invalid_id");
  await drive(checked(() => wasm().delete_session(id)), store, options.signal);
}

/** How to repair. */
export interface RepairOptions extends OpenOptions {
  /** The new session's id; made up where there is none. */
  readonly into?: string | undefined;
  /** Whether to only look, and write nothing. */
  readonly dryRun?: boolean | undefined;
}

/** What a repair found, and did. */
export interface Repair {
  /** The last entry up to which the damaged log holds; `undefined` where not one does. */
  readonly sound: Head | undefined;
  /** The first thing that does not hold; `undefined`: there is nothing to repair. */
  readonly fault: TurnkeepError | undefined;
  /** Entries after the fault that were whole by themselves, and taken over. */
  readonly saved: number;
  /** What was left out. */
  readonly leftOut: readonly LeftOut[];
  /** The new session; `undefined` where it was only looked, or there is nothing to repair. */
  readonly session: Session | undefined;
}

/** Bytes of a damaged log that were left out, neighbouring lines together where the reason is the same. */
export interface LeftOut {
  /** The number of its first line, counted from 1. */
  readonly line: number;
  /** Where it starts. */
  readonly offset: number;
  /** Its length. */
  readonly bytes: number;
  /** Why: an error's code, or the kind of an entry that cannot be written again. */
  readonly code: ErrorCode | (string & {});
}

/**
 * Repairs a damaged session into a new one: the lines up to the first fault as they are, a note
 * that lists what was left out, and every later entry that is whole by itself, written anew. The
 * damaged log is not touched.
 *
 * @example
 * ```ts
 * const { fault, saved, session } = await repairSession(store, "run-7", { into: "run-7-saved" });
 * ```
 */
export async function repairSession(
  store: Store,
  id: string,
  options: RepairOptions = {},
): Promise<Repair> {
  const { into, dryRun = false, signal } = options;
  checkOptions(options, { ...OPEN, into: true, dryRun: true });
  checkText(id, "an id", "invalid_id");
  if (into !== undefined) checkText(into, "an id", "invalid_id");
  const task = checked(() => wasm().repair(id, into, dryRun));
  const { opened, fault, ...found } = await drive<RawRepair>(task, store, signal);
  const session = opened === undefined ? undefined : await sessionOf(store, opened, options);
  const error = fault === undefined ? undefined : (fromWasm(fault) as TurnkeepError);
  return { ...found, fault: error, session };
}

type RawRepair = Omit<Repair, "session"> & { readonly opened: Opened | undefined };
