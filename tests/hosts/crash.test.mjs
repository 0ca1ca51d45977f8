// Writers killed at any moment, Rust's and Node's in turn on the same sessions: what was
// acknowledged as durable is there, nothing half-written is, and the next writer goes on.
// TURNKEEP_KILLS sets how often.

import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, test } from "node:test";

import { Session, verify } from "../../npm/dist/entry/node.js";
import { FileStore } from "../../npm/dist/fs.js";

const KILLS = Number(process.env.TURNKEEP_KILLS ?? 500);
/** Rounds on one session before the next one begins, so that looking at it all stays quick. */
const ROUNDS = 25;

const root = fileURLToPath(new URL("../..", import.meta.url));
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const rust = join(target, "debug/crash-writer");
const node = fileURLToPath(new URL("crash-writer.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "turnkeep-crash-"));
after(() => rmSync(folder, { recursive: true, force: true }));

// A fixed seed would only ever kill at the same moments; the moments are told where one fails.
const random = (end) => Math.random() * end;

/** Lets a writer write for a while, kills it, and gives what it said. */
function killed(writer, session, afterMs) {
  const [program, ...args] = writer === "rust" ? [rust] : [process.execPath, node];
  const child = spawn(program, [...args, folder, session], { stdio: ["ignore", "pipe", "pipe"] });
  return new Promise((resolve, reject) => {
    let said = "";
    let complaint = "";
    let timer;
    const kill = () => child.kill("SIGKILL");
    // From its first word on, or, now and then, from its start.
    if (random(4) < 1) timer = setTimeout(kill, afterMs);
    child.stdout.on("data", (text) => {
      said += text;
      timer ??= setTimeout(kill, afterMs);
    });
    child.stderr.on("data", (text) => (complaint += text));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (signal !== "SIGKILL") reject(new Error(`${writer} ended by itself (${code}): ${complaint}`));
      // What follows the last line break was being said.
      else resolve(said.slice(0, said.lastIndexOf("\n") + 1).split("\n").filter(Boolean).map(Number));
    });
  });
}

/** `last` is the first entry of the last batch that any writer was told is durable. */
async function check(session, last, context) {
  const path = join(folder, `${session}.jsonl`);
  if (!existsSync(path)) {
    assert.equal(last, undefined, context);
    return;
  }
  const report = await verify(readFileSync(path), { session });
  if (last === undefined && report.fault?.code === "empty_log") return;
  assert.equal(report.fault, undefined, `${context}: ${report.fault}`);
  // The start, and whole batches of three.
  assert.equal(report.head.seq % 3, 0, `${context}: half a batch is visible`);
  if (last !== undefined) assert.ok(report.head.seq >= last + 2, `${context}: ${last} is lost`);
}

test(`${KILLS} kills of writers in Rust and Node lose nothing`, { timeout: 3_600_000 }, async () => {
  assert.ok(existsSync(rust), `${rust} is not built`);
  let batches = 0;
  // What was acknowledged before an earlier kill is durable too.
  const last = new Map();
  for (let kill = 0; kill < KILLS; kill += 1) {
    const session = `s${Math.floor(kill / ROUNDS)}`;
    // Node takes longer to start than Rust to write a hundred batches.
    const writer = kill % 3 === 2 ? "node" : "rust";
    const afterMs = random(writer === "rust" ? 12 : 40);
    const acknowledged = await killed(writer, session, afterMs);
    batches += acknowledged.length;
    if (acknowledged.length > 0) last.set(session, Math.max(last.get(session) ?? 0, ...acknowledged));
    await check(session, last.get(session), `kill ${kill} of ${writer} after ${afterMs} ms in ${session}`);
  }
  assert.ok(batches > KILLS, `only ${batches} batches were written`);
  // Whoever comes last goes on as if nothing had happened.
  const store = new FileStore(folder);
  const session = await Session.open(store, "s0");
  const { firstSeq } = await session.append({ kind: "user_input", item: "the end" });
  assert.equal((await session.state()).history.length, firstSeq);
  await session.close();
});
