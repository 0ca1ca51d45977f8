// Syncs that calls share, who holds an object, and what dead processes left.

import { strict as assert } from "node:assert";
import fs, { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { Session, TurnkeepError } from "../../npm/dist/entry/node.js";
import { FileStore } from "../../npm/dist/fs.js";
import { MemoryStore } from "../../npm/dist/memory.js";

const made = [];
const folder = () => {
  const path = mkdtempSync(join(tmpdir(), "turnkeep-"));
  made.push(path);
  return join(path, "store");
};
after(() => made.forEach((path) => rmSync(path, { recursive: true, force: true })));

const item = (content) => ({ kind: "user_input", item: { role: "user", content } });
const coded = (code) => (error) => error instanceof TurnkeepError && error.code === code;
const byte = new Uint8Array(1);

/** Watches fdatasync: how often it was called, and what was written when it started and has ended. */
async function watching(run) {
  const whole = fs.fdatasync;
  const watch = { syncs: 0, written: 0, covered: 0, fail: false };
  fs.fdatasync = (fd, done) => {
    watch.syncs += 1;
    const { written } = watch;
    if (watch.fail) return void setTimeout(done, 5, Object.assign(new Error("EIO"), { code: "EIO" }));
    whole(fd, (error) => {
      setTimeout(() => {
        watch.covered = Math.max(watch.covered, written);
        done(error);
      }, 2);
    });
  };
  syncBuiltinESMExports();
  try {
    await run(watch);
  } finally {
    fs.fdatasync = whole;
    syncBuiltinESMExports();
  }
}

test("calls that come while a sync runs share the next one", () =>
  watching(async (watch) => {
    const store = new FileStore(folder());
    const calls = 400;
    const writer = async () => {
      for (let round = 0; round < calls / 16; round += 1) {
        // Written and counted in one step.
        store.append("a", byte, watch.written, 0, "os");
        const mine = (watch.written += 1);
        await store.sync("a");
        assert.ok(watch.covered >= mine, "a sync that started after the write has ended");
      }
    };
    await Promise.all(Array.from({ length: 16 }, writer));
    console.log(`${calls} appends and syncs at once, 16 each time: ${watch.syncs} times to the disk`);
    assert.ok(watch.syncs <= calls / 8, `${watch.syncs} syncs`);
    store.close();
  }));

test("appends to disk share syncs", () =>
  watching(async (watch) => {
    const store = new FileStore(folder());
    const append = (at) => {
      // It writes at once, before its sync starts.
      watch.written = at + 1;
      return store.append("a", byte, at, 0, "disk").then(({ bytes }) => assert.ok(bytes === at + 1 && watch.covered >= bytes));
    };
    await Promise.all(Array.from({ length: 50 }, (_, at) => append(at)));
    assert.equal(watch.syncs, 2);
    store.close();
  }));

test("a failed sync fails all who wait for it, and those to come", () =>
  watching(async (watch) => {
    const store = new FileStore(folder());
    store.append("a", byte, 0, 0, "os");
    watch.fail = true;
    const calls = [store.sync("a"), store.sync("a"), store.sync("a")];
    for (const call of calls) await assert.rejects(call, coded("poisoned"));
    assert.equal(watch.syncs, 1, "none is tried after one that failed");
    watch.fail = false;
    await assert.rejects(store.sync("a"), coded("poisoned"));
    assert.throws(() => store.append("a", byte, 1, 0, "os"), coded("poisoned"));
    store.close();
  }));

test("a failed sync is not forgotten as long as a writer is open, whoever else closes or writes", () =>
  watching(async (watch) => {
    const store = new FileStore(folder());
    const one = await Session.create(store, { id: "s" });
    const [writer, reader] = [await Session.open(store, "s"), await Session.open(store, "s")];
    await writer.append(item("two"));
    watch.fail = true;
    await assert.rejects(writer.append(item("three"), { durability: "disk" }), coded("poisoned"));
    watch.fail = false;
    await one.close();
    await reader.close();
    for (let n = 0; n < 256; n += 1) store.append(`k${n}`, byte, 0, 0, "os");
    await assert.rejects(writer.append(item("four")), coded("poisoned"));
    await writer.close();
    const again = await Session.open(store, "s");
    await again.append(item("four"));
    await again.close();
    store.close();
  }));

test("a session that was only read leaves the writer's lock", async () => {
  const store = new FileStore(folder());
  const writer = await Session.create(store, { id: "s" });
  await (await Session.open(store, "s")).close();
  const other = await Session.open(new FileStore(store.root), "s");
  await assert.rejects(other.append(item("other")), coded("locked"));
  // The last of two writers lets go.
  const second = await Session.open(store, "s");
  await second.append(item("one"));
  await second.trace({ event: 1 });
  await writer.close();
  await assert.rejects(other.append(item("other")), coded("locked"));
  await second.close();
  await other.close();
  assert.deepEqual(readdirSync(store.root).filter((name) => name.startsWith(".")), []);
});

test("a file is closed when its syncs are over", () =>
  watching(async () => {
    const store = new FileStore(folder());
    store.append("a", byte, 0, 0, "os");
    const syncs = [store.sync("a"), store.sync("a")];
    store.close();
    assert.deepEqual(readdirSync(store.root), ["a"]);
    await Promise.all(syncs);
    await store.sync("a");
    await assert.rejects(store.sync("b"), coded("not_found"));
  }));

/** A lock's file, as a process of another machine wrote it so many seconds ago. */
function lockOf(store, seconds) {
  const path = join(store.root, ".s.jsonl.lock");
  const owner = { pid: 7, start: "1", host: "another-machine", since_ms: 1700000000000 };
  writeFileSync(path, JSON.stringify(owner));
  const then = Date.now() / 1000 - seconds;
  utimesSync(path, then, then);
  return path;
}

test("another machine's lock holds as long as it shows life", async () => {
  const store = new FileStore(folder());
  await (await Session.create(store, { id: "s" })).close();
  assert.equal(store.holder("s.jsonl"), undefined);
  lockOf(store, 3500);
  const session = await Session.open(store, "s");
  await assert.rejects(session.append(item("x")), (error) => {
    assert.match(error.message, /process 7 on another-machine .*held for \d+ days, last sign of life 58 min ago/);
    return coded("locked")(error);
  });
  assert.equal(store.holder("s.jsonl").isAlive, true);
  lockOf(store, 3700);
  assert.equal(store.holder("s.jsonl").isAlive, false);
  await session.append(item("x"));
  const { pid, host, heartbeatMs, isAlive, isSelf } = store.holder("s.jsonl");
  assert.deepEqual([pid, host, isAlive, isSelf], [process.pid, hostname(), true, true]);
  assert.ok(Math.abs(Date.now() - heartbeatMs) < 60_000);
  // The other one comes back.
  rmSync(lockOf(store, 0));
  lockOf(store, 0);
  await assert.rejects(session.append(item("y")), coded("locked"));
  assert.throws(() => store.heartbeat("s.jsonl"), coded("locked"));
  await session.close();
  assert.ok(existsSync(lockOf(store, 0)), "another's lock stays");
});

test("a time far ahead is no sign of life", async () => {
  const store = new FileStore(folder());
  await (await Session.create(store, { id: "s" })).close();
  const session = await Session.open(store, "s");
  lockOf(store, -3500);
  assert.equal(store.holder("s.jsonl").isAlive, true);
  await assert.rejects(session.append(item("x")), /last sign of life 0 s ago/);
  lockOf(store, -3700);
  assert.equal(store.holder("s.jsonl").isAlive, false);
  await session.append(item("x"));
  await session.close();
});

test("signs of life are shown by appends and heartbeats, not too often", async (context) => {
  const store = new FileStore(folder());
  store.append("a", byte, 0, 0, "os");
  const lock = join(store.root, ".a.lock");
  const age = () => Date.now() - fs.statSync(lock).mtimeMs;
  const old = () => utimesSync(lock, 1e9, 1e9);
  old();
  store.append("a", byte, 1, 0, "os");
  assert.ok(age() > 1e9, "one was shown just now");
  const now = performance.now();
  context.mock.method(performance, "now", () => now + 11_000);
  store.append("a", byte, 2, 0, "os");
  assert.ok(age() < 60_000);
  old();
  context.mock.method(performance, "now", () => now + 22_000);
  store.heartbeat("a");
  assert.ok(age() < 60_000);
  store.heartbeat("not held");
  store.close();
});

test("what dead processes left is swept", async () => {
  const store = new FileStore(folder());
  const mine = await store.stage("a");
  const dead = mine.replace(`-${process.pid}-`, "-1073741824-");
  const elsewhere = `${dead.slice(0, -25)}00000000-0123456789abcdef`;
  for (const name of [dead, elsewhere, ".a.stage-0123"]) mkdirSync(join(store.root, name));
  writeFileSync(join(store.root, dead.replace(".stage", ".new")), "{}");
  const other = new FileStore(store.root);
  const stage = await other.stage("b");
  assert.deepEqual(readdirSync(store.root).sort(), [mine, elsewhere, ".a.stage-0123", stage].sort());
  await other.stage("x".repeat(224));
});

test("memory cannot be made durable, and nobody holds it", async () => {
  const store = new MemoryStore();
  assert.throws(() => store.sync("a"), coded("not_supported"));
  assert.equal(store.holder("a"), undefined);
});
