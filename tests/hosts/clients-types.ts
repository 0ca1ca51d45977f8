// The examples of the stores, with the clients' own types: compiled by a test, never run.

import { S3Client } from "@aws-sdk/client-s3";
import * as commands from "@aws-sdk/client-s3";
import { AwsClient } from "aws4fetch";
import { Cluster, Redis } from "ioredis";
import { createClient, createClientPool, createCluster, createSentinel } from "redis";

import { RedisStore } from "../../npm/dist/redis.js";
import { S3Store } from "../../npm/dist/s3.js";

export async function redis(): Promise<RedisStore[]> {
  const client = createClient({ url: "redis://localhost:6379" });
  client.on("error", console.error);
  await client.connect();
  return [
    new RedisStore(client),
    new RedisStore(createClientPool()),
    new RedisStore(createCluster({ rootNodes: [] })),
    new RedisStore(createSentinel({ name: "main", sentinelRootNodes: [] })),
    new RedisStore(new Redis(), { prefix: "agents", ttlSeconds: 7 * 24 * 3600 }),
    new RedisStore(new Cluster([])),
  ];
}

export function s3(): S3Store[] {
  const aws = new AwsClient({ accessKeyId: "…", secretAccessKey: "…", service: "s3", retries: 0 });
  const client = new S3Client({ region: "eu-central-1", maxAttempts: 1 });
  return [
    S3Store.fetching({
      url: "https://bucket.s3.eu-central-1.amazonaws.com/sessions",
      fetch: (url, init) => aws.fetch(url, { ...init, signal: AbortSignal.timeout(30_000) }),
    }),
    S3Store.withClient({ client, commands, bucket: "bucket", prefix: "sessions" }),
  ];
}
