// An archive that lies anywhere: read by ranges, without a store.

import { drive } from "./drive.js";
import type { Entry } from "./entry.js";
import { TurnkeepError, checkBytes } from "./errors.js";
import { open } from "./opened.js";
import type { CallOptions } from "./options.js";
import { type Page, type RawPage, type ReadRange, eachEntry, pageOf, readTask } from "./read.js";
import {
  type Awaitable,
  type ByteRange,
  type Capabilities,
  type Head,
  type Info,
  type Store,
  type StoredObject,
  everything,
} from "./store.js";

/** Bytes that can be read in any place. */
export interface RangeSource {
  /** How many there are. */
  readonly size: number;
  /** The bytes from `start` on, up to and without `end`. */
  read(start: number, end: number): Awaitable<Uint8Array>;
}

/** Where an archive lies. A URL is read with HTTP's range requests. */
export type ArchiveSource = Uint8Array | Blob | URL | RangeSource;

/**
 * Opens an archive to read from it. Only what is needed is fetched: the index, and the blocks that
 * hold the wanted entries; those are verified.
 *
 * @example
 * ```ts
 * const archive = await openArchive(new URL("https://example.com/run-7.jsonl.gz"));
 * for await (const entry of archive.entries({ last: 50 })) console.log(entry.kind, entry.item);
 * console.log(archive.bytesFetched);
 * ```
 */
export async function openArchive(
  source: ArchiveSource,
  options: CallOptions = {},
): Promise<Archive> {
  const store = new SourceStore(rangesOf(source));
  const { head, handle } = await open(store, ID, options.signal);
  handle.free();
  return new Archive(store, head);
}

/** An archive that was opened with {@link openArchive}. */
export class Archive {
  /** The last entry. */
  readonly head: Head;
  readonly #store: SourceStore;

  /** @internal */
  constructor(store: SourceStore, head: Head) {
    this.#store = store;
    this.head = head;
  }

  /** How many bytes were fetched so far. */
  get bytesFetched(): number {
    return this.#store.bytesFetched;
  }

  /**
   * Reads a page of entries.
   *
   * @example
   * ```ts
   * const page = await archive.read({ last: 50 });
   * ```
   */
  async read(range: ReadRange & CallOptions = {}): Promise<Page> {
    return pageOf(await drive<RawPage>(readTask(ID, range), this.#store, range.signal));
  }

  /**
   * Reads entries one by one, page after page.
   *
   * @example
   * ```ts
   * for await (const entry of archive.entries({ from: 100, to: 199 })) console.log(entry.kind);
   * ```
   */
  entries(range: ReadRange & CallOptions = {}): AsyncGenerator<Entry, void, undefined> {
    return eachEntry(range, (page) => this.read(page));
  }
}

// The archive is taken for the one object of a store. Nobody sees the id; whose log it is, the log
// says.
const ID = "archive";
const ARCHIVE_SUFFIX = ".jsonl.gz";

/** A stretch that was read, and how long the whole is. */
interface Stretch {
  readonly bytes: Uint8Array;
  readonly size: number;
}

type Ranges = (start: number, end: number) => Promise<Stretch>;

function rangesOf(source: ArchiveSource): Ranges {
  if (source instanceof Uint8Array) {
    return async (start, end) => ({ bytes: source.subarray(start, end), size: source.length });
  }
  if (source instanceof URL) return fetched(source);
  if (source instanceof Blob) {
    return async (start, end) => ({
      bytes: new Uint8Array(await source.slice(start, end).arrayBuffer()),
      size: source.size,
    });
  }
  return async (start, end) => {
    const { size } = source;
    const bytes = await source.read(start, Math.min(end, size));
    checkBytes(bytes, "what a source reads");
    return { bytes, size };
  };
}

/** Ranges of a URL. Every answer must be of the same file as the first. */
function fetched(url: URL): Ranges {
  let first: { size: number; tag: string | null } | undefined;
  return async (start, end) => {
    if (end <= start) return { bytes: new Uint8Array(0), size: first?.size ?? 0 };
    const response = await fetch(url, { headers: { range: `bytes=${start}-${end - 1}` } });
    const found = CONTENT_RANGE.exec(response.headers.get("content-range") ?? "");
    if (response.status !== 206 || found === null || Number(found[1]) !== start) {
      await response.body?.cancel();
      throw refused(url, response, found !== null);
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    const [size, tag] = [Number(found[3]), response.headers.get("etag")];
    first ??= { size, tag };
    if (size !== first.size || tag !== first.tag) {
      throw new TurnkeepError("conflict", `${url} changed while it was read`);
    }
    if (bytes.length !== Number(found[2]) - start + 1) {
      const message = `${url} came in another encoding, in which ranges mean something else`;
      throw new TurnkeepError("not_supported", message);
    }
    return { bytes, size };
  };
}

const CONTENT_RANGE = /^bytes (\d+)-(\d+)\/(\d+)$/;

function refused(url: URL, response: Response, isRange: boolean): TurnkeepError {
  const { status } = response;
  if (status === 404 || status === 410) {
    return new TurnkeepError("not_found", `${url} answered ${status}`);
  }
  if (status === 200 || (status === 206 && !isRange)) {
    const message =
      status === 200
        ? `${url} ignores range requests: fetch it whole and open its bytes`
        : `${url} does not show its Content-Range header (across origins it must be exposed)`;
    return new TurnkeepError("not_supported", message);
  }
  const retryable = status === 429 || status >= 500;
  return new TurnkeepError("store_failed", `${url} answered ${status}`, { retryable });
}

/** A store that holds one archive, and keeps its start, which every page needs. */
class SourceStore implements Store {
  readonly capabilities: Capabilities = { ...everything("memory"), append: false, staging: false };
  bytesFetched = 0;
  readonly #ranges: Ranges;
  #start: Stretch | undefined;

  constructor(ranges: Ranges) {
    this.#ranges = ranges;
  }

  async get(key: string, range: ByteRange): Promise<StoredObject> {
    if (!key.endsWith(ARCHIVE_SUFFIX)) throw missing();
    const { start, end } = range;
    const kept = this.#start;
    if (kept !== undefined && Math.min(end, kept.size) <= kept.bytes.length) {
      return { bytes: kept.bytes.subarray(start, end), info: infoOf(kept) };
    }
    const stretch = await this.#ranges(start, end);
    this.bytesFetched += stretch.bytes.length;
    if (start === 0) this.#start ??= stretch;
    return { bytes: stretch.bytes, info: infoOf(stretch) };
  }

  async info(key: string): Promise<Info> {
    if (!key.endsWith(ARCHIVE_SUFFIX)) throw missing();
    return infoOf(this.#start ?? (await this.#ranges(0, 1)));
  }

  put: Store["put"] = refuse;
  append: Store["append"] = refuse;
  delete: Store["delete"] = refuse;
  list: Store["list"] = refuse;
  stage: Store["stage"] = refuse;
  stagePart: Store["stagePart"] = refuse;
  getStaged: Store["getStaged"] = refuse;
  commit: Store["commit"] = refuse;
  abort: Store["abort"] = refuse;
}

function infoOf({ size }: Stretch): Info {
  return { bytes: size, version: String(size) };
}

function missing(): TurnkeepError {
  return new TurnkeepError("not_found", "there is no such object");
}

function refuse(): never {
  throw new TurnkeepError("not_supported", "an archive is only read");
}
