// What a caller wants to append, and its way into the wasm.

import { LONE_SURROGATE, TurnkeepError } from "./errors.js";
import { jsonText } from "./json.js";

/** A point in a session: an entry, by number and hash. */
export interface Point {
  /** The session's id. */
  readonly session: string;
  /** The entry's number. */
  readonly seq: number;
  /** The entry's hash. */
  readonly hash: string;
}

/** Fields of a session's first entry. */
export interface StartFields {
  /** The system prompt. */
  readonly system_prompt?: string | RawJson | null | undefined;
  /** The configuration; any JSON. */
  readonly config?: unknown;
  /** A history to begin with. */
  readonly history?: readonly unknown[] | RawJson | null | undefined;
  /** The point this session was forked from. */
  readonly forked_from?: Point | RawJson | null | undefined;
  /** The point this session was compacted from. */
  readonly compacted_from?: Point | RawJson | null | undefined;
  /** Milliseconds since 1970, where the caller knows better than the clock. */
  readonly ts?: number | undefined;
  /** Further fields are kept. */
  readonly [field: string]: unknown;
}

/** An item of the history. */
export interface ItemDraft {
  /** Where there is none, the item tells: by its role, or its type. */
  readonly kind?: "user_input" | "assistant_item" | "tool_result" | "system_item" | undefined;
  /** The framework's own JSON. */
  readonly item: unknown;
  /** The caller's id of the item. */
  readonly id?: string | RawJson | null | undefined;
  /** The id of the item it follows, where conversations branch. */
  readonly parent?: string | RawJson | null | undefined;
}

/** A turn is over. */
export interface TurnEndDraft {
  readonly kind: "turn_end";
  readonly turn: number;
}

/** A run begins. */
export interface RunStartedDraft {
  readonly kind: "run_started";
  readonly run?: string | null | undefined;
}

/** A run ended, or stopped by design. */
export interface RunCompletedDraft {
  readonly kind: "run_completed";
  readonly result: "finished" | "paused" | "limit_reached" | "yielded";
  readonly run?: string | null | undefined;
}

/** A run failed. */
export interface RunErroredDraft {
  readonly kind: "run_errored";
  readonly message: string | RawJson;
  readonly run?: string | null | undefined;
}

/** A new configuration holds from here on. */
export interface ConfigChangedDraft {
  readonly kind: "config_changed";
  readonly config: unknown;
}

/** Tokens used. */
export interface LlmUsageDraft {
  readonly kind: "llm_usage";
  readonly history_len?: number | null | undefined;
  readonly input_total_tokens?: number | null | undefined;
  readonly cache_read_tokens?: number | null | undefined;
  readonly cache_write_tokens?: number | null | undefined;
  readonly output_tokens?: number | null | undefined;
  /** What it cost, in dollars. */
  readonly cost_usd?: number | null | undefined;
}

/** A framework's own record. */
export interface ExtensionDraft {
  readonly kind: "extension";
  readonly domain: string;
  readonly payload: unknown;
}

/** The thread's state slice; the last one holds. */
export interface StateDraft {
  readonly kind: "state";
  readonly state: unknown;
}

/** The history's end was dropped. */
export interface TruncatedDraft {
  readonly kind: "truncated";
  /** How many items of the history are kept. */
  readonly keep: number;
}

/** The history was replaced. */
export interface ReplacedDraft {
  readonly kind: "replaced";
  readonly history: readonly unknown[] | RawJson;
}

/** The history became a summary and a kept tail. */
export interface CompactionDraft {
  readonly kind: "compaction";
  readonly summary: readonly unknown[] | RawJson;
  /** How many of the last items are kept. */
  readonly keep_last: number;
}

/** Drafts of the kinds that this version knows. */
export type KnownDraft = (
  | ItemDraft
  | TurnEndDraft
  | RunStartedDraft
  | RunCompletedDraft
  | RunErroredDraft
  | ConfigChangedDraft
  | LlmUsageDraft
  | ExtensionDraft
  | StateDraft
  | TruncatedDraft
  | ReplacedDraft
  | CompactionDraft
) & {
  /** Milliseconds since 1970, where the caller knows better than the clock. */
  readonly ts?: number | undefined;
};

/** A kind that this version knows. */
export type KnownKind = Exclude<KnownDraft["kind"], undefined> | "session_start" | "fork" | "redacted";

/**
 * An entry to be: an object with a `kind` and that kind's fields (`docs/format.md` §4), or just the
 * `item` of an entry of the history. The type
 * checks the fields of known kinds, and lets other kinds have any; the log keeps what it does not
 * know. Of what JSON does not have only members that are `undefined` are left out, as
 * `JSON.stringify` does; all else is `bad_json`.
 */
