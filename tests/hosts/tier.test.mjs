// Two stores of files for one thread, which processes work on: by turns, at once, told to end, killed.
// What needs no processes is in shared/tier*.mjs.

import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { Session, Tier, copySession, runSession } from "../../npm/dist/entry/node.js";
import { FileStore } from "../../npm/dist/fs.js";
import { MemoryStore } from "../../npm/dist/memory.js";
import { createColdThreadStore, threadSession } from "../../npm/dist/zeitlich.js";

const program = fileURLToPath(new URL("tier-worker.mjs", import.meta.url));
const made = mkdtempSync(join(tmpdir(), "turnkeep-tiers-"));
after(() => rmSync(made, { recursive: true, force: true }));

/** Starts a worker; `told` are its lines so far. */
function start(folder, name, times) {
  const child = spawn(process.execPath, [program, join(made, folder), "thread", name, String(times)]);
  const worker = { child, told: [], errors: "" };
  child.stdout.on("data", (data) => worker.told.push(...String(data).trim().split("\n")));
  child.stderr.on("data", (data) => (worker.errors += data));
  worker.over = once(child, "close").then(([code, signal]) => signal ?? code);
  return worker;
}

function stores(folder) {
  const [hot, cold] = ["hot", "cold"].map((name) => new FileStore(join(made, folder, name)));
  return { hot, tier: Tier.openReading(hot, cold) };
}

async function messages({ tier }) {
  const session = await Session.open(tier, "thread");
  assert.ok((await session.verify({ deep: true })).isWhole);
  const { history, slice } = await session.state();
  await session.close();
  return { texts: history.map(({ item }) => item.content), last: slice?.last };
}

const logs = async ({ hot }) => (await hot.list("thread.jsonl", undefined, 9)).objects.length;

test("workers take turns on a thread", async () => {
  for (const name of ["a", "b", "c"]) {
    const worker = start("turns", name, 3);
    assert.equal(await worker.over, 0, worker.errors);
  }
  const at = stores("turns");
  assert.equal(await logs(at), 0);
  const { texts, last } = await messages(at);
  assert.deepEqual(texts, ["a", "b", "c"].flatMap((name) => [0, 1, 2].map((n) => `${name}-${n}`)));
  assert.equal(last, "c-2");
});

test("workers at once: what was acknowledged is there, once", async () => {
  const workers = ["a", "b", "c", "d"].map((name) => start("once", name, 8));
  for (const worker of workers) assert.equal(await worker.over, 0, worker.errors);
  const at = stores("once");
  await at.tier.flush("thread");
  assert.equal(await logs(at), 0);
  const { texts } = await messages(at);
  const told = workers.flatMap(({ told }) => told);
  assert.ok(told.length >= 32);
  assert.deepEqual([...texts].sort(), told.sort());
});

test("a worker that is told to end saves and flushes", async () => {
  const worker = start("ended", "a", "forever");
  await once(worker.child.stdout, "data");
  worker.child.kill("SIGTERM");
  assert.equal(await worker.over, 0, worker.errors);
  const at = stores("ended");
  assert.equal(await logs(at), 0);
  assert.deepEqual(await messages(at), { texts: ["a-0"], last: "a-0" });
});

test("of a worker that is killed, what was acknowledged stays, and the next one flushes it", async () => {
  const worker = start("killed", "a", "forever");
  await once(worker.child.stdout, "data");
  worker.child.kill("SIGKILL");
  assert.equal(await worker.over, "SIGKILL");
  const at = stores("killed");
  assert.equal(await logs(at), 1);
  const work = (session) => session.append({ item: { role: "user", content: "b-0" } });
  await runSession(at.tier, { mode: "continue", id: "thread" }, work);
  assert.equal(await logs(at), 0);
  assert.deepEqual((await messages(at)).texts, ["a-0", "b-0"]);
});

test("copying lets go of the log, and so does a thread's writing that fails halfway", async () => {
  const [from, to] = ["from", "to"].map((name) => new FileStore(join(made, "copied", name)));
  const session = await Session.create(from, { id: "thread" });
  await copySession(from, to, "thread", "files");
  await session.append({ item: { role: "user", content: "Hi" } });
  await copySession(from, to, "thread", "files");
  const other = await Session.open(new FileStore(to.root), "thread");
  await other.append({ item: { role: "user", content: "Ho" } });
  await Promise.all([session.close(), other.close()]);

  const cold = new MemoryStore();
  cold.put = cold.commit = () => {
    throw new Error("no room");
  };
  const hot = new FileStore(join(made, "copied", "hot"));
  const threads = createColdThreadStore(Tier.openReading(hot, cold));
  const snapshot = (...messages) => ({ v: 1, messages, state: null, dedupIds: [] });
  await assert.rejects(threads.write("messages", "t-1", snapshot("{}")), { code: "store_failed" });
  assert.deepEqual((await readdir(hot.root)).filter((name) => name.endsWith(".lock")), []);
});

test("half a character in a key or an id is no thread's", async () => {
  for (const [key, id] of [["messages", "a\ud800"], ["\udc00", "a"], ["messages", undefined]]) {
    assert.throws(() => threadSession(key, id), { code: "invalid_argument" });
  }
});
