// A bucket over the AWS SDK, which the application brings.

import { type Bucket, type Found, type Got, type Page, Refusal, Strange, WRITER, type Write } from "./bucket.js";
import { checkLength, contentType } from "./http.js";

/** A client of the AWS SDK: `S3Client` of `@aws-sdk/client-s3`, version 3. */
export interface S3SdkClient {
  send(command: never): PromiseLike<unknown>;
}

/** What is needed of the module `@aws-sdk/client-s3`: hand it over as a whole. */
export interface S3SdkCommands {
  readonly GetObjectCommand: S3SdkCommand;
  readonly PutObjectCommand: S3SdkCommand;
  readonly HeadObjectCommand: S3SdkCommand;
  readonly DeleteObjectCommand: S3SdkCommand;
  readonly ListObjectsV2Command: S3SdkCommand;
}

/** A command of the SDK. */
export type S3SdkCommand = new (input: never) => unknown;

/** How to reach a bucket by the AWS SDK. */
export interface S3ClientOptions {
  /** The client. */
  readonly client: S3SdkClient;
  /** The module that its commands are of. */
  readonly commands: S3SdkCommands;
  /** The bucket. */
  readonly bucket: string;
  /** What the names of all objects start with, as a folder. By default nothing. */
  readonly prefix?: string | undefined;
}

/** What the SDK's answers have of which the store makes use. */
interface Output {
  readonly Body?: { transformToByteArray(): Promise<Uint8Array> };
  readonly ContentLength?: number;
  readonly ContentRange?: string;
  readonly ETag?: string;
  readonly LastModified?: Date;
  readonly Metadata?: Readonly<Record<string, string>>;
  readonly Contents?: readonly Listed[];
  readonly IsTruncated?: boolean;
}

interface Listed {
  readonly Key?: string;
  readonly Size?: number;
  readonly ETag?: string;
  readonly LastModified?: Date;
}

/** A bucket behind the SDK. */
export class SdkBucket implements Bucket {
  readonly #options: S3ClientOptions;

  constructor(options: S3ClientOptions) {
    this.#options = options;
  }

  async get(name: string, range?: { start: number; end: number }): Promise<Got> {
    const Range = range && `bytes=${range.start}-${range.end - 1}`;
    const output = await this.#send("GetObjectCommand", { Key: name, Range });
    const bytes = await output.Body?.transformToByteArray();
    if (bytes === undefined) throw new Strange("an object came without bytes");
    checkLength(bytes.length, output.ContentLength ?? bytes.length);
    const total = /\/(\d+)$/.exec(output.ContentRange ?? "")?.[1];
    const found = foundIn(output, total === undefined ? bytes.length : Number(total));
    if (range === undefined || total !== undefined) return { bytes, found };
    // The whole object, from a server that knows no ranges.
    return { bytes: bytes.subarray(range.start, range.end), found };
  }

  async head(name: string): Promise<Found> {
    const output = await this.#send("HeadObjectCommand", { Key: name });
    if (output.ContentLength === undefined) throw new Strange("an object's length is not told");
    return foundIn(output, output.ContentLength);
  }

  async put(name: string, bytes: Uint8Array, write: Write): Promise<string | undefined> {
    const output = await this.#send("PutObjectCommand", {
      Key: name,
      Body: bytes,
      ContentType: contentType(name),
      IfNoneMatch: write.ifNoneMatch,
      IfMatch: write.ifMatch,
      Metadata: write.writer === undefined ? undefined : { [WRITER]: write.writer },
    });
    return output.ETag;
  }

  async delete(name: string): Promise<void> {
    await this.#send("DeleteObjectCommand", { Key: name });
  }

  async list(prefix: string, after: string | undefined, count: number): Promise<Page> {
    const output = await this.#send("ListObjectsV2Command", {
      Prefix: prefix,
      StartAfter: after,
      MaxKeys: count,
    });
    const objects = (output.Contents ?? []).map((listed) => ({
      name: listed.Key ?? "",
      found: foundIn(listed, listed.Size ?? 0),
    }));
    return { objects, isTruncated: output.IsTruncated === true };
  }

  async #send(name: keyof S3SdkCommands, input: object): Promise<Output> {
    const { client, commands, bucket } = this.#options;
    const command = new commands[name]({ Bucket: bucket, ...input } as never);
    try {
      return (await client.send(command as never)) as Output;
    } catch (error) {
      throw refusalOf(error);
    }
  }
}

function foundIn({ ETag, LastModified, Metadata }: Output, bytes: number): Found {
  if (ETag === undefined) throw new Strange("an object's ETag is not told");
  return { bytes, etag: ETag, modifiedMs: LastModified?.getTime(), writer: Metadata?.[WRITER] };
}

/** What of the SDK's errors has a status is S3's answer. Anything else stays as it is. */
function refusalOf(error: unknown): unknown {
  const { name, message, $metadata } = error as Partial<SdkError>;
  const status = $metadata?.httpStatusCode;
  // An answer that could not be read: there is a status, but not one of refusal.
  if (status === undefined || status < 300) return error;
  // Answers to HEAD have no code: what the SDK says in its place is its own.
  const isOwn = name === undefined || /^(NotFound|Unknown|UnknownError|\d+)$/.test(name);
  return new Refusal(status, isOwn ? "" : name, message ?? "", { cause: error });
}

interface SdkError extends Error {
  readonly $metadata: { readonly httpStatusCode?: number };
}
