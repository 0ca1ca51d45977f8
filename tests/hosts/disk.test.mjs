// Disks that are full or cannot be written, as small file systems in memory. Where none can be
// mounted this fails: what it promises would not be known.

import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { Session, TurnkeepError } from "../../npm/dist/entry/node.js";
import { FileStore } from "../../npm/dist/fs.js";

/** Set where the tests run again, as the root of their own mounts. */
const INSIDE = "TURNKEEP_TESTS_OWN_MOUNTS";

const onLinux = { skip: process.platform !== "linux" };
const mount = (folder, options) =>
  spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]).status === 0;

/** Runs a test on a file system that is as small as its options say. */
async function onDisk(options, run) {
  const folder = mkdtempSync(join(tmpdir(), "turnkeep-"));
  assert.ok(mount(folder, options), "no file system can be mounted");
  const disk = {
    root: join(folder, "store"),
    names: () => readdirSync(join(folder, "store")),
    remount: (option) => assert.ok(mount(folder, `remount,${option}`)),
    /** Takes all the room but so many bytes; the answer gives it back. */
    fill(left = 0) {
      const path = join(folder, "filler");
      assert.throws(() => writeFileSync(path, new Uint8Array(16 << 20)), { code: "ENOSPC" });
      if (left > 0) writeFileSync(path, new Uint8Array((1 << 20) - left));
      return () => rmSync(path);
    },
  };
  try {
    await run(disk);
  } finally {
    spawnSync("umount", ["-l", folder]);
    rmSync(folder, { recursive: true, force: true });
  }
}

const full = (error) => {
  assert.ok(error instanceof TurnkeepError);
  assert.deepEqual([error.code, error.retryable], ["store_failed", true]);
  assert.match(error.message, /ENOSPC.*this may pass/);
  return true;
};
const refused = (error) => {
  assert.ok(error instanceof TurnkeepError);
  assert.deepEqual([error.code, error.retryable], ["store_failed", false]);
  assert.match(error.message, /EROFS/);
  return true;
};

const probe = mkdtempSync(join(tmpdir(), "turnkeep-"));
const canMount = mount(probe, "size=64k");
if (canMount) spawnSync("umount", ["-l", probe]);
rmSync(probe, { recursive: true });

if (!canMount && process.env[INSIDE] === undefined) {
  // Whoever may not mount may be allowed to where nobody else sees it.
  test("the same, as the root of its own mounts", onLinux, () => {
    const args = ["-rm", process.execPath, "--test", fileURLToPath(import.meta.url)];
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { status, stdout } = spawnSync("unshare", args, { env: { ...env, [INSIDE]: "1" } });
    assert.equal(status, 0, `it failed, or no file system can be mounted\n${stdout}`);
  });
} else {
  test("a failed append leaves the file as it was", onLinux, () => onDisk("size=1m", failedAppends));
  test("a new session on a full disk leaves nothing", onLinux, () => onDisk("size=1m", newSession));
  test("a read-only disk says so", onLinux, () => onDisk("size=1m", readOnly));
}

async function failedAppends(disk) {
  for (const durability of ["os", "disk"]) {
    const store = new FileStore(disk.root);
    const text = (content) => new TextEncoder().encode(content);
    const content = () => readFileSync(store.path(durability), "utf8");
    const append = async (bytes, at, torn) => store.append(durability, bytes, at, torn, durability);
    await append(text("kept\ntorn"), 0, 0);
    const empty = disk.fill();
    const long = text("y".repeat(100_000));
    await assert.rejects(append(long, 9, 0), full);
    assert.equal(content(), "kept\ntorn");
    // What was torn is there again too: the same call can be made again.
    await assert.rejects(append(long, 5, 4), full);
    assert.equal(content(), "kept\ntorn");
    await append(text("fits\n"), 5, 4);
    empty();
    assert.equal((await append(long, 10, 0)).bytes, 100_010);
    await store.sync(durability);
    store.close();
  }
}

async function newSession(disk) {
  const store = new FileStore(disk.root);
  const empty = disk.fill();
  await assert.rejects(Session.create(store, { id: "a" }), full);
  assert.deepEqual(disk.names(), []);
  empty();
  // Room for the lock, and not for the file's content.
  const emptyAgain = disk.fill(8192);
  const append = async () => store.append("a", new Uint8Array(100_000), 0, 0, "disk");
  await assert.rejects(append(), full);
  assert.deepEqual(disk.names(), []);
  emptyAgain();
  await append();
  store.close();
  assert.deepEqual(disk.names(), ["a"]);
}

async function readOnly(disk) {
  const session = await Session.create(new FileStore(disk.root), { id: "a" });
  await session.close();
  mkdirSync(join(disk.root, "x"));
  disk.remount("ro");
  const store = new FileStore(disk.root);
  const again = await Session.open(store, "a");
  await assert.rejects(again.append({ kind: "user_input", item: {} }), refused);
  await assert.rejects(Session.create(store, { id: "b" }), refused);
  await assert.rejects(store.put("x/y", new Uint8Array(1), "any"), refused);
  assert.equal(store.holder("a.jsonl"), undefined);
  disk.remount("rw");
  await again.append({ kind: "user_input", item: {} });
  await again.close();
}
