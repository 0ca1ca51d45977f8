// Archives and sweeps on files: two hosts take turns, sessions that other processes hold, many
// sessions. Needs the command that `cargo build` makes.

import { strict as assert } from "node:assert";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

import { Session, TurnkeepError, prune, sweep, usage } from "../../npm/dist/entry/node.js";
import { FileStore } from "../../npm/dist/fs.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const command = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug/turnkeep");
const made = mkdtempSync(join(tmpdir(), "turnkeep-"));
after(() => rmSync(made, { recursive: true, force: true }));

const folder = (name) => join(made, name);
const draft = (content) => ({ kind: "user_input", item: { role: "user", content } });
const coded = (code) => (error) => error instanceof TurnkeepError && error.code === code;
const texts = async (session) => (await session.state()).history.map(({ item }) => item.content);

function turnkeep(store, args, input = "") {
  const { status, stdout, stderr } = spawnSync(command, ["--store", store, ...args], { input, maxBuffer: 1 << 28 });
  assert.equal(status, 0, `turnkeep ${args.join(" ")}: ${stderr}`);
  return stdout;
}

const append = (store, id, ...drafts) =>
  turnkeep(store, ["append", id], drafts.map((draft) => JSON.stringify(draft)).join("\n"));

/** Makes all files of a store that old. */
function age(store, days) {
  const then = new Date(Date.now() - days * 86_400_000);
  for (const name of readdirSync(store)) utimesSync(join(store, name), then, then);
}

