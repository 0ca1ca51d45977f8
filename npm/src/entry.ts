// Entries as they are read: the line's bytes, and the rest on demand.

import { checkBytes, checkText, checked } from "./errors.js";
import { wasm } from "./load.js";

/** The fields of an entry: its members after the envelope. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * An entry of a log. Only its line is kept; what is asked for is read from that, once.
 *
 * @example
 * ```ts
 * for await (const entry of session.entries({ last: 50 })) {
 *   if (entry.kind === "user_input") console.log(entry.seq, entry.item);
 * }
 * ```
 */
export class Entry {
  /** The entry's number, counted from 0. */
  readonly seq: number;
  /** The bytes of its line, without the line break: what was hashed, and the two hashes. */
  readonly line: Uint8Array;
  #text: string | undefined;
  #envelope: Envelope | undefined;
  #fields: Fields | undefined;

  /** An entry of a line whose hashes were checked. @internal */
  constructor(seq: number, line: Uint8Array) {
    this.seq = seq;
    this.line = line;
  }

  /** Its line as text. */
  get text(): string {
    return (this.#text ??= decoder.decode(this.line));
  }

  /** Its hash: 64 lower-case hex digits. */
  get hash(): string {
    return decoder.decode(this.line.subarray(HASH_START, HASH_END));
  }

  /** Its kind. Later versions know more kinds than this one. */
  get kind(): string {
    return this.#read().kind;
  }

  /** Milliseconds since 1970 by the writer's clock; `undefined` where the content was withheld. */
  get ts(): number | undefined {
    return this.#read().ts;
  }

  /** Its members after the envelope, parsed. */
  get fields(): Fields {
    return (this.#fields ??= parseFields(this.text, this.kind));
  }

  /** The item of an entry of the history, parsed. */
  get item(): unknown {
    return this.fields["item"];
  }

  /**
   * The JSON text of a member, byte for byte as it was appended; `undefined` where it has none of
   * that name. For integers beyond 2^53, and whatever else parsing would change.
   */
  json(name: string): string | undefined {
    checkText(name, "a name");
    return checked(() => wasm().entry_member(this.line, name));
  }

  /** The fields, its number and its kind, as `JSON.stringify` shows it. */
  toJSON(): unknown {
    return { seq: this.seq, kind: this.kind, ts: this.ts, ...this.fields };
  }

  #read(): Envelope {
    if (this.#envelope === undefined) {
      const [, kind = "", ts] = ENVELOPE.exec(this.text) ?? [];
      this.#envelope = { kind, ts: ts === undefined ? undefined : Number(ts) };
    }
    return this.#envelope;
  }
}

interface Envelope {
  readonly kind: string;
  readonly ts: number | undefined;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const HASH_START = '{"hash":"'.length;
const HASH_END = HASH_START + 64;

// The envelope has one spelling (docs/format.md §3.2), and was checked when it was read.
const START = String.raw`,"format":1,"session":"(?:[^"\\]|\\.)*"`;
const ENVELOPE = new RegExp(
  String.raw`,"kind":"([a-z0-9_]+)"(?:,"seq":\d+(?:${START})?,"ts":(\d+))?`,
);
const ENVELOPE_MEMBERS = new Set(["hash", "prev_hash", "kind", "seq", "ts", "fork", "salt", "more"]);
const START_MEMBERS = new Set(["format", "session"]);

function parseFields(text: string, kind: string): Fields {
  const isField = (name: string) =>
    !ENVELOPE_MEMBERS.has(name) && !(kind === "session_start" && START_MEMBERS.has(name));
  const members = Object.entries(JSON.parse(text) as object).filter(([name]) => isField(name));
  return Object.fromEntries(members);
}

/** The entries of a page's lines, given their numbers. @internal */
export function entriesOf(lines: Uint8Array, seqs: Float64Array): Entry[] {
  checkBytes(lines, "lines");
  const entries: Entry[] = [];
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf(LINE_BREAK, start);
    entries.push(new Entry(seqs[entries.length] ?? 0, lines.subarray(start, end)));
    start = end + 1;
  }
  return entries;
}

const LINE_BREAK = 10;
