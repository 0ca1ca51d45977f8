// What can go wrong with files: other processes, full disks, failed syncs, too many files.

import { strict as assert } from "node:assert";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs, {
  closeSync, copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, renameSync, rmSync, statSync, unlinkSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { Session, TurnkeepError } from "../../npm/dist/entry/node.js";
import { ownName } from "../../npm/dist/file/own.js";
import { FileStore } from "../../npm/dist/fs.js";

const made = [];
const folder = () => {
  const path = mkdtempSync(join(tmpdir(), "turnkeep-"));
  made.push(path);
  return join(path, "store");
};
after(() => made.forEach((path) => rmSync(path, { recursive: true, force: true })));

const item = (content) => ({ kind: "user_input", item: { role: "user", content } });
const coded = (code) => (error) => error instanceof TurnkeepError && error.code === code;
const onUnix = { skip: process.platform === "win32" };
const onLinux = { skip: process.platform !== "linux" };

/** A process that holds a session for writing until its input ends. */
async function holder(root, id) {
  const program = `
    import { Session } from ${JSON.stringify(new URL("../../npm/dist/entry/node.js", import.meta.url).href)};
    import { FileStore } from ${JSON.stringify(new URL("../../npm/dist/fs.js", import.meta.url).href)};
    const session = await Session.create(new FileStore(${JSON.stringify(root)}), { id: ${JSON.stringify(id)} });
    console.log("holding");
    process.stdin.on("end", () => process.exit()).resume();`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}

test("a living process's lock holds, and its exit lets go", async () => {
  const root = folder();
  const child = await holder(root, "s");
  const session = await Session.open(new FileStore(root), "s");
  await assert.rejects(session.append(item("mine")), (error) => {
    assert.match(error.message, new RegExp(`process ${child.pid} on `));
    return coded("locked")(error);
  });
  await assert.rejects(session.archive(), coded("locked"));
  assert.equal((await session.state()).history.length, 0);
  assert.deepEqual(readdirSync(root).sort(), [".s.jsonl.lock", "s.jsonl"]);
  child.stdin.end();
  await once(child, "exit");
  assert.deepEqual(readdirSync(root), ["s.jsonl"]);
  await session.append(item("mine"));
  await session.close();
});

test("a killed process's lock is taken over", async () => {
  const root = folder();
  const child = await holder(root, "s");
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.ok(existsSync(join(root, ".s.jsonl.lock")));
  const session = await Session.open(new FileStore(root), "s");
  await session.append(item("mine"));
  await session.close();
  assert.deepEqual(readdirSync(root), ["s.jsonl"]);
});

/** Lets reading what the system says of a process fail until the answer is called. */
function hiding(pid, code) {
  const { readFileSync } = fs;
  fs.readFileSync = (path, ...more) => {
    if (path === `/proc/${pid}/stat`) throw Object.assign(new Error(code), { code });
    return readFileSync(path, ...more);
  };
  syncBuiltinESMExports();
  return () => {
    fs.readFileSync = readFileSync;
    syncBuiltinESMExports();
  };
}

test("a process that cannot be looked at counts as living", onLinux, async () => {
  const root = folder();
  const child = await holder(root, "s");
  const session = await Session.open(new FileStore(root), "s");
  const left = ownName(join(root, "a"), "put").replace(`-${process.pid}-`, `-${child.pid}-`);
  writeFileSync(left, "");
  for (const code of ["EPERM", "EMFILE"]) {
    const mend = hiding(child.pid, code);
    try {
      await assert.rejects(session.append(item("mine")), coded("locked"), code);
      await new FileStore(root).put("b", new Uint8Array(1), "any");
    } finally {
      mend();
    }
    assert.ok(existsSync(left), code);
  }
  child.kill("SIGKILL");
  await once(child, "exit");
  // Gone between the opening and the reading.
  const mend = hiding(child.pid, "ESRCH");
  await session.append(item("mine"));
  mend();
  await session.close();
  await new FileStore(root).put("b", new Uint8Array(1), "any");
  assert.ok(!existsSync(left));
});

test("a pipe is no object, and nobody waits for it", onUnix, () => {
  const root = folder();
  fs.mkdirSync(root);
  execFileSync("mkfifo", [join(root, "a.jsonl"), join(root, ".b.jsonl.lock")]);
  // In a process of its own: what waits here holds everything up, the time that it has as well.
  const program = `
    import { Session } from ${JSON.stringify(new URL("../../npm/dist/entry/node.js", import.meta.url).href)};
    import { FileStore } from ${JSON.stringify(new URL("../../npm/dist/fs.js", import.meta.url).href)};
    const store = new FileStore(${JSON.stringify(root)});
    const calls = [
      () => store.get("a.jsonl"), () => Session.open(store, "a"),
      () => Session.create(store, { id: "b" }), () => store.holder("b.jsonl"),
    ];
    for (const call of calls) console.log(await (async () => call())().catch(({ code }) => code));`;
  const args = ["--input-type=module", "-e", program];
  const said = execFileSync(process.execPath, args, { encoding: "utf8", timeout: 20_000 });
  assert.deepEqual(said.trim().split("\n"), ["not_found", "not_found", "store_failed", "store_failed"]);
});

/** Whoever took this process for gone swept its stage. */
test("a stage that lost bytes is not published", async () => {
  const store = new FileStore(folder());
  await store.put("a", Buffer.from("before"), "absent");
  const lose = {
    "the first part": (stage) => rmSync(join(stage, "1")),
    "a part": (stage) => rmSync(join(stage, "2")),
    "a part's bytes": (stage) => writeFileSync(join(stage, "3"), ""),
    "everything": (stage) => rmSync(stage, { recursive: true }),
  };
  for (const [what, from] of Object.entries(lose)) {
    const stage = await store.stage("a");
    for (const number of [1, 2, 3]) await store.stagePart(stage, number, Buffer.from("part"));
    from(join(store.root, stage));
    await assert.rejects(store.commit(stage, "any"), coded("store_failed"), what);
    assert.equal(readFileSync(store.path("a"), "utf8"), "before");
    assert.deepEqual(readdirSync(store.root), ["a"]);
  }
});

test("a lock that was taken away is noticed before the next append", async () => {
  const root = folder();
  const one = await Session.create(new FileStore(root), { id: "s" });
  unlinkSync(join(root, ".s.jsonl.lock"));
  const other = await Session.open(new FileStore(root), "s");
  await other.append(item("other"));
  await assert.rejects(one.append(item("one")), coded("locked"));
  await one.close();
  assert.ok(existsSync(join(root, ".s.jsonl.lock")), "the other's lock stays");
  assert.ok((await other.verify()).isWhole);
  await other.close();
});

test("a lock that was taken away is noticed before its object is replaced or removed", async () => {
  const root = folder();
  const one = await Session.create(new FileStore(root), { id: "s" });
  await one.archive();
  await one.append(item("one"));
  unlinkSync(join(root, ".s.jsonl.lock"));
  const other = await Session.open(new FileStore(root), "s");
  await other.append(item("before"));
  await assert.rejects(one.restore(), coded("locked"));
  await other.append(item("after"));
  assert.deepEqual((await other.state()).history.map(({ item }) => item.content), ["one", "before", "after"]);
  await Promise.all([one.close(), other.close()]);

  const [mine, others] = [new FileStore(root), new FileStore(root)];
  const byte = new Uint8Array(1);
  const changes = {
    put: () => mine.put("a", byte, "any"),
    async commit() {
      const stage = await mine.stage("a");
      await mine.stagePart(stage, 1, byte);
      return mine.commit(stage, "any");
    },
    delete: () => mine.delete("a", "any"),
  };
  for (const [name, change] of Object.entries(changes)) {
    const { bytes } = await mine.append("a", byte, existsSync(mine.path("a")) ? mine.info("a").bytes : 0, 0, "os");
    unlinkSync(join(root, ".a.lock"));
    const { version } = await others.append("a", byte, bytes, 0, "os");
    await assert.rejects(change(), coded("locked"), name);
    assert.equal(mine.info("a").version, version, name);
    others.close();
  }
});

test("nothing is written to a file that was replaced or removed by something else", onUnix, async () => {
  const replaced = (error) => {
    assert.match(error.message, /the file was replaced or removed by something else while it was held/);
    return coded("conflict")(error);
  };
  for (const durability of ["os", "disk"]) {
    const store = new FileStore(folder());
    const path = store.path("s.jsonl");
    const session = await Session.create(store, { id: "s", durability });
    await session.append(item("one"));
    const copy = join(store.root, "..", "copy");
    copyFileSync(path, copy);
    renameSync(copy, path);
    const before = readFileSync(path);
    await assert.rejects(session.append(item("two")), replaced);
    assert.deepEqual(readFileSync(path), before);
    assert.deepEqual(readdirSync(store.root), ["s.jsonl"], "it was let go");
    // What is there now is gone on with.
    await session.append(item("three"));
    const again = await Session.open(new FileStore(store.root), "s");
    assert.deepEqual((await again.state()).history.map(({ item }) => item.content), ["one", "three"]);
    rmSync(path);
    await assert.rejects(session.append(item("four")), replaced);
    await assert.rejects(session.append(item("five")), coded("conflict"));
    assert.deepEqual(readdirSync(store.root), []);
    await session.close();
  }
});

/** Lets a function of node:fs fail until the answer is called. */
function breaking(name, code) {
  const whole = fs[name];
  const error = Object.assign(new Error(`${code}: as the test wants it`), { code });
  fs[name] = (...args) => {
    const callback = args.at(-1);
    if (typeof callback === "function") return void setImmediate(callback, error);
    throw error;
  };
  syncBuiltinESMExports();
  return () => {
    fs[name] = whole;
    syncBuiltinESMExports();
  };
}

test("after a failed sync nothing is written any more", async () => {
  const store = new FileStore(folder());
  const session = await Session.create(store, { id: "s", durability: "disk" });
  await session.append(item("one"));
  const mend = breaking("fdatasync", "EIO");
  await assert.rejects(session.append(item("two")), coded("poisoned"));
  mend();
  await assert.rejects(session.append(item("three")), coded("poisoned"));
  await session.close();
  const again = await Session.open(new FileStore(store.root), "s");
  assert.ok((await again.verify()).isWhole);
  await again.append(item("four"));
  await again.close();
});

test("too many open files may pass", () => {
  const store = new FileStore(folder());
  writeFileSync(store.path("a"), "1");
  for (const code of ["EMFILE", "ENFILE"]) {
    const mend = breaking("openSync", code);
    try {
      assert.throws(() => store.get("a"), (error) => coded("store_failed")(error) && error.retryable, code);
    } finally {
      mend();
    }
  }
});

test("a file that was closed from outside is poisoned", onLinux, async () => {
  const store = new FileStore(folder());
  const session = await Session.create(store, { id: "s" });
  const path = store.path("s.jsonl");
  const before = readFileSync(path);
  const fds = readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      return false;
    }
  });
  assert.equal(fds.length, 1);
  closeSync(Number(fds[0]));
  await assert.rejects(session.append(item("one")), coded("store_failed"));
  assert.deepEqual(readFileSync(path), before);
  await session.close();
});

