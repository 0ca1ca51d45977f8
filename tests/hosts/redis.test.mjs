// What only Redis does: time to live, slots, eviction, scripts that are gone, connections that end.

import { strict as assert } from "node:assert";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { connect, createServer } from "node:net";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import calculateSlot from "cluster-key-slot";
import { Cluster, Redis } from "ioredis";
import { createClient, createCluster } from "redis";

import { Session, TurnkeepError, sessions } from "../../npm/dist/entry/node.js";
import { RedisStore } from "../../npm/dist/redis.js";
import { TEXTS } from "../../npm/dist/redis/scripts.js";
import { place, redisClients } from "./clients.mjs";
import { freePort, startRedis } from "./servers.mjs";

const server = await startRedis();
const clients = await redisClients(server);
const { node, io, stores } = clients;
after(async () => {
  clients.close();
  await server.stop();
});

const bytes = (text) => new TextEncoder().encode(text);
const text = (bytes) => new TextDecoder().decode(bytes);
const item = (content) => ({ kind: "user_input", item: { role: "user", content } });
const failed = (retryable, pattern) => (error) =>
  error instanceof TurnkeepError && error.code === "store_failed" && error.retryable === retryable && pattern.test(error.message);

test("the scripts are those of all hosts", () => {
  const folder = new URL("../../bindings-native/src/redis/scripts/", import.meta.url);
  assert.ok(existsSync(folder));
  const files = readdirSync(folder).filter((name) => name.endsWith(".lua")).sort();
  assert.deepEqual(Object.keys(TEXTS).map((name) => `${name}.lua`).sort(), files);
  for (const [name, script] of Object.entries(TEXTS)) {
    assert.equal(script, readFileSync(new URL(`${name}.lua`, folder), "utf8"), name);
  }
});

for (const [name, make] of Object.entries(stores)) {
  test(`${name}: a session is recorded, read, archived, continued and verified`, async () => {
    const store = make();
    const session = await Session.create(store, { id: "Über/1" });
    for (let turn = 0; turn < 20; turn += 1) await session.append([item(`one ${turn}`), item(`two ${turn}`)]);
    assert.equal((await session.state()).history.length, 40);
    assert.ok((await session.verify({ deep: true })).isWhole);
    await session.archive();
    await session.append(item("after"));
    const last = [];
    for await (const entry of session.entries({ last: 2 })) last.push(entry.item.content);
    assert.deepEqual(last, ["two 19", "after"]);
    assert.ok((await session.verify({ deep: true })).isWhole);
    await session.close();
    const ids = [];
    for await (const { id } of sessions(store)) ids.push(id);
    assert.deepEqual(ids, ["Über/1"]);
  });

  test(`${name}: of two writers the slower hears of a conflict`, async () => {
    const store = make();
    const one = await Session.create(store, { id: "s" });
    const other = await Session.open(store, "s");
    await one.append(item("one"));
    await assert.rejects(other.append(item("other")), { code: "conflict" });
    assert.ok((await one.verify()).isWhole);
  });
}

test("a session's keys share a slot of a cluster and expire together, later with each write", async () => {
  const prefix = place();
  const store = new RedisStore(node, { prefix, ttlSeconds: 100 });
  const names = ["jsonl", "jsonl.gz", "recovery.json", "about.json", "trace.jsonl", "retention.json"];
  for (const name of names) await store.put(`s.${name}`, bytes("1"), "any");
  const keys = (await node.keys(`${prefix}{s}*`)).sort();
  assert.equal(keys.length, 12);
  assert.equal(new Set(keys.map(calculateSlot)).size, 1);
  for (const key of keys) await node.expire(key, 5);
  await store.append("s.jsonl", bytes("2"), 1, 0, "os");
  const times = new Set(await Promise.all(keys.map((key) => node.expireTime(key))));
  assert.equal(times.size, 1);
  assert.ok((await node.ttl(keys[0])) > 95);
  assert.deepEqual(await node.keys(`${prefix}*seen`), [`${prefix}{#index}:seen`]);
});

