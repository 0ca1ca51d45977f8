// Where a bundle lies: what callers name is a store to the core.

import { TurnkeepError, checkBytes } from "./errors.js";
import { wasm } from "./load.js";
import { type Bytes, piecesOf } from "./log.js";
import {
  type Awaitable,
  type ByteRange,
  type Capabilities,
  type Info,
  type Listing,
  type Store,
  type StoredObject,
  everything,
} from "./store.js";

/** Where to write a bundle: a file, where there are files; a stream, which is closed then; a store. */
export type BundleTarget = string | URL | WritableStream<Uint8Array> | Store;

/** Where to read a bundle from: a file, where there are files; bytes, at once or piece by piece; a store. */
export type BundleSource = string | URL | Bytes | Store;

let fileBundle: ((path: string | URL) => PromiseLike<Store>) | undefined;

/** Says how paths become stores. @internal */
export function providePaths(bundleOf: (path: string | URL) => PromiseLike<Store>): void {
  fileBundle = bundleOf;
}

/** The store that is meant. @internal */
export async function targetOf(target: BundleTarget): Promise<Store> {
  if (isPath(target)) return ofPath(target);
  if (target instanceof WritableStream) return new Sink(target);
  return checkStore(target);
}

/** The store that is meant, or the pieces that come as a stream. @internal */
export async function sourceOf(source: BundleSource): Promise<{ store: Store } | { pieces: Bytes }> {
  if (isPath(source)) return { store: await ofFile(source) };
  if (source instanceof Uint8Array) return { store: new InMemory(source) };
  const isIterable = (source as Partial<AsyncIterable<unknown>> | null)?.[Symbol.asyncIterator] !== undefined;
  if (source instanceof Blob || source instanceof ReadableStream || isIterable) {
    return { pieces: source as Bytes };
  }
  return { store: checkStore(source as Store) };
}

function isPath(place: unknown): place is string | URL {
  return typeof place === "string" || place instanceof URL;
}

async function ofPath(path: string | URL): Promise<Store> {
  if (fileBundle !== undefined) return fileBundle(path);
  throw new TurnkeepError("not_supported", "paths are for where there are files: give a stream, or a store");
}

/** The same of a path where a bundle must be: what is told of it is the path, and no key. */
async function ofFile(path: string | URL): Promise<Store> {
  const store = await ofPath(path);
  const name = String(path);
  try {
    await store.info(name);
  } catch (error) {
    if (!(error instanceof TurnkeepError && error.code === "not_found")) throw error;
    throw new TurnkeepError("not_found", `there is no file ${name}`, { key: name, hint: HINT });
  }
  return store;
}

const HINT = "Give a bundle: what snapshotTo, exportSession or `turnkeep bundle` wrote.";

/** Says of bytes that are nothing of the kind what they should have been. @internal */
export function explain(error: unknown): never {
  if (!(error instanceof TurnkeepError && error.code === "not_gzip")) throw error;
  throw new TurnkeepError(error.code, error.message, { ...error, cause: error.cause, hint: HINT });
}

function checkStore(place: Store): Store {
  const { stage, get } = (place ?? {}) as Partial<Store>;
  if (typeof stage === "function" && typeof get === "function") return place;
  throw new TurnkeepError("invalid_argument", "a bundle lies at a path, in a stream, or in a store");
}

/** Keeps what comes as a stream in a store, part by part; gives its key. @internal */
export async function spool(store: Store, source: Bytes, signal?: AbortSignal): Promise<string> {
  const { key, partBytes } = wasm().spooling(randomNumber()) as { key: string; partBytes: number };
  const stage = await store.stage(key);
  try {
    const part = new Uint8Array(partBytes);
    let [number, filled] = [1, 0];
    for await (let piece of read(source, signal)) {
      signal?.throwIfAborted();
      checkBytes(piece, "what a bundle is read from");
      while (piece.length > 0) {
        const now = piece.subarray(0, partBytes - filled);
        part.set(now, filled);
        filled += now.length;
        piece = piece.subarray(now.length);
        if (filled < partBytes) continue;
        await store.stagePart(stage, number, part);
        [number, filled] = [number + 1, 0];
      }
    }
    if (filled > 0 || number === 1) await store.stagePart(stage, number, part.subarray(0, filled));
    await store.commit(stage, "any");
    return key;
  } catch (error) {
    // What it failed for is what is told.
    await attempt(() => store.abort(stage));
    throw error;
  }
}

