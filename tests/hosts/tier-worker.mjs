// A worker on a thread in two stores of files: node tier-worker.mjs FOLDER THREAD NAME TIMES|forever
//
// In each run it appends one message and tells of it, as a line; it begins the thread where there is
// none. A message is acknowledged when it is told. SIGTERM aborts the run under way.

import { writeSync } from "node:fs";
import { join } from "node:path";

import { Tier, runSession } from "../../npm/dist/entry/node.js";
import { FileStore } from "../../npm/dist/fs.js";

const [folder, id, name, times] = process.argv.slice(2);
const tier = await Tier.open(new FileStore(join(folder, "hot")), new FileStore(join(folder, "cold")));
const ending = new AbortController();
process.on("SIGTERM", () => ending.abort(new Error("told to end")));

/** What others do at the same time is tried again after. */
const isRaced = ({ code, retryable }) => ["conflict", "locked"].includes(code) || retryable;
/** Of these the next run's flush takes care. */
const onExitFault = (fault) => {
  if (!isRaced(fault)) throw fault;
};

function once(content) {
  let state;
  const options = { id, signal: ending.signal, saveState: () => state, onExitFault };
  const work = async (session, start) => {
    await session.append({ item: { role: "user", content } });
    writeSync(1, `${content}\n`);
    state = { last: content };
    // As one that waits for a model.
    if (times === "forever") await new Promise(() => setInterval(() => {}, 1000));
    return start.mode;
  };
  const orElse = (code, run) => (error) => {
    if (error.code !== code) throw error;
    return run();
  };
  const begin = () => runSession(tier, { ...options, mode: "new" }, work);
  return runSession(tier, { ...options, mode: "continue" }, work).catch(orElse("not_found", begin));
}

for (let number = 0; times === "forever" || number < Number(times); ) {
  try {
    await once(`${name}-${number}`);
    number += 1;
  } catch (error) {
    if (ending.signal.aborted) process.exit(error === ending.signal.reason ? 0 : 1);
    if (!isRaced(error) && error.code !== "already_exists") throw error;
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
  }
}
