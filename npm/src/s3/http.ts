// A bucket over HTTP. Somebody else signs.

import { TurnkeepError } from "../errors.js";
import { type Bucket, type Found, type Got, type Page, Refusal, Strange, WRITER, type Write } from "./bucket.js";
import { type Element, childText, parseXml } from "./xml.js";

/** How to reach a bucket by a `fetch` that signs. */
export interface S3FetchOptions {
  /**
   * The bucket, and what the names of all objects start with: `https://bucket.s3.REGION.amazonaws.com/prefix`,
   * or `https://s3.example.com/bucket/prefix`.
   */
  readonly url: string | URL;
  /**
   * Whether the bucket is the first part of the host or of the path. By default of the host where
   * `.s3.` or `.s3-` follows it there, of the path everywhere else.
   */
  readonly addressing?: "host" | "path" | undefined;
  /** Signs a request and sends it, once: what failed is tried again by whoever knows what it was. */
  fetch(url: string, init: RequestInit): PromiseLike<Response>;
}

/** A bucket behind a `fetch`; its names start with `prefix`. */
export function overHttp(options: S3FetchOptions): { bucket: Bucket; prefix: string } {
  const url = new URL(options.url);
  if (url.search !== "" || url.hash !== "" || !/^https?:$/.test(url.protocol)) {
    throw new TurnkeepError("invalid_argument", "the URL must be one of a bucket");
  }
  const parts = url.pathname.split("/").filter((part) => part !== "");
  const isInHost = (options.addressing ?? (/^[^.].*\.s3[.-]/.test(url.hostname) ? "host" : "path")) === "host";
  const bucket = isInHost ? "" : parts.shift();
  if (bucket === undefined) {
    throw new TurnkeepError("invalid_argument", "the URL names no bucket");
  }
  const root = `${url.origin}/${bucket}`.replace(/\/$/, "");
  const prefix = parts.map((part) => `${decodeURIComponent(part)}/`).join("");
  return { bucket: new HttpBucket(root, (url, init) => options.fetch(url, init)), prefix };
}

type Fetch = (url: string, init: RequestInit) => PromiseLike<Response>;

class HttpBucket implements Bucket {
  readonly #root: string;
  readonly #fetch: Fetch;

  constructor(root: string, fetch: Fetch) {
    this.#root = root;
    this.#fetch = fetch;
  }

  async get(name: string, range?: { start: number; end: number }): Promise<Got> {
    // Asked for a range, `fetch` asks for the bytes as they are: nobody compresses them on the way.
    const { start, end } = range ?? { start: 0, end: undefined };
    const headers = { range: `bytes=${start}-${end === undefined ? "" : end - 1}` };
    const response = await this.#send(name, { method: "GET", headers });
    const encoding = response.headers.get("content-encoding");
    if (encoding !== null && !/^(identity|aws-chunked)?$/.test(encoding)) {
      throw new Strange(`the object came with the content encoding ${encoding}`);
    }
    const isPart = response.status === 206;
    const told = foundIn(response.headers, Number.POSITIVE_INFINITY);
    const whole = (isPart ? totalOf(response.headers) : undefined) ?? told.bytes;
    // Of the whole object, where a server knows no ranges.
    const expected = (total: number) => (isPart ? Math.min(end ?? total, total) - start : total);
    const bytes = await bytesOf(response, expected(whole));
    const total = whole === Number.POSITIVE_INFINITY ? bytes.length : whole;
    checkLength(bytes.length, expected(total));
    return { bytes: isPart ? bytes : bytes.subarray(start, end), found: { ...told, bytes: total } };
  }

  async head(name: string): Promise<Found> {
    const { headers } = await this.#send(name, { method: "HEAD" });
    const found = foundIn(headers, -1);
    if (found.bytes < 0) throw new Strange("an object's length is not told");
    return found;
  }

  async put(name: string, bytes: Uint8Array, write: Write): Promise<string | undefined> {
    const headers: Record<string, string> = { "content-type": contentType(name) };
    if (write.ifNoneMatch !== undefined) headers["if-none-match"] = write.ifNoneMatch;
    if (write.ifMatch !== undefined) headers["if-match"] = write.ifMatch;
    if (write.writer !== undefined) headers[`x-amz-meta-${WRITER}`] = write.writer;
    const body = bytes as Uint8Array<ArrayBuffer>;
    const response = await this.#send(name, { method: "PUT", headers, body });
    await response.arrayBuffer();
    return response.headers.get("etag") ?? undefined;
  }

  async delete(name: string): Promise<void> {
    const response = await this.#send(name, { method: "DELETE" });
    await response.arrayBuffer();
  }

