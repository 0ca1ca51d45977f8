// What calls on sessions take and give.

import type { Draft, StartFields } from "./draft.js";
import { type TurnkeepError, checkMembers, checkText } from "./errors.js";
import type { Durability, Head, Torn } from "./store.js";

/**
 * How a session is kept: as a log, as an archive, or in the cold store of a {@link Tier}, from which
 * the first append brings what it needs.
 */
export type Form = "live" | "archived" | "cold";

/** What every call takes. */
export interface CallOptions {
  /**
   * Ends the call before its next request to the store, with the signal's reason. What was
   * requested before has happened.
   */
  readonly signal?: AbortSignal | undefined;
}

/** How to create a session. */
export interface CreateOptions extends CallOptions {
  /** Its id: 1 to 128 bytes of UTF-8 without control characters. Made up where there is none. */
  readonly id?: string | undefined;
  /** The fields of its first entry. */
  readonly start?: StartFields | undefined;
  /** Entries that are written with the first one, all or nothing. */
  readonly entries?: readonly Draft[] | undefined;
  /** Whether entries are salted, so that they can be withheld safely later; unless told, yes. */
  readonly salted?: boolean | undefined;
  /** What acknowledged appends survive; `"os"` unless told. */
  readonly durability?: Durability | undefined;
  /**
   * Keeps a recovery record of the session. Where it cannot be written, the call fails; a session
   * that was made is there all the same.
   */
  readonly recovery?: RecoveryOptions | undefined;
}

/** How to keep a recovery record. */
export interface RecoveryOptions {
  /** The directory the agent works in. */
  readonly projectDir: string;
}

/** How to open a session. */
export interface OpenOptions extends CallOptions {
  /**
   * Keeps a recovery record of the session. Where it cannot be written, the call fails; a session
   * that was made is there all the same.
   */
  readonly recovery?: RecoveryOptions | undefined;
  /** What acknowledged appends survive; `"os"` unless told. */
  readonly durability?: Durability | undefined;
}

/** How to write to a session. */
export interface WriteOptions extends CallOptions {
  /** What this write survives; unless told, what the session's writes do. */
  readonly durability?: Durability | undefined;
}

/** How to append. */
export interface AppendOptions extends WriteOptions {
  /** The entry that must be the session's last one; else `conflict`. */
  readonly expected?: { readonly seq: number; readonly hash: string } | undefined;
  /**
   * Do nothing if items with the drafts' ids are in the session already, as they are where a reply
   * was lost. The first such append to a session that was just opened reads its log once.
   */
  readonly once?: boolean | undefined;
}

/** What an append did. */
export interface Appended {
  /** Number of the first entry that was appended; they follow one another. */
  readonly firstSeq: number;
  /** The session's head now. */
  readonly head: Head;
  /** Nothing was appended: the same append was there. Then `firstSeq` is what it was for it. */
  readonly alreadyApplied: boolean;
  /** An unfinished write that was cut off before. */
  readonly recovered: Torn | undefined;
  /** Why the recovery record could not be written, if it was to be. The append holds. */
  readonly recordFault: TurnkeepError | undefined;
}

/** How to look at a session's state. */
export interface StateOptions extends CallOptions {
  /**
   * Only read from the last compaction on: costs what came since, whatever the session's length.
   * Usage, extensions and lineage are those since then.
   */
  readonly sinceCompaction?: boolean | undefined;
  /**
   * Give a history that model providers accept: every open call of a tool is answered with the
   * words that it was interrupted. The log is not touched.
   */
  readonly closeCalls?: boolean | undefined;
}

/** What to verify. */
export interface VerifyOptions extends CallOptions {
  /** An entry that must be there, such as a head that was kept elsewhere. */
  readonly expected?: { readonly seq: number; readonly hash: string } | undefined;
  /** Whether every entry's content is checked too, as a fold would. */
  readonly deep?: boolean | undefined;
}

/** What archiving or its reverse did. */
export interface Archived {
  /** The session's head, the same before and after. */
  readonly head: Head;
  /** Length of the log. */
  readonly rawBytes: number;
  /** Length of the archive. */
  readonly archiveBytes: number;
  /** An unfinished write after the head, which was left out. */
  readonly torn: Torn | undefined;
}

/** What a session is, in numbers. */
export interface Summary {
  readonly id: string;
  readonly form: Form;
  readonly head: Head;
  /** An unfinished write after the head. */
  readonly torn: Torn | undefined;
  /** Bytes it takes in the store. */
  readonly storedBytes: number;
  /** Time of the earliest entry, in milliseconds since 1970. */
  readonly from: number | undefined;
  /** Time of the latest entry. */
  readonly to: number | undefined;
  /** How many entries there are of each kind. */
  readonly kinds: ReadonlyMap<string, number>;
  /** Entries whose content was withheld. */
  readonly withheld: number;
}

/** The members of {@link CallOptions}. @internal */
export const CALL: Record<keyof CallOptions, true> = { signal: true };
/** The members of {@link OpenOptions}. @internal */
export const OPEN: Record<keyof OpenOptions, true> = { ...CALL, durability: true, recovery: true };
/** The members of {@link WriteOptions}. @internal */
export const WRITE: Record<keyof WriteOptions, true> = { ...CALL, durability: true };
/** The members of {@link CreateOptions}. @internal */
export const CREATE: Record<keyof CreateOptions, true> = {
  ...OPEN,
  id: true,
  start: true,
  entries: true,
  salted: true,
};

/** Options from outside, checked before anything is written. @internal */
export function checkOptions<T extends OpenOptions>(options: T, members: Readonly<Record<keyof T, true>>): void {
  checkMembers(options, members);
  const { durability, recovery } = options;
  if (durability !== undefined) checkText(durability, "durability");
  if (recovery !== undefined) checkText(recovery.projectDir, "a project's directory");
}

/** A summary as callers see it. @internal */
export function summaryOf(
  summary: Omit<Summary, "kinds"> & { kinds: Iterable<[string, number]> },
): Summary {
  return { ...summary, kinds: new Map(summary.kinds) };
}