test("an append costs what is appended, however long the object is", async () => {
  const store = stores.ioredis();
  await store.put("a", new Uint8Array(64 << 20), "any");
  const started = performance.now();
  for (let turn = 0; turn < 50; turn += 1) await store.append("a", bytes("x"), (64 << 20) + turn, 0, "os");
  // Copying 64 MiB fifty times takes more than a second.
  assert.ok(performance.now() - started < 1000);
});

test("both clients see each other's objects", async () => {
  const prefix = place();
  const [one, other] = [new RedisStore(node, { prefix }), new RedisStore(io, { prefix })];
  const { version } = await one.put("a", bytes("one"), "absent");
  assert.equal((await other.info("a")).version, version);
  await other.append("a", bytes(" two"), 3, 0, "os", { at: 0, bytes: bytes("one") });
  assert.equal(text((await one.get("a")).bytes), "one two");
  await assert.rejects(one.put("a", bytes("three"), { version }), { code: "conflict" });
  assert.deepEqual((await one.list("", undefined, 9)).objects.map(({ key }) => key), ["a"]);
});

test("clients of a cluster", async () => {
  const member = await startRedis("--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1", "--cluster-port", await freePort());
  await makeCluster(member.port);
  const nodeCluster = createCluster({ rootNodes: [{ url: member.url }] });
  await nodeCluster.connect();
  const ioCluster = new Cluster([{ port: member.port, host: "127.0.0.1" }]);
  try {
    for (const client of [nodeCluster, ioCluster]) {
      const store = new RedisStore(client, { prefix: place() });
      const session = await Session.create(store, { id: "s" });
      await session.append(item("one"));
      await session.archive();
      assert.ok((await session.verify()).isWhole);
      assert.equal((await store.list("", undefined, 9)).objects.length, 2);
    }
  } finally {
    nodeCluster.destroy();
    ioCluster.disconnect();
    await member.stop();
  }
});

test("the version of an object that Redis threw away is another one from then on", async () => {
  const prefix = place();
  const store = new RedisStore(node, { prefix });
  const { version } = await store.put("a", bytes("1"), "any");
  await node.del(`${prefix}{a}:v`);
  await assert.rejects(store.put("a", bytes("2"), { version }), { code: "conflict" });
  const { info } = await store.get("a");
  assert.notEqual(info.version, version);
  assert.equal((await store.info("a")).version, info.version);
  assert.ok((await node.ttl(`${prefix}{a}:v`)) > 0);
  await store.put("a", bytes("2"), { version: info.version });
});

test("what expired is not listed, and is forgotten after an hour; a full page is given all the same", async () => {
  const prefix = place();
  const store = new RedisStore(node, { prefix });
  for (let number = 10; number < 40; number += 1) await store.put(`k${number}`, bytes("1"), "any");
  for (let number = 10; number < 30; number += 1) await node.del(`${prefix}{k${number}}`);
  const seen = `${prefix}{#index}:seen`;
  await node.zAdd(seen, { score: Date.now() - 3_700_000, value: "k10" });
  const { objects, more } = await store.list("k", undefined, 5);
  assert.deepEqual([objects.map(({ key }) => key), more], [["k30", "k31", "k32", "k33", "k34"], true]);
  assert.equal(await node.zScore(seen, "k10"), null);
  assert.equal(await node.zScore(`${prefix}{#index}`, "k10"), null);
  assert.notEqual(await node.zScore(seen, "k11"), null);
});

test("more objects than fit into one call are listed", async () => {
  const store = stores.ioredis();
  const keys = Array.from({ length: 1500 }, (_, number) => `k${String(number).padStart(4, "0")}`);
  await Promise.all(keys.map((key) => store.put(key, bytes(key), "absent")));
  const { objects, more } = await store.list("k", "k0001", 1400);
  assert.deepEqual([objects.map(({ key }) => key), more], [keys.slice(2, 1402), true]);
});

