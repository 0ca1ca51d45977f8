// zeitlich's cold store in a bucket, as `createS3ColdStore` writes it.

import { type Bucket, failed } from "../s3/bucket.js";
import { type S3FetchOptions, overHttp } from "../s3/http.js";
import { type S3ClientOptions, SdkBucket } from "../s3/sdk.js";
import type { Thread } from "../zeitlich.js";

/**
 * Where the bucket is, by a `fetch` that signs or by the AWS SDK; the prefix is zeitlich's (`"threads"`
 * unless it was told otherwise, to be given here too).
 */
export type BucketOptions = S3FetchOptions | S3ClientOptions;

/** Objects that are asked for at once. */
const PAGE = 1000;
const SUFFIX = /\.json(\.gz)?$/;

/**
 * The threads in a bucket of zeitlich's. The first part of a name after the prefix is the thread's key,
 * the rest its id. Of a thread in both forms, gzipped and not, the one written last counts.
 *
 * @example
 * ```ts
 * import * as commands from "@aws-sdk/client-s3";
 * import { threadsInBucket } from "turnkeep/zeitlich";
 *
 * const client = new commands.S3Client({ region: "eu-central-1" });
 * const threads = threadsInBucket({ client, commands, bucket: "my-threads", prefix: "threads" });
 * ```
 */
export async function* threadsInBucket(options: BucketOptions): AsyncGenerator<Thread, void, undefined> {
  const { bucket, prefix } = bucketOf(options);
  let after: string | undefined;
  let last: { name: string; modifiedMs: number } | undefined;
  for (;;) {
    const page = await list(bucket, prefix, after);
    for (const { name, found } of page.objects) {
      after = name;
      if (!SUFFIX.test(name)) continue;
      const modifiedMs = found.modifiedMs ?? 0;
      // `a.json` and `a.json.gz` are neighbours.
      if (last !== undefined && bare(last.name) === bare(name)) {
        if (modifiedMs >= last.modifiedMs) last = { name, modifiedMs };
        continue;
      }
      if (last !== undefined) yield* thread(bucket, prefix, last.name);
      last = { name, modifiedMs };
    }
    if (!page.isTruncated || page.objects.length === 0) break;
  }
  if (last !== undefined) yield* thread(bucket, prefix, last.name);
}

function bucketOf(options: BucketOptions): { bucket: Bucket; prefix: string } {
  if ("fetch" in options) return overHttp(options);
  const prefix = (options.prefix ?? "").replace(/^\/+|\/+$/g, "");
  return { bucket: new SdkBucket(options), prefix: prefix === "" ? "" : `${prefix}/` };
}

async function list(bucket: Bucket, prefix: string, after: string | undefined) {
  try {
    return await bucket.list(prefix, after, PAGE);
  } catch (error) {
    throw failed("list threads", undefined, error);
  }
}

const bare = (name: string) => name.replace(SUFFIX, "");

function* thread(bucket: Bucket, prefix: string, name: string): Generator<Thread, void, undefined> {
  const [threadKey, ...rest] = bare(name.slice(prefix.length)).split("/");
  if (threadKey === undefined || rest.length === 0) return;
  const snapshot = async () => {
    try {
      return (await bucket.get(name)).bytes;
    } catch (error) {
      throw failed(`read ${name}`, undefined, error);
    }
  };
  yield { threadKey, threadId: rest.join("/"), snapshot };
}
