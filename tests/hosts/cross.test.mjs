// One session, two hosts: the native command and Node through wasm take turns, and give the same
// bytes. Needs the command that `cargo build` makes.

import { strict as assert } from "node:assert";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, test } from "node:test";
import { gunzipSync } from "node:zlib";

import { Session, archiveLog } from "../../npm/dist/entry/node.js";
import { FileStore } from "../../npm/dist/fs.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const command = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug/turnkeep");
const made = mkdtempSync(join(tmpdir(), "turnkeep-"));
after(() => rmSync(made, { recursive: true, force: true }));

function turnkeep(store, args, input = "") {
  const { status, stdout, stderr } = spawnSync(command, ["--store", store, ...args], {
    input,
    maxBuffer: 1 << 28,
  });
  assert.equal(status, 0, `turnkeep ${args.join(" ")}: ${stderr}`);
  return stdout;
}

const draft = (content) => ({ kind: "user_input", item: { role: "user", content } });
const lines = (...drafts) => drafts.map((draft) => JSON.stringify(draft)).join("\n");

test("the native command is built", () => assert.ok(existsSync(command), command));

test("native writes, wasm continues, native verifies and writes, wasm verifies", async () => {
  const store = join(made, "turns");
  turnkeep(store, ["append", "s", "--new"], lines(draft("native 1"), draft("native 2")));
  const files = new FileStore(store);
  const session = await Session.open(files, "s");
  const { head } = await session.append([draft("wasm 3"), draft("wasm 4")]);
  await session.close();
  turnkeep(store, ["verify", "s", "--deep", "--head", `${head.seq}:${head.hash}`]);
  turnkeep(store, ["append", "s"], lines(draft("native 5")));
  const again = await Session.open(files, "s");
  assert.ok((await again.verify({ deep: true, expected: head })).isWhole);
  const contents = (await again.state()).history.map(({ item }) => item.content);
  assert.deepEqual(contents, ["native 1", "native 2", "wasm 3", "wasm 4", "native 5"]);
  await again.close();
});

test("wasm writes, native continues, wasm verifies", async () => {
  const store = join(made, "back");
  const files = new FileStore(store);
  const first = await Session.create(files, { id: "s" });
  await first.append(draft("wasm 1"));
  await first.close();
  turnkeep(store, ["append", "s", "--batch"], lines(draft("native 2"), draft("native 3")));
  const session = await Session.open(files, "s");
  const report = await session.verify({ deep: true });
  assert.ok(report.isWhole && report.head.seq === 3);
  await session.close();
});

test("native and wasm give the same archive, and every gzip reads it", async () => {
  const store = join(made, "archive");
  const files = new FileStore(store);
  const session = await Session.create(files, { id: "s" });
  for (let turn = 0; turn < 60; turn += 1) {
    const words = (n) => draft(`turn ${turn}, message ${n}: ${"some words that repeat ".repeat(n)}`);
    await session.append(Array.from({ length: 50 }, (_, n) => words(n)));
  }
  await session.close();
  const log = readFileSync(join(store, "s.jsonl"));
  cpSync(store, `${store}-2`, { recursive: true });
  turnkeep(store, ["archive", "s"]);
  const other = await Session.open(new FileStore(`${store}-2`), "s");
  await other.archive();
  await other.close();
  const native = join(store, "s.jsonl.gz");
  const bytes = readFileSync(native);
  assert.deepEqual(readFileSync(join(`${store}-2`, "s.jsonl.gz")), bytes);
  assert.deepEqual(Buffer.from(archiveLog(log)), bytes);

  const options = { maxBuffer: 1 << 28 };
  assert.deepEqual(gunzipSync(bytes), log);
  assert.deepEqual(execFileSync("gunzip", ["-c", native], options), log);
  const python = "import gzip, sys; sys.stdout.buffer.write(gzip.open(sys.argv[1]).read())";
  assert.deepEqual(execFileSync("python3", ["-c", python, native], options), log);
  assert.deepEqual(turnkeep(store, ["cat", "s", "--raw"]), log);
});

test("each host respects what the other holds, and sweeps what it left", async () => {
  const store = join(made, "held");
  const files = new FileStore(store);
  const session = await Session.create(files, { id: "s" });
  const held = spawnSync(command, ["--store", store, "append", "s"], { input: lines(draft("no")) });
  assert.notEqual(held.status, 0);
  assert.match(String(held.stderr), new RegExp(`process ${process.pid} on .*held for \\d+ s, last sign of life`));
  await session.close();
  // A stage of this process, and the same one as if the process were gone.
  const stage = await files.stage("s.jsonl.gz");
  const dead = stage.replace(`-${process.pid}-`, "-1073741824-");
  mkdirSync(join(store, dead));
  turnkeep(store, ["archive", "s"]);
  assert.deepEqual(readdirSync(store).sort(), [stage, "s.jsonl.gz", "s.retention.json"]);
  await files.abort(stage);
});
