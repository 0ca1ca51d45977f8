// Two hosts, one tier: a worker in Rust flushes what a worker in Node hydrates, and the reverse, over a
// real Redis and a real S3 server.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { AwsClient } from "aws4fetch";
import { createClient } from "redis";
import { Session, Tier } from "../../npm/dist/entry/node.js";
import { RedisStore } from "../../npm/dist/redis.js";
import { S3Store } from "../../npm/dist/s3.js";
import { startRedis, startS3 } from "./servers.mjs";

const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL("../../target", import.meta.url));
const draft = (content) => ({ kind: "user_input", id: content, item: { role: "user", content } });

let s3;
let redis;
let client;
let tier;
before(async () => {
  s3 = await startS3();
  redis = await startRedis();
  client = await createClient({ url: redis.url }).connect();
  const { access_key: accessKeyId, secret_key: secretAccessKey, region } = s3;
  const aws = new AwsClient({ accessKeyId, secretAccessKey, region, service: "s3", retries: 0 });
  const cold = S3Store.fetching({
    url: `${s3.endpoint}/${s3.bucket}/cross`,
    fetch: (url, init) => aws.fetch(url, init),
    addressing: "path",
  });
  tier = await Tier.open(new RedisStore(client), cold);
});
after(async () => {
  client?.destroy();
  await s3?.stop();
  await redis?.stop();
});

/** What a worker in Rust says. */
function rust(...args) {
  const env = {
    ...process.env,
    AWS_ACCESS_KEY_ID: s3.access_key,
    AWS_SECRET_ACCESS_KEY: s3.secret_key,
    AWS_REGION: s3.region,
    AWS_ENDPOINT_URL: s3.endpoint,
    AWS_ALLOW_HTTP: "true",
  };
  const program = join(target, "debug/tier-worker");
  const call = spawnSync(program, [redis.url, `s3://${s3.bucket}/cross`, ...args], { env });
  assert.equal(call.status, 0, `${args.join(" ")}: ${call.error ?? call.stderr}`);
  return Number(call.stdout.toString());
}

test("a worker in Rust flushes, one in Node hydrates, and the reverse", async () => {
  const session = await Session.create(tier, { id: "thread" });
  const first = [draft("node 1"), { kind: "state", state: { turn: 1 } }];
  await session.append(first);
  await session.close();
  assert.equal(rust("flush", "thread"), 3);
  assert.equal(await client.dbSize().then((size) => size <= 2), true, "only the index is left in Redis");

  const hydrated = await tier.hydrate("thread");
  assert.deepEqual(await tier.slice("thread"), { turn: 1 });
  assert.equal((await hydrated.append(first, { once: true })).alreadyApplied, true);
  await hydrated.append([draft("node 2")]);
  await hydrated.close();
  assert.equal((await tier.flush("thread")).entries, 1);

  assert.equal(rust("append", "thread", "rust 3"), 4);
  assert.equal(rust("count", "thread"), 3);
  const again = await Session.open(tier, "thread");
  assert.deepEqual((await again.state()).history.map(({ item }) => item.content), ["node 1", "node 2", "rust 3"]);
  const fork = await again.fork({ id: "child" });
  await fork.append([draft("node 4")]);
  await fork.close();
  await again.close();
  assert.equal((await tier.flush("child")).entries, 1, "the fork's own manifest has the others");
  assert.equal(rust("count", "child"), 4);
  assert.equal(rust("flush", "thread"), 1);
});
