// The store in a directory, which only Node has: the cases, and what crosses processes and hosts.

import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import {
  appendFileSync, chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { Session, TurnkeepError, openArchive, rawJson, sessions } from "../../npm/dist/entry/node.js";
import { FileStore } from "../../npm/dist/fs.js";
import { checks } from "./harness.mjs";
import { runStoreCases } from "./store-cases.mjs";

const made = [];
const folder = () => {
  const path = mkdtempSync(join(tmpdir(), "turnkeep-"));
  made.push(path);
  return join(path, "store");
};
after(() => made.forEach((path) => rmSync(path, { recursive: true, force: true })));

const cases = JSON.parse(readFileSync(new URL("../store-cases.json", import.meta.url), "utf8"));
runStoreCases({ ...checks, test }, cases, () => new FileStore(folder()));

const item = (content) => ({ kind: "user_input", item: { role: "user", content } });
const coded = (code) => (error) => error instanceof TurnkeepError && error.code === code;

test("a session is recorded, read, verified, folded, archived and made live again", async () => {
  const store = new FileStore(folder());
  const session = await Session.create(store, { id: "s", start: { system_prompt: "Be brief." } });
  const { firstSeq, head } = await session.append([item("one"), item("two"), item("three")]);
  assert.deepEqual([firstSeq, head.seq], [1, 3]);
  const log = readFileSync(store.path("s.jsonl"));
  assert.deepEqual((await session.state()).history.map(({ item }) => item.content), ["one", "two", "three"]);
  await session.archive();
  assert.deepEqual(readdirSync(store.root).sort(), ["s.jsonl.gz", "s.retention.json"]);
  const last = [];
  for await (const entry of session.entries({ last: 2 })) last.push(entry.item.content);
  assert.deepEqual(last, ["two", "three"]);
  assert.ok((await session.verify({ deep: true })).isWhole);
  await session.restore();
  assert.deepEqual(readFileSync(store.path("s.jsonl")), log);
  await session.close();
});

test("appends that were not waited for come one after another", async () => {
  const session = await Session.create(new FileStore(folder()), { id: "s" });
  const appended = await Promise.all(Array.from({ length: 20 }, (_, n) => session.append([item(`${n}`)])));
  assert.deepEqual(appended.map(({ firstSeq }) => firstSeq), Array.from({ length: 20 }, (_, n) => n + 1));
  assert.ok((await session.verify()).isWhole);
  await session.close();
});

test("payload bytes are kept", async () => {
  const store = new FileStore(folder());
  const session = await Session.create(store, { id: "s" });
  const json = '{"z":9007199254740993,"a":1.50,"s":"\\ud800 \u2028","z2":[1e400]}';
  await session.append([{ kind: "user_input", item: rawJson(json) }]);
  assert.ok(readFileSync(store.path("s.jsonl"), "utf8").endsWith(`,"item":${json}}\n`));
  await session.close();
});

test("a torn tail is reported, and cut off by the next append", async () => {
  const store = new FileStore(folder());
  const first = await Session.create(store, { id: "s" });
  await first.append([item("kept")]);
  await first.close();
  appendFileSync(store.path("s.jsonl"), '{"hash":"torn');
  const session = await Session.open(store, "s");
  assert.equal(session.torn.bytes, 13);
  await session.append([item("after")]);
  const report = await session.verify();
  assert.ok(report.isWhole && report.head.seq === 2);
  await session.close();
});

test("of two handles the second writer is locked out, and after closing it is not", async () => {
  const root = folder();
  const one = await Session.create(new FileStore(root), { id: "s" });
  await one.append([item("one")]);
  const other = await Session.open(new FileStore(root), "s");
  await assert.rejects(other.append([item("other")]), coded("locked"));
  await one.close();
  await other.append([item("other")]);
  assert.ok((await other.verify()).isWhole);
  await other.close();
});

test("the lock of a dead process is taken over", async () => {
  const store = new FileStore(folder());
  const first = await Session.create(store, { id: "s" });
  await first.close();
  const dead = spawnSync(process.execPath, ["-e", ""]).pid;
  const lock = join(store.path("s.jsonl"), "../.s.jsonl.lock");
  writeFileSync(lock, JSON.stringify({ pid: dead, start: "1", host: hostname() }));
  const session = await Session.open(store, "s");
  await session.append([item("taken over")]);
  await session.close();
  assert.ok(!existsSync(lock));
});

test("a conflict tells the head there is now", async () => {
  const root = folder();
  const one = await Session.create(new FileStore(root), { id: "s" });
  const stale = await Session.open(new FileStore(root), "s");
  const { head } = await one.append([item("one")]);
  await one.close();
  await assert.rejects(stale.append([item("late")]), (error) => {
    assert.deepEqual(error.actual, head);
    return coded("conflict")(error);
  });
  await stale.close();
});

test("a renamed log is another session's", async () => {
  const store = new FileStore(folder());
  await (await Session.create(store, { id: "s" })).close();
  renameSync(store.path("s.jsonl"), store.path("t.jsonl"));
  await assert.rejects(Session.open(store, "t"), coded("wrong_session"));
});

test("who may read a session stays so", { skip: process.platform === "win32" }, async () => {
  const store = new FileStore(folder());
  const mode = (key) => (statSync(store.path(key)).mode & 0o777).toString(8);
  // More than the mask allows new files, and less.
  for (const [id, wanted] of [["open", "666"], ["private", "600"]]) {
    const session = await Session.create(store, { id });
    await session.append(item("one"));
    const [log, archive] = [`${id}.jsonl`, `${id}.jsonl.gz`];
    chmodSync(store.path(log), Number.parseInt(wanted, 8));
    await session.archive();
    assert.equal(mode(archive), wanted);
    await session.append(item("two"));
    assert.equal(mode(log), wanted, "the log after the archive");
    await session.archive();
    assert.equal(mode(archive), wanted, "the archive again");
    await session.restore();
    assert.equal(mode(log), wanted, "the log restored");
    await session.close();
    await store.put(log, new Uint8Array(1), "any");
    assert.equal(mode(log), wanted, "what is put in its place");
  }
  const staged = await store.stage("new");
  assert.equal((statSync(join(store.root, staged)).mode & 0o777).toString(8), "700", "nobody else reads the parts");
  await store.stagePart(staged, 1, new Uint8Array(1));
  await store.commit(staged, "any");
  await store.put("put", new Uint8Array(1), "absent");
  const usual = (0o666 & ~process.umask()).toString(8);
  assert.deepEqual([mode("new"), mode("put")], [usual, usual], "new ones are as usual");
});

test("hostile ids stay inside the store", async () => {
  const root = folder();
  const store = new FileStore(root);
  for (const id of ["..", "../../x", "CON", "con", "a/b", "é", "%41"]) {
    const session = await Session.create(store, { id });
    await session.append([item(id)]);
    await session.close();
  }
  assert.deepEqual(readdirSync(join(root, "..")), ["store"]);
  const ids = [];
  for await (const { id } of sessions(store)) ids.push(id);
  assert.equal(ids.length, 7);
  await assert.rejects(Session.create(store, { id: "a\nb" }), coded("invalid_id"));
});

test("the end of a large archive is read by ranges", async () => {
  const store = new FileStore(folder());
  const session = await Session.create(store, { id: "s" });
  for (let turn = 0; turn < 100; turn += 1) {
    await session.append(Array.from({ length: 100 }, (_, n) => item(`${turn} ${n} ${Math.random()}`.repeat(9))));
  }
  await session.archive();
  const file = readFileSync(store.path("s.jsonl.gz"));
  const archive = await openArchive(new Blob([file]));
  const last = [];
  for await (const entry of archive.entries({ last: 50 })) last.push(entry.seq);
  assert.deepEqual([last.length, last.at(-1)], [50, 10_000]);
  assert.ok(archive.bytesFetched < file.length / 2, `${archive.bytesFetched} of ${file.length}`);
  await session.close();
});
