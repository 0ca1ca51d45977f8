// A session's log in blocks, wherever it lies: each can be read alone.

import type { Block, Head, Layout, Problem } from "./api";
import type { Source } from "./bytes";
import { problem, problemOf } from "./bytes";
import { Block as Inflating, archive_map } from "../wasm/page";

/** A log in blocks. */
export interface Content {
  /** What is known of its blocks. */
  readonly blocks: readonly Stretch[];
  /** Bytes of the log, and whether more blocks may come. */
  readonly rawBytes: number;
  readonly isComplete: boolean;
  /** Why the log cannot be read to its end. */
  readonly fault?: Problem | undefined;
  /** Finds another block; false where there are no more. */
  grow(): Promise<boolean>;
  /** The lines of a block, as far as they can be read. */
  read(block: number): Promise<Lines>;
}

/** A block, and where it stands in the log. */
export interface Stretch extends Block {
  readonly start: number;
  /** The number of its first entry, where an index tells. */
  readonly seq?: number | undefined;
}

/** Whole lines, but for the log's end. */
export interface Lines {
  readonly bytes: Uint8Array;
  /** Why there are not all of them. */
  readonly fault?: Problem | undefined;
}

/** Bytes of a log, by ranges. */
export interface RawLog {
  readonly size: number;
  read(start: number, end: number): Promise<Uint8Array>;
  readonly fault?: Problem | undefined;
}

/** What an archive's index says, as the core gives it. */
interface ArchiveMap {
  readonly head: Head;
  readonly blocks: readonly {
    readonly start: number;
    readonly end: number;
    readonly raw: number;
    readonly entries: number;
    readonly firstSeq: number;
    readonly fromMs: number;
    readonly toMs: number;
    readonly kinds: readonly string[];
  }[];
}

/** An archive, by its index. */
export class ArchiveContent implements Content {
  readonly head: Head;
  readonly blocks: readonly Stretch[];
  readonly rawBytes: number;
  readonly isComplete = true;
  readonly #source: Source;
  readonly #map: ArchiveMap;

  /** Throws where there is no index, or none that can be believed. */
  constructor(source: Source, start: Uint8Array) {
    this.#source = source;
    this.#map = JSON.parse(archive_map(start, source.size)) as ArchiveMap;
    this.head = this.#map.head;
    let at = 0;
    this.blocks = this.#map.blocks.map(({ raw: bytes, entries: rows, firstSeq: first, fromMs, toMs, kinds }) => {
      const stretch = { first, rows, bytes, start: at, seq: first, fromMs, toMs, kinds };
      at += bytes;
      return stretch;
    });
    this.rawBytes = at;
  }

  async grow(): Promise<boolean> {
    return false;
  }

  async read(block: number): Promise<Lines> {
    const { start, end, raw, entries } = this.#map.blocks[block]!;
    const inflating = new Inflating(await this.#source.read(start, end), raw);
    try {
      const bytes = inflating.raw();
      const fault = inflating.fault();
      if (fault === undefined && countLines(bytes) === entries) return { bytes };
      if (fault === undefined) return { bytes, fault: problem("gzip_corrupt", OTHER_LINES) };
      return { bytes: wholeLines(bytes), fault: problemOf(fault) };
    } finally {
      inflating.free();
    }
  }
}

/** A log whose lines are found by reading it. */
export class LogContent implements Content {
  readonly blocks: Stretch[] = [];
  readonly #raw: RawLog;
  #end = 0;

  constructor(raw: RawLog) {
    this.#raw = raw;
  }

  get rawBytes(): number {
    return this.#raw.size;
  }

  get isComplete(): boolean {
    return this.#end >= this.#raw.size;
  }

  get fault(): Problem | undefined {
    return this.#raw.fault;
  }

  async grow(): Promise<boolean> {
    if (this.isComplete) return false;
    const start = this.#end;
    const lines = await this.#linesAt(start);
    const first = rowsOf(this.blocks);
    // Two may have looked for the same one.
    if (this.#end === start) {
      this.#end = start + lines.length;
      // What cannot be read at the end is one row more.
      const gap = this.isComplete && this.fault !== undefined ? 1 : 0;
      this.blocks.push({ first, rows: countLines(lines) + gap, bytes: lines.length, start });
    }
    return true;
  }

  /** Whole lines of about a block's length; the last ones of the log, however they end. */
  async #linesAt(start: number): Promise<Uint8Array> {
    for (let length = BLOCK_BYTES; ; length *= 4) {
      const bytes = await this.#raw.read(start, start + length);
      if (bytes.length < length || start + length >= this.#raw.size) return bytes;
      const lines = wholeLines(bytes);
      if (lines.length > 0) return lines;
    }
  }

  async read(block: number): Promise<Lines> {
    const { start, bytes } = this.blocks[block]!;
    return { bytes: await this.#raw.read(start, start + bytes) };
  }
}

/** An archive and the log that goes on after it. */
export class JoinedContent implements Content {
  readonly blocks: Stretch[];
  readonly #archive: ArchiveContent;
  readonly #log: LogContent;

  constructor(archive: ArchiveContent, log: LogContent) {
    [this.#archive, this.#log] = [archive, log];
    this.blocks = [...archive.blocks];
  }

  get rawBytes(): number {
    return this.#archive.rawBytes + this.#log.rawBytes;
  }

  get isComplete(): boolean {
    return this.#log.isComplete;
  }

  async grow(): Promise<boolean> {
    const hasGrown = await this.#log.grow();
    const { blocks: archived, rawBytes } = this.#archive;
    for (const block of this.#log.blocks.slice(this.blocks.length - archived.length)) {
      this.blocks.push({ ...block, first: block.first + rowsOf(archived), start: block.start + rawBytes });
    }
    return hasGrown;
  }

  read(block: number): Promise<Lines> {
    const archived = this.#archive.blocks.length;
    return block < archived ? this.#archive.read(block) : this.#log.read(block - archived);
  }
}

/** What others see of it. */
export function layoutOf(content: Content, isLarge: boolean): Layout {
  const { blocks, rawBytes, isComplete } = content;
  return { blocks: blocks.map(blockOf), rows: rowsOf(blocks), isComplete, isLarge, rawBytes };
}

/** What others see of a block. */
export function blockOf({ start: _, seq: __, ...block }: Stretch): Block {
  return block;
}

function rowsOf(blocks: readonly Stretch[]): number {
  const last = blocks.at(-1);
  return last === undefined ? 0 : last.first + last.rows;
}

/** Without what follows the last line break. */
function wholeLines(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);
}

/** Lines, with an unfinished one at the end. */
export function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
  return bytes.length > 0 && bytes.at(-1) !== NEWLINE ? count + 1 : count;
}

export const NEWLINE = 10;
const BLOCK_BYTES = 256 << 10;
const OTHER_LINES = "a block holds not as many lines as the index says";
