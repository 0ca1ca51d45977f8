// A whole runtime: snapshot, restore, and waiting until nothing goes on. The cases of
// tests/tests/runtime.rs, and two hosts with one bundle.

import { strict as assert } from "node:assert";
import { spawn, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL, fileURLToPath } from "node:url";
import { after, test } from "node:test";
import { runInNewContext } from "node:vm";

import {
  Session,
  TurnkeepError,
  about,
  createMemoryCache,
  createRuntime,
  deleteSession,
  sessions,
  setAbout,
} from "../../npm/dist/entry/node.js";
import { answerTo, driveBeside } from "../../npm/dist/drive.js";
import { FileStore, fileBundle } from "../../npm/dist/fs.js";
import { wasm } from "../../npm/dist/load.js";
import { MemoryStore } from "../../npm/dist/memory.js";

const KILLS = Number(process.env.TURNKEEP_RESTORE_KILLS ?? 30);
const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL("../../target", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "turnkeep-runtime-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const BUNDLE = "bundles/runtime.bundle";
const draft = (content) => ({ item: { role: "user", content } });
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const equal = assert.deepEqual;
const memory = () => new MemoryStore();
const quiet = (options = {}) => createRuntime({ store: memory(), ...options });

/** Waits until something is so, but not for ever. */
async function until(isSo, what) {
  for (const end = Date.now() + 10_000; !isSo(); await sleep(1)) assert.ok(Date.now() < end, `never: ${what}`);
}

let made = 0;
const place = (name = "place") => join(folder, `${name}-${(made += 1)}`);

/** What it throws, which must have that code. */
async function throws(run, code) {
  try {
    await run();
  } catch (error) {
    equal(error.code, code, String(error.stack));
    return error;
  }
  return assert.fail(`no ${code}`);
}

function overEveryStore(tests) {
  const stores = { memory, files: () => new FileStore(place("store")) };
  for (const [name, make] of Object.entries(stores)) {
    tests((title, body) => test(`${name}: ${title}`, { timeout: 60_000 }, () => body(make())));
  }
}

async function filled(store, id, entries, length) {
  const session = await Session.create(store, { id });
  const drafts = Array.from({ length: entries }, (_, at) => draft(`${id} ${at} `.repeat(length)));
  await session.append(drafts);
  return session;
}

/** A runtime with sessions of every sort and a cache. */
async function lively(store) {
  const talk = await filled(store, "talk", 30, 4);
  await talk.trace({ event: 1 });
  await talk.close();
  await setAbout(store, "talk", { title: "A talk", tags: ["x"] });
  await (await filled(store, "Über/1", 3, 2)).close();
  for (const id of ["archived", "tail"]) {
    const session = await filled(store, id, 12, 90);
    await session.archive();
    await session.close();
  }
  const tail = await Session.open(store, "tail");
  await tail.append(draft("more"));
  await tail.close();
  const cache = createMemoryCache({ rawJson: true });
  cache.put("result:1", { json: '{"a": [1, 2.50],\n"n":9007199254740993}' });
  cache.put("chat_session:talk", { value: 1 });
  cache.put("chat_history:talk", { value: 1 });
  cache.put('raw\n"', { value: new Uint8Array([0, 255, 10, 34]), expiresMs: 4e12 });
  return { runtime: await createRuntime({ store, cache }), cache };
}

/** How many lines, and their hash: short where they differ. */
async function linesOf(session) {
  const hash = createHash("sha256");
  let count = 0;
  for await (const entry of session.entries()) hash.update(entry.line), (count += 1);
  return `${count} ${hash.digest("hex")}`;
}

/** Every session's log as it reads, and its title. */
async function content(store) {
  const content = {};
  for await (const { id } of sessions(store)) {
    const session = await Session.open(store, id);
    assert.ok((await session.verify()).isWhole, id);
    content[id] = [await linesOf(session), (await about(store, id)).title];
    await session.close();
  }
  return content;
}

/** The bytes of a bundle. */
async function bundleOf(runtime, options) {
  const pieces = [];
  const target = new WritableStream({ write: (piece) => void pieces.push(piece) });
  const written = await runtime.snapshotTo(target, options);
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
  equal(bytes.length, written.bytes, "its length");
  return bytes;
}

/** A store in which only such a bundle lies. */
async function placed(bytes) {
  const place = memory();
  await place.put(BUNDLE, bytes, "any");
  return place;
}

const keysIn = async (store, prefix = "") => (await store.list(prefix, undefined, 99)).objects.map(({ key }) => key);
const changes = ({ sessions }) => Object.fromEntries(sessions.map(({ id, change }) => [id, change]));

overEveryStore((inStore) => {
  inStore("a runtime comes back whole in another store", async (store) => {
    const { runtime } = await lively(store);
    const place = memory();
    const written = await runtime.snapshotTo(place);
    equal([written.sessions, written.cached, written.cacheSkipped], [4, 2, 2]);
    equal(written.leftOut, []);
    const other = memory();
    const cache = createMemoryCache({ rawJson: true });
    const second = await createRuntime({ store: other, cache });
    const told = await second.restoreFrom(place);
    equal(Object.values(changes(told)), Array(4).fill("new"));
    equal(told.cache, { put: 2, expired: 0, leftOut: 0 });
    equal(await content(other), await content(store));
    equal(cache.get('raw\n"'), { value: new Uint8Array([0, 255, 10, 34]), expiresMs: 4e12 });
    equal(cache.get("result:1").json, '{"a": [1, 2.50], "n":9007199254740993}');
    const again = await second.restoreFrom(place);
    equal(Object.values(changes(again)), Array(4).fill("unchanged"));
    const talk = await Session.open(other, "talk");
    await talk.append(draft("on"));
    await talk.close();
  });

  inStore("the rest of a runtime stays as it is", async (store) => {
    const { runtime, cache } = await lively(store);
    const place = memory();
    await runtime.snapshotTo(place);
    const before = await content(store);
    await (await Session.create(store, { id: "extra" })).close();
    const talk = await Session.open(store, "talk");
    await talk.append(draft("gone again"));
    await talk.close();
    await deleteSession(store, "archived");
    cache.put("other", { value: 7 });
    cache.put("result:1", { value: 8 });

    const told = await runtime.restoreFrom(place, { dryRun: true });
    equal(changes(told), { "Über/1": "unchanged", archived: "new", tail: "unchanged", talk: "replaced" });
    const unchanged = await Session.open(store, "talk");
    equal(unchanged.head.seq, 31);
    await unchanged.close();

    const really = await runtime.restoreFrom(place);
    equal(really.sessions, told.sessions);
    const after = await content(store);
    assert.ok(after.extra);
    delete after.extra;
    equal(after, before);
    equal(cache.get("other").value, 7);
    assert.ok(cache.get("result:1").json.includes("2.50"));
    equal(await keysIn(store, "restore/"), []);
  });

  inStore("streams and bytes carry bundles too", async (store) => {
    const { runtime } = await lively(store);
    const bytes = await bundleOf(runtime);
    const before = await content(store);
    const pieces = async function* () {
      for (let at = 0; at < bytes.length; at += 999) yield bytes.subarray(at, at + 999);
    };
    for (const source of [pieces(), new Blob([bytes]).stream(), new Blob([bytes]), bytes]) {
      await deleteSession(store, "talk");
      const told = await runtime.restoreFrom(source);
      equal(told.sessions.length, 4);
      equal(await content(store), before);
      equal(await keysIn(store, "restore/"), []);
    }
    await throws(() => runtime.restoreFrom(new Blob([bytes.subarray(0, 99)])), "bad_bundle");
    const failing = (async function* () {
      yield bytes.subarray(0, 99);
      throw new Error("the line is dead");
    })();
    const error = await throws(() => runtime.restoreFrom(failing), "store_failed");
    assert.ok(error.message.includes("the line is dead"), error.message);
    await throws(() => runtime.restoreFrom((async function* () { yield "text"; })()), "invalid_argument");
    equal(await keysIn(store, "restore/"), []);
  });
});

test("a stream may keep the pieces it gets", { timeout: 60_000 }, async () => {
  const cache = createMemoryCache();
  // More than one part of a stage.
  for (let number = 0; number < 10; number += 1) cache.put(`value ${number}`, { value: randomBytes(1 << 20) });
  const { readable, writable } = new TransformStream();
  const pieces = (async () => {
    const pieces = [];
    for await (const piece of readable) pieces.push(piece), await sleep(5);
    return pieces;
  })();
  await (await quiet({ cache })).snapshotTo(writable);
  const values = createMemoryCache();
  const told = await (await quiet({ cache: values })).restoreFrom(new Blob(await pieces));
  equal(told.cache.put, 10);
  equal(Buffer.compare(values.get("value 7").value, cache.get("value 7").value), 0);
});

test("every damaged byte is refused before anything changes", { timeout: 300_000 }, async () => {
  const { runtime } = await lively(memory());
  const file = await bundleOf(runtime, { sessions: ["talk", "Über/1"] });
  const store = memory();
  const codes = new Set();
  // The task itself: a runtime would wait for its quiet each time.
  const refused = async (damaged, what) => {
    const bundle = await placed(damaged);
    const beside = (request) => answerTo(request, request.isBundle ? bundle : store);
    const restoring = () => driveBeside(wasm().restore_task(undefined, false, false, undefined, 0), store, beside);
    const error = await restoring().then(() => assert.fail(what), (error) => error);
    assert.ok(error instanceof TurnkeepError, `${what}: ${error}`);
    assert.ok(!["store_failed", "not_found"].includes(error.code), `${what}: ${error}`);
    codes.add(error.code);
    equal(await keysIn(store), [], what);
  };
  for (let at = 0; at < file.length; at += 1) {
    const isFrame = at < 40 || at + 420 > file.length;
    for (let bit = 0; bit < (isFrame ? 8 : 1); bit += 1) {
      const damaged = file.slice();
      damaged[at] ^= 1 << ((at + bit) % 8);
      await refused(damaged, `byte ${at}, bit ${(at + bit) % 8}`);
    }
  }
  for (let length = 0; length < file.length; length += length + 420 < file.length ? 97 : 1) {
    await refused(file.subarray(0, length), `the first ${length} bytes`);
  }
  await refused(Buffer.concat([file, Buffer.from("\n")]), "one byte more");
  await refused(Buffer.concat([file, file]), "the file twice");
  assert.ok(codes.has("bad_bundle") && codes.size > 2, [...codes].join());
});

test("a damaged session is left out and named, and replaced by the whole one", async () => {
  const store = memory();
  const { runtime } = await lively(store);
  const whole = await bundleOf(runtime);
  const log = store.get("talk.jsonl").bytes;
  const damaged = log.slice();
  damaged[log.length >> 1] ^= 1;
  store.put("talk.jsonl", damaged, "any");
  const written = await runtime.snapshotTo(memory());
  equal(written.sessions, 3);
  const [{ id, error }] = written.leftOut;
  equal([id, error.code, error instanceof TurnkeepError], ["talk", "bad_hash", true]);
  assert.ok(error.line > 0);
  equal(changes(await runtime.restoreFrom(whole)).talk, "replaced");
  equal(store.get("talk.jsonl").bytes, log);
});

test("one session is exported and replaced, in the middle of its own turn", async () => {
  const file = place("one");
  const store = memory();
  const { runtime, cache } = await lively(store);
  await runtime.run("talk", async (run) => {
    const written = await runtime.exportSession("talk", file);
    equal([written.sessions, written.cached], [1, 0]);
    const talk = await Session.open(store, "talk");
    await talk.append(draft("later"));
    await runtime.replaceSession("talk", file, { except: run });
    await throws(() => talk.append(draft("late")), "conflict");
    const again = await Session.open(store, "talk");
    equal(again.head.seq, 30);
    await throws(() => runtime.replaceSession("tail", file, { except: run }), "not_found");
    await throws(() => runtime.exportSession("nobody", file), "not_found");
    await throws(() => runtime.exportSession("", file), "invalid_id");
  });
  equal([...cache.list()].length, 4);
});

test("a failed snapshot leaves the old file, and aborts a stream", async () => {
  const root = place("folder");
  const file = join(root, "agents.bundle");
  const { runtime, cache } = await lively(memory());
  await runtime.snapshotTo(pathToFileURL(file));
  const before = readFileSync(file);
  cache.put("deep", { json: "[".repeat(100) + "]".repeat(100) });
  const error = await throws(() => runtime.snapshotTo(file), "too_deep");
  assert.ok(error.message.includes('"deep"'), error.message);
  equal(readFileSync(file), before);
  equal(readdirSync(root), ["agents.bundle"]);
  let aborted;
  const stream = new WritableStream({ abort: (reason) => void (aborted = reason) });
  await throws(() => runtime.snapshotTo(stream), "too_deep");
  equal(aborted.code, "too_deep");
  const full = new WritableStream({ write: () => Promise.reject(new Error("no room")) });
  cache.put("deep", { value: 1 });
  equal((await throws(() => runtime.snapshotTo(full), "store_failed")).cause.message, "no room");
});

test("what fails while it waits ends its stream too, and leaves nothing of what was sent", async () => {
  const runtime = await quiet({ probes: [{ busy: () => ["job"] }] });
  const ended = [];
  const target = new WritableStream({ abort: ({ code }) => void ended.push(code) });
  await throws(() => runtime.snapshotTo(target, { timeoutMs: 0 }), "timeout");
  equal(ended, ["timeout"]);
  const bytes = await bundleOf(await quiet());
  await throws(() => runtime.restoreFrom(new Blob([bytes]), { timeoutMs: 0 }), "timeout");
  equal(await keysIn(runtime.store, ""), []);
});

test("no run waits for whoever sends a bundle, and a signal ends the waiting", { timeout: 20_000 }, async () => {
  const runtime = await quiet();
  const aborting = new AbortController();
  const reason = new Error("enough");
  let ended;
  let asked = 0;
  const pull = () => void (asked += 1);
  const stalled = new ReadableStream({ pull, cancel: (why) => void (ended = why) }, { highWaterMark: 0 });
  const restoring = runtime.restoreFrom(stalled, { signal: aborting.signal });
  await until(() => asked > 0, "the stream is read");
  // Longer than it takes to be quiesced.
  await sleep(150);
  equal(await Promise.race([runtime.run("talk", () => "over"), sleep(2000)]), "over");
  aborting.abort(reason);
  await assert.rejects(restoring, reason);
  equal(ended, reason);
});

test("a path that is no regular file stays what it is", { skip: process.platform === "win32" }, async () => {
  const pipe = place("pipe");
  equal(spawnSync("mkfifo", [pipe]).status, 0);
  const runtime = await quiet();
  const error = await throws(() => runtime.snapshotTo(pipe, { replacesFuller: true }), "not_supported");
  assert.match(error.message, /no regular file: write to it as a stream/);
  await throws(() => fileBundle(pipe).put("any", new Uint8Array(1), "any"), "not_supported");
  assert.ok(statSync(pipe).isFIFO());
});

test("an old bundle that came as a stream, and that nobody restored, is removed", async () => {
  const store = new FileStore(place("store"));
  const left = ["a", "b"].map((name) => `restore/bundle-${name.repeat(16)}.jsonl.gz`);
  for (const key of left) await store.put(key, new Uint8Array(9), "any");
  const [old] = left;
  utimesSync(store.path(old), 1e9, 1e9);
  await createRuntime({ store });
  equal(await keysIn(store, "restore/"), left.slice(1));
});

test("restorings into other stores wait for nobody, and a signal ends the waiting", async () => {
  let refuse;
  const stuck = { list: () => [], get() {}, put: () => new Promise((_, reject) => (refuse = reject)) };
  const cache = createMemoryCache();
  cache.put("a", { value: 1 });
  const bytes = await bundleOf(await quiet({ cache }));
  const store = new FileStore(place("store"));
  const one = await createRuntime({ store, cache: stuck });
  const restoring = one.restoreFrom(bytes);
  await until(() => refuse !== undefined, "the cache is written to");
  equal((await (await quiet()).snapshotTo(memory())).sessions, 0);
  const again = { store: new FileStore(store.root), cache: stuck };
  const reason = new Error("enough");
  const aborting = new AbortController();
  setTimeout(() => aborting.abort(reason), 50);
  for (const signal of [AbortSignal.abort(reason), aborting.signal]) {
    await assert.rejects(createRuntime({ ...again, signal }), reason);
  }
  refuse(new Error("no"));
  await throws(() => restoring, "store_failed");
});

test("a missing file and one that is none are told apart", async () => {
  const runtime = await quiet();
  const missing = place("missing");
  const error = await throws(() => runtime.restoreFrom(missing), "not_found");
  equal([error.key, error.message.includes(missing), error.hint.startsWith("Give a bundle")], [missing, true, true]);
  const file = place("file");
  writeFileSync(file, "no bundle at all");
  for (const none of [fileBundle(file), file, new Uint8Array(100), new Blob(["no bundle"])]) {
    const { hint } = await throws(() => runtime.restoreFrom(none), "not_gzip");
    assert.ok(hint.startsWith("Give a bundle"), hint);
  }
  writeFileSync(file, "");
  await throws(() => runtime.restoreFrom(file), "bad_bundle");
  for (const nothing of [undefined, null, 7, {}]) {
    await throws(() => runtime.restoreFrom(nothing), "invalid_argument");
    await throws(() => runtime.snapshotTo(nothing), "invalid_argument");
  }
});

test("values that JSON has not are refused by name, and nothing is left out silently", async () => {
  const cyclic = {};
  cyclic.self = cyclic;
  const refused = [undefined, () => 1, 7n, { n: 7n }, cyclic, NaN, [undefined], { f() {} }, new Map(), { m: new Set() }];
  class Point {
    x = 1;
  }
  refused.push(Promise.resolve(), new Error("x"), [/x/], { of: new WeakMap() }, new Point());
  for (const value of [...refused, new ArrayBuffer(1), { bytes: new Uint8Array(1) }]) {
    const cache = createMemoryCache();
    cache.put("the key", { value });
    const runtime = await quiet({ cache });
    const error = await throws(() => runtime.snapshotTo(memory()), "bad_json");
    assert.ok(error.message.includes('"the key"'), error.message);
  }
  const bad = { expires: { value: 1, expiresMs: 1.5 }, never: { value: 1, expiresMs: Infinity } };
  for (const [key, value] of Object.entries(bad)) {
    const runtime = await quiet({ cache: { list: () => [key], get: () => value, put() {} } });
    const error = await throws(() => runtime.snapshotTo(memory()), "invalid_argument");
    assert.ok(error.message.includes(key), error.message);
  }
  const broken = { list: () => ["\ud800"], get() {}, put() {} };
  await throws(async () => (await quiet({ cache: broken })).snapshotTo(memory()), "invalid_argument");
  const failing = { list: () => ["a"], get: () => Promise.reject(new Error("gone")), put() {} };
  const failed = await throws(async () => (await quiet({ cache: failing })).snapshotTo(memory()), "store_failed");
  equal(failed.cause.message, "gone");
});

test("values come back as they were, whatever the cache", async () => {
  const bare = Object.assign(Object.create(null), { a: [] });
  const foreign = runInNewContext("({ a: [{}] })");
  const values = { bare, foreign, date: new Date(0), text: "ü\n\"", half: "\ud800", none: null, list: [1, { a: undefined }], zero: 0, no: false, "": "empty key" };
  const cache = createMemoryCache();
  for (const [key, value] of Object.entries(values)) cache.put(key, { value });
  cache.put("bytes", { value: Buffer.from([1, 2]) });
  cache.put("big", { json: "[9007199254740993]" });
  for (let number = 0; number < 700; number += 1) cache.put(`many ${number}`, { value: "x".repeat(5000) });
  const bytes = await bundleOf(await quiet({ cache }));
  const back = new Map();
  const asynchronous = { async *list() {}, get: async () => undefined, put: async (key, value) => void back.set(key, value) };
  await (await quiet({ cache: asynchronous })).restoreFrom(bytes);
  equal(back.size, 712);
  for (const [key, value] of Object.entries(values)) equal(back.get(key).value, JSON.parse(JSON.stringify(value)), key);
  equal(back.get("bytes").value, new Uint8Array([1, 2]));
  const raw = createMemoryCache({ rawJson: true });
  await (await quiet({ cache: raw })).restoreFrom(bytes);
  equal(raw.get("big").json, "[9007199254740993]");
});

test("values that expired stay away", async () => {
  const cache = createMemoryCache();
  cache.put("soon", { value: 1, expiresMs: Date.now() + 300 });
  const bytes = await bundleOf(await quiet({ cache }));
  await sleep(400);
  equal([...cache.list()], []);
  equal(cache.get("soon"), undefined);
  const told = await (await quiet({ cache })).restoreFrom(bytes);
  equal([told.cache.put, told.cache.expired], [0, 1]);
});

test("a runtime without a cache says what it leaves out", async () => {
  const { runtime } = await lively(memory());
  const bytes = await bundleOf(runtime);
  const other = await quiet();
  equal(other.recovered, { what: "nothing" });
  equal((await other.restoreFrom(bytes)).cache.leftOut, 2);
});

// Waiting until nothing goes on.

test("idle at once is two looks, 50 ms apart", async () => {
  const since = performance.now();
  await (await quiet()).awaitIdle({ timeoutMs: 0 });
  assert.ok(performance.now() - since >= 49);
});

test("idle as soon as a run ends, or a probe says so", async () => {
  const runtime = await quiet();
  let end;
  const run = runtime.run("talk", () => new Promise((resolve) => (end = resolve)));
  let over = false;
  const waiting = runtime.awaitIdle({ timeoutMs: 10_000 }).then(() => (over = true));
  await sleep(120);
  assert.ok(!over);
  end("done");
  await waiting;
  equal(await run, "done");

  const jobs = new Set(["job"]);
  let changed;
  const onChange = (listener) => ((changed = listener), () => (changed = undefined));
  const forget = runtime.watch({ busy: () => [...jobs], onChange });
  const idle = runtime.awaitIdle({ timeoutMs: 10_000 });
  await sleep(60);
  jobs.clear();
  changed();
  await idle;
  jobs.add("job");
  forget();
  equal(changed, undefined);
  await runtime.awaitIdle({ timeoutMs: 0 });
});

test("a timeout names what was busy", async () => {
  const runtime = await quiet({ probes: [{ busy: () => ["terminal 3"] }] });
  await runtime.run("talk", async () => {
    const error = await throws(() => runtime.awaitIdle({ timeoutMs: 120 }), "timeout");
    assert.ok(error.retryable && error.message.includes("session talk, terminal 3"), error.message);
  });
  await throws(() => runtime.awaitIdle({ timeoutMs: -1 }), "invalid_argument");
  await throws(() => runtime.awaitIdle({ timeoutMs: NaN }), "invalid_argument");
  const reason = new Error("enough");
  const waiting = runtime.awaitIdle({ timeoutMs: Infinity, signal: AbortSignal.timeout(80) });
  await assert.rejects(waiting, { name: "TimeoutError" });
  await assert.rejects(runtime.awaitIdle({ signal: AbortSignal.abort(reason) }), reason);
});

test("a probe that fails, or does not answer, is busy under its name", { timeout: 20_000 }, async () => {
  const fails = { throws: () => { throw new Error("no pty"); }, rejects: () => Promise.reject(new Error("no pty")), strange: () => "none" };
  for (const [name, busy] of Object.entries(fails)) {
    const runtime = await quiet({ probes: [{ name, busy }] });
    const error = await throws(() => runtime.awaitIdle({ timeoutMs: 10 }), "timeout");
    assert.ok(error.message.includes(`${name} (`), error.message);
  }
  const runtime = await quiet({ probes: [{ name: "mute", busy: () => new Promise(() => {}) }] });
  const since = performance.now();
  const error = await throws(() => runtime.awaitIdle({ timeoutMs: 10 }), "timeout");
  assert.ok(error.message.includes("mute (it does not answer)"), error.message);
  assert.ok(performance.now() - since < 6500);
});

test("a flap at the second look starts the wait again", async () => {
  let looks = 0;
  const flapping = { busy: () => ((looks += 1) === 2 ? ["job"] : []) };
  const runtime = await quiet({ probes: [flapping] });
  await runtime.snapshotTo(memory());
  assert.ok(looks >= 5, looks);
});

test("what begins between the second look and the hold is waited for", async () => {
  // Busy at the look after the hold: a run may not begin then, and the hold is let go.
  let looks = 0;
  const late = { busy: async () => ((looks += 1) === 3 ? ["job"] : []) };
  const runtime = await quiet({ probes: [late] });
  let began = false;
  let isQuiet = false;
  const quiesced = runtime.quiesce(() => (isQuiet = true));
  await until(() => looks >= 3, "a third look");
  await runtime.run("talk", () => (began = !isQuiet));
  await quiesced;
  assert.ok(began && isQuiet && looks >= 6, `${began} ${looks}`);
});

test("new runs wait until a snapshot is over", async () => {
  const runtime = await quiet();
  let over = false;
  let started;
  await runtime.quiesce(async () => {
    started = runtime.run("talk", () => over);
    await sleep(100);
    over = true;
  });
  equal(await started, true);
  // A failure lets go too.
  await assert.rejects(runtime.quiesce(() => Promise.reject(new Error("no"))), { message: "no" });
  equal(await runtime.run("talk", () => 7), 7);
});

test("an agent's own tool takes the snapshot, and waits for others", async () => {
  const runtime = await quiet();
  await (await Session.create(runtime.store, { id: "talk" })).close();
  await runtime.run("talk", async (except) => {
    equal((await runtime.snapshotTo(memory(), { except, timeoutMs: 200 })).sessions, 1);
    await runtime.run("other", async () => {
      const error = await throws(() => runtime.snapshotTo(memory(), { except, timeoutMs: 200 }), "timeout");
      assert.ok(error.message.endsWith("session other"), error.message);
    });
  });
});

test("two snapshots take turns", async () => {
  const runtime = await quiet();
  let inside = 0;
  const alone = async () => {
    equal((inside += 1), 1);
    await sleep(30);
    inside -= 1;
  };
  const options = { timeoutMs: Infinity };
  await Promise.all([runtime.quiesce(alone, options), runtime.quiesce(alone, options), runtime.snapshotTo(memory(), options)]);
});

test("an aborted restoring leaves all as it was, or, once the sessions are replaced, as it is to be", async () => {
  const store = new FileStore(place("store"));
  const { runtime } = await lively(store);
  const bytes = await bundleOf(runtime);
  const talk = await Session.open(store, "talk");
  await talk.append(draft("more"));
  await talk.close();
  const before = await content(store);
  const bundled = memory();
  await (await createRuntime({ store: bundled })).restoreFrom(bytes);
  const afterwards = await content(bundled);
  const outcomes = [];
  for (let until = 1; outcomes.at(-1) !== "restored"; until += 7) {
    const aborting = new AbortController();
    let asked = 0;
    const counted = {};
    for (const name of ["get", "put", "append", "sync", "holder", "delete", "list", "info", "stage", "stagePart", "getStaged", "commit", "abort"]) {
      counted[name] = (...args) => {
        if ((asked += 1) === until) aborting.abort(new Error("enough"));
        return store[name](...args);
      };
    }
    const { signal } = aborting;
    const cut = await createRuntime({ store: counted });
    asked = 0;
    const restoring = cut.restoreFrom(bytes, { signal });
    outcomes.push(await restoring.then(() => "restored", (error) => error.message));
    if (outcomes.at(-1) === "restored") break;
    equal(outcomes.at(-1), "enough");
    await createRuntime({ store });
    equal(await keysIn(store, "restore/"), [], `after ${until} requests`);
    const found = await content(store);
    if (found.talk[0] !== before.talk[0]) {
      equal(found, afterwards);
      break;
    }
    equal(found, before, `after ${until} requests`);
  }
  assert.ok(outcomes.length >= 6, `${outcomes.length}`);
});

// Two hosts, one bundle.

/** What a runtime in Rust says. */
function rust(...args) {
  const call = spawnSync(join(target, "debug/runtime-worker"), args);
  equal(call.status, 0, `${args.join(" ")}: ${call.error ?? call.stderr}`);
  return call.stdout.toString();
}

test("what Node writes Rust restores, and the reverse, every log with equal bytes", async () => {
  const [one, two, three] = [place("one"), place("two"), place("three")];
  const [there, back] = [place("there"), place("back")];
  const store = new FileStore(one);
  for (const [at, id] of ["talk", "Über/1", "long"].entries()) {
    await (await filled(store, id, 5 + at * 20, 3 + at * 200)).close();
  }
  await setAbout(store, "talk", { title: "A talk", tags: ["x"] });
  const cache = createMemoryCache();
  cache.put("big", { json: '{"n":9007199254740993}' });
  cache.put("raw", { value: new Uint8Array([255, 0]), expiresMs: 4e12 });
  store.close();
  await (await createRuntime({ store: new FileStore(one), cache })).snapshotTo(there);
  const told = rust("restore", two, there);
  assert.ok(told.startsWith("3 2\n"), told);
  assert.ok(told.includes("9007199254740993") && told.includes("[255, 0]") && told.includes("4000000000000"), told);

  equal(rust("snapshot", two, back), "3 2\n");
  const values = createMemoryCache({ rawJson: true });
  const restored = new FileStore(three);
  const runtime = await createRuntime({ store: restored, cache: values });
  equal((await runtime.restoreFrom(back)).sessions.length, 3);
  equal(values.get("result:ü"), { json: '{"n":9007199254740993,"x":2.50}', expiresMs: undefined });
  equal(values.get("raw"), { value: new Uint8Array([0, 255, 10, 34]), expiresMs: 4e12 });
  const files = (root) => readdirSync(root).filter((name) => !name.startsWith(".") && name.includes(".")).sort();
  const logs = files(one);
  equal(logs.length, 4);
  for (const root of [two, three]) {
    equal(files(root), logs);
    for (const name of logs) equal(readFileSync(join(root, name)), readFileSync(join(one, name)), name);
  }
});

// A process that is killed while it restores.

const restorer = fileURLToPath(new URL("runtime-restorer.mjs", import.meta.url));

/**
 * Restores in a process of its own, which is killed; whether it came to its end before. Without a time,
 * how long it takes to its end.
 */
function killed(root, file, afterMs) {
  const child = spawn(process.execPath, [restorer, root, file], { stdio: ["ignore", "pipe", "pipe"] });
  return new Promise((resolve, reject) => {
    let said = "";
    let complaint = "";
    let since;
    let takes;
    child.stdout.on("data", (text) => {
      if (said === "") {
        since = performance.now();
        if (afterMs !== undefined) setTimeout(() => child.kill("SIGKILL"), afterMs);
      }
      said += text;
      if (afterMs === undefined && said.includes("done")) {
        takes = performance.now() - since;
        child.kill("SIGKILL");
      }
    });
    child.stderr.on("data", (text) => (complaint += text));
    child.on("error", reject);
    child.on("close", (code) => {
      if (complaint !== "") reject(new Error(`it ended by itself (${code}): ${complaint}`));
      else resolve(takes ?? said.includes("done"));
    });
  });
}

test(`${KILLS} kills of a restoring leave the old state or the new one`, { timeout: 600_000 }, async () => {
  const root = place("killed");
  const { fileCache } = await import("./runtime-restorer.mjs");
  const states = [];
  for (const name of ["a", "b"]) {
    const store = memory();
    const cache = createMemoryCache();
    for (let number = 0; number < 12; number += 1) {
      await (await filled(store, `s${number}`, 20, 40 + number)).close();
      cache.put(`value ${number}`, { value: `${name} ${number}` });
    }
    const file = place(name);
    await (await createRuntime({ store, cache })).snapshotTo(file);
    states.push({ file, content: await content(store) });
  }
  const store = new FileStore(join(root, "store"));
  mkdirSync(join(root, "cache"));
  const first = await createRuntime({ store, cache: fileCache(join(root, "cache")) });
  await first.restoreFrom(states[0].file);
  store.close();
  // What it takes to the end; of which the first 50 ms are its wait.
  const takes = await killed(root, states[1].file);
  let now = 1;
  const seen = { old: 0, undone: 0, finished: 0, new: 0 };
  for (let round = 0; round < KILLS; round += 1) {
    const next = 1 - now;
    const afterMs = 50 + Math.random() * (takes - 50) * 1.1;
    const isDone = await killed(root, states[next].file, afterMs);
    const again = new FileStore(join(root, "store"));
    const cache = fileCache(join(root, "cache"));
    const runtime = await createRuntime({ store: again, cache });
    const found = await content(again);
    again.close();
    const context = `round ${round}, after ${afterMs.toFixed(1)} ms, ${runtime.recovered.what}`;
    const is = states.findIndex((state) => state.content.s0[0] === found.s0[0]);
    equal(found, states[is].content, context);
    const { what } = runtime.recovered;
    seen[what === "nothing" ? (is === next ? "new" : "old") : what] += 1;
    if (isDone) equal(is, next, context);
    if (runtime.recovered.what === "undone") equal([is, runtime.recovered.kept], [now, []], context);
    equal(await keysIn(again, "restore/"), [], context);
    const values = [...cache.list()].map((key) => cache.get(key).value);
    equal(values.sort(), Array.from({ length: 12 }, (_, at) => `${"ab"[is]} ${at}`).sort(), context);
    now = is;
  }
  assert.ok(seen.undone > 0, JSON.stringify(seen));
});
