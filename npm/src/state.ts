// The state: what folding a log gives.

import type { Point } from "./draft.js";
import { checkMembers, checked } from "./errors.js";
import { wasm } from "./load.js";
import { CALL, type StateOptions } from "./options.js";
import type { Head } from "./store.js";
import type * as glue from "./wasm/turnkeep.js";

/** What a session has come to (`docs/format.md` §5). */
export interface State {
  /** Whose state it is. */
  readonly session: string;
  /** The last entry that was folded. */
  readonly head: Head;
  /** The system prompt. */
  readonly system_prompt: string | null;
  /** The configuration. */
  readonly config: unknown;
  /** What a model would be sent. */
  readonly history: readonly HistoryItem[];
  /** Turns so far. */
  readonly turns: number;
  /** How the last run stands: `running`, `errored`, or the result it ended with. */
  readonly run: string | null;
  /** Tokens used, one record per report. */
  readonly usage: readonly Usage[];
  /** Frameworks' own records. */
  readonly extensions: readonly Extension[];
  /** The thread's state slice. */
  readonly slice: unknown;
  /** The point this session was forked from. */
  readonly forked_from: Point | null;
  /** The point this session was compacted from. */
  readonly compacted_from: Point | null;
  /** Entries whose content was withheld. */
  readonly withheld: number;
}

/** An item of the history. */
export interface HistoryItem {
  /** The kind of its entry, or `initial`, `replaced`, `summary`. */
  readonly kind: string;
  /** The number of the entry it came with. */
  readonly seq: number;
  /** The caller's id. */
  readonly id: string | null;
  /** The id of the item it follows. */
  readonly parent: string | null;
  /** The framework's own JSON, parsed. */
  readonly item: unknown;
}

/** Tokens used, as reported after a call of a model. */
export interface Usage {
  /** The number of its entry. */
  readonly seq: number;
  readonly history_len: number | null;
  readonly input_total_tokens: number | null;
  readonly cache_read_tokens: number | null;
  readonly cache_write_tokens: number | null;
  readonly output_tokens: number | null;
}

/** A framework's own record. */
export interface Extension {
  /** The number of its entry. */
  readonly seq: number;
  /** Whose record it is. */
  readonly domain: string;
  /** Any JSON, parsed. */
  readonly payload: unknown;
}

/** A call of a tool whose result is not in the history: the run was interrupted, or goes on. */
export interface OpenCall {
  /** Which item of the history makes it, counted from 0, before any calls were closed. */
  readonly index: number;
  /** The number of that item's entry. */
  readonly seq: number;
  /** The call's id. */
  readonly callId: string;
  /** The tool's name. */
  readonly name: string;
}

/** The state of a session. */
export interface SessionState extends State {
  /** The first entry that was folded: 0, or where a view of the log's end starts. */
  readonly since: number;
  /** The calls that have no result in the log, in order. */
  readonly openCalls: readonly OpenCall[];
}

/** A state as the wasm gives it. @internal */
export interface RawState {
  readonly json: string;
  readonly since: number;
  readonly openCalls: readonly OpenCall[];
}

/** A task that folds a session, and tells the open calls if they are wanted. @internal */
export function viewTask(id: string, options: StateOptions, calls: boolean): glue.Task {
  checkMembers(options, { ...CALL, sinceCompaction: true, closeCalls: true });
  const { sinceCompaction = false, closeCalls = false } = options;
  return checked(() => wasm().state(id, sinceCompaction, closeCalls, calls));
}

/** A session's state as callers see it. @internal */
export function stateOf({ json, since, openCalls }: RawState): SessionState {
  return { ...parseState(json), since, openCalls };
}

/** A state from its JSON text. @internal */
export function parseState(json: string): State {
  return JSON.parse(json) as State;
}
