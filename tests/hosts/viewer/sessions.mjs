// Sessions for the page's tests, made with the package: what an agent's day looks like, and long ones.

import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";

import { Session, archiveLog, createRuntime, rawJson } from "../../../npm/dist/entry/node.js";
import { MemoryStore } from "../../../npm/dist/memory.js";

const START_MS = Date.UTC(2026, 10, 20, 8);

/** A store with a session of that id, and the bytes of its log. */
async function recorded(id, drafts, { batch = 1000, ...options } = {}) {
  const store = new MemoryStore();
  const session = await Session.create(store, { id, ...options });
  for (let at = 0; at < drafts.length; at += batch) await session.append(drafts.slice(at, at + batch));
  return { store, session, log: store.get(`${encoded(id)}.jsonl`).bytes };
}

/** An id as keys have it (docs/format.md, 7). */
function encoded(id) {
  const kept = (byte) => (/[a-z0-9_-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, "0")}`);
  return [...Buffer.from(id)].map(kept).join("");
}

/** A day of a coding agent: every sort of entry that the page shows in a way of its own. */
export async function sample(id = "fix-the-tests") {
  return (await recordedSample(id)).log;
}

async function recordedSample(id) {
  const { store, session } = await recorded(id, drafts(), {
    batch: 1,
    start: { ts: START_MS, system_prompt: "You are a careful engineer. Be brief.", config: { model: "m-2", temperature: 0.2 } },
  });
  return { store, session, log: store.get(`${id}.jsonl`).bytes };
}

function drafts() {
  let ts = START_MS;
  const at = (draft, seconds = 7) => ({ ...draft, ts: (ts += seconds * 1000) });
  const user = (text) => at({ kind: "user_input", item: { role: "user", content: text } }, 60);
  const assistant = (content, usage) =>
    at({ kind: "assistant_item", item: { role: "assistant", model: "m-2", content, ...(usage && { usage }) } });
  const call = (id, name, input) => ({ type: "tool_use", id, name, input });
  const result = (id, content, isError = false) =>
    at({
      kind: "tool_result",
      item: { role: "user", content: [{ type: "tool_result", tool_use_id: id, content, is_error: isError }] },
    });
  return [
    at({ kind: "run_started", run: "run-1" }),
    user("The tests fail on the build server. Please find out **why**, and mend it.\n\n```sh\ncargo test\n```"),
    assistant(
      [
        { type: "thinking", thinking: "First the log of the server.\nThen the code that it names." },
        { type: "text", text: "I look at the output first." },
        call("call-1", "bash", { command: "cargo test 2>&1 | tail -n 20" }),
      ],
      { input_tokens: 1200, output_tokens: 80, cache_read_input_tokens: 900, cost: 0.0123 },
    ),
    result(
      "call-1",
      "\u001b[31mFAILED\u001b[0m parse::empty\n\u001b[1mthread 'parse::empty' panicked\u001b[0m at src/parse.rs:12\n",
      true,
    ),
    assistant([call("call-2", "read_file", { path: "src/parse.rs" }), call("call-3", "grep", { pattern: "unwrap" })], {
      input_tokens: 1500,
      output_tokens: 60,
      cost: 0.011,
    }),
    result("call-2", Array.from({ length: 200 }, (_, line) => `fn line_${line}() -> usize { ${line} }`).join("\n")),
    result("call-3", '{"matches":[{"file":"src/parse.rs","line":12,"id":12345678901234567890}]}'),
    assistant(
      [
        { type: "text", text: "The parser takes the first character of an empty text. I mend that." },
        call("call-4", "edit", {
          path: "src/parse.rs",
          old_string: "let first = text.chars().next().unwrap();",
          new_string: "let Some(first) = text.chars().next() else {\n    return Err(Empty);\n};",
        }),
      ],
      { input_tokens: 2100, output_tokens: 300, cost: 0.02 },
    ),
    result("call-4", "--- a/src/parse.rs\n+++ b/src/parse.rs\n@@ -12 +12,3 @@\n-unwrap\n+let Some\n+else\n"),
    at({ kind: "llm_usage", input_total_tokens: 2100, output_tokens: 300 }),
    at({ kind: "turn_end", turn: 1 }),
    user("Thanks. Here is how it looked:"),
    at({
      kind: "user_input",
      item: {
        role: "user",
        content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: png(40, 24) } }],
      },
    }),
    assistant("A table, and a [link](https://example.com/a):\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- one\n- two", {
      input_tokens: 2500,
      output_tokens: 90,
      cost: 0.018,
    }),
    at({ kind: "extension", domain: "tests.note", payload: rawJson('{"needle":"folded away","n":12345678901234567890}') }),
    at({ kind: "compaction", summary: [{ role: "user", content: "The parser was mended." }], keep_last: 1 }),
    user("And the next one?"),
    assistant([{ type: "text", text: "The run fails now." }], { input_tokens: 300, output_tokens: 20 }),
    at({ kind: "run_errored", run: "run-1", message: "The model did not answer: 529" }),
  ];
}

/** A session of so many turns of two entries. */
export async function long(entries, { id = "long", bytes = 400 } = {}) {
  const line = (at) => `${at} ${"lorem ipsum dolor sit amet ".repeat(Math.ceil(bytes / 26))}`.slice(0, bytes);
  const drafts = Array.from({ length: entries - 1 }, (_, at) =>
    at % 2 === 0
      ? { kind: "user_input", item: { role: "user", content: `Question ${line(at)}` } }
      : { kind: "assistant_item", item: { role: "assistant", content: `Answer ${line(at)}`, usage: { input_tokens: at, output_tokens: 9 } } },
  );
  return (await recorded(id, drafts)).log;
}

/** A session of whatever drafts. */
export async function sessionOf(drafts, { id = "given", ...options } = {}) {
  return (await recorded(id, drafts, options)).log;
}

/** The archive of a log. */
export { archiveLog };

/** The lines of a log, each with its line break. */
export function linesOf(log) {
  return Buffer.from(log).toString().split(/(?<=\n)/);
}

/** A log's head as links and people write it. */
export function headOf(log) {
  const lines = linesOf(log);
  return `${lines.length - 1}:${JSON.parse(lines.at(-1)).hash}`;
}

/** A log with an entry withheld: its hash stays, of its body only the digest (docs/format.md, 3.4). */
export function withheld(log, seq) {
  const lines = linesOf(log);
  const body = `{${lines[seq].slice(154).trimEnd()}`;
  const digest = createHash("sha256").update(body).digest("hex");
  lines[seq] = `${lines[seq].slice(0, 154)}"kind":"redacted","digest":"${digest}"}\n`;
  return Buffer.from(lines.join(""));
}

/** Bytes with the one at that place changed. */
export function flipped(bytes, at) {
  const changed = Buffer.from(bytes);
  changed[at] ^= 1;
  return changed;
}

/** An archive, and the log of what was appended after it. */
export async function archivedAndMore(id = "two-files") {
  const { store, session } = await recorded(id, [{ kind: "user_input", item: { role: "user", content: "Before" } }]);
  await session.archive();
  await session.append([{ kind: "user_input", item: { role: "user", content: "After the archive" } }]);
  await session.close();
  return { [`${id}.jsonl.gz`]: store.get(`${id}.jsonl.gz`).bytes, [`${id}.jsonl`]: store.get(`${id}.jsonl`).bytes };
}

/** A fork of the sample, and a bundle of both. */
export async function bundle() {
  const { store, session } = await recordedSample("parent");
  const child = await session.fork({ at: { seq: 5 }, id: "child" });
  await child.append([{ kind: "user_input", item: { role: "user", content: "Another way" } }]);
  await session.close();
  await child.close();
  return bundleOf(store);
}

/** A bundle of so many sessions of so many entries: `session-0` and so on. */
export async function bundleOfLong(count, entries) {
  const store = new MemoryStore();
  for (let at = 0; at < count; at += 1) {
    const id = `session-${at}`;
    store.put(`${id}.jsonl`, await long(entries, { id }), "any");
  }
  return bundleOf(store);
}

async function bundleOf(store) {
  const runtime = await createRuntime({ store });
  const chunks = [];
  const sink = new WritableStream({ write: (chunk) => void chunks.push(chunk.slice()) });
  await runtime.snapshotTo(sink);
  await runtime.close?.();
  return new Uint8Array(Buffer.concat(chunks));
}

/** A PNG of one colour. */
function png(width, height) {
  const table = Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let bit = 0; bit < 8; bit += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c >>> 0;
  });
  const crc = (bytes) => ~bytes.reduce((sum, byte) => table[(sum ^ byte) & 255] ^ (sum >>> 8), ~0) >>> 0;
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.alloc(height * (1 + 3 * width), 0x50);
  for (let y = 0; y < height; y += 1) rows[y * (1 + 3 * width)] = 0;
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const pieces = [signature, chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat(pieces).toString("base64");
}