/** Opens a session, does something with it, and closes it. */
async function withSession(files, id, use) {
  const session = await Session.open(files, id);
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

test("the native command archives, Node appends, both archive, either restores", async () => {
  const store = folder("native-first");
  const files = new FileStore(store);
  append(store, "s", draft("native 1"), draft("native 2"));
  turnkeep(store, ["archive", "s"]);
  await withSession(files, "s", async (session) => {
    await session.append([draft("wasm 3"), draft("wasm 4")]);
    assert.equal(session.form, "live");
  });
  append(store, "s", draft("native 5"));
  const log = turnkeep(store, ["cat", "s", "--raw"]);
  turnkeep(store, ["verify", "s", "--deep"]);
  await withSession(files, "s", (session) => session.archive());
  turnkeep(store, ["verify", "s", "--deep"]);
  assert.deepEqual(gunzipSync(readFileSync(join(store, "s.jsonl.gz"))), log);
  await withSession(files, "s", (session) => session.restore());
  assert.deepEqual(readFileSync(join(store, "s.jsonl")), log);
});

test("Node archives, the native command appends, archives and restores", async () => {
  const store = folder("wasm-first");
  const files = new FileStore(store);
  const session = await Session.create(files, { id: "s", entries: [draft("wasm 1")] });
  await session.archive();
  await session.close();
  append(store, "s", draft("native 2"));
  await withSession(files, "s", async (session) => {
    assert.deepEqual(await texts(session), ["wasm 1", "native 2"]);
    assert.ok((await session.verify({ deep: true })).isWhole);
  });
  const log = turnkeep(store, ["cat", "s", "--raw"]);
  turnkeep(store, ["archive", "s"]);
  await withSession(files, "s", async (session) => {
    assert.equal(session.form, "archived");
    await session.append(draft("wasm 3"));
    assert.deepEqual(await texts(session), ["wasm 1", "native 2", "wasm 3"]);
  });
  turnkeep(store, ["restore", "s"]);
  const restored = readFileSync(join(store, "s.jsonl"));
  assert.deepEqual(restored.subarray(0, log.length), log);
});

test("a tombstone holds for the native command too", async () => {
  const store = folder("tombstone");
  const files = new FileStore(store);
  append(store, "s", draft("native 1"));
  age(store, 2);
  turnkeep(store, ["archive", "s"]);
  await prune(files, "s", "nobody asks for it");
  for (const args of [["show", "s"], ["append", "s", "--new"]]) {
    const { status, stderr } = spawnSync(command, ["--store", store, ...args], { input: JSON.stringify(draft("x")) });
    assert.notEqual(status, 0);
    assert.match(String(stderr), /pruned at .*nobody asks for it/);
  }
  turnkeep(store, ["rm", "s", "--yes"]);
  append(store, "s", draft("anew"));
});

test("what another process holds is neither archived, pruned nor deleted", async () => {
  const store = folder("held");
  const files = new FileStore(store);
  append(store, "free", draft("1"));
  append(store, "held", draft("1"));
  append(store, "tail", draft("1"));
  turnkeep(store, ["archive", "tail"]);
  const holders = ["held", "tail"].map((id) => {
    const holder = spawn(command, ["--store", store, "append", id]);
    holder.stdin.write(`${JSON.stringify(draft("2"))}\n`);
    return holder;
  });
  try {
    await Promise.all(holders.map((holder) => new Promise((resolve) => holder.stdout.once("data", resolve))));
    age(store, 30);
    const swept = await sweep(files, { maxBytes: 0 });
    const told = swept.sessions.map(({ id, outcome, reason }) => [id, reason ?? outcome]);
    assert.deepEqual(told, [["free", "pruned"], ["held", "held"], ["tail", "held"]]);
    await assert.rejects(Session.open(files, "free"), coded("pruned"));
    const other = await Session.open(files, "tail");
    await assert.rejects(other.delete(), coded("locked"));
    await withSession(files, "tail", async (session) => assert.deepEqual(await texts(session), ["1", "2"]));
  } finally {
    const ended = holders.map((holder) => new Promise((resolve) => holder.once("exit", resolve)));
    holders.forEach((holder) => holder.stdin.end());
    await Promise.all(ended);
  }
});

test("a process that sweeps may end", () => {
  const program = `
    import { startSweeping } from ${JSON.stringify(new URL("../../npm/dist/entry/node.js", import.meta.url).href)};
    import { FileStore } from ${JSON.stringify(new URL("../../npm/dist/fs.js", import.meta.url).href)};
    const onSweep = ({ sessions }) => console.log("swept", sessions.length);
    startSweeping(new FileStore(${JSON.stringify(folder("ends"))}), { everyMs: 3_600_000, onSweep, onError: console.error });`;
  const options = { encoding: "utf8", timeout: 20_000 };
  assert.equal(execFileSync(process.execPath, ["--input-type=module", "-e", program], options), "swept 0\n");
});

test("what onError throws is not lost", () => {
  const program = `
    import { startSweeping } from ${JSON.stringify(new URL("../../npm/dist/entry/node.js", import.meta.url).href)};
    const store = { list() { throw new Error("no list"); } };
    process.on("unhandledRejection", (error) => console.log("unhandled:", error.message));
    const onError = () => { throw new Error("of the callback"); };
    await startSweeping(store, { everyMs: 3_600_000, onError }).stop();
    const sweeping = startSweeping(store, { everyMs: 3_600_000, onError });
    setTimeout(() => sweeping.stop(), 50);`;
  const options = { encoding: "utf8", timeout: 20_000 };
  assert.equal(execFileSync(process.execPath, ["--input-type=module", "-e", program], options), "unhandled: of the callback\n");
});

/** How many small sessions are swept. TURNKEEP_SESSIONS says otherwise. */
const MANY = Number(process.env.TURNKEEP_SESSIONS ?? 1000);

test(`${MANY} small sessions are looked at, archived and pruned`, async (context) => {
  const store = folder("many");
  const files = new FileStore(store);
  const ids = Array.from({ length: MANY }, (_, n) => `session-${n}`);
  for (const id of ids) {
    const session = await Session.create(files, { id, entries: [draft(`of ${id}`), draft("and another")] });
    await session.close();
  }
  const timed = async (what, run) => {
    const start = performance.now();
    let longest = 0;
    let before = start;
    const timer = setInterval(() => {
      const now = performance.now();
      longest = Math.max(longest, now - before);
      before = now;
    }, 1);
    const result = await run();
    clearInterval(timer);
    longest = Math.max(longest, performance.now() - before);
    context.diagnostic(`${what}: ${Math.round(performance.now() - start)} ms, held others up for ${Math.round(longest)} ms`);
    return result;
  };
  const nothing = await timed("nothing to do", () => sweep(files));
  assert.deepEqual([nothing.sessions.length, nothing.archived], [MANY, 0]);
  await timed("usage", () => usage(files));
  age(store, 30);
  assert.equal((await timed("dry run", () => sweep(files, { dryRun: true }))).archived, MANY);
  const archiving = await timed("archived", () => sweep(files, { maxBytes: null }));
  assert.deepEqual([archiving.archived, archiving.sessions.filter(({ error }) => error)], [MANY, []]);
  const again = await timed("archived already", () => sweep(files));
  assert.equal(again.archived, 0);
  const half = Math.floor(again.archiveBytes / 2);
  const pruning = await timed("half pruned", () => sweep(files, { maxBytes: half }));
  assert.ok(Math.abs(pruning.pruned - MANY / 2) < MANY / 20 && pruning.archiveBytes <= half, `${pruning.pruned} pruned`);
});
