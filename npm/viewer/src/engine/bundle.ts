// Bundles: their sessions, each read by ranges. One that is damaged is read as far as it goes.

import type { BundleInfo, Head, Problem, Refused } from "./api";
import { REMOTE_BYTES_MAX, type Source } from "./bytes";
import { problem, problemOf } from "../common/problem";
import type { RawLog } from "./content";
import { Inflated, startOf } from "./gzip";
import {
  bundle_created,
  bundle_end,
  bundle_index,
  bundle_session,
  bundle_tail_bytes,
  inflate_block,
} from "../wasm/page";

/** A session in a bundle. */
export interface Bundled {
  readonly id: string;
  readonly head: Head;
  readonly title?: string | undefined;
  readonly log: RawLog;
}

/** A bundle's sessions. */
export interface Bundle {
  readonly info: BundleInfo;
  readonly sessions: readonly Bundled[];
  /** Those whose records cannot be read. */
  readonly refused: readonly Refused[];
}

/** Whether a gzip file's first bytes are a bundle's. */
export function startsAsBundle(start: Uint8Array): boolean {
  const text = new TextDecoder().decode(startOf(start).subarray(0, 12));
  return text.startsWith('{"bundle":');
}

/** Whether a file ends as a bundle does: its start may be damaged. */
export async function endsAsBundle(source: Source): Promise<boolean> {
  try {
    await readEnding(source);
    return true;
  } catch {
    return false;
  }
}

/** Finds what is in a bundle by its index; where that cannot be read, by reading all of it. */
export async function openBundle(source: Source): Promise<Bundle> {
  try {
    return await byIndex(source);
  } catch (error) {
    const fault = problemOf(error);
    // What is only too new is whole.
    if (fault.code === "unsupported_version" || fault.code === "store_failed" || fault.code === "conflict") throw fault;
    if (source.isRemote && source.size > REMOTE_BYTES_MAX) throw fault;
    return byReading(source, fault);
  }
}

interface Ending {
  readonly packed: number;
  readonly raw: number;
  readonly rawEnd: number;
  readonly sessions: number;
  readonly entries: number;
  readonly values: number;
}

interface Index {
  readonly blockBytes: number;
  readonly blocks: readonly number[];
  readonly sessions: readonly (readonly [string, number])[];
}

async function readEnding(source: Source): Promise<Ending> {
  const tail = await source.read(Math.max(0, source.size - bundle_tail_bytes()), source.size);
  return JSON.parse(bundle_end(tail)) as Ending;
}

async function byIndex(source: Source): Promise<Bundle> {
  const ending = await readEnding(source);
  const packed = await source.read(ending.packed, source.size - bundle_tail_bytes());
  const index = JSON.parse(bundle_index(inflate_block(packed, ending.rawEnd - ending.raw))) as Index;
  const content = new Blocks(source, index, ending);
  const { createdMs, fault } = await headerOf(content);
  const sessions: Bundled[] = [];
  const refused: Refused[] = [];
  for (const [id, at] of index.sessions) {
    try {
      const session = await sessionAt(content, at);
      if (session.bundled.id !== id) throw problem("bad_bundle", "the bundle's index names another session");
      sessions.push(session.bundled);
    } catch (error) {
      refused.push({ name: `${source.name}, session ${id}`, error: problemOf(error) });
    }
  }
  // Where nothing is where it says, the index is worth nothing.
  if (sessions.length === 0 && refused[0] !== undefined) throw refused[0].error;
  const { values } = ending;
  return { info: { createdMs, values, bytes: source.size, fault: fault ?? refused[0]?.error }, sessions, refused };
}

/** One record after the other, from the start to where it breaks off. */
async function byReading(source: Source, fault: Problem): Promise<Bundle> {
  const content = new Inflated(source);
  const header = await headerOf(content);
  const sessions: Bundled[] = [];
  try {
    for (let at = header.length; ; ) {
      const { bundled, end } = await sessionAt(content, at);
      sessions.push(bundled);
      at = end;
    }
  } catch (error) {
    // What comes after the sessions is no session; neither is what is damaged.
    if (sessions.length === 0) throw header.fault ?? problemOf(error);
  }
  return { info: { createdMs: header.createdMs, values: 0, bytes: source.size, fault }, sessions, refused: [] };
}

