// Appends that survive loss of power share what that costs, and stay in order.

import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { Session, TurnkeepError } from "../../npm/dist/entry/node.js";
import { FileStore, defaultRoot } from "../../npm/dist/fs.js";

const made = [];
const folder = () => {
  const path = mkdtempSync(join(tmpdir(), "turnkeep-"));
  made.push(path);
  return path;
};
after(() => made.forEach((path) => rmSync(path, { recursive: true, force: true })));

const user = (content) => ({ item: { role: "user", content } });
const tick = () => new Promise((done) => setTimeout(done, 5));

/** Counts the syncs that reach the disk; each takes a while, and fails if told to. */
class Slow extends FileStore {
  calls = 0;
  appended = [];
  fail = false;

  append(key, bytes, at, torn, durability) {
    this.appended.push(durability);
    return super.append(key, bytes, at, torn, durability);
  }

  async sync(key) {
    this.calls += 1;
    if (this.fail) throw new TurnkeepError("poisoned", "cannot sync", { key });
    await tick();
    await super.sync(key);
  }
}

test("appends at once share syncs, and stay in order", async () => {
  const { default: fs } = await import("node:fs");
  const { syncBuiltinESMExports } = await import("node:module");
  const whole = fs.fdatasync;
  let syncs = 0;
  fs.fdatasync = (fd, done) => {
    syncs += 1;
    whole(fd, (error) => setTimeout(done, 5, error));
  };
  syncBuiltinESMExports();
  try {
    const session = await Session.create(new FileStore(folder()), { durability: "disk" });
    syncs = 0;
    const count = 200;
    const order = [];
    const appends = Array.from({ length: count }, (_, n) =>
      session.append(user(`${n}`)).then(({ firstSeq }) => order.push(firstSeq)),
    );
    await Promise.all(appends);
    assert.deepEqual(order, Array.from({ length: count }, (_, n) => n + 1));
    const { history } = await session.state();
    assert.deepEqual(history.map(({ item }) => item.content), Array.from({ length: count }, (_, n) => `${n}`));
    console.log(`${count} appends at once: ${syncs} times to the disk`);
    assert.ok(syncs > 0 && syncs <= count / 10, `${syncs} syncs`);
    await session.close();
  } finally {
    fs.fdatasync = whole;
    syncBuiltinESMExports();
  }
});

test("an append resolves after its sync, which others need not wait for", async () => {
  const store = new Slow(folder());
  const session = await Session.create(store);
  let isDurable = false;
  const append = session.append(user("a"), { durability: "disk" }).then(() => (isDurable = true));
  assert.equal((await session.read({ last: 1 })).entries[0].item.content, "a");
  assert.equal(isDurable, false);
  await append;
  assert.deepEqual([store.calls, store.appended.at(-1)], [1, "os"]);
  await session.close();
});

test("closing waits for syncs that are under way", async () => {
  const session = await Session.create(new Slow(folder()), { durability: "disk" });
  let isDurable = false;
  session.append(user("a")).then(() => (isDurable = true));
  await session.close();
  assert.equal(isDurable, true);
});

test("a sync that fails fails its append", async () => {
  const store = new Slow(folder());
  const session = await Session.create(store, { durability: "disk" });
  store.fail = true;
  const coded = (error) => error instanceof TurnkeepError && error.code === "poisoned";
  await assert.rejects(session.append(user("a")), coded);
  await session.close();
});

test("a signal that aborts while an append waits for its sync leaves the session usable", async () => {
  const store = new Slow(folder());
  const session = await Session.create(store, { durability: "disk" });
  const reason = new Error("enough");
  const controller = new AbortController();
  const calls = Array.from({ length: 20 }, (_, n) =>
    session.append(user(`${n}`), n % 2 === 0 ? {} : { signal: controller.signal }),
  );
  controller.abort(reason);
  const outcomes = await Promise.allSettled(calls);
  for (const [n, { status, reason: found }] of outcomes.entries()) {
    if (n % 2 === 0) assert.equal(status, "fulfilled");
    else if (status === "rejected") assert.equal(found, reason);
  }
  await session.append(user("after"));
  const report = await session.verify({ deep: true });
  assert.ok(report.isWhole);
  assert.equal((await session.state()).history.at(-1).item.content, "after");
  await session.close();
});

test("sessions lie in the user's folder for data unless told", () => {
  const { XDG_DATA_HOME } = process.env;
  try {
    const data = join(tmpdir(), "data");
    process.env.XDG_DATA_HOME = data;
    assert.equal(defaultRoot(), join(data, "turnkeep", "sessions"));
    process.env.XDG_DATA_HOME = "relative";
    if (process.platform !== "win32") {
      assert.equal(defaultRoot(), join(homedir(), ".local", "share", "turnkeep", "sessions"));
    }
  } finally {
    if (XDG_DATA_HOME === undefined) delete process.env.XDG_DATA_HOME;
    else process.env.XDG_DATA_HOME = XDG_DATA_HOME;
  }
});
