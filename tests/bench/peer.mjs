// The Node side of `cargo xtask bench`: reads one request a line, answers with one line of JSON.
import { appendFileSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { gunzipSync, gzipSync } from "node:zlib";
import * as turnkeep from "../../npm/dist/entry/node.js";
import { FileStore } from "../../npm/dist/fs.js";

const files = new Map();
const read = (path) => {
  if (!files.has(path)) files.set(path, readFileSync(path));
  return files.get(path);
};
const timed = (run) => {
  const start = performance.now();
  run();
  return { ms: performance.now() - start };
};
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

const operations = {
  gzip: ({ file }) => timed(((bytes) => () => gzipSync(bytes, { level: 6 }))(read(file))),
  gunzip: ({ file }) => timed(((bytes) => () => gunzipSync(bytes))(read(file))),
  archive: ({ file }) => timed(((bytes) => () => turnkeep.archiveBytes(bytes))(read(file))),
  unarchive: ({ file }) => timed(((bytes) => () => turnkeep.unarchiveBytes(bytes))(read(file))),
  sha256: ({ file }) => timed(((bytes) => () => turnkeep.sha256(bytes))(read(file))),
  verify: ({ file }) =>
    timed(
      ((bytes) => () => {
        const report = turnkeep.verify(bytes);
        if (report.fault) throw report.fault;
      })(read(file)),
    ),
  size: ({ file }) => ({ gzip: gzipSync(read(file), { level: 9 }).length }),
  append,
};

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