  async list(prefix: string, after: string | undefined, count: number): Promise<Page> {
    const query = new Map([
      ["encoding-type", "url"],
      ["list-type", "2"],
      ["max-keys", String(count)],
      ["prefix", prefix],
    ]);
    if (after !== undefined) query.set("start-after", after);
    const search = [...query].map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    const response = await this.#request(`${this.#root}?${search.join("&")}`, { method: "GET" });
    return pageOf(await response.text());
  }

  #send(name: string, init: RequestInit): Promise<Response> {
    const path = name.split("/").map(encodeURIComponent).join("/");
    return this.#request(`${this.#root}/${path}`, init);
  }

  async #request(url: string, init: RequestInit): Promise<Response> {
    const response = await this.#fetch(url, init);
    if (response.ok) return response;
    throw refusalOf(response.status, init.method === "HEAD" ? "" : await response.text());
  }
}

/** What a session's files are, so that nobody takes them for something to unpack on the way. */
export function contentType(name: string): string {
  if (name.endsWith(".gz")) return "application/gzip";
  if (name.endsWith(".jsonl")) return "application/x-ndjson";
  return name.endsWith(".json") ? "application/json" : "application/octet-stream";
}

/** An answer's bytes. Memory is taken for no more than were asked for, or are announced. */
async function bytesOf(response: Response, most: number): Promise<Uint8Array> {
  let left = most;
  const bounded = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(piece, rest) {
      left -= piece.length;
      if (left < 0) throw new Strange(`the body is longer than ${most} bytes`);
      rest.enqueue(piece);
    },
  });
  // Some platforms have answers, but not as streams.
  const body = response.body ? new Response(response.body.pipeThrough(bounded)) : response;
  return new Uint8Array(await body.arrayBuffer());
}

/** Bytes that end early are no answer. */
export function checkLength(found: number, expected: number): void {
  if (found === expected) return;
  throw new Error(`the body ended after ${found} of ${expected} bytes`);
}

function foundIn(headers: Headers, length: number): Found {
  const told = headers.get("content-length");
  const etag = headers.get("etag");
  if (etag === null) throw new Strange("an object's ETag is not told: CORS must expose it");
  const modifiedMs = Date.parse(headers.get("last-modified") ?? "");
  return {
    bytes: told === null ? length : Number(told),
    etag,
    modifiedMs: Number.isNaN(modifiedMs) ? undefined : modifiedMs,
    writer: headers.get(`x-amz-meta-${WRITER}`) ?? undefined,
  };
}

function totalOf(headers: Headers): number | undefined {
  const total = /^bytes \d+-\d+\/(\d+)$/.exec(headers.get("content-range") ?? "")?.[1];
  return total === undefined ? undefined : Number(total);
}

/** What an answer's body says of what is wrong, where it is what S3 sends. */
function refusalOf(status: number, body: string): Refusal {
  let error: Element | undefined;
  try {
    error = parseXml(body);
  } catch {
    // Somebody else's words: a proxy's, or nobody's.
  }
  const code = error === undefined ? "" : (childText(error, "Code") ?? "");
  const message = error === undefined ? undefined : childText(error, "Message");
  return new Refusal(status, code, message || "no reason was given");
}

function pageOf(document: string): Page {
  const root = parsed(document);
  if (root.name !== "ListBucketResult") throw new Strange(`${root.name} is no listing`);
  const isEncoded = childText(root, "EncodingType") === "url";
  const contents = root.children.filter((child) => child.name === "Contents");
  return {
    objects: contents.map((element) => listed(element, isEncoded)),
    isTruncated: childText(root, "IsTruncated") === "true",
  };
}

function parsed(document: string): Element {
  try {
    return parseXml(document);
  } catch (error) {
    throw new Strange(`the listing is ${error instanceof Error ? error.message : String(error)}`);
  }
}

function listed(element: Element, isEncoded: boolean): { name: string; found: Found } {
  const [key, size, etag] = ["Key", "Size", "ETag"].map((name) => childText(element, name));
  if (key === undefined || size === undefined || !/^\d+$/.test(size) || etag === undefined) {
    throw new Strange("the listing has an object without a key, a size or an ETag");
  }
  const modifiedMs = Date.parse(childText(element, "LastModified") ?? "");
  const found = { bytes: Number(size), etag, modifiedMs: Number.isNaN(modifiedMs) ? undefined : modifiedMs };
  // Some encode a blank as a plus, and a plus as %2B.
  const name = isEncoded ? decodeURIComponent(key.replaceAll("+", " ")) : key;
  return { name, found };
}
