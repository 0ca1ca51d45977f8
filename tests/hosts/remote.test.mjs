// The stores that lie elsewhere, over the clients that applications use, on real servers: every
// store case, and what the four have in common.

import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import "../../npm/dist/entry/node.js";
import { redisClients, s3Stores } from "./clients.mjs";
import { checks } from "./harness.mjs";
import { startRedis, startS3 } from "./servers.mjs";
import { lacking, runStoreCases } from "./store-cases.mjs";

const utf8 = new TextEncoder();
const bytes = (text) => utf8.encode(text);
const text = (bytes) => new TextDecoder().decode(bytes);
const cases = JSON.parse(readFileSync(new URL("../store-cases.json", import.meta.url), "utf8"));
const redis = await startRedis();
const s3 = await startS3();
const clients = await redisClients(redis);
after(async () => {
  clients.close();
  await redis.stop();
  await s3.stop();
});

/** What S3 does otherwise than a store with all its capabilities would. */
const OTHERWISE_IN_S3 = new Map([
  // An ETag is that of the bytes.
  ["every put is another version, even of the same bytes", "versions"],
  ["an object that was deleted and put again has another version", "versions"],
  ["a version of another object", "versions"],
  // It has no condition that every server looks at.
  ["a failed write changes no version", "delete if version"],
  ["delete if version", "delete if version"],
  ["race: delete if version", "delete if version"],
  // It deletes without telling whether there was anything.
  ["race: delete", "delete of a missing object"],
]);

const makers = [
  ...Object.entries(clients.stores),
  ...Object.entries(s3Stores).map(([name, make]) => [name, () => make(s3)]),
];
for (const [name, make] of makers) {
  const store = make();
  const isOfS3 = name in s3Stores;
  const applying = cases.filter(
    (one) => lacking(one, store).length === 0 && !(isOfS3 && OTHERWISE_IN_S3.has(one.name)),
  );
  const t = { ...checks, test: (title, body) => test(`${name}: ${title}`, body) };
  runStoreCases(t, applying, make);
}

for (const [name, make] of makers) {
  // The SDK takes its time, and what decides is the server: the other client asks it as often.
  const rounds = name.startsWith("@aws-sdk") ? 40 : 200;
  test(`${name}: of 32 that create at once exactly one does, ${rounds} times`, async () => {
    const store = make();
    for (let round = 0; round < rounds; round += 1) {
      const create = (writer) => store.put(`k${round}`, bytes(`writer ${writer}`), "absent").then(() => writer);
      const outcomes = await Promise.allSettled(Array.from({ length: 32 }, (_, writer) => create(writer)));
      const won = outcomes.filter(({ status }) => status === "fulfilled").map(({ value }) => value);
      assert.equal(won.length, 1, `round ${round}`);
      const codes = outcomes.flatMap(({ reason }) => reason?.code ?? []);
      assert.deepEqual(new Set(codes), new Set(["already_exists"]));
      assert.equal(text((await store.get(`k${round}`)).bytes), `writer ${won[0]}`);
    }
  });

  test(`${name}: a counter that 8 raise by versions is exact`, async () => {
    const store = make();
    await store.put("counter", bytes("0"), "absent");
    const raise = async () => {
      for (let done = 0; done < 25; ) {
        const { bytes: found, info } = await store.get("counter");
        const next = bytes(String(Number(text(found)) + 1));
        const error = await store.put("counter", next, { version: info.version }).then(() => undefined, (error) => error);
        if (error === undefined) done += 1;
        else assert.equal(error.code, "conflict");
      }
    };
    await Promise.all(Array.from({ length: 8 }, raise));
    assert.equal(text((await store.get("counter")).bytes), "200");
  });

  test(`${name}: bytes come back as a plain Uint8Array of their own`, async () => {
    const store = make();
    const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    await store.put("a", all, "any");
    for (const { bytes } of [await store.get("a"), await store.get("a", { start: 0, end: 256 })]) {
      assert.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype);
      assert.equal(bytes.buffer.byteLength, 256);
      assert.deepEqual(bytes, all);
    }
  });

  test(`${name}: what the store cannot do it says`, async () => {
    const store = make();
    await assert.rejects(async () => store.append("a", bytes("1"), 0, 0, "disk"), { code: "not_supported" });
    if (store.capabilities.staging) return;
    for (const call of [() => store.stage("a"), () => store.stagePart("a", 1, bytes("1")), () => store.getStaged("a")]) {
      await assert.rejects(async () => call(), { code: "not_supported" });
    }
  });
}

test("the clients' own types fit, and the examples compile", () => {
  const compiler = fileURLToPath(new URL("../../npm/node_modules/.bin/tsc", import.meta.url));
  const types = ["--typeRoots", "../../npm/node_modules/@types", "--types", "node"];
  const strict = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext"];
  const cwd = fileURLToPath(new URL(".", import.meta.url));
  const { status, stdout } = spawnSync(compiler, [...strict, ...types, "clients-types.ts"], { cwd, encoding: "utf8" });
  assert.equal(status, 0, stdout);
});
