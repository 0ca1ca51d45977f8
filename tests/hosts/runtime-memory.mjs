// How much memory a snapshot and a restoring take: node runtime-memory.mjs [SESSIONS] [KB] [VALUES]
//
// Makes a folder of that many sessions of that many kilobytes, and a cache of that many values that are
// made up as they are asked for. Each step is a process of its own, and its peak is told.

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { Session, createRuntime } from "../../npm/dist/entry/node.js";
import { FileStore } from "../../npm/dist/fs.js";

const MIB = 1 << 20;
const [step, folder, ...sizes] = process.argv.slice(2);

/** Words in an order that is another one each time. */
function* texts(seed) {
  let state = seed * 2654435761 + 1;
  for (;;) {
    const words = [];
    for (let length = 0; length < 2000; length += 9) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      words.push((state >>> 4).toString(36));
    }
    yield words.join(" ");
  }
}

/** A cache that holds nothing: its values are made from their keys. */
function madeUp(count) {
  let puts = 0;
  return {
    rawJson: true,
    *list() {
      for (let number = 0; number < count; number += 1) yield `result:${number}`;
    },
    get: (key) => ({ value: { key, result: "It is done. ".repeat(20), took: key.length } }),
    put: () => (puts += 1),
    puts: () => puts,
  };
}

async function make(store, sessions, kilobytes) {
  for (let number = 0; number < sessions; number += 1) {
    const entries = [];
    let bytes = 0;
    for (const content of texts(number + 1)) {
      entries.push({ item: { role: bytes % 2 ? "user" : "assistant", content } });
      if ((bytes += content.length + 300) >= kilobytes * 1000) break;
    }
    await (await Session.create(store, { id: `session-${number}`, entries })).close();
  }
}

const STEPS = {
  async make(sessions, kilobytes) {
    await make(new FileStore(join(folder, "store")), sessions, kilobytes);
  },
  async snapshot(_sessions, _kilobytes, values) {
    const store = new FileStore(join(folder, "store"));
    const runtime = await createRuntime({ store, cache: madeUp(values) });
    return runtime.snapshotTo(join(folder, "agents.bundle"));
  },
  restore: (...args) => restore("restored", ...args),
  replace: (...args) => restore("changed", ...args),
  // Everything is in memory here but the bundle.
  async nothing() {
    await createRuntime({ store: new FileStore(join(folder, "nothing")) });
  },
};

async function restore(name, _sessions, _kilobytes, values) {
  const cache = madeUp(values);
  const runtime = await createRuntime({ store: new FileStore(join(folder, name)), cache });
  const { sessions } = await runtime.restoreFrom(join(folder, "agents.bundle"));
  const count = (wanted) => sessions.filter(({ change }) => change === wanted).length;
  return { new: count("new"), replaced: count("replaced"), cached: cache.puts() };
}

if (step in STEPS) {
  const since = performance.now();
  const told = await STEPS[step](...sizes.map(Number));
  const seconds = (performance.now() - since) / 1000;
  const peak = process.resourceUsage().maxRSS / 1024;
  console.log(`${step.padEnd(8)} ${peak.toFixed(1).padStart(6)} MiB  ${seconds.toFixed(1).padStart(6)} s ${told ? JSON.stringify(told) : ""}`);
} else {
  const [sessions = 1000, kilobytes = 500, values = 100_000] = process.argv.slice(2).map(Number);
  const place = mkdtempSync(join(tmpdir(), "turnkeep-memory-"));
  const run = (name) => {
    const program = fileURLToPath(import.meta.url);
    const args = [program, name, place, sessions, kilobytes, values].map(String);
    const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
    if (status !== 0) throw new Error(`${name} failed`);
  };
  try {
    run("nothing");
    run("make");
    run("snapshot");
    console.log(`bundle   ${(statSync(join(place, "agents.bundle")).size / MIB).toFixed(1).padStart(6)} MiB`);
    run("restore");
    // The same sessions, each one entry longer.
    cpSync(join(place, "store"), join(place, "changed"), { recursive: true });
    const store = new FileStore(join(place, "changed"));
    for (let number = 0; number < sessions; number += 1) {
      const session = await Session.open(store, `session-${number}`);
      await session.append({ item: { role: "user", content: "more" } });
      await session.close();
    }
    store.close();
    run("replace");
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
