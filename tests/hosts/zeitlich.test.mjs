// zeitlich's threads: its cold store's contract, its objects, and bringing over what it has in a bucket
// and in Redis. The bucket and the Redis are real servers.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { AwsClient } from "aws4fetch";
import * as commands from "@aws-sdk/client-s3";
import { createClient } from "redis";
import { Session, Tier } from "../../npm/dist/entry/node.js";
import { MemoryStore } from "../../npm/dist/memory.js";
import { S3Store } from "../../npm/dist/s3.js";
import {
  createColdThreadStore,
  migrateThreads,
  readThreadSnapshot,
  threadSession,
  threadsInBucket,
  threadsInRedis,
  writeThreadSnapshot,
} from "../../npm/dist/zeitlich.js";
import { startRedis, startS3 } from "./servers.mjs";

const FIXTURE = readFileSync(new URL("../fixtures/zeitlich_t-1.json.gz", import.meta.url));
const snapshot = (count, state = null) => {
  const ids = Array.from({ length: count }, (_, index) => `m${index}`);
  const message = (id) => JSON.stringify({ id, message: { role: "user", content: `${id} says 日本` } });
  return { v: 1, messages: ids.map(message), state, dedupIds: ids };
};

let s3;
let redis;
let aws;
before(async () => {
  s3 = await startS3();
  redis = await startRedis();
  const { access_key: accessKeyId, secret_key: secretAccessKey, region } = s3;
  aws = new AwsClient({ accessKeyId, secretAccessKey, region, service: "s3", retries: 0 });
});
after(async () => {
  await s3?.stop();
  await redis?.stop();
});

let folders = 0;
const url = (folder) => `${s3.endpoint}/${s3.bucket}/${folder}`;
const fetching = (folder) => ({ url: url(folder), fetch: (to, init) => aws.fetch(to, init), addressing: "path" });
async function tierInBucket() {
  const cold = S3Store.fetching(fetching(`tier-${(folders += 1)}`));
  return Tier.open(new MemoryStore(), cold);
}
const written = async () => {
  const requests = await s3.control("requests");
  return requests.filter(({ method }) => method === "PUT").reduce((sum, { bytes_in }) => sum + bytes_in, 0);
};

test("a missing thread reads as null", async () => {
  const store = createColdThreadStore(await tierInBucket());
  assert.equal(await store.read("messages", "missing"), null);
  await store.delete("messages", "missing");
});

test("what is written is what is read, also by another worker", async () => {
  const tier = await tierInBucket();
  const store = createColdThreadStore(tier);
  for (const state of [null, { tasks: [["t1", { id: "t1" }]], custom: { counter: 3 } }]) {
    const thread = snapshot(12, state);
    await store.write("messages", "t-1", thread);
    assert.deepEqual(await store.read("messages", "t-1"), thread);
    const other = Tier.openReading(new MemoryStore(), tier.cold);
    assert.deepEqual(await createColdThreadStore(other).read("messages", "t-1"), thread);
  }
});

test("a write stores only what changed", async () => {
  const store = createColdThreadStore(await tierInBucket());
  await store.write("messages", "long", snapshot(4000));
  const before = await written();
  await store.write("messages", "long", snapshot(4007));
  const changed = (await written()) - before;
  assert.ok(changed < 8000, `${changed} bytes for seven messages`);
  await store.write("messages", "long", snapshot(4007));
  assert.equal((await written()) - before, changed, "nothing changed");
  assert.deepEqual(await store.read("messages", "long"), snapshot(4007));
});

test("a rewound thread is written and read as it is", async () => {
  const store = createColdThreadStore(await tierInBucket());
  await store.write("messages", "t", snapshot(9));
  const rewound = snapshot(4);
  rewound.messages.push('{"id":"other"}');
  rewound.dedupIds.push("other");
  await store.write("messages", "t", rewound);
  assert.deepEqual(await store.read("messages", "t"), rewound);
});

test("a deleted thread does not come back", async () => {
  const store = createColdThreadStore(await tierInBucket());
  await store.write("messages", "t", snapshot(3));
  await store.delete("messages", "t");
  assert.equal(await store.read("messages", "t"), null);
  await store.write("messages", "t", snapshot(2));
  assert.deepEqual(await store.read("messages", "t"), snapshot(2));
});

test("threads of different keys and ids share nothing", async () => {
  const store = createColdThreadStore(await tierInBucket());
  const names = [["a", "b/c"], ["a/b", "c"], ["a", "/x"], ["a", "x"], ["a", "a/../b"], ["A", "x"]];
  for (const [index, [key, id]] of names.entries()) await store.write(key, id, snapshot(index + 1));
  for (const [index, [key, id]] of names.entries()) {
    assert.equal((await store.read(key, id)).messages.length, index + 1, `${key} ${id}`);
  }
});