export type Draft<Kind extends string = string> =
  | KnownDraft
  | { readonly kind: Exclude<Kind, KnownKind>; readonly [field: string]: unknown }
  | RawJson;

/** JSON text that is stored byte for byte as it is. Made by {@link rawJson}. */
export class RawJson {
  readonly #text: string;

  /** @internal */
  constructor(text: string) {
    this.#text = text;
  }

  /** The text. */
  get text(): string {
    return this.#text;
  }

  /** Only whole fields of drafts can be raw. @internal */
  toJSON(): never {
    throw new TurnkeepError(
      "invalid_argument",
      "rawJson stands for a draft, or for a whole field of one",
    );
  }
}

/**
 * JSON text whose bytes are kept: for integers beyond 2^53, for a certain order of keys, for what
 * another program wrote. It stands for a field of a draft, or for a whole draft. The text must be
 * on one line; whether it is JSON is checked when it is appended.
 *
 * @example
 * ```ts
 * await session.append({ kind: "user_input", item: rawJson('{"id":9007199254740993}') });
 * ```
 */
export function rawJson(text: string): RawJson {
  if (typeof text !== "string" || text.includes("\n")) {
    throw new TurnkeepError("bad_json", "raw JSON is text on one line");
  }
  if (LONE_SURROGATE.test(text)) {
    throw new TurnkeepError("invalid_utf8", "raw JSON holds half of a surrogate pair");
  }
  return new RawJson(text);
}

// Drafts go to the wasm as UTF-8, one on each line, in a buffer that is used again: a string would
// be looked at byte by byte by the glue, and a new buffer cost more than filling it.
const encoder = new TextEncoder();
const KEPT_BYTES = 1 << 20;
/** Far more than a batch can hold, and less than what asking for would bring the host down. */
const BYTES_MAX = 512 << 20;
let buffer = new Uint8Array(1 << 16);

/**
 * The drafts' texts as UTF-8, one on each line; `undefined` where there is none. The bytes are
 * valid until the next call.
 * @internal
 */
export function encodeDrafts(drafts: readonly unknown[]): Uint8Array | undefined {
  if (drafts.length === 0) return undefined;
  if (buffer.length > KEPT_BYTES) buffer = new Uint8Array(KEPT_BYTES);
  let end = 0;
  for (let index = 0; index < drafts.length; index += 1) {
    const text = stringify(drafts[index], index);
    // No character takes more than three bytes of UTF-8 for each of its code units.
    const room = end + text.length * 3 + 1;
    if (room > buffer.length) grow(room, end);
    if (index > 0) buffer[end++] = LINE_BREAK;
    end += encoder.encodeInto(text, buffer.subarray(end)).written;
  }
  return buffer.subarray(0, end);
}

const LINE_BREAK = 10;

function grow(room: number, used: number): void {
  if (room > BYTES_MAX) {
    throw new TurnkeepError("too_large", "a batch has at most 64 MiB");
  }
  const larger = new Uint8Array(Math.min(BYTES_MAX, Math.max(room, 2 * buffer.length)));
  larger.set(buffer.subarray(0, used));
  buffer = larger;
}

function stringify(draft: unknown, index?: number): string {
  try {
    if (draft instanceof RawJson) return draft.text;
    return hasRawField(draft) ? fieldsText(draft) : jsonText(draft);
  } catch (thrown) {
    const isOurs = thrown instanceof TurnkeepError;
    const error = isOurs ? thrown : new TurnkeepError("bad_json", String(thrown), { cause: thrown });
    throw new TurnkeepError(error.code, error.message, { ...error, draft: index, cause: error.cause });
  }
}

/** The JSON text of one value. @internal */
export function jsonOf(value: unknown, index?: number): string {
  const text = stringify(value, index);
  if (text !== "") return text;
  throw new TurnkeepError("bad_json", "a value that JSON does not have", { draft: index });
}

/** Items' texts as {@link encodeDrafts} gives them, in a buffer of their own. @internal */
export function encodeItems(items: readonly unknown[]): Uint8Array | undefined {
  return encodeDrafts(items.map((item, index) => new RawJson(jsonOf(item, index))))?.slice();
}

function hasRawField(draft: unknown): draft is object {
  if (typeof draft !== "object" || draft === null) return false;
  for (const name in draft) {
    if ((draft as Record<string, unknown>)[name] instanceof RawJson) return true;
  }
  return false;
}

function fieldsText(draft: object): string {
  const members: string[] = [];
  for (const [name, value] of Object.entries(draft)) {
    if (value === undefined) continue;
    const text = value instanceof RawJson ? value.text : jsonText(value, name);
    members.push(`${JSON.stringify(name)}:${text}`);
  }
  return `{${members.join(",")}}`;
}
