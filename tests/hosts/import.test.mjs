// What earlier systems wrote, imported and exported in Node.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { Session, exportAs, importFiles } from "../../npm/dist/entry/node.js";
import { MemoryStore } from "../../npm/dist/memory.js";

const fixture = (name) => readFile(new URL(`../fixtures/${name}`, import.meta.url));
const file = async (name, as = name) => ({ name: as, bytes: await fixture(name) });
const utf8 = new TextDecoder();

test("an Eai snapshot gives its sessions and values, once", async () => {
  const store = new MemoryStore();
  const files = [await file("eai_snapshot.gz")];
  const told = await importFiles(store, files);
  assert.deepEqual(
    told.sessions.map(({ id, outcome, from, files }) => ({ id, outcome, from, files })),
    ["default", "work"].map((id) => ({
      id,
      outcome: "imported",
      from: "eai",
      files: ["eai_snapshot.gz"],
    })),
  );
  assert.deepEqual(told.cache.map(({ key }) => key).sort(), ["result:task_1", "subagent_result:1"]);
  assert.match(told.cache.find(({ key }) => key === "result:task_1").json, /1234567890123456789012/);
  const again = await importFiles(store, files);
  assert.ok(again.sessions.every(({ outcome }) => outcome === "already_imported"));
  const { history } = await (await Session.open(store, "default")).state();
  assert.equal(history.length, 4);
});

test("what is no earlier system's is told, and the others go on", async () => {
  const store = new MemoryStore();
  const told = await importFiles(store, [
    { name: "notes.txt", bytes: new TextEncoder().encode("nothing") },
    { name: "late.json.gz", bytes: () => fixture("zeitlich_t-1.json.gz") },
  ]);
  assert.deepEqual(
    told.skipped.map(({ file, error }) => [file, error.code]),
    [["notes.txt", "bad_entry"]],
  );
  assert.equal(told.sessions[0].id, "late");
});

test("a file that cannot be read leaves out what belongs to it, and the others go on", async () => {
  const store = new MemoryStore();
  const cause = new Error("EIO");
  const fails = () => Promise.reject(cause);
  const throws = () => {
    throw cause;
  };
  const { sessions, skipped } = await importFiles(store, [
    { name: "a.gz", bytes: throws },
    await file("opendev/a1b2c3d4e5f6.json", "d/a1b2c3d4e5f6.json"),
    { name: "d/a1b2c3d4e5f6.jsonl", bytes: fails },
    { name: "late.json.gz", bytes: () => fixture("zeitlich_t-1.json.gz") },
  ]);
  assert.deepEqual(sessions.map(({ id, outcome }) => [id, outcome]), [["late", "imported"]]);
  assert.deepEqual(
    skipped.map(({ file, error }) => [file, error.code, error.key, error.cause]),
    [
      ["a.gz", "store_failed", "a.gz", cause],
      ["d/a1b2c3d4e5f6.json", "store_failed", "d/a1b2c3d4e5f6.jsonl", cause],
      ["d/a1b2c3d4e5f6.jsonl", "store_failed", "d/a1b2c3d4e5f6.jsonl", cause],
    ],
  );
  const reason = new Error("enough");
  const aborting = new AbortController();
  const aborts = () => {
    aborting.abort(reason);
    throw reason;
  };
  const { signal } = aborting;
  await assert.rejects(importFiles(store, [{ name: "a.gz", bytes: aborts }], { signal }), reason);
});

test("a dry run changes nothing, and an id can be chosen", async () => {
  const store = new MemoryStore();
  const files = [await file("zeitlich_t-1.json.gz")];
  const dry = await importFiles(store, files, { as: "thread", dryRun: true });
  assert.equal(dry.sessions[0].outcome, "would_import");
  await assert.rejects(Session.open(store, "thread"), { code: "not_found" });
  await importFiles(store, files, { as: "thread" });
  const other = await importFiles(store, [await file("eai_session_default.gz")], { as: "thread" });
  assert.equal(other.sessions[0].outcome, "exists");
  await assert.rejects(importFiles(store, files, { from: "other" }), { code: "invalid_argument" });
});

test("what is no content, and no id, is refused before anything is written", async () => {
  const store = new MemoryStore();
  const { name, bytes } = await file("zeitlich_t-1.json.gz");
  for (const wrong of ["text", [1, 2], undefined, () => "text", async () => new ArrayBuffer(2)]) {
    await assert.rejects(importFiles(store, [{ name, bytes: wrong }]), { code: "invalid_argument" });
  }
  for (const options of [{ as: "\ud800" }, { only: "\udc00" }, { as: 7 }]) {
    await assert.rejects(importFiles(store, [{ name, bytes }], options), { code: "invalid_id" });
  }
  assert.deepEqual(store.list("", undefined, 9).objects, []);
});

test("session-store's chain is checked, and its lines come back", async () => {
  const store = new MemoryStore();
  const name = "01969a00-0000-7000-8000-000000000001.jsonl";
  const told = await importFiles(store, [await file(`session-store/${name}`, name)]);
  const [{ id, chain }] = told.sessions;
  assert.deepEqual(chain, { held: 12, fault: undefined });
  const lines = utf8.decode(await exportAs(store, id, "session-store")).trim().split("\n");
  assert.ok(lines.every((line) => /^\{"hash":"[0-9a-f]{64}","prev_hash":/.test(line)));
  const messages = utf8.decode(await exportAs(store, id, "messages"));
  assert.match(messages, /"seed"/);
  assert.match(utf8.decode(await exportAs(store, id, "markdown")), /^# /);
  assert.deepEqual([...(await exportAs(store, id, "zeitlich")).subarray(0, 2)], [0x1f, 0x8b]);
  await assert.rejects(exportAs(store, id, "pdf"), { code: "invalid_argument" });

  const text = utf8.decode(await fixture(`session-store/${name}`)).replace("Sunny, 25C", "Rainy, 25C");
  const bytes = new TextEncoder().encode(text);
  const tampered = await importFiles(new MemoryStore(), [{ name, bytes }]);
  assert.equal(tampered.sessions[0].chain.held, 3);
  assert.deepEqual([tampered.sessions[0].chain.fault.line, tampered.sessions[0].outcome], [4, "imported"]);
});

test("an aborted import begins no other session, and rejects with the reason", async () => {
  const files = [await file("eai_snapshot.gz"), await file("zeitlich_t-1.json.gz")];
  const reason = new Error("enough");
  const untouched = new MemoryStore();
  await assert.rejects(importFiles(untouched, files, { signal: AbortSignal.abort(reason) }), reason);
  assert.deepEqual(await untouched.list("", undefined, 9), { objects: [], more: false });
  for (let until = 1, isOver = false; !isOver; until += 1) {
    const aborting = new AbortController();
    let asked = 0;
    // Everything that is written passes here.
    const store = new MemoryStore();
    for (const name of ["put", "stage", "stagePart", "commit", "append"]) {
      const whole = store[name].bind(store);
      store[name] = (...args) => {
        if ((asked += 1) === until) aborting.abort(reason);
        return whole(...args);
      };
    }
    const { signal } = aborting;
    isOver = await importFiles(store, files, { signal }).then(() => true, (error) => {
      assert.equal(error, reason);
      return false;
    });
    const then = asked;
    assert.ok(isOver || then <= until, `after ${until} requests ${then - until} others wrote`);
  }
});
