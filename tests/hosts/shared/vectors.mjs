// Every vector below tests/vectors gives here what it is expected to give (docs/format.md §12).

const SUFFIXES = [".recipe.json", ".jsonl.gz", ".jsonl", ".gz", ".json", ".bundle"];
const EXPECTED = ".expected.json";
/** Longest input that is also read in small pieces. */
const PIECES_BYTES_MAX = 100_000;

export async function run(t, host) {
  const files = await host.list("");
  const areas = areasOf(host, t);
  t.test("every area is read", () => {
    const found = new Set(files.map((path) => path.split("/")[0]));
    t.equal([...found].sort(), Object.keys(areas).sort(), "areas");
  });
  for (const [area, told] of Object.entries(areas)) {
    const vectors = vectorsOf(files.filter((path) => path.startsWith(`${area}/`)), t);
    t.test(`${area}: ${vectors.length} vectors`, () => check(t, host, vectors, told));
  }
}

async function check(t, host, vectors, told) {
  t.ok(vectors.length > 0, "that there are vectors");
  const found = [];
  for (const { name, input, expected } of vectors) {
    const text = new TextDecoder().decode(await host.fetchBytes(expected));
    const expectation = JSON.parse(text);
    let answer;
    try {
      answer = await told(await inputOf(host, input), expectation);
    } catch (error) {
      found.push(`${name}: ${error.stack}`);
      continue;
    }
    found.push(...differences(expectation, answer, name));
  }
  t.ok(found.length === 0, `that all agree\n  ${found.slice(0, 20).join("\n  ")}`);
}

/** Inputs with their expectations. A file that is neither is one that nobody reads. */
function vectorsOf(paths, t) {
  const expected = paths.filter((path) => path.endsWith(EXPECTED));
  const inputs = new Map();
  for (const path of paths.filter((path) => !path.endsWith(EXPECTED))) {
    const suffix = SUFFIXES.find((suffix) => path.endsWith(suffix)) ?? "";
    inputs.set(path.slice(0, path.length - suffix.length), path);
  }
  const vectors = expected.map((path) => {
    const name = path.slice(0, -EXPECTED.length);
    return { name, expected: path, input: inputs.get(name) };
  });
  t.equal(vectors.length, inputs.size, "number of inputs with an expectation");
  t.equal(vectors.filter(({ input }) => input === undefined), [], "expectations without an input");
  return vectors;
}

async function inputOf(host, path) {
  const bytes = await host.fetchBytes(path);
  if (!path.endsWith(".recipe.json")) return bytes;
  return joined(
    parse(bytes).map(({ text, hex, repeat = 1 }) => {
      const once = text === undefined ? bytesOfHex(hex) : new TextEncoder().encode(text);
      const piece = new Uint8Array(once.length * repeat);
      if (once.length === 1) return piece.fill(once[0]);
      for (let at = 0; at < piece.length; at += once.length) piece.set(once, at);
      return piece;
    }),
  );
}

function parse(bytes) {
  return JSON.parse(new TextDecoder().decode(bytes));
}

