// What the store needs of S3, whichever client carries it.

import { TurnkeepError } from "../errors.js";

/** An object as S3 tells of it. */
export interface Found {
  /** Its length. */
  readonly bytes: number;
  readonly etag: string;
  readonly modifiedMs?: number | undefined;
  /** Which call wrote it, where that was told. */
  readonly writer?: string | undefined;
}

/** What must hold for a write, and which call it is. */
export interface Write {
  readonly ifNoneMatch?: "*" | undefined;
  readonly ifMatch?: string | undefined;
  readonly writer?: string | undefined;
}

/** A page of a listing. */
export interface Page {
  readonly objects: readonly { readonly name: string; readonly found: Found }[];
  readonly isTruncated: boolean;
}

/** A bucket. What S3 refuses is thrown as {@link Refusal}; anything else thrown is the way there. */
export interface Bucket {
  get(name: string, range?: { start: number; end: number }): Promise<Got>;
  head(name: string): Promise<Found>;
  /** Gives the ETag, where it is told. */
  put(name: string, bytes: Uint8Array, write: Write): Promise<string | undefined>;
  delete(name: string): Promise<void>;
  list(prefix: string, after: string | undefined, count: number): Promise<Page>;
}

/** Bytes of an object, and what S3 tells of it. */
export interface Got {
  readonly bytes: Uint8Array;
  readonly found: Found;
}

/** The name of the metadata that says which call wrote an object. */
export const WRITER = "turnkeep-write";

/** Says no to a request. */
export class Refusal extends Error {
  readonly status: number;
  /** S3's word for it; "" where there is none, as in answers to HEAD. */
  readonly code: string;

  constructor(status: number, code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.code = code;
  }

  /** The object is missing. An answer that names no code may mean the bucket. */
  get isMissing(): boolean {
    return this.code === "NoSuchKey";
  }
}

const STATUSES_THAT_PASS = new Set([408, 425, 429, 500, 502, 503, 504]);
const CODES_THAT_PASS = new Set(["RequestTimeout", "SlowDown", "ConditionalRequestConflict"]);

/** What to do about what does not pass. */
const HINTS: Readonly<Record<string, string>> = {
  NoSuchBucket: "make the bucket, or name the one there is",
  AccessDenied: "allow s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket",
  SignatureDoesNotMatch: "give the right secret key, the region, and the service s3",
  InvalidAccessKeyId: "give an access key that the server knows",
  RequestTimeTooSkewed: "set the clock",
  ExpiredToken: "get new credentials",
  PermanentRedirect: "name the bucket's own region and endpoint",
  AuthorizationHeaderMalformed: "name the bucket's own region",
};

/** What went wrong, as the store's own failure. */
export function failed(what: string, key: string | undefined, error: unknown): TurnkeepError {
  const said = error instanceof Error ? error.message : String(error);
  if (!(error instanceof Refusal)) {
    const message = `S3: cannot ${what}: ${said}${causeOf(error)}`;
    return new TurnkeepError("store_failed", message, { key, retryable: true, cause: error });
  }
  const { status, code } = error;
  const retryable = STATUSES_THAT_PASS.has(status) || CODES_THAT_PASS.has(code);
  const message = `S3: cannot ${what}: ${status}${code === "" ? "" : ` ${code}`}: ${said}`;
  const hint = HINTS[code] ?? (status === 403 ? HINTS["AccessDenied"] : undefined);
  return new TurnkeepError("store_failed", message, { key, retryable, hint, cause: error });
}

/** What `fetch` failed of stands in its error's cause. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? `: ${cause.message}` : "";
}

/** An answer that S3 would not give. It stays what it is. */
export class Strange extends Refusal {
  constructor(message: string) {
    super(200, "", message);
  }
}
