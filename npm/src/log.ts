// What needs no store: logs and archives as bytes.

import { type TurnkeepError, checkBytes, checkMembers, checkText, checked, fromWasm } from "./errors.js";
import { wasm } from "./load.js";
import { type State, parseState } from "./state.js";
import type { Head, Torn } from "./store.js";

/** What a verification found. */
export interface Report {
  /** Whether everything holds and nothing is torn. */
  readonly isWhole: boolean;
  /** The last entry up to which everything holds; `undefined` where not even one entry does. */
  readonly head: Head | undefined;
  /** Whose log it is. */
  readonly session: string | undefined;
  /** Entries whose content was withheld. */
  readonly withheld: number;
  /** An unfinished write after the head. Not damage. */
  readonly torn: Torn | undefined;
  /** The first thing that does not hold, with its place. */
  readonly fault: TurnkeepError | undefined;
  /**
   * In a deep verification: the first entry, up to the head, whose content is not as it should be.
   * The chain holds there all the same.
   */
  readonly entryFault: TurnkeepError | undefined;
}

/** What to verify of a file, and to expect of it. */
export interface VerifyFileOptions {
  /** Whose log it must be. */
  readonly session?: string | undefined;
  /** An entry that must be there, such as a head that was kept elsewhere. */
  readonly expected?: { readonly seq: number; readonly hash: string } | undefined;
  /** Whether every entry's content is checked too, as a fold would. */
  readonly deep?: boolean | undefined;
  /** Ends the call before the next piece, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Bytes: at once, or piece by piece. */
export type Bytes = Uint8Array | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Verifies a session's file from its bytes, in bounded memory: a log, an archive, or any gzip file
 * of a log's lines; its first byte tells which.
 *
 * @example
 * ```ts
 * const report = await verify((await fetch("/run-7.jsonl.gz")).body!, { deep: true });
 * console.log(report.isWhole, report.head?.seq, report.fault?.code);
 * ```
 */
export async function verify(source: Bytes, options: VerifyFileOptions = {}): Promise<Report> {
  checkMembers(options, { session: true, expected: true, deep: true, signal: true });
  const { session, expected, deep = false, signal } = options;
  if (session !== undefined) checkText(session, "an id", "invalid_id");
  if (expected !== undefined) checkText(expected.hash, "a hash");
  const make = () => new (wasm().Verifier)(session, expected?.seq, expected?.hash, deep);
  const verifier = checked(make);
  try {
    for await (const piece of piecesOf(source)) {
      signal?.throwIfAborted();
      checkBytes(piece, "what is verified");
      verifier.push(piece);
    }
  } catch (error) {
    verifier.free();
    throw error;
  }
  return reportOf(verifier.finish() as Report);
}

/** A report with errors as the package throws them. @internal */
export function reportOf(report: Report): Report {
  const error = (fault: TurnkeepError | undefined) =>
    fault === undefined ? undefined : (fromWasm(fault) as TurnkeepError);
  return { ...report, fault: error(report.fault), entryFault: error(report.entryFault) };
}

/** Piece by piece. @internal */
export function piecesOf(source: Bytes): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  if (source instanceof Uint8Array) return slices(source);
  const stream = source instanceof Blob ? source.stream() : source;
  return Symbol.asyncIterator in stream ? stream : chunks(stream);
}

/** Pieces of bytes in memory, so that the wasm's memory does not grow to hold them all. */
function* slices(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    yield bytes.subarray(start, start + PIECE_BYTES);
  }
}

const PIECE_BYTES = 256 << 10;

/** For browsers whose streams cannot be iterated over. */
async function* chunks(stream: ReadableStream<Uint8Array>): AsyncIterable<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}

/**
 * Verifies and folds a log that lies whole in memory, up to its head. A torn tail is left out.
 *
 * @example
 * ```ts
 * const { history } = fold(await readFile("run-7.jsonl"));
 * ```
 */
export function fold(log: Uint8Array): State {
  checkBytes(log, "a log");
  return parseState(checked(() => wasm().fold(log)));
}

/**
 * The archive of a log that lies whole in memory, after verifying it. A torn tail is left out.
 *
 * @example
 * ```ts
 * const archive = archiveLog(await readFile("run-7.jsonl"));
 * ```
 */
export function archiveLog(log: Uint8Array): Uint8Array {
  checkBytes(log, "a log");
  return checked(() => wasm().archive_bytes(log));
}

/**
 * The log in an archive that lies whole in memory, verified.
 *
 * @example
 * ```ts
 * const log = unarchiveLog(await readFile("run-7.jsonl.gz"));
 * ```
 */
export function unarchiveLog(archive: Uint8Array): Uint8Array {
  checkBytes(archive, "an archive");
  return checked(() => wasm().unarchive_bytes(archive));
}
