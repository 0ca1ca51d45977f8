// A session's log in blocks, wherever it lies: each can be read alone.

import type { Block, Head, Layout, Problem } from "./api";
import { problem } from "../common/problem";
import type { Source } from "./bytes";
import { Lines, archive_map } from "../wasm/page";

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
  /** The lines of a block, as far as they can be read. Whoever gets them frees them. */
  read(block: number): Promise<Lines>;
}

/** A block, and where it stands in the log. */
export interface Stretch extends Block {
  readonly start: number;
  /** The number of its first entry, where an index tells. */
  readonly seq?: number | undefined;
}

/** Bytes of a log, by ranges. */
export interface RawLog {
  readonly size: number;
  /** Only where they come with reading: whether `size` is all, and how many are to be expected. */
  readonly isWhole?: boolean;
  readonly expected?: number;
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
    return Lines.inflate(await this.#source.read(start, end), raw, entries);
  }
}

/** A log whose lines are found by reading it. */
export class LogContent implements Content {
  readonly blocks: Stretch[] = [];
  readonly #raw: RawLog;
  #end = 0;
  /** Where it ends too early: a damaged container can hold less than it says. */
  #cut: number | undefined;
  /** The last block's lines, as long as nobody took them. */
  #last: Lines | undefined;

  constructor(raw: RawLog) {
    this.#raw = raw;
  }

  get rawBytes(): number {
    return this.#raw.expected ?? this.#raw.size;
  }

  get isComplete(): boolean {
    return this.#raw.isWhole !== false && this.#end >= (this.#cut ?? this.#raw.size);
  }

  get fault(): Problem | undefined {
    return this.#raw.fault ?? (this.#cut === undefined ? undefined : CUT);
  }

  async grow(): Promise<boolean> {
    if (this.isComplete) return false;
    const start = this.#end;
    const lines = await this.#linesAt(start);
    // Two may have looked for the same one.
    if (this.#end !== start) {
      lines.free();
      return true;
    }
    const { bytes, count } = lines;
    this.#end = start + bytes;
    // What cannot be read at the end is one row more.
    const gap = this.isComplete && this.fault !== undefined ? 1 : 0;
    this.blocks.push({ first: rowsOf(this.blocks), rows: count + gap, bytes, start });
    // It is mostly read next.
    this.#last?.free();
    this.#last = lines;
    return true;
  }

  /** Whole lines of about a block's length; the last ones of the log, however they end. */
  async #linesAt(start: number): Promise<Lines> {
    for (let length = BLOCK_BYTES; ; length *= 4) {
      // One byte more, so that it is known whether this is the end.
      const bytes = (await this.#raw.read(start, start + length + 1)).subarray(0, length);
      const wanted = Math.min(length, this.#raw.size - start);
      // Without an end, what never comes would be looked for, for ever.
      if (bytes.length < wanted) this.#cut = start + bytes.length;
      if (bytes.length < length || wanted < length) return new Lines(bytes);
      const end = bytes.lastIndexOf(NEWLINE) + 1;
      // What is longer is no line.
      if (end === 0 && length > LINE_BYTES_MAX) return new Lines(bytes);
      if (end > 0) return new Lines(bytes.subarray(0, end));
    }
  }

  async read(block: number): Promise<Lines> {
    if (block === this.blocks.length - 1 && this.#last !== undefined) {
      const last = this.#last;
      this.#last = undefined;
      return last;
    }
    const { start, bytes } = this.blocks[block]!;
    return new Lines(await this.#raw.read(start, start + bytes));
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

const CUT = problem("gzip_corrupt", "what holds the log does not inflate to what it should");
const NEWLINE = 10;
const BLOCK_BYTES = 256 << 10;
const LINE_BYTES_MAX = 32 << 20;