test("a listing that does not go on ends", async () => {
  let left = 99;
  const sendCommand = async ([command, ...args]) => {
    if (command !== "ZRANGEBYLEX") return ["not_found"];
    return (left -= 1) > 0 ? Array(Number(args.at(-1))).fill("a") : [];
  };
  await assert.rejects(new RedisStore({ sendCommand }).list("", undefined, 5), failed(false, /does not go on/));
});

test("scripts that Redis forgot are sent again", async () => {
  const store = stores["node-redis"]();
  await store.put("a", bytes("1"), "any");
  await io.script("FLUSH");
  assert.equal(text((await store.get("a")).bytes), "1");
});

test("what speaks against a prefix or a client is said at once", () => {
  assert.throws(() => new RedisStore(node, { prefix: "a{b}" }), { code: "invalid_argument" });
  assert.throws(() => new RedisStore(node, { ttlSeconds: 0 }), { code: "invalid_argument" });
  assert.throws(() => new RedisStore({}), { code: "invalid_argument" });
});

test("a full, a closed and a guarded Redis are the store's failure, not a missing object", async () => {
  const guarded = await startRedis("--requirepass", "secret", "--maxmemory", "4mb");
  const with_ = (password) => new Redis({ port: guarded.port, password, lazyConnect: true, retryStrategy: null });
  const [outside, inside] = [with_(undefined), with_("secret")];
  for (const client of [outside, inside]) client.on("error", () => {});
  try {
    await assert.rejects(new RedisStore(outside).get("a"), failed(false, /NOAUTH/));
    const store = new RedisStore(inside);
    await assert.rejects(store.get("a"), { code: "not_found" });
    await assert.rejects(async () => {
      for (let number = 0; number < 9; number += 1) await store.put(`k${number}`, new Uint8Array(1 << 20), "any");
    }, failed(true, /OOM/));
  } finally {
    await guarded.stop();
  }
  await assert.rejects(new RedisStore(inside).get("a"), failed(true, /./));
  outside.disconnect();
  inside.disconnect();
  const closed = createClient({ url: server.url });
  await closed.connect();
  closed.destroy();
  await assert.rejects(new RedisStore(closed).get("a"), failed(false, /closed/));
});

test("an append that ioredis sends again, since its answer was lost, is done once and said to be done", async () => {
  const proxy = await losing(server.port);
  const client = new Redis({ port: proxy.port });
  client.on("error", () => {});
  try {
    const store = new RedisStore(client, { prefix: place() });
    await store.put("warm", bytes("1"), "any");
    await store.append("a", bytes("one"), 0, 0, "os");
    proxy.loseNext();
    await store.append("a", bytes(" two"), 3, 0, "os");
    assert.equal(text((await store.get("a")).bytes), "one two");
    proxy.loseNext();
    await assert.rejects(store.append("a", bytes("three"), 3, 0, "os"), { code: "conflict" });
  } finally {
    client.disconnect();
    await proxy.stop();
  }
});

/** Makes a cluster of a server, with all the slots. */
async function makeCluster(port) {
  const client = new Redis(port);
  try {
    await client.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
    const end = Date.now() + 20_000;
    while (!(await client.cluster("INFO")).includes("cluster_state:ok")) {
      assert.ok(Date.now() < end, "the cluster is not set up");
      await sleep(20);
    }
  } finally {
    client.disconnect();
  }
}

/** Stands before a server, and can end a connection in place of the next answer. */
async function losing(port) {
  let isLosing = false;
  const sockets = new Set();
  const proxy = createServer((client) => {
    const behind = connect(port, "127.0.0.1");
    for (const socket of [client, behind]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => (client.destroy(), behind.destroy()));
    }
    client.pipe(behind);
    behind.on("data", (answer) => {
      if (!isLosing) return client.write(answer);
      isLosing = false;
      client.destroy();
    });
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return {
    port: proxy.address().port,
    loseNext: () => (isLosing = true),
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => proxy.close(resolve));
    },
  };
}
