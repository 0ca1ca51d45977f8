// The shared modules on the hosts that are neither Node nor Chromium.
//
//   node tests/hosts/others/run.mjs [--full] [HOST [PARTS]]    only that host, only modules whose names contain one of PARTS
//
// Without more, the modules that tell of bytes, and of sessions in the host's stores; --full: all of them.
// Fails on a failed test, where a host is missing, and where one ran no vectors. FIREFOX names another browser
// than Debian's; for the other hosts see programs.mjs.

import { isWanted } from "../run-shared.mjs";
import { runInFirefox } from "./firefox.mjs";
import { runInBun, runInDeno } from "./processes.mjs";
import { runInWorkerd } from "./workerd.mjs";

const HOSTS = { deno: runInDeno, bun: runInBun, workerd: runInWorkerd, firefox: runInFirefox };
const MINUTES_MAX = 5;

/** What the test command has time for. */
const PARTS = "frozen,sessions,streams,vectors";

const args = process.argv.slice(2);
const isFull = args[0] === "--full";
const [only, parts = isFull ? "" : PARTS] = isFull ? args.slice(1) : args;
let passed = 0;
let failed = 0;

/** Runs one host; what keeps it from running is a failure of its own. */
async function runHost(name, run) {
  const outcomes = [];
  const report = (outcome) => {
    outcomes.push(outcome);
    if (outcome.error === undefined) return;
    console.log(`FAIL ${name}, ${outcome.module}: ${outcome.name}\n${outcome.error.replace(/^/gm, "     ")}`);
  };
  const started = Date.now();
  try {
    await inTime(run(parts, report));
  } catch (error) {
    report({ module: "host", name: "run", error: String(error.stack ?? error) });
  }
  const bad = outcomes.filter(({ error }) => error !== undefined).length;
  const vectors = vectorsOf(outcomes);
  if (isWanted("vectors.mjs", parts) && vectors < 300) {
    report({ module: "host", name: "vectors", error: `${vectors} vectors were read, not at least 300` });
  }
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${name}: ${outcomes.length - bad} tests passed, ${bad} failed, ${vectors} vectors, ${seconds} s`);
  failed += outcomes.filter(({ error }) => error !== undefined).length;
  passed += outcomes.filter(({ error }) => error === undefined).length;
}

function inTime(running) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${MINUTES_MAX} minutes`)), MINUTES_MAX * 60_000);
  });
  return Promise.race([running, late]).finally(() => clearTimeout(timer));
}

/** How many vectors the tests that passed have read: each area's test tells its number. */
function vectorsOf(outcomes) {
  const counts = outcomes
    .filter(({ module, error }) => module === "vectors.mjs" && error === undefined)
    .map(({ name }) => Number(/: (\d+) vectors$/.exec(name)?.[1] ?? 0));
  return counts.reduce((sum, count) => sum + count, 0);
}

if (only !== undefined && HOSTS[only] === undefined) throw new Error(`no host ${only}: ${Object.keys(HOSTS)}`);
for (const [name, run] of Object.entries(HOSTS)) {
  if (only === undefined || only === name) await runHost(name, run);
}
console.log(`${passed} passed, ${failed} failed`);
// A host that hangs would keep this process.
process.exit(failed > 0 || passed === 0 ? 1 : 0);
