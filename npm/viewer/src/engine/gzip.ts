// Gzip files without an index, as far as they can be inflated.

import type { Problem } from "./api";
import type { Source } from "./bytes";
import { problemOf } from "../common/problem";
import type { RawLog } from "./content";
import { Gunzip } from "../wasm/page";

/**
 * What a gzip file holds, inflated as far as somebody reads. It is kept in Blobs, which need not be in
 * memory.
 */
export class Inflated implements RawLog {
  readonly #source: Source;
  #gunzip: Gunzip | undefined = new Gunzip();
  #taken = 0;
  #pieces: Blob[] = [];
  #size = 0;
  #fault: Problem | undefined;
  #growing: Promise<void> | undefined;

  constructor(source: Source) {
    this.#source = source;
  }

  /** As far as is known. */
  get size(): number {
    return this.#size;
  }

  get isWhole(): boolean {
    return this.#gunzip === undefined;
  }

  get expected(): number {
    return this.isWhole || this.#taken === 0 ? this.#size : Math.round((this.#size / this.#taken) * this.#source.size);
  }

  get fault(): Problem | undefined {
    return this.#fault;
  }

  async read(start: number, end: number): Promise<Uint8Array> {
    while (!this.isWhole && this.#size < end) {
      // Two may want more at once.
      this.#growing ??= this.#grow().finally(() => (this.#growing = undefined));
      await this.#growing;
    }
    if (this.#pieces.length > 1) this.#pieces = [new Blob(this.#pieces)];
    const blob = this.#pieces[0]?.slice(start, end);
    return new Uint8Array((await blob?.arrayBuffer()) ?? []);
  }

  async #grow(): Promise<void> {
    const bytes = await this.#source.read(this.#taken, this.#taken + PIECE_BYTES);
    const raw = this.#gunzip!.push(bytes);
    this.#taken += bytes.length;
    this.#size += raw.length;
    if (raw.length > 0) this.#pieces.push(new Blob([raw as BlobPart]));
    if (this.#taken < this.#source.size && bytes.length > 0) return;
    const found = this.#gunzip!.finish();
    this.#fault = found === undefined ? undefined : problemOf(found);
    this.#gunzip!.free();
    this.#gunzip = undefined;
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

const PIECE_BYTES = 256 << 10;