test("two writers of one thread end with one of the two, whole", async () => {
  const cold = (await tierInBucket()).cold;
  const worker = async () => createColdThreadStore(await Tier.open(new MemoryStore(), cold));
  const [one, two] = await Promise.all([worker(), worker()]);
  await one.write("messages", "t", snapshot(3));
  const outcomes = await Promise.allSettled([
    one.write("messages", "t", snapshot(5)),
    two.write("messages", "t", snapshot(7)),
  ]);
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") assert.equal(outcome.reason.code, "conflict", String(outcome.reason));
  }
  const { messages } = await (await worker()).read("messages", "t");
  assert.ok([5, 7].includes(messages.length), `${messages.length}`);
});

test("objects of zeitlich's are read by their content, and written as zeitlich reads them", () => {
  const thread = readThreadSnapshot(FIXTURE);
  assert.deepEqual(thread, JSON.parse(gunzipSync(FIXTURE)));
  assert.deepEqual(readThreadSnapshot(gunzipSync(FIXTURE)), thread);
  assert.deepEqual(JSON.parse(gunzipSync(writeThreadSnapshot(thread))), thread);
  assert.deepEqual(JSON.parse(Buffer.from(writeThreadSnapshot(thread, { gzip: false }))), thread);
  for (const [object, code] of [
    [Buffer.from('{"v":2,"messages":[],"state":null,"dedupIds":[]}'), "unsupported_version"],
    [Buffer.from('{"messages":[]}'), "bad_entry"],
    [Buffer.from("hello"), "bad_json"],
    [FIXTURE.subarray(0, 100), "gzip_truncated"],
  ]) {
    assert.throws(() => readThreadSnapshot(object), { code });
  }
  const state = { tasks: [], custom: { seen: new Set([1]) } };
  assert.throws(() => writeThreadSnapshot({ ...thread, state }), { code: "bad_json" });
});

test("a bucket of zeitlich's is brought over, again without a change, and stays as it is", async () => {
  const put = async (name, body) => {
    const response = await aws.fetch(`${url("old")}/${name}`, { method: "PUT", body });
    assert.equal(response.status, 200, await response.text());
  };
  await put("messages/t-1.json.gz", FIXTURE);
  await put("messages/plain.json", JSON.stringify(snapshot(4)));
  await put("messages/misnamed.json", gzipSync(JSON.stringify(snapshot(2))));
  await put("other/t-1.json.gz", gzipSync(JSON.stringify(snapshot(5))));
  await put("messages/broken.json.gz", "not gzip");
  await put("messages/newer.json", '{"v":2}');
  const client = new commands.S3Client({
    region: s3.region,
    endpoint: s3.endpoint,
    forcePathStyle: true,
    credentials: { accessKeyId: s3.access_key, secretAccessKey: s3.secret_key },
  });
  const tier = await tierInBucket();
  const ways = [fetching("old"), { client, commands, bucket: s3.bucket, prefix: "old" }];
  for (const [round, way] of ways.entries()) {
    const told = new Map();
    for await (const moved of migrateThreads(tier, threadsInBucket(way))) {
      told.set(`${moved.threadKey}/${moved.threadId}`, moved.fault?.code ?? moved.entries);
    }
    const entries = (count) => (round === 0 ? count + 1 : 0);
    assert.deepEqual(Object.fromEntries([...told].sort()), {
      "messages/broken": "bad_json",
      "messages/misnamed": entries(2),
      "messages/newer": "unsupported_version",
      "messages/plain": entries(4),
      "messages/t-1": entries(3),
      "other/t-1": entries(5),
    });
  }
  const store = createColdThreadStore(tier);
  assert.deepEqual(await store.read("messages", "t-1"), readThreadSnapshot(FIXTURE));
  const session = await Session.open(tier, threadSession("messages", "t-1"));
  assert.equal((await session.verify()).head.seq, 3);
  await session.close();
  client.destroy();
});

test("what zeitlich has in Redis is brought over", async () => {
  const client = await createClient({ url: redis.url }).connect();
  const thread = snapshot(2500, { tasks: [], custom: { n: 1 } });
  const put = async (id, { messages, state }) => {
    await client.set(`messages:meta:thread:${id}`, "1");
    for (const message of messages) client.rPush(`messages:thread:${id}`, message);
    if (state !== null) await client.set(`messages:state:thread:${id}`, JSON.stringify(state));
  };
  await put("long", thread);
  await put("empty", snapshot(0));
  const langChain = { type: "tool", data: { tool_call_id: "call-1", content: "7" } };
  await put("langchain", { messages: [JSON.stringify(langChain)], state: null });
  await client.set("other:meta:thread:x", "1");
  const tier = await tierInBucket();
  const ids = [];
  for await (const { threadId, fault } of migrateThreads(tier, threadsInRedis(client))) {
    assert.equal(fault, undefined);
    ids.push(threadId);
  }
  assert.deepEqual(ids.sort(), ["empty", "langchain", "long"]);
  const store = createColdThreadStore(tier);
  assert.deepEqual(await store.read("messages", "long"), thread);
  assert.deepEqual((await store.read("messages", "langchain")).dedupIds, ["call-1"]);
  assert.deepEqual(await store.read("messages", "empty"), snapshot(0));
  client.destroy();
});
