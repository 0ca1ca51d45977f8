// One session that is read: its rows and entries block by block, and what has to go through all of it.

import type { Entry, Found as Hits, HeadSource, Layout, Query, Report, Row, Surveyed } from "./api";
import { problemOf } from "./bytes";
import { type Content, type Lines as Read, blockOf, layoutOf, NEWLINE } from "./content";
import type { Found } from "./files";
import { BundleVerifier, Lines, Verifier, bundle_tail_bytes, markdown, part_text, search } from "../wasm/page";

/** Which head is expected, and who says so. */
interface Expected {
  readonly seq: number;
  readonly hash: string;
  readonly by: HeadSource;
}

/** A session of which something was asked. */
export class OpenSession {
  readonly #found: Found;
  readonly #content: Content;
  /** The last hash of each block that was read, which the next one follows. */
  readonly #lastHashes = new Map<number, string | undefined>();
  readonly #kept = new Map<number, Read>();
  /** How many blocks the page knows from the layout. */
  #told = 0;

  private constructor(found: Found, content: Content) {
    [this.#found, this.#content] = [found, content];
  }

  static async open(found: Found): Promise<OpenSession> {
    const content = await found.content();
    // The first block, so that there is something to show.
    if (content.blocks.length === 0) await content.grow();
    return new OpenSession(found, content);
  }

  layout(): Layout {
    this.#told = this.#content.blocks.length;
    return layoutOf(this.#content, this.#content.rawBytes > LARGE_BYTES);
  }

  async rows(block: number): Promise<readonly Row[]> {
    const [lines, place] = [await this.#lines(block), this.#place(block)];
    const rows = JSON.parse(place.rows(lines.bytes)) as Row[];
    return this.#withGap(block, rows, lines);
  }

  async entries(block: number): Promise<readonly Entry[]> {
    const [lines, place] = [await this.#lines(block), this.#place(block)];
    const entries = JSON.parse(place.entries(lines.bytes)) as Entry[];
    return this.#withGap(block, entries, lines).map((row) => ("parts" in row ? row : { ...row, parts: [] })) as Entry[];
  }

  /** Rows for what a block should hold and does not. */
  #withGap<R extends Row>(block: number, found: readonly R[], { fault }: Read): readonly (R | Row)[] {
    const { first, rows: count, seq, start } = this.#content.blocks[block]!;
    const rows = found.slice(0, count);
    const missing = count - rows.length;
    const problem = fault ?? this.#content.fault;
    if (problem === undefined || missing === 0) return rows;
    const [from, to] = [first + rows.length, first + rows.length + missing - 1];
    const preview = seq === undefined ? "What follows cannot be read" : `Entries ${from} to ${to} cannot be read`;
    const gaps = Array.from({ length: missing }, (_, at): Row => {
      const row = from + at;
      const place = { offset: start, ...problem, seq: seq === undefined ? undefined : row };
      return {
        row,
        seq: place.seq,
        kind: "gap",
        role: "gap",
        // Only the first one says it.
        preview: at === 0 ? preview : "",
        isError: true,
        bytes: 0,
        problem: place,
      };
    });
    return [...rows, ...gaps];
  }

  #place(block: number): Lines {
    const { first, start } = this.#content.blocks[block]!;
    return new Lines(first, first, start, this.#lastHashes.get(block - 1));
  }

  async part(row: number, part: number): Promise<string> {
    return part_text(await this.#line(row), part);
  }

  async raw(row: number): Promise<string> {
    return new TextDecoder().decode(await this.#line(row));
  }

  async #line(row: number): Promise<Uint8Array> {
    const block = this.#blockOf(row);
    const { bytes } = await this.#lines(block);
    return lineAt(bytes, row - this.#content.blocks[block]!.first);
  }

  #blockOf(row: number): number {
    const { blocks } = this.#content;
    let [low, high] = [0, blocks.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (blocks[middle]!.first <= row) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  async #lines(block: number): Promise<Read> {
    const kept = this.#kept.get(block);
    if (kept !== undefined) return kept;
    const lines = await this.#content.read(block);
    this.#kept.set(block, lines);
    this.#lastHashes.set(block, lastHash(lines.bytes));
    if (this.#kept.size > KEPT_BLOCKS) this.#kept.delete(this.#kept.keys().next().value as number);
    return lines;
  }

  /** Goes through all blocks, those that are found on the way too. */
  async #each(signal: AbortSignal, take: (block: number) => Promise<void>): Promise<void> {
    for (let block = 0; ; block += 1) {
      signal.throwIfAborted();
      if (block === this.#content.blocks.length && !(await this.#content.grow())) return;
      await take(block);
    }
  }

  #progress(block: number): { readonly done: number; readonly total: number } {
    const { start, bytes } = this.#content.blocks[block]!;
    return { done: start + bytes, total: this.#content.rawBytes };
  }

  survey(each: (found: Surveyed) => void, signal: AbortSignal): Promise<void> {
    return this.#each(signal, async (block) => {
      const rows = await this.rows(block);
      const { blocks, isComplete } = this.#content;
      const added = block < this.#told ? undefined : blockOf(blocks[block]!);
      each({ block, rows, added, isComplete: isComplete && block === blocks.length - 1, progress: this.#progress(block) });
    });
  }

  search({ text, matchCase }: Query, each: (found: Hits) => void, signal: AbortSignal): Promise<void> {
    return this.#each(signal, async (block) => {
      const found = search((await this.#content.read(block)).bytes, text, matchCase);
      const { first } = this.#content.blocks[block]!;
      const hits = Array.from({ length: found.length / 2 }, (_, at) => {
        return { row: first + found[2 * at]!, count: found[2 * at + 1]! };
      });
      each({ hits, progress: this.#progress(block) });
    });
  }

  async markdown(rows: readonly number[]): Promise<string> {
    const texts: string[] = [];
    for (const row of rows) texts.push(markdown(await this.#line(row)));
    return texts.filter((text) => text !== "").join("\n");
  }

  /** Verifies the files as `turnkeep verify` does. */
  async verify(
    asked: { readonly seq: number; readonly hash: string } | undefined,
    each: (progress: { readonly done: number; readonly total: number }) => void,
    signal: AbortSignal,
  ): Promise<Report> {
    const expected = this.#expected(asked);
    const { sources, bundled } = this.#found;
    const isPlain = bundled === undefined && sources.length === 1;
    const verifier = new Verifier(expected?.seq, expected?.hash);
    // Its own file as it is, container and all; else its lines, wherever they come from.
    const bytes = isPlain ? sources[0]!.size : this.#content.rawBytes;
    if (isPlain) {
      for (let at = 0; at < bytes; at += PIECE_BYTES) {
        signal.throwIfAborted();
        verifier.push(await sources[0]!.read(at, at + PIECE_BYTES));
        each({ done: Math.min(bytes, at + PIECE_BYTES), total: bytes });
      }
    } else {
      await this.#each(signal, async (block) => {
        verifier.push((await this.#content.read(block)).bytes);
        each(this.#progress(block));
      });
    }
    const report = { ...(JSON.parse(verifier.finish()) as Report), bytes };
    const fault = report.fault ?? (await this.#containerFault(signal));
    return { ...report, fault, ...(expected === undefined ? {} : { expected }) };
  }

  /** Of a bundle, what is wrong with it besides this session. */
  async #containerFault(signal: AbortSignal): Promise<Report["fault"]> {
    const source = this.#found.sources[0]!;
    if (this.#found.bundled === undefined || source.size > LARGE_BYTES) return undefined;
    try {
      const tail = await source.read(source.size - bundle_tail_bytes(), source.size);
      const verifier = new BundleVerifier(source.size, tail);
      for (let at = 0; at < source.size; at += PIECE_BYTES) {
        signal.throwIfAborted();
        verifier.push(await source.read(at, at + PIECE_BYTES));
      }
      verifier.finish();
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      return problemOf(error);
    }
  }

  #expected(asked: { readonly seq: number; readonly hash: string } | undefined): Expected | undefined {
    const { head, form } = this.#found.listed;
    if (asked !== undefined) return { ...asked, by: "asked" };
    if (head === undefined) return undefined;
    return { seq: head.seq, hash: head.hash, by: form === "bundle" ? "bundle" : "index" };
  }
}

/** The hash that the last whole line claims. */
function lastHash(lines: Uint8Array): string | undefined {
  const end = lines.lastIndexOf(NEWLINE);
  const start = end <= 0 ? 0 : lines.lastIndexOf(NEWLINE, end - 1) + 1;
  const text = new TextDecoder().decode(lines.subarray(start, start + 74));
  return /^\{"hash":"([0-9a-f]{64})"$/.exec(text)?.[1];
}

function lineAt(bytes: Uint8Array, place: number): Uint8Array {
  let start = 0;
  for (let line = 0; line < place; line += 1) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end < 0) return new Uint8Array(0);
    start = end + 1;
  }
  const end = bytes.indexOf(NEWLINE, start);
  return bytes.subarray(start, end < 0 ? bytes.length : end);
}

/** Nothing reads all of a longer log unasked. */
const LARGE_BYTES = 64 << 20;
const PIECE_BYTES = 1 << 20;
const KEPT_BLOCKS = 8;
