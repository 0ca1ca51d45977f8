// Bytes that lie somewhere, read by ranges.

import { decoded } from "../common/names";
import { problem } from "../common/problem";
import type { Problem } from "./api";

/** A file, wherever it is. */
export interface Source {
  readonly name: string;
  readonly size: number;
  /** Reading it takes the network. */
  readonly isRemote: boolean;
  /** The bytes from `start` on, up to and without `end` or the file's end. */
  read(start: number, end: number): Promise<Uint8Array>;
}

/** Nothing fetches all of a longer file unasked. */
export const REMOTE_BYTES_MAX = 32 << 20;

/** Counts what was read. */
export interface Meter {
  bytes: number;
}

/** A file that was dropped, or bytes. */
export function ofBlob(name: string, blob: Blob, meter: Meter): Source {
  return {
    name,
    size: blob.size,
    isRemote: false,
    async read(start, end) {
      const bytes = new Uint8Array(await blob.slice(start, end).arrayBuffer());
      meter.bytes += bytes.length;
      return bytes;
    },
  };
}

/** A file behind a URL whose server answers range requests. */
export async function ofUrl(url: string, meter: Meter): Promise<Source> {
  const name = decoded(new URL(url).pathname.split("/").pop() ?? "") || url;
  const first = await fetchRange(url, 0, 1);
  if (first.isEmpty) return { name, size: 0, isRemote: true, read: async () => new Uint8Array(0) };
  return {
    name,
    size: first.size,
    isRemote: true,
    async read(start, end) {
      const stop = Math.min(end, first.size);
      if (stop <= start) return new Uint8Array(0);
      const found = await fetchRange(url, start, stop);
      meter.bytes += found.bytes.length;
      if (found.size !== first.size || found.tag !== first.tag) {
        throw problem("conflict", `${url} changed while it was read: open it again`);
      }
      if (found.bytes.length !== stop - start) {
        throw problem("store_failed", `${url} answered with other bytes than it was asked for`);
      }
      return found.bytes;
    },
  };
}

interface Fetched {
  readonly bytes: Uint8Array;
  readonly size: number;
  readonly tag: string | null;
  readonly isEmpty: boolean;
}

async function fetchRange(url: string, start: number, end: number): Promise<Fetched> {
  let response: Response;
  const signal = AbortSignal.timeout(ANSWER_MS_MAX);
  try {
    response = await fetch(url, { headers: { range: `bytes=${start}-${end - 1}` }, cache: "no-store", signal });
  } catch (error) {
    throw unanswered(url, error, signal);
  }
  const tag = response.headers.get("etag");
  const range = CONTENT_RANGE.exec(response.headers.get("content-range") ?? "");
  if (response.status === 206 && range !== null && Number(range[1]) === start) {
    const body = response.arrayBuffer().catch((error: unknown) => Promise.reject(unanswered(url, error, signal)));
    const bytes = new Uint8Array(await body);
    return { bytes, size: Number(range[2]), tag, isEmpty: false };
  }
  await response.body?.cancel();
  if (response.status === 416) return { bytes: new Uint8Array(0), size: 0, tag, isEmpty: true };
  throw refused(url, response);
}

function unanswered(url: string, error: unknown, { aborted: isLate }: AbortSignal): Problem {
  const why = isLate ? `does not answer: ${ANSWER_MS_MAX / 1000} s went by` : `cannot be reached: ${String(error)}`;
  return problem("store_failed", `${url} ${why}`);
}

/** A server that takes longer for a piece of at most 1 MiB is not there. */
const ANSWER_MS_MAX = 60_000;
const CONTENT_RANGE = /^bytes (\d+)-\d+\/(\d+)$/;

function refused(url: string, { status }: Response): Problem {
  if (status === 404 || status === 410) return problem("not_found", `${url} answered ${status}`);
  if (status === 200 || status === 206) {
    const message =
      "does not answer range requests, or does not show its Content-Range: " +
      "download the file and drop it here";
    return problem("not_supported", `the server of ${url} ${message}`);
  }
  return problem("store_failed", `${url} answered ${status}`);
}