test("a full disk leaves the log as it was, and may pass", async () => {
  const store = new FileStore(folder());
  const session = await Session.create(store, { id: "s" });
  const before = readFileSync(store.path("s.jsonl"));
  const { writeSync } = fs;
  // Half of the bytes, then no more.
  let calls = 0;
  fs.writeSync = (fd, bytes, offset, length) => {
    calls += 1;
    if (calls === 1) return writeSync(fd, bytes, offset, length >> 1);
    throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
  };
  syncBuiltinESMExports();
  const appending = session.append(item("one"));
  fs.writeSync = writeSync;
  syncBuiltinESMExports();
  await assert.rejects(appending, (error) => {
    assert.deepEqual([error.retryable, error.cause.code], [true, "ENOSPC"]);
    return coded("store_failed")(error);
  });
  assert.deepEqual(readFileSync(store.path("s.jsonl")), before);
  await session.append(item("one"));
  assert.ok((await session.verify()).isWhole);
  await session.close();
});

test("more sessions than files are held at once", async () => {
  const store = new FileStore(folder());
  const open = [];
  for (let n = 0; n < 300; n += 1) open.push(await Session.create(store, { id: `s${n}` }));
  const locks = readdirSync(store.root).filter((name) => name.endsWith(".lock"));
  assert.equal(locks.length, 256);
  for (const session of open) await session.append(item("one"));
  await Promise.all(open.map((session) => session.close()));
  assert.deepEqual(readdirSync(store.root).filter((name) => name.startsWith(".")), []);
});

