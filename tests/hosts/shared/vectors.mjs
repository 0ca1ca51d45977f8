// Every vector, as docs/format.md §12 describes them: one test an area, which fails on a file that
// nobody reads.

import { wasm } from "../../../npm/dist/load.js";

const utf8 = new TextEncoder();
const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export async function run(t, host) {
  const areas = { log, state, draft, archive, gzip, key };
  const found = new Set((await host.list("")).map((path) => path.split("/")[0]));
  t.test("every area is read", () => t.equal([...found].sort(), Object.keys(areas).sort()));
  for (const [area, check] of Object.entries(areas)) {
    t.test(`vectors of ${area}`, async () => {
      const vectors = await read(host, area);
      t.ok(vectors.length > 0, "the number of vectors");
      const faults = [];
      for (const { name, input, expected } of vectors) {
        try {
          await check(t, input, expected, host);
        } catch (error) {
          faults.push(`${name}: ${error.message}`);
        }
      }
      t.equal(faults.slice(0, 20), [], `faults among ${vectors.length} vectors`);
    });
  }
}

/** The vectors of an area: their input, and what is expected. */
async function read(host, area) {
  const paths = new Set(await host.list(area));
  const vectors = [];
  for (const path of [...paths].filter((path) => path.endsWith(".expected.json"))) {
    paths.delete(path);
    const name = path.slice(0, -".expected.json".length);
    const inputs = [...paths].filter((other) => other.startsWith(`${name}.`));
    const own = inputs.filter((other) => !other.slice(name.length + 1).replace(/^(recipe\.json|jsonl\.gz|jsonl|json|gz)$/, ""));
    if (own.length !== 1) throw new Error(`${name} has ${own.length} inputs`);
    paths.delete(own[0]);
    const bytes = await host.fetchBytes(own[0]);
    const input = own[0].endsWith(".recipe.json") ? cook(json(bytes)) : bytes;
    vectors.push({ name, input, expected: json(await host.fetchBytes(path)) });
  }
  if (paths.size > 0) throw new Error(`nobody reads ${[...paths].slice(0, 5).join(", ")}`);
  return vectors;
}

function json(bytes) {
  return JSON.parse(text.decode(bytes));
}

function cook(pieces) {
  const cooked = pieces.map(({ text, hex, repeat = 1 }) => {
    const once = hex === undefined ? utf8.encode(text) : unhex(hex);
    const all = new Uint8Array(once.length * repeat);
    for (let at = 0; at < all.length; at += once.length || 1) all.set(once, at);
    return all;
  });
  return concat(cooked);
}

function unhex(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function concat(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** What something gives, or the code of what it throws. */
async function outcome(run) {
  try {
    return { value: await run(), code: null };
  } catch (error) {
    if (typeof error.code !== "string") throw error;
    return { code: error.code, error };
  }
}

/** The members that are expected, and no others. */
function compare(t, found, expected, what) {
  for (const [name, value] of Object.entries(expected)) {
    t.equal(found[name] ?? null, value, `${what} ${name}`);
  }
}

function log(t, input, expected) {
  const { session, head } = expected.expect ?? {};
  const { Verifier } = wasm();
  const verifier = new Verifier(session, head?.seq, head?.hash, true);
  for (let at = 0; at < input.length; at += 1 << 20) {
    verifier.push(input.subarray(at, at + (1 << 20)));
  }
  const report = verifier.finish();
  const fault = report.fault ?? { code: null };
  if (expected.verify) compare(t, fault, expected.verify, "verify");
  if (expected.entries) compare(t, report.entryFault ?? { code: null }, expected.entries, "entries");
  for (const name of ["head", "torn"]) {
    if (expected[name] === null) t.equal(report[name], undefined, name);
    else if (expected[name]) compare(t, report[name] ?? {}, expected[name], name);
  }
  for (const name of ["session", "withheld"]) {
    if (name in expected) t.equal(report[name] ?? null, expected[name], name);
  }
}

async function state(t, input, expected) {
  const { value, code } = await outcome(() => wasm().fold(input));
  t.equal(code, expected.code ?? null, "code");
  if ("state" in expected) t.equal(value, expected.state, "state");
}

async function draft(t, input, expected) {
  const { session, ts, salts, batches } = json(input);
  let random = concat((salts ?? []).map(unbase64));
  let written = "";
  let batch = -1;
  const { code, error } = await outcome(() => {
    const writer = new (wasm().Writer)(session, salts !== null);
    for (const drafts of batches) {
      batch += 1;
      const lines = text.decode(writer.write(drafts, ts, random));
      written += lines;
      random = random.subarray(8 * (lines.split("\n").length - 1));
    }
  });
  t.equal(code, expected.code ?? null, "code");
  if ("log" in expected) t.equal(written, expected.log, "log");
  if ("batch" in expected) t.equal(batch, expected.batch, "batch");
  if ("index" in expected) t.equal(error.draft, expected.index, "index");
}

function unbase64(salt) {
  const standard = `${salt.replaceAll("-", "+").replaceAll("_", "/")}=`;
  return Uint8Array.from(atob(standard), (character) => character.charCodeAt(0));
}

async function archive(t, input, expected, { turnkeep }) {
  await gunzips(t, input, expected, undefined);
  if (expected.index) {
    const start = input.subarray(0, 65_547);
    const opened = await outcome(() => wasm().index(start, input.length));
    const { head, spans, code } = expected.index;
    if (head !== undefined) t.equal(opened.value?.head ?? null, head, "index head");
    if (spans !== undefined) t.equal(opened.value?.spans, spans, "spans");
    const walked = await outcome(() => lines(turnkeep, input, {}));
    t.equal(walked.code, code, "index code");
  }
  for (const { last, code = null, first_seq, lines: count, sha256 } of expected.reads ?? []) {
    const read = await outcome(() => lines(turnkeep, input, { last }));
    t.equal(read.code, code, `code of the last ${last}`);
    if (code !== null) continue;
    const { entries, bytes } = read.value;
    if (entries.length > 0) t.equal(entries[0].seq, first_seq, `first of the last ${last}`);
    t.equal(entries.length, count, `number of the last ${last}`);
    t.equal(wasm().sha256(bytes), sha256, `bytes of the last ${last}`);
  }
}

async function lines(turnkeep, input, range) {
  const opened = await turnkeep.openArchive(input);
  const entries = [];
  for await (const entry of opened.entries(range)) entries.push(entry);
  const newline = Uint8Array.of(10);
  return { entries, bytes: concat(entries.flatMap(({ line }) => [line, newline])) };
}

async function gzip(t, input, expected) {
  await gunzips(t, input, expected, expected.output_max);
}

async function gunzips(t, input, expected, outputMax) {
  const { value, code } = await outcome(() => wasm().gunzip(input, outputMax));
  t.equal(code, expected.code, "code");
  if ("bytes" in expected) t.equal(value.length, expected.bytes, "bytes");
  if ("sha256" in expected) t.equal(wasm().sha256(value), expected.sha256, "sha256");
}

async function key(t, input, expected) {
  const { id, id_hex: hex, key } = json(input);
  const answer = await outcome(() => {
    if (key !== undefined) return { id: wasm().decode_id(key) };
    return { key: wasm().encode_id(hex === undefined ? id : decoded(unhex(hex))) };
  });
  compare(t, { ...answer.value, code: answer.code }, { code: null, ...expected }, "key");
}

/** Bytes that are no UTF-8 are no id; JavaScript's strings cannot hold them. */
function decoded(bytes) {
  try {
    return text.decode(bytes);
  } catch {
    throw Object.assign(new Error("not UTF-8"), { code: "invalid_id" });
  }
}
