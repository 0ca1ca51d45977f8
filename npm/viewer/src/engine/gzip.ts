// Gzip files without an index, and bundles: what they hold, by ranges.

import type { BundleInfo, Head } from "./api";
import type { Source } from "./bytes";
import { problem, problemOf } from "../common/problem";
import type { RawLog } from "./content";
import {
  Gunzip,
  bundle_created,
  bundle_end,
  bundle_index,
  bundle_session,
  bundle_tail_bytes,
  inflate_block,
} from "../wasm/page";

/** All of a gzip file that can be inflated. It is kept in a Blob, which need not be in memory. */
export async function gunzip(source: Source): Promise<RawLog> {
  const gunzip = new Gunzip();
  const pieces: Blob[] = [];
  try {
    for (let at = 0; at < source.size; at += PIECE_BYTES) {
      const raw = gunzip.push(await source.read(at, at + PIECE_BYTES));
      if (raw.length > 0) pieces.push(new Blob([raw as BlobPart]));
    }
    const found = gunzip.finish();
    const fault = found === undefined ? undefined : problemOf(found);
    const whole = new Blob(pieces);
    const read = async (start: number, end: number) =>
      new Uint8Array(await whole.slice(start, end).arrayBuffer());
    return { size: whole.size, read, fault };
  } finally {
    gunzip.free();
  }
}

/** The first bytes that a gzip file holds. */
export function startOf(bytes: Uint8Array): Uint8Array {
  const gunzip = new Gunzip();
  try {
    return gunzip.push(bytes);
  } finally {
    gunzip.free();
  }
}

/** A session in a bundle. */
export interface Bundled {
  readonly id: string;
  readonly head: Head;
  readonly title?: string | undefined;
  readonly log: RawLog;
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

/** A bundle: its content by ranges, and its sessions. */
export class Bundle {
  readonly info: BundleInfo;
  readonly sessions: readonly Bundled[];

  private constructor(info: BundleInfo, sessions: readonly Bundled[]) {
    this.info = info;
    this.sessions = sessions;
  }

  /** Whether a gzip file's first bytes are a bundle's. */
  static is(start: Uint8Array): boolean {
    const text = new TextDecoder().decode(startOf(start).subarray(0, 12));
    return text.startsWith('{"bundle":');
  }

  static async open(source: Source): Promise<Bundle> {
    const tail = await source.read(Math.max(0, source.size - bundle_tail_bytes()), source.size);
    const ending = JSON.parse(bundle_end(tail)) as Ending;
    const packed = await source.read(ending.packed, source.size - bundle_tail_bytes());
    const index = JSON.parse(
      bundle_index(inflate_block(packed, ending.rawEnd - ending.raw)),
    ) as Index;
    const content = new BundleContent(source, index, ending);
    const header = lineOf(await content.read(0, 256));
    const createdMs = bundle_created(new TextDecoder().decode(header));
    const sessions: Bundled[] = [];
    for (const [id, at] of index.sessions) sessions.push(await sessionAt(content, id, at));
    const { sessions: count, values } = ending;
    return new Bundle({ createdMs, sessions: count, values, bytes: source.size }, sessions);
  }
}

async function sessionAt(content: BundleContent, id: string, at: number): Promise<Bundled> {
  const line = lineOf(await content.read(at, at + RECORD_BYTES_MAX));
  const record = JSON.parse(bundle_session(line)) as {
    readonly id: string;
    readonly head: Head;
    readonly about: { readonly title?: unknown };
  };
  if (record.id !== id) throw problem("bad_bundle", "the bundle's index names another session");
  const { head, about } = record;
  const start = at + line.length + 1;
  const log: RawLog = {
    size: head.bytes,
    read: (from, to) => content.read(start + from, start + Math.min(to, head.bytes)),
  };
  return { id, head, title: typeof about.title === "string" ? about.title : undefined, log };
}

/** What a bundle holds, by ranges. The last blocks are kept. */
class BundleContent {
  readonly #source: Source;
  readonly #index: Index;
  readonly #ending: Ending;
  readonly #kept = new Map<number, Uint8Array>();

  constructor(source: Source, index: Index, ending: Ending) {
    [this.#source, this.#index, this.#ending] = [source, index, ending];
  }

  async read(start: number, end: number): Promise<Uint8Array> {
    const { blockBytes } = this.#index;
    const stop = Math.min(end, this.#ending.raw);
    const out = new Uint8Array(Math.max(0, stop - start));
    for (let at = start; at < stop; ) {
      const number = Math.floor(at / blockBytes);
      const block = await this.#block(number);
      const from = at - number * blockBytes;
      const piece = block.subarray(from, from + stop - at);
      if (piece.length === 0) return out.subarray(0, at - start);
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
    const end = blocks[number + 1] ?? this.#ending.packed;
    const raw = inflate_block(await this.#source.read(start, end), blockBytes);
    this.#kept.set(number, raw);
    if (this.#kept.size > KEPT_BLOCKS) this.#kept.delete(this.#kept.keys().next().value as number);
    return raw;
  }
}

function lineOf(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(10);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

const PIECE_BYTES = 256 << 10;
const RECORD_BYTES_MAX = 64 << 10;
const KEPT_BLOCKS = 8;
