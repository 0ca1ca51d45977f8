// The Node side of `cargo xtask bench`: reads one request a line, answers with one line of JSON.
import { appendFileSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { gunzipSync, gzipSync } from "node:zlib";
import * as turnkeep from "../../npm/dist/entry/node.js";
import { FileStore } from "../../npm/dist/fs.js";
import { MemoryStore } from "../../npm/dist/memory.js";
import { wasm } from "../../npm/dist/load.js";

const files = new Map();
const read = (path) => {
  if (!files.has(path)) files.set(path, readFileSync(path));
  return files.get(path);
};
const timed = async (run) => {
  const start = performance.now();
  await run();
  return { ms: performance.now() - start };
};
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/** Something done to a file that is in memory already. */
const onFile = (run) => ({ file }) => {
  const bytes = read(file);
  return timed(() => run(bytes));
};

/** Something done to a session that is opened for it. */
function onSession(run) {
  return ({ file: folder }) =>
    timed(async () => {
      const session = await turnkeep.Session.open(new FileStore(folder), "bench");
      const found = await run(session);
      if (found.length === 0) throw new Error("nothing was read");
      await session.close();
    });
}

const operations = {
  gzip: onFile((bytes) => gzipSync(bytes, { level: 6 })),
  gunzip: onFile((bytes) => gunzipSync(bytes)),
  archive: onFile((bytes) => turnkeep.archiveLog(bytes)),
  unarchive: onFile((bytes) => turnkeep.unarchiveLog(bytes)),
  sha256: onFile((bytes) => wasm().sha256(bytes)),
  verify: onFile(async (bytes) => {
    const { fault } = await turnkeep.verify(bytes);
    if (fault) throw fault;
  }),
  parse: onFile((bytes) => JSON.parse(gunzipSync(bytes))),
  load: onSession(async (session) => (await session.state()).history),
  lazy: onSession(async (session) => {
    const entries = [];
    for await (const entry of session.entries()) entries.push(entry);
    return entries;
  }),
  recent: onSession(async (session) => {
    const items = [];
    for await (const entry of session.entries({ last: 50 })) items.push(entry.item);
    return items;
  }),
  gzipped: ({ file }) => ({ bytes: gzipSync(read(file), { level: 6 }).length }),
  size: ({ file }) => ({ gzip: gzipSync(read(file), { level: 9 }).length }),
  append,
  flush,
  flushWhole,
};

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
};

/** The first messages of a file of drafts, and the turns after them. */
function thread({ file, size, batch }) {
  const drafts = read(file).toString().split("\n").map((line) => JSON.parse(line));
  const turns = [];
  for (let at = size; at + batch <= drafts.length; at += batch) turns.push(drafts.slice(at, at + batch));
  return { before: drafts.slice(0, size), turns };
}

/** CPU time of one flush of the whole thread: list, ids, JSON, gzip, put; as zeitlich 0.2.46 does. */
function flushWhole(request) {
  const { before, turns } = thread(request);
  const envelope = ({ id, item }) => JSON.stringify({ id, message: item });
  const list = [...before, ...turns[0]].map(envelope);
  const state = JSON.stringify({ tasks: [], custom: { counter: 3 } });
  const rounds = Math.max(1, Math.ceil(2000 / list.length));
  const stored = new Map();
  const start = cpuMs();
  for (let round = 0; round < rounds; round += 1) {
    const messages = list.slice();
    const dedupIds = messages.map((message) => JSON.parse(message).id);
    const json = JSON.stringify({ v: 1, messages, state: JSON.parse(state), dedupIds });
    stored.set("threads/messages/bench.json.gz", gzipSync(Buffer.from(json, "utf8")));
  }
  return { ms: (cpuMs() - start) / rounds };
}

const flushed = new Map();

/** CPU time of one flush of a turn, of many one after the other. */
async function flush(request) {
  const { size, batch, turns: count } = request;
  if (!flushed.has(size)) {
    const { before, turns } = thread(request);
    const tier = await turnkeep.Tier.open(new MemoryStore(), new MemoryStore());
    const session = await turnkeep.Session.create(tier, { id: "bench" });
    for (let at = 0; at < before.length; at += batch) {
      await session.append(before.slice(at, at + batch));
      await tier.flush("bench", { hot: "keep" });
    }
    flushed.set(size, { tier, session, turns });
  }
  const { tier, session, turns } = flushed.get(size);
  let ms = 0;
  for (let turn = 0; turn < count; turn += 1) {
    await session.append(turns.shift());
    const start = cpuMs();
    await tier.flush("bench", { hot: "keep", merge: false });
    ms += cpuMs() - start;
    // As a flush does that may: where many small segments came together they are joined.
    await tier.flush("bench", { hot: "keep" });
  }
  return { ms: ms / count };
}

/** Times turns appended to a session that has `size` messages, beside `appendFileSync`. */
async function append({ file, folder, size, batch, rounds }) {
  const drafts = read(file).toString().split("\n").map((line) => JSON.parse(line));
  const before = drafts.slice(0, size);
  const turns = [];
  for (let at = 10_000; at + batch <= drafts.length; at += batch) {
    turns.push(drafts.slice(at, at + batch));
  }
  const ours = [];
  const plain = [];
  for (let round = 0; round < rounds; round += 1) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const session = await turnkeep.Session.create(new FileStore(folder), { id: "bench" });
    for (let at = 0; at < before.length; at += batch) {
      await session.append(before.slice(at, at + batch));
    }
    const path = join(folder, "plain");
    appendFileSync(path, before.map((draft) => JSON.stringify(draft)).join("\n"));
    for (const turn of turns) {
      let start = performance.now();
      await session.append(turn);
      ours.push(performance.now() - start);
      start = performance.now();
      appendFileSync(path, turn.map((draft) => JSON.stringify(draft)).join("\n") + "\n");
      plain.push(performance.now() - start);
    }
    await session.close();
  }
  const ratios = ours.map((time, index) => time / plain[index]);
  return { turnkeep: median([...ours]), plain: median([...plain]), ratio: median(ratios) };
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    const request = JSON.parse(line);
    answer = await operations[request.do](request);
  } catch (error) {
    answer = { error: String(error?.stack ?? error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
