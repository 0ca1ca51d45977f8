// One session that is read: its rows and entries block by block, and what has to go through all of it.

import type { Entry, Found as Hits, HeadSource, Layout, Problem, Query, Report } from "./api";
import { problemOf } from "../common/problem";
import { REMOTE_BYTES_MAX } from "./bytes";
import { type Content, blockOf, layoutOf } from "./content";
import type { Found } from "./files";
import type { Json, SurveyedJson } from "./wire";
import { BundleVerifier, type Lines, Place, Verifier, bundle_tail_bytes } from "../wasm/page";

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
  readonly #kept = new Map<number, Promise<Lines>>();
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
    return layoutOf(this.#content, this.#isLarge());
  }

  /** What lies here is read to the end where nothing else tells how many rows there are. */
  #isLarge(): boolean {
    const { sources } = this.#found;
    const stored = sources.reduce((sum, { size }) => sum + size, 0);
    if (sources.some(({ isRemote }) => isRemote)) return stored > REMOTE_BYTES_MAX;
    return this.#content.isComplete && this.#content.rawBytes > RAW_BYTES_MAX;
  }

  async rows(block: number): Promise<Json> {
    const { first, rows } = this.#content.blocks[block]!;
    return arrayOf(await this.#pieces(block, first, first + rows, "rows"));
  }

  async entries(first: number, count: number): Promise<Json> {
    const pieces: Json[] = [];
    const { blocks } = this.#content;
    for (let block = this.#blockOf(first); block < blocks.length && blocks[block]!.first < first + count; block += 1) {
      pieces.push(...(await this.#pieces(block, first, first + count, "entries")));
    }
    return arrayOf(pieces);
  }

  /** Those rows of a block: what its lines say, and gaps for what it should hold and does not. */
  async #pieces(block: number, from: number, to: number, what: "rows" | "entries"): Promise<Json[]> {
    const { first, rows: count, seq, start } = this.#content.blocks[block]!;
    const lines = await this.#lines(block);
    const [begin, end] = [Math.max(0, from - first), Math.min(count, to - first)];
    const pieces: Json[] = [];
    if (begin < lines.count) {
      // A number is expected where an index tells it, and of the log's first line.
      const place = new Place(first, seq ?? (block === 0 ? 0 : undefined), start, this.#lastHashes.get(block - 1));
      pieces.push(lines[what](place, begin, Math.min(end, lines.count)));
      place.free();
    }
    const fault = lines.fault();
    const problem = fault === undefined ? this.#content.fault : problemOf(fault);
    if (problem !== undefined && end > lines.count) {
      const gap = { first, count, found: lines.count, isNumbered: seq !== undefined, problem: { offset: start, ...problem } };
      pieces.push(JSON.stringify(gapsOf(gap).slice(Math.max(0, begin - lines.count), end - lines.count)));
    }
    return pieces;
  }

  async part(row: number, part: number): Promise<string> {
    const [lines, at] = await this.#lineOf(row);
    return lines.part_text(at, part);
  }

  async raw(row: number): Promise<string> {
    const [lines, at] = await this.#lineOf(row);
    return new TextDecoder().decode(lines.line(at));
  }

  async markdown(rows: readonly number[]): Promise<string> {
    const texts: string[] = [];
    for (const row of rows) {
      const [lines, at] = await this.#lineOf(row);
      texts.push(lines.markdown(at));
    }
    return texts.filter((text) => text !== "").join("\n");
  }

  /** A row's block, and its place there. */
  async #lineOf(row: number): Promise<readonly [Lines, number]> {
    const block = this.#blockOf(row);
    return [await this.#lines(block), row - this.#content.blocks[block]!.first];
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

  /** A block's lines, for use at once: those asked for the longest ago are freed. */
  #lines(block: number): Promise<Lines> {
    const lines = this.#kept.get(block) ?? this.#read(block);
    this.#kept.delete(block);
    this.#kept.set(block, lines);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_BLOCKS && oldest !== undefined) this.#forget(oldest);
    return lines;
  }

  async #read(block: number): Promise<Lines> {
    try {
      const lines = await this.#content.read(block);
      this.#lastHashes.set(block, lines.last_hash());
      return lines;
    } catch (error) {
      this.#kept.delete(block);
      throw error;
    }
  }

  #forget(block: number): void {
    void this.#kept.get(block)?.then((lines) => lines.free(), () => {});
    this.#kept.delete(block);
  }

  /** Frees what is kept. */
  close(): void {
    for (const block of this.#kept.keys()) this.#forget(block);
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

  survey(each: (found: SurveyedJson) => void, signal: AbortSignal): Promise<void> {
    return this.#each(signal, async (block) => {
      const rows = await this.rows(block);
      const { blocks, isComplete } = this.#content;
      const added = block < this.#told ? undefined : blockOf(blocks[block]!);
      each({ block, rows, added, isComplete: isComplete && block === blocks.length - 1, progress: this.#progress(block) });
    });
  }

  search({ text, matchCase }: Query, each: (found: Hits) => void, signal: AbortSignal): Promise<void> {
    return this.#each(signal, async (block) => {
      const lines = await this.#content.read(block);
      const found = lines.search(text, matchCase);
      lines.free();
      const { first } = this.#content.blocks[block]!;
      const hits = Array.from({ length: found.length / 2 }, (_, at) => {
        return { row: first + found[2 * at]!, count: found[2 * at + 1]! };
      });
      each({ hits, progress: this.#progress(block) });
    });
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
        const lines = await this.#content.read(block);
        verifier.push_lines(lines);
        lines.free();
        each(this.#progress(block));
      });
    }
    const report = { ...(JSON.parse(verifier.finish()) as Report), bytes };
    // A bundle is read for each of its sessions: a large one is left.
    const isLeft = bundled !== undefined && sources[0]!.size > RAW_BYTES_MAX;
    // Where what holds the lines is damaged, a missing head only follows from it.
    const isFound = report.fault !== undefined && report.fault.code !== "head_mismatch";
    const cause = isPlain || isLeft || isFound ? undefined : await this.#containerFault(signal);
    const fault = cause ?? report.fault;
    return { ...report, fault, ...(isLeft && { isContainerLeft: true }), ...(expected && { expected }) };
  }

  /** What is wrong with what the lines were taken out of: a bundle, or the archive before a log. */
  #containerFault(signal: AbortSignal): Promise<Report["fault"]> {
    return this.#found.bundled === undefined ? this.#archiveFault(signal) : this.#bundleFault(signal);
  }

  async #archiveFault(signal: AbortSignal): Promise<Report["fault"]> {
    const archive = this.#found.sources[0]!;
    const verifier = new Verifier();
    for (let at = 0; at < archive.size; at += PIECE_BYTES) {
      signal.throwIfAborted();
      verifier.push(await archive.read(at, at + PIECE_BYTES));
    }
    return (JSON.parse(verifier.finish()) as Report).fault;
  }

  async #bundleFault(signal: AbortSignal): Promise<Report["fault"]> {
    const source = this.#found.sources[0]!;
    try {
      const tail = await source.read(Math.max(0, source.size - bundle_tail_bytes()), source.size);
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

/** Arrays as one. */
function arrayOf(arrays: readonly Json[]): Json {
  if (arrays.length === 1) return arrays[0]!;
  return `[${arrays.filter((array) => array !== "[]").map((array) => array.slice(1, -1)).join(",")}]`;
}

interface Gap {
  readonly first: number;
  readonly count: number;
  readonly found: number;
  readonly isNumbered: boolean;
  readonly problem: Problem;
}

/** Rows for entries of a block that cannot be read. Only the first one says it. */
function gapsOf({ first, count, found, isNumbered, problem }: Gap): Entry[] {
  const [from, to] = [first + found, first + count - 1];
  const preview = isNumbered ? `Entries ${from} to ${to} cannot be read` : "What follows cannot be read";
  return Array.from({ length: count - found }, (_, at): Entry => {
    const [row, seq] = [from + at, isNumbered ? from + at : undefined];
    const text = at === 0 ? preview : "";
    return { row, seq, kind: "gap", role: "gap", preview: text, isError: true, bytes: 0, problem: { ...problem, seq }, parts: [] };
  });
}

/** Nothing reads all of a longer log unasked. */
const RAW_BYTES_MAX = 256 << 20;
const PIECE_BYTES = 1 << 20;
const KEPT_BLOCKS = 16;
