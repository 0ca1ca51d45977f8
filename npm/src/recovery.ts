// Recovery records: what says, after a crash, which sessions were interrupted, and where.

import { drive } from "./drive.js";
import { type TurnkeepError, checkText, checked, fromWasm } from "./errors.js";
import { wasm } from "./load.js";
import type { CallOptions } from "./options.js";
import type { Head, Store } from "./store.js";
import type * as glue from "./wasm/turnkeep.js";

/** What is known of a session that may have been interrupted. */
export interface RecoveryRecord {
  readonly sessionId: string;
  /** Items of the history that were appended, but results of tools. */
  readonly messageCount: number;
  /** The last results of tools, the latest last. */
  readonly lastToolResults: readonly LastToolResult[];
  /** When the record was written, in milliseconds since 1970. */
  readonly snapshotMs: number;
  /** The session was ended on purpose. */
  readonly completed: boolean;
  /** The directory the agent works in. */
  readonly projectDir: string;
  /** What the session cost so far, in dollars. */
  readonly costUsd: number;
  /** How the last run stands: `running`, `errored`, or the result it ended with. */
  readonly run: string | undefined;
  /** The entry up to which this holds. */
  readonly head: Head | undefined;
  /** The process that wrote it. */
  readonly owner: RecordOwner | undefined;
}

/** What a tool gave back, in short. */
export interface LastToolResult {
  /** The tool's name, where the result tells it. */
  readonly toolName: string;
  /** The call's id. */
  readonly callId: string;
  /** The start of the output. */
  readonly outputPreview: string;
  /** Whether the tool succeeded. */
  readonly success: boolean;
}

/** A process. */
export interface RecordOwner {
  readonly pid: number;
  /** Its machine. */
  readonly host: string;
  /** When it started, in a form only good for comparing. */
  readonly start: string;
}

/** A session that was not completed. */
export interface Incomplete {
  /** What it was doing, up to its head. */
  readonly record: RecoveryRecord;
  /**
   * A living process holds it (`"running"`); nobody does and a run of it never ended (`"crashed"`);
   * nobody does, and its last run ended (`"abandoned"`).
   */
  readonly status: "running" | "crashed" | "abandoned";
}

/** The sessions that were not completed. */
export interface Incompletes {
  /** The latest first. */
  readonly sessions: readonly Incomplete[];
  /** Records that could not be read, or whose session could not: nothing is known of these. */
  readonly damaged: readonly { readonly key: string; readonly error: TurnkeepError }[];
}

/**
 * A session's recovery record as it is stored. `not_found` where there is none.
 *
 * @example
 * ```ts
 * const { messageCount, costUsd } = await recoveryRecord(store, "run-7");
 * ```
 */
export function recoveryRecord(
  store: Store,
  id: string,
  options: CallOptions = {},
): Promise<RecoveryRecord> {
  return driveRecord(store, id, options, (id) => wasm().record(id));
}

/**
 * Makes a session's recovery record anew from its log, and writes it.
 *
 * @example
 * ```ts
 * await rebuildRecord(store, "run-7");
 * ```
 */
export function rebuildRecord(
  store: Store,
  id: string,
  options: CallOptions = {},
): Promise<RecoveryRecord> {
  return driveRecord(store, id, options, (id) => wasm().rebuild_record(id));
}

/**
 * Says that a session was ended on purpose. Without a record, one is made.
 *
 * @example
 * ```ts
 * await markCompleted(store, "run-7");
 * ```
 */
export function markCompleted(
  store: Store,
  id: string,
  options: CallOptions = {},
): Promise<RecoveryRecord> {
  return driveRecord(store, id, options, (id) => wasm().mark_completed(id));
}

/**
 * The sessions of a store whose record says that they were not completed, each brought up to date
 * from its log, and with what is known of who holds it.
 *
 * @example
 * ```ts
 * const { sessions } = await findIncomplete(store);
 * for (const { record, status } of sessions) {
 *   if (status === "crashed") console.log(record.sessionId, "was interrupted in", record.projectDir);
 * }
 * ```
 */
export async function findIncomplete(
  store: Store,
  options: CallOptions = {},
): Promise<Incompletes> {
  const task = checked(() => wasm().find_incomplete());
  const found = await drive<RawIncompletes>(task, store, options.signal);
  return {
    sessions: found.sessions.map(({ record, status }) => ({ record: recordOf(record), status })),
    damaged: found.damaged.map(({ key, error }) => ({ key, error: fromWasm(error) as TurnkeepError })),
  };
}

interface RawIncompletes extends Pick<Incompletes, "damaged"> {
  readonly sessions: readonly { readonly record: string; readonly status: Incomplete["status"] }[];
}

/**
 * Removes a session's recovery record; says whether there was one.
 *
 * @example
 * ```ts
 * await removeRecord(store, "run-7");
 * ```
 */
export async function removeRecord(
  store: Store,
  id: string,
  options: CallOptions = {},
): Promise<boolean> {
  checkText(id, "an id", "invalid_id");
  return drive(checked(() => wasm().remove_record(id)), store, options.signal);
}

/**
 * Removes the records that are older than that, completed or not, but those of sessions that a
 * living process holds, and damaged ones; gives how many.
 *
 * @example
 * ```ts
 * await cleanupOldRecords(store, 30 * 24 * 3_600_000);
 * ```
 */
export async function cleanupOldRecords(
  store: Store,
  maxAgeMs: number,
  options: CallOptions = {},
): Promise<number> {
  return drive(checked(() => wasm().cleanup_old(maxAgeMs)), store, options.signal);
}

async function driveRecord(
  store: Store,
  id: string,
  options: CallOptions,
  start: (id: string) => glue.Task,
): Promise<RecoveryRecord> {
  checkText(id, "an id", "invalid_id");
  return recordOf(await drive<string>(checked(() => start(id)), store, options.signal));
}

/** A record from its JSON text, whose spelling other programs know too. @internal */
export function recordOf(json: string): RecoveryRecord {
  const record = JSON.parse(json) as RawRecord;
  return {
    sessionId: record.session_id,
    messageCount: record.message_count,
    lastToolResults: record.last_tool_results.map((result) => ({
      toolName: result.tool_name,
      callId: result.call_id,
      outputPreview: result.output_preview,
      success: result.success,
    })),
    snapshotMs: record.snapshot_timestamp_ms,
    completed: record.completed,
    projectDir: record.project_dir,
    costUsd: record.cost_usd,
    run: record.run ?? undefined,
    head: record.head ?? undefined,
    owner: record.owner ?? undefined,
  };
}

interface RawRecord {
  readonly session_id: string;
  readonly message_count: number;
  readonly last_tool_results: readonly {
    readonly tool_name: string;
    readonly call_id: string;
    readonly output_preview: string;
    readonly success: boolean;
  }[];
  readonly snapshot_timestamp_ms: number;
  readonly completed: boolean;
  readonly project_dir: string;
  readonly cost_usd: number;
  readonly run?: string | null;
  readonly head?: Head | null;
  readonly owner?: RecordOwner | null;
}
