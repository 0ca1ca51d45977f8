import type { Engine, Entry, Problem, Row } from "../engine/api";
import { BlockCache } from "./cache";
import type { KnownRows } from "./known";

/** Bytes of entries' lines that are kept. */
const ENTRY_BYTES = 24 * 1024 * 1024;
/** Entries that are read at once: about what is looked at. */
const PAGE_ROWS = 32;
/** Rows that are kept. */
const ROWS_KEPT = 50_000;

interface Options {
  readonly time: () => number;
  readonly arrived: (block: number | undefined, rows: readonly Row[] | undefined) => void;
}

/** Entries, and how many rows there were when they were read: while a log is surveyed its last page grows. */
interface Page {
  readonly entries: readonly Entry[];
  readonly of: number;
}

/** Reads rows by their blocks and entries by pages, and keeps the last of them. */
export class Reader {
  readonly #known: KnownRows;
  readonly #rows: BlockCache<readonly Row[]>;
  readonly #entries: BlockCache<Page>;

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
      load: async (page) => {
        const of = known.layout.rows;
        return { entries: await engine.entries(key, page * PAGE_ROWS, PAGE_ROWS), of };
      },
      weigh: (_, { entries }) => entries.reduce((sum, { bytes }) => sum + bytes, 0),
      arrived: () => options.arrived(undefined, undefined),
    });
  }

  row(row: number): Row | undefined {
    const place = this.#placeOf(row);
    return place === undefined ? undefined : this.#rows.get(place.block)?.[place.offset];
  }

  entry(row: number): Entry | undefined {
    if (!this.#has(row)) return undefined;
    const page = this.#entries.get(pageOf(row));
    if (page !== undefined && isShort(page, row)) this.#entries.retry(pageOf(row));
    return page?.entries[row % PAGE_ROWS];
  }

  trouble(row: number): Problem | undefined {
    const place = this.#placeOf(row);
    if (place === undefined) return undefined;
    return this.#entries.failure(pageOf(row)) ?? this.#rows.failure(place.block);
  }

  retry(row: number): void {
    const place = this.#placeOf(row);
    if (place === undefined) return;
    this.#rows.retry(place.block);
    this.#entries.retry(pageOf(row));
  }

  async loadRow(row: number): Promise<Row | undefined> {
    const place = this.#placeOf(row);
    return place === undefined ? undefined : (await this.#rows.load(place.block))[place.offset];
  }

  async loadEntry(row: number): Promise<Entry | undefined> {
    if (!this.#has(row)) return undefined;
    const page = await this.#entries.load(pageOf(row));
    if (!isShort(page, row)) return page.entries[row % PAGE_ROWS];
    return (await this.#entries.reload(pageOf(row))).entries[row % PAGE_ROWS];
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

  #has(row: number): boolean {
    return row >= 0 && row < this.#known.layout.rows;
  }

  #placeOf(row: number): { readonly block: number; readonly offset: number } | undefined {
    if (!this.#has(row)) return undefined;
    const { layout } = this.#known;
    const block = this.#known.blockOf(row);
    return { block, offset: row - (layout.blocks[block]?.first ?? 0) };
  }
}

/** Whether the row came after its page was read. */
function isShort({ entries, of }: Page, row: number): boolean {
  return row >= of && entries[row % PAGE_ROWS] === undefined;
}

function pageOf(row: number): number {
  return Math.floor(row / PAGE_ROWS);
}