function bytesOfHex(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

function joined(pieces) {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** What differs. Members that are not expected are not compared. */
function differences(expected, found, place) {
  if (Array.isArray(expected) && Array.isArray(found) && expected.length === found.length) {
    return expected.flatMap((one, at) => differences(one, found[at], `${place}[${at}]`));
  }
  const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
  if (isObject(expected) && isObject(found)) {
    const names = Object.keys(expected);
    return names.flatMap((name) => differences(expected[name], found[name], `${place}.${name}`));
  }
  if (Object.is(expected ?? null, found ?? null)) return [];
  return [`${place}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`];
}

/** For each area: what this host tells of an input. */
function areasOf(host, t) {
  const { turnkeep, wasm } = host;

  async function log(bytes, { expect = {} }) {
    const options = { session: expect.session, expected: expect.head, deep: true };
    const whole = await toldOfLog(bytes, options);
    if (bytes.length <= PIECES_BYTES_MAX) {
      t.equal(await toldOfLog(pieces(bytes, 7), options), whole, "the same in pieces");
    }
    return { expect, ...whole };
  }

  async function toldOfLog(source, options) {
    const report = await turnkeep.verify(source, options);
    const { fault, entryFault, head, torn, session, withheld } = report;
    t.equal(report.isWhole, !fault && !entryFault && !torn, "isWhole");
    for (const error of [fault, entryFault]) {
      t.ok(error === undefined || error instanceof turnkeep.TurnkeepError, "that faults are errors");
    }
    const { code = null, line, offset, seq } = fault ?? {};
    const entries = { code: entryFault?.code ?? null, seq: entryFault?.seq };
    return { verify: { code, line, offset, seq }, head, torn, session, withheld, entries };
  }

  function state(bytes) {
    return attempt(() => {
      const json = wasm.fold(bytes);
      t.equal(turnkeep.fold(bytes), JSON.parse(json), "the parsed state");
      return { state: json };
    });
  }

  function draft(bytes) {
    const { session, ts, salts, batches } = parse(bytes);
    let random = joined((salts ?? []).map(saltBytes));
    let batch;
    try {
      const writer = new wasm.Writer(session, salts !== null);
      const lines = batches.map((drafts, index) => {
        batch = index;
        const written = writer.write(drafts, ts, random);
        random = random.slice(8 * written.filter((byte) => byte === 10).length);
        return written;
      });
      return { log: new TextDecoder("utf-8", { ignoreBOM: true }).decode(joined(lines)) };
    } catch (error) {
      return { code: error.code, batch, index: error.draft };
    }
  }

  async function archive(bytes, { reads = [] }) {
    const told = content(() => wasm.gunzip(bytes));
    const answers = [];
    for (const { last } of reads) answers.push(await readLast(bytes, last));
    return { ...told, index: await index(bytes), reads: answers };
  }

  /** Opens the index and reads every span. */
  async function index(bytes) {
    let opened;
    try {
      opened = wasm.index(bytes, bytes.length);
    } catch (error) {
      // A file without an index is read from its start on.
      if (error.code === "no_index") await turnkeep.openArchive(bytes);
      else await t.throws(() => turnkeep.openArchive(bytes), error.code);
      return { code: error.code };
    }
    const archive = await turnkeep.openArchive(bytes);
    t.equal(archive.head, opened.head, "the opened archive's head");
    const failure = await failed(() => readAll(archive, {}));
    return { code: failure?.code ?? null, ...opened };
  }

  async function readLast(bytes, last) {
    try {
      const archive = await turnkeep.openArchive(bytes);
      const pages = await readAll(archive, { last });
      const lines = joined(pages.map((page) => page.lines));
      const count = pages.reduce((sum, page) => sum + page.entries.length, 0);
      return { last, first_seq: pages[0].firstSeq, lines: count, sha256: wasm.sha256(lines) };
    } catch (error) {
      if (error.code === undefined) throw error;
      return { last, code: error.code };
    }
  }

  async function readAll(archive, range) {
    const pages = [];
    let after;
    do {
      const page = await archive.read({ ...range, after });
      pages.push(page);
      after = page.next;
    } while (after !== undefined);
    return pages;
  }

  async function bundle(bytes) {
    const runtime = await turnkeep.createRuntime({ store: host.stores[0].make().store });
    try {
      const { sessions, cache } = await runtime.restoreFrom(bytes, { dryRun: true });
      const told = sessions.map(({ id, head }) => ({ id, head }));
      return { code: null, sessions: told, cache: cache.leftOut };
    } catch (error) {
      if (error.code === undefined) throw error;
      return { code: error.code };
    }
  }

  function gzip(bytes, { output_max }) {
    return { output_max, ...content(() => wasm.gunzip(bytes, output_max)) };
  }

  function key(bytes) {
    const { id, id_hex, key } = parse(bytes);
    return attempt(() => {
      if (key !== undefined) return { id: wasm.decode_id(key) };
      return { key: wasm.encode_id(id ?? textOf(bytesOfHex(id_hex))) };
    });
  }

  /** Bytes that are not UTF-8 never reach the package: JavaScript's ids are text. */
  function textOf(bytes) {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new turnkeep.TurnkeepError("invalid_id", "not UTF-8");
    }
  }

  function content(read) {
    return attempt(() => {
      const bytes = read();
      return { code: null, bytes: bytes.length, sha256: wasm.sha256(bytes) };
    });
  }

  return { log, state, draft, archive, bundle, gzip, key };
}

function attempt(call) {
  try {
    return call();
  } catch (error) {
    if (error.code === undefined) throw error;
    return { code: error.code };
  }
}

async function failed(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return undefined;
}

async function* pieces(bytes, size) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** The eight bytes of a salt. */
function saltBytes(salt) {
  const binary = atob(`${salt.replaceAll("-", "+").replaceAll("_", "/")}=`);
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