/** Does what need not succeed. @internal */
export async function attempt(work: () => Awaitable<void>): Promise<void> {
  try {
    await work();
  } catch {
    // Something else failed before, and that is told.
  }
}

async function* read(source: Bytes, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  // Whoever sends may never send again: the pipe alone ends at once.
  const isPiped = signal !== undefined && source instanceof ReadableStream;
  try {
    yield* piecesOf(isPiped ? source.pipeThrough(new TransformStream(), { signal }) : source);
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof TurnkeepError) throw cause;
    throw new TurnkeepError("store_failed", `the stream failed: ${String(cause)}`, { cause });
  }
}

/** A store that can do only what it must. */
class Only implements Store {
  readonly capabilities: Capabilities = everything("memory");
  readonly #why: string;

  constructor(why: string) {
    this.#why = why;
  }

  get(_key: string, _range?: ByteRange): Awaitable<StoredObject> {
    return this.#cannot();
  }
  put(): Awaitable<Info> {
    return this.#cannot();
  }
  append(): Awaitable<Info> {
    return this.#cannot();
  }
  delete(): Awaitable<void> {
    return this.#cannot();
  }
  list(): Awaitable<Listing> {
    return this.#cannot();
  }
  info(): Awaitable<Info> {
    return this.#cannot();
  }
  stage(): Awaitable<string> {
    return this.#cannot();
  }
  stagePart(_stage: string, _number: number, _bytes: Uint8Array): Awaitable<void> {
    return this.#cannot();
  }
  getStaged(): Awaitable<StoredObject> {
    return this.#cannot();
  }
  commit(): Awaitable<Info> {
    return this.#cannot();
  }
  abort(): Awaitable<void> {
    return this.#cannot();
  }

  #cannot(): never {
    throw new TurnkeepError("not_supported", this.#why);
  }
}

/** Takes the parts of one staged object in their order. */
class Sink extends Only {
  readonly #stream: WritableStream<Uint8Array>;
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #isWritten = false;

  constructor(stream: WritableStream<Uint8Array>) {
    super("a stream is only written");
    this.#stream = stream;
  }

  override stage(): string {
    if (this.#isWritten) {
      const message = "a session changed while the stream was written, which cannot begin anew";
      throw new TurnkeepError("conflict", message);
    }
    this.#writer ??= this.#stream.getWriter();
    return "stream";
  }

  override async stagePart(_stage: string, _number: number, bytes: Uint8Array): Promise<void> {
    this.#isWritten = true;
    await this.#writer?.ready;
    // Whoever reads the stream may keep it; here the next part takes its place.
    await this.#writer?.write(bytes.slice());
  }

  override async commit(): Promise<Info> {
    await this.#writer?.close();
    return { bytes: 0, version: "" };
  }

  override abort(): void {}

  /** Ends the stream too: what it got is no bundle. */
  async fail(reason: unknown): Promise<void> {
    await attempt(async () => (this.#writer ?? this.#stream).abort(reason));
  }
}

/** Lets whoever reads a stream know where its writing fails. @internal */
export async function writing<T>(place: Store, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (place instanceof Sink) await place.fail(error);
    throw error;
  }
}

/** Lets whoever writes a stream know where its reading fails. @internal */
export async function reading<T>(source: Bytes, restore: () => Promise<T>): Promise<T> {
  try {
    return await restore();
  } catch (error) {
    const end = source as { cancel?(reason: unknown): unknown; return?(): unknown };
    // Nobody waits for that: it may be what did not answer.
    void attempt(async () => void (await (end.cancel === undefined ? end.return?.() : end.cancel(error))));
    throw error;
  }
}

/** Bytes that are there. */
class InMemory extends Only {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    super("these bytes are only read");
    this.#bytes = bytes;
  }

  override get(_: string, range?: ByteRange): StoredObject {
    return { bytes: this.#bytes.subarray(range?.start, range?.end), info: this.info() };
  }

  override info(): Info {
    return { bytes: this.#bytes.length, version: "" };
  }
}

/** A whole number up to 2^53, which nobody else has. @internal */
export function randomNumber(): number {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return (high & 0x1fffff) * 2 ** 32 + low;
}
