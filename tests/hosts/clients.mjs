// The clients that applications have, and the stores over them.

import { S3Client } from "@aws-sdk/client-s3";
import * as commands from "@aws-sdk/client-s3";
import { AwsClient } from "aws4fetch";
import { Redis } from "ioredis";
import { createClient } from "redis";

import { RedisStore } from "../../npm/dist/redis.js";
import { S3Store } from "../../npm/dist/s3.js";

let places = 0;

/** A name that no other test has. */
export function place() {
  places += 1;
  return `place-${process.pid}-${places}`;
}

/** Connects each client of Redis; `close` ends them all. */
export async function redisClients({ port, url }) {
  const node = createClient({ url });
  node.on("error", () => {});
  await node.connect();
  const io = new Redis({ port, host: "127.0.0.1" });
  io.on("error", () => {});
  const store = (client) => (options) => new RedisStore(client, { prefix: place(), ...options });
  return {
    stores: { "node-redis": store(node), ioredis: store(io) },
    node,
    io,
    close: () => {
      node.destroy();
      io.disconnect();
    },
  };
}

/** How each client of S3 makes a store of the server; `change` says what is to be otherwise. */
export const s3Stores = {
  aws4fetch: (server, change = {}) => {
    const { endpoint, bucket, access_key, secret_key, region, prefix, fetched = (response) => response } = { ...server, prefix: place(), ...change };
    const aws = new AwsClient({ accessKeyId: access_key, secretAccessKey: secret_key, region, service: "s3", retries: 0 });
    const fetch = async (url, init) => fetched(await aws.fetch(url, init), url, init);
    return S3Store.fetching({ url: `${endpoint}/${bucket}/${prefix}`, fetch });
  },
  "@aws-sdk/client-s3": (server, change = {}) => {
    const { endpoint, bucket, access_key, secret_key, region, prefix } = { ...server, prefix: place(), ...change };
    const credentials = { accessKeyId: access_key, secretAccessKey: secret_key };
    const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1 });
    return S3Store.withClient({ client, commands, bucket, prefix });
  },
};