test("appends of many sessions to disk, all at once", async () => {
  const store = new FileStore(folder());
  const sessions = await Promise.all(
    Array.from({ length: 40 }, (_, n) => Session.create(store, { id: `s${n}`, durability: "disk" })),
  );
  const appends = sessions.flatMap((session) => [1, 2, 3].map((n) => session.append(item(`${n}`))));
  await Promise.all(appends);
  for (const session of sessions) {
    assert.deepEqual((await session.state()).history.map(({ item }) => item.content), ["1", "2", "3"]);
    await session.close();
  }
});

test("a version is what the native store gives: number, length and time of the file", onLinux, async () => {
  const store = new FileStore(folder());
  const { version } = await store.put("a", new Uint8Array(5), "any");
  const { ino, size, mtimeNs } = statSync(store.path("a"), { bigint: true });
  assert.equal(version, [ino, size, mtimeNs].map((number) => number.toString(16)).join("-"));
});

test("what is put has the version that was put, not that of what another put since", async () => {
  const store = new FileStore(folder());
  const other = join(store.root, "other");
  writeFileSync(other, "another's");
  const putting = store.put("a", new Uint8Array(5), "absent");
  const isThere = () => existsSync(store.path("a"));
  const until = Date.now() + 10_000;
  while (!isThere()) {
    assert.ok(Date.now() < until, "nothing was published");
    await new Promise((resolve) => setImmediate(resolve));
  }
  renameSync(other, store.path("a"));
  const { version, bytes } = await putting;
  assert.equal(bytes, 5);
  assert.notEqual(version, store.info("a").version);
  await assert.rejects(store.delete("a", { version }), coded("conflict"));
});

test("closing a store lets go of everything", async () => {
  const store = new FileStore(folder());
  await Session.create(store, { id: "s" });
  assert.ok(existsSync(join(store.root, ".s.jsonl.lock")));
  store.close();
  assert.deepEqual(readdirSync(store.root), ["s.jsonl"]);
});

test("a large log is read without holding up other work", async () => {
  const store = new FileStore(folder());
  const session = await Session.create(store, { id: "s" });
  const drafts = Array.from({ length: 500 }, (_, n) => item(`${n} `.repeat(2000)));
  await session.append(drafts);
  let ticks = 0;
  const ticking = setInterval(() => (ticks += 1), 1);
  await session.verify();
  clearInterval(ticking);
  assert.ok(ticks > 0, "the event loop turned meanwhile");
  await session.close();
});