interface Readable {
  read(start: number, end: number): Promise<Uint8Array>;
}

interface Header {
  readonly length: number;
  readonly createdMs?: number | undefined;
  readonly fault?: Problem | undefined;
}

/** The first line. Only a version that is not known is told by throwing. */
async function headerOf(content: Readable): Promise<Header> {
  const line = lineOf(await content.read(0, HEADER_BYTES_MAX));
  const length = line.length + 1;
  try {
    return { length, createdMs: bundle_created(new TextDecoder().decode(line)) };
  } catch (error) {
    const fault = problemOf(error);
    if (fault.code === "unsupported_version") throw fault;
    return { length, fault };
  }
}

async function sessionAt(content: Readable, at: number): Promise<{ readonly bundled: Bundled; readonly end: number }> {
  const line = lineOf(await content.read(at, at + RECORD_BYTES_MAX));
  const { id, head, about, traceBytes } = JSON.parse(bundle_session(line)) as {
    readonly id: string;
    readonly head: Head;
    readonly about: { readonly title?: unknown };
    readonly traceBytes: number;
  };
  const start = at + line.length + 1;
  const log: RawLog = {
    size: head.bytes,
    read: (from, to) => content.read(start + from, start + Math.min(to, head.bytes)),
  };
  const title = typeof about.title === "string" ? about.title : undefined;
  return { bundled: { id, head, title, log }, end: start + head.bytes + traceBytes };
}

/** What a bundle holds, by its index. The last blocks are kept. */
class Blocks implements Readable {
  readonly #source: Source;
  readonly #index: Index;
  readonly #ending: Ending;
  readonly #kept = new Map<number, Uint8Array>();

  constructor(source: Source, index: Index, ending: Ending) {
    const isSound = index.blockBytes > 0 && index.blockBytes <= BLOCK_BYTES_MAX;
    if (!isSound) throw problem("bad_bundle", "the bundle's index is damaged");
    [this.#source, this.#index, this.#ending] = [source, index, ending];
  }

  async read(start: number, end: number): Promise<Uint8Array> {
    const { blockBytes } = this.#index;
    const stop = Math.min(end, this.#ending.raw);
    const out = new Uint8Array(Math.max(0, stop - start));
    for (let at = start; at < stop; ) {
      const number = Math.floor(at / blockBytes);
      const from = at - number * blockBytes;
      const piece = (await this.#block(number)).subarray(from, from + stop - at);
      out.set(piece, at - start);
      at += piece.length;
    }
    return out;
  }

  async #block(number: number): Promise<Uint8Array> {
    const kept = this.#kept.get(number);
    if (kept !== undefined) return kept;
    const { blocks, blockBytes } = this.#index;
    const start = blocks[number] ?? this.#ending.packed;
    const end = Math.min(blocks[number + 1] ?? this.#ending.packed, start + 2 * blockBytes);
    const size = Math.min(blockBytes, this.#ending.raw - number * blockBytes);
    // What is lost is one blank line, or part of one: what follows it stands where it belongs.
    const whole = new Uint8Array(size).fill(BLANK);
    whole.set(inflate_block(await this.#source.read(start, end), size));
    this.#kept.set(number, whole);
    if (this.#kept.size > KEPT_BLOCKS) this.#kept.delete(this.#kept.keys().next().value as number);
    return whole;
  }
}

function lineOf(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(NEWLINE);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

const NEWLINE = 10;
const BLANK = 32;
const HEADER_BYTES_MAX = 256;
const RECORD_BYTES_MAX = 64 << 10;
const BLOCK_BYTES_MAX = 4 << 20;
const KEPT_BLOCKS = 8;
