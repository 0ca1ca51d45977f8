import type { Engine, Entry, Problem, Row } from "../engine/api";
import { BlockCache } from "./cache";
import type { KnownRows } from "./known";

/** Bytes of entries' lines that are kept. */
const ENTRY_BYTES = 24 * 1024 * 1024;
/** Rows that are kept. */
const ROWS_KEPT = 50_000;

interface Options {
  readonly time: () => number;
  readonly arrived: (block: number, rows: readonly Row[] | undefined) => void;
}

/** Reads rows and entries by their blocks, and keeps the last of them. */
export class Reader {
  readonly #known: KnownRows;
  readonly #rows: BlockCache<readonly Row[]>;
  readonly #entries: BlockCache<readonly Entry[]>;

  constructor(engine: Engine, key: number, known: KnownRows, options: Options) {
    this.#known = known;
    this.#rows = new BlockCache({
      ...options,
      limit: ROWS_KEPT,
      load: (block) => engine.rows(key, block),
      weigh: (_, rows) => rows.length,
    });
    this.#entries = new BlockCache({
      ...options,
      limit: ENTRY_BYTES,
      load: (block) => engine.entries(key, block),
      weigh: (block) => known.layout.blocks[block]?.bytes ?? 0,
    });
  }

  row(row: number): Row | undefined {
    const place = this.#placeOf(row);
    if (place === undefined) return undefined;
    const rows = this.#entries.peek(place.block) ?? this.#rows.peek(place.block);
    // Entries tell all that rows do, so where they are on their way nothing else has to be.
    if (rows === undefined && !this.#entries.isComing(place.block)) this.#rows.get(place.block);
    return rows?.[place.offset];
  }

  entry(row: number): Entry | undefined {
    const place = this.#placeOf(row);
    return place === undefined ? undefined : this.#entries.get(place.block)?.[place.offset];
  }

  trouble(row: number): Problem | undefined {
    const place = this.#placeOf(row);
    if (place === undefined) return undefined;
    return this.#entries.failure(place.block) ?? this.#rows.failure(place.block);
  }

  retry(row: number): void {
    const place = this.#placeOf(row);
    if (place === undefined) return;
    this.#rows.retry(place.block);
    this.#entries.retry(place.block);
  }

  async loadRow(row: number): Promise<Row | undefined> {
    const place = this.#placeOf(row);
    return place === undefined ? undefined : (await this.#rows.load(place.block))[place.offset];
  }

  async loadEntry(row: number): Promise<Entry | undefined> {
    const place = this.#placeOf(row);
    return place === undefined ? undefined : (await this.#entries.load(place.block))[place.offset];
  }

  /** Rows' numbers nearly always are entries' numbers; where gaps moved them, halving finds the block. */
  async rowOfSeq(seq: number): Promise<number | undefined> {
    if ((await this.loadRow(seq))?.seq === seq) return seq;
    let low = 0;
    let high = this.#known.layout.blocks.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const rows = await this.#rows.load(middle);
      const found = rows.find((row) => row.seq === seq);
      if (found !== undefined) return found.row;
      const first = rows.find((row) => row.seq !== undefined)?.seq;
      if (first !== undefined && first < seq) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  /** Keeps rows that came otherwise, if nothing has to go for them. */
  offer(block: number, rows: readonly Row[]): void {
    this.#rows.offer(block, rows);
  }

  close(): void {
    this.#rows.close();
    this.#entries.close();
  }

  #placeOf(row: number): { readonly block: number; readonly offset: number } | undefined {
    const { layout } = this.#known;
    if (row < 0 || row >= layout.rows) return undefined;
    const block = this.#known.blockOf(row);
    return { block, offset: row - (layout.blocks[block]?.first ?? 0) };
  }
}
