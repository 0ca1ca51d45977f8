// Sessions over every store of this host, and over stores that are slow, broken or strange.

const item = (content) => ({ kind: "user_input", item: { role: "user", content } });

export async function run(t, host) {
  for (const { name, make } of host.stores) {
    const inStore = (title, body) =>
      t.test(`${name}: ${title}`, async () => {
        const { store, remove } = await make();
        try {
          await body(store);
        } finally {
          await remove();
        }
      });
    overAnyStore(t, host, inStore);
    inStore("an archiving that is aborted leaves no trace", (store) => abortedArchive(t, host, store));
  }
  strangeStores(t, host);
  drafts(t, host);
  misspelt(t, host);
  archives(t, host);
}

function overAnyStore(t, host, inStore) {
  const { Session, TurnkeepError, sessions } = host.turnkeep;

  inStore("a session from its first entry to its archive and back", async (store) => {
    const start = { system_prompt: "Be brief.", config: { model: "m" } };
    const session = await Session.create(store, { id: "Run 7/b", start });
    t.equal([session.id, session.head.seq, session.form, session.torn], ["Run 7/b", 0, "live", undefined]);
    const one = await session.append([item("one"), item("two")]);
    t.equal([one.firstSeq, one.head, session.head.seq], [1, session.head, 2]);
    const two = await session.append({ kind: "turn_end", turn: 1 });
    t.equal([two.firstSeq, two.head.seq], [3, 3]);

    const state = await session.state();
    t.equal([state.session, state.system_prompt, state.turns], ["Run 7/b", "Be brief.", 1]);
    t.equal(state.history.map((entry) => entry.item.content), ["one", "two"]);
    const { since, openCalls, ...folded } = state;
    t.equal([JSON.parse(await session.stateJson()), since, openCalls], [folded, 0, []]);
    const summary = await session.summary();
    t.equal([...summary.kinds], [["session_start", 1], ["turn_end", 1], ["user_input", 2]]);
    t.equal([summary.head, summary.storedBytes], [session.head, session.head.bytes]);

    const { rawBytes, archiveBytes, head } = await session.archive();
    t.equal([rawBytes, head, session.form], [two.head.bytes, two.head, "archived"]);
    t.ok(archiveBytes > 0, "archiveBytes");
    t.equal((await session.verify({ deep: true, expected: one.head })).isWhole, true);
    t.equal(await contents(session, {}), ["one", "two"]);
    t.equal(await listed(store), [["Run 7/b", "archived"]]);

    await session.restore();
    t.equal([session.form, session.head], ["live", two.head]);
    await session.append(item("three"));
    await session.close();
    const again = await Session.open(store, "Run 7/b");
    t.equal(again.head.seq, 4);
    t.equal(await contents(again, { last: 1 }), ["three"]);
    await again.close();
  });

  async function listed(store) {
    const found = [];
    for await (const { id, form } of sessions(store)) found.push([id, form]);
    return found;
  }

  async function contents(session, range) {
    const found = [];
    for await (const entry of session.entries(range)) {
      if (entry.kind === "user_input") found.push(entry.item.content);
    }
    return found;
  }

  inStore("ids are made up, and sort by time", async (store) => {
    const ids = [];
    for (let n = 0; n < 3; n += 1) {
      const session = await Session.create(store);
      ids.push(session.id);
      await session.close();
      await new Promise((done) => setTimeout(done, 2));
    }
    t.ok(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(id)), ids);
    t.equal((await listed(store)).map(([id]) => id), ids);
  });

  inStore("creating and opening say what is wrong", async (store) => {
    await (await Session.create(store, { id: "s" })).close();
    await t.throws(() => Session.create(store, { id: "s" }), "already_exists");
    const missing = await t.throws(() => Session.open(store, "none"), "not_found");
    t.ok(missing instanceof TurnkeepError && missing instanceof Error, "that it is an error");
    t.equal([missing.name, missing.session, missing.retryable], ["TurnkeepError", "none", false]);
    t.ok(missing.message.startsWith("not_found: "), missing.message);
    t.ok(missing.hint.length > 0, missing.hint);
    for (const id of ["", "a\nb", "x".repeat(129), "\ud800", 5]) {
      await t.throws(() => Session.open(store, id), "invalid_id");
    }
    await t.throws(() => Session.create(store, { durability: "forever" }), "invalid_argument");
    await t.throws(() => Session.create(store, { id: "t", entries: [item("x"), { kind: "turn_end" }] }), "bad_entry");
    t.equal((await listed(store)).map(([id]) => id).includes("t"), false, "a session half created");
  });

  inStore("calls are carried out in their order, awaited or not", async (store) => {
    const session = await Session.create(store, { id: "s" });
    const first = session.append(item("0"));
    const bad = session.append({ kind: "turn_end" });
    const read = session.read({ last: 1 });
    const rest = [1, 2, 3].map((n) => session.append([item(`${n}`), item(`${n}`)]));
    const state = session.state();
    t.equal((await first).firstSeq, 1);
    await t.throws(() => bad, "bad_entry");
    t.equal((await read).entries.map(({ seq }) => seq), [1]);
    t.equal((await Promise.all(rest)).map(({ firstSeq }) => firstSeq), [2, 4, 6]);
    t.equal((await state).history.length, 7);
    await session.close();
  });

  inStore("a conflict tells the head there is, and appends nothing", async (store) => {
    const one = await Session.create(store, { id: "s" });
    const other = await Session.open(store, "s");
    const { head } = await one.append(item("one"));
    const error = await t.throws(() => other.append(item("other")), "conflict");
    t.equal([error.actual, error.session, error.key], [head, "s", "s.jsonl"]);
    t.equal((await one.verify()).head, head);
    await one.close();
    await other.close();
  });

  inStore("a torn tail is told, left out, and cut off by the next append", async (store) => {
    const first = await Session.create(store, { id: "s" });
    await first.append(item("kept"));
    const { head } = first;
    await store.append("s.jsonl", new TextEncoder().encode('{"hash":"torn'), head.bytes, 0, "os");
    await first.close();
    const session = await Session.open(store, "s");
    t.equal([session.head, session.torn], [head, { offset: head.bytes, bytes: 13 }]);
    const report = await session.verify();
    t.equal([report.isWhole, report.fault, report.torn.bytes], [false, undefined, 13]);
    t.equal((await session.state()).history.length, 1);
    await session.append(item("after"));
    t.equal([(await session.verify()).isWhole, session.torn], [true, undefined]);
    await session.close();
  });

  inStore("pages join to what was appended", async (store) => {
    const session = await Session.create(store, { id: "s" });
    const many = Array.from({ length: 60 }, (_, n) => item(`${n} `.repeat(n * 9)));
    await session.append(many.slice(0, 30));
    await session.append(many.slice(30));
    for (let round = 0; round < 2; round += 1) {
      const seqs = async (range) => {
        const found = [];
        for await (const entry of session.entries(range)) found.push(entry.seq);
        return found;
      };
      const upTo = (from, to) => Array.from({ length: to - from + 1 }, (_, n) => from + n);
      t.equal(await seqs({}), upTo(0, 60));
      t.equal(await seqs({ pageBytes: 1 }), upTo(0, 60));
      t.equal(await seqs({ last: 5, pageBytes: 3000 }), upTo(56, 60));
      t.equal(await seqs({ from: 10, to: 20 }), upTo(10, 20));
      t.equal(await seqs({ last: 0 }), []);
      t.equal(await seqs({ from: 61 }), []);
      const page = await session.read({ from: 7, to: 9 });
      t.equal([page.firstSeq, page.entries.length, page.next, page.head], [7, 3, undefined, session.head]);
      const text = new TextDecoder().decode(page.lines);
      t.equal(page.entries.map((entry) => `${entry.text}\n`).join(""), text);
      t.equal(page.entries.map((entry) => entry.item.content), many.slice(6, 9).map((one) => one.item.content));
      const [entry] = page.entries;
      t.equal([entry.hash, entry.kind], [JSON.parse(entry.text).hash, "user_input"]);
      t.equal(entry.toJSON(), { seq: 7, kind: "user_input", ts: entry.ts, item: entry.item });
      await t.throws(() => session.read({ from: -1 }), "invalid_argument");
      await t.throws(() => session.read({ last: 1.5 }), "invalid_argument");
      if (round === 0) await session.archive();
    }
    await session.close();
  });

  inStore("an expected head is looked for", async (store) => {
    const session = await Session.create(store, { id: "s" });
    const { head } = await session.append(item("one"));
    t.ok((await session.verify({ expected: head })).isWhole, "isWhole");
    const report = await session.verify({ expected: { seq: 5, hash: head.hash } });
    t.ok(report.fault instanceof TurnkeepError, "that the fault is an error");
    t.equal([report.fault.code, report.isWhole, report.head], ["head_mismatch", false, head]);
    await t.throws(() => session.verify({ expected: { seq: 1, hash: "x" } }), "invalid_argument");
    await session.close();
  });

  inStore("an aborted call ends with the signal's reason and has done nothing", async (store) => {
    const session = await Session.create(store, { id: "s" });
    const aborted = AbortSignal.abort(new Error("enough"));
    for (const call of [
      () => session.append(item("one"), { signal: aborted }),
      () => session.read({ signal: aborted }),
      () => session.verify({ signal: aborted }),
      () => session.archive({ signal: aborted }),
      () => Session.open(store, "s", { signal: aborted }),
      () => Session.create(store, { id: "other", signal: aborted }),
    ]) {
      t.equal((await t.throws(call)).message, "enough");
    }
    t.equal([session.head.seq, session.form], [0, "live"]);
    t.equal((await session.append(item("one"))).firstSeq, 1);
    t.equal(await listed(store), [["s", "live"]]);
    await session.close();
  });

  inStore("hostile ids are sessions like others", async (store) => {
    const ids = ["..", "../x", "CON", "con", "a/b", "é", "%41", ".hidden", "a b", "\u2028"];
    for (const id of ids) {
      const session = await Session.create(store, { id });
      await session.append(item(id));
      await session.close();
    }
    t.equal((await listed(store)).map(([id]) => id).sort(), [...ids].sort());
    for (const id of ids) t.equal((await Session.open(store, id)).id, id);
    for (const key of ["../x", "/x", "", ".x", "a//b", "A", "a\\b"]) {
      await t.throws(async () => store.get(key), "invalid_id");
      await t.throws(async () => store.put(key, new Uint8Array(1), "any"), "invalid_id");
    }
  });

  inStore("a closed session does nothing more", async (store) => {
    const session = await Session.create(store, { id: "s" });
    const last = session.append(item("one"));
    await Promise.all([session.close(), session.close()]);
    t.equal((await last).firstSeq, 1);
    await t.throws(() => session.append(item("two")), "invalid_argument");
    await t.throws(() => session.state(), "invalid_argument");
    t.equal(session.head.seq, 1);
    if (Symbol.asyncDispose !== undefined) {
      const other = await Session.open(store, "s");
      await other[Symbol.asyncDispose]();
      await t.throws(() => other.read(), "invalid_argument");
    }
  });
}

/** Every request of an archiving in turn is where the call is aborted. */
async function abortedArchive(t, host, store) {
  const { Session } = host.turnkeep;
  const session = await Session.create(store, { id: "s" });
  await session.append(item("one"));
  const before = await session.stateJson();
  await session.close();
  for (let count = 1; ; count += 1) {
    const abort = new AbortController();
    let left = count;
    const counting = wrapped(store, (answer) => {
      left -= 1;
      if (left === 0) abort.abort(new Error("enough"));
      return answer();
    });
    const opened = await Session.open(store, "s");
    await opened.close();
    const again = await Session.open(counting, "s");
    left = count;
    const { error } = await outcome(again.archive({ signal: abort.signal }));
    await again.close();
    const now = await Session.open(store, "s");
    t.equal(await now.stateJson(), before, `after ${count} requests`);
    const { form } = now;
    await now.close();
    if (error === undefined) {
      t.ok(count > 5, count);
      return t.equal(form, "archived");
    }
    t.equal(error.message, "enough");
  }
}

/** The same store, with something done about each answer. */
function wrapped(store, about) {
  return new Proxy(store, {
    get(target, name) {
      const member = target[name];
      if (typeof member !== "function") return member;
      return (...args) => about(() => member.apply(target, args), name);
    },
  });
}

async function outcome(promise) {
  try {
    return { value: await promise };
  } catch (error) {
    return { error };
  }
}

function strangeStores(t, host) {
  const { Session, TurnkeepError } = host.turnkeep;
  const { make } = host.stores[0];

  t.test("a store that answers late is the same store", async () => {
    const late = wrapped((await make()).store, async (answer) => {
      await new Promise((done) => setTimeout(done, Math.random() * 3));
      return answer();
    });
    const session = await Session.create(late, { id: "s" });
    const appended = [1, 2, 3, 4].map((n) => session.append([item(`${n}`), item("x")]));
    t.equal((await Promise.all(appended)).map(({ firstSeq }) => firstSeq), [1, 3, 5, 7]);
    const contents = (await session.state()).history.map((entry) => entry.item.content);
    t.equal(contents, ["1", "x", "2", "x", "3", "x", "4", "x"]);
    await session.archive();
    t.ok((await session.verify()).isWhole, "isWhole");
    await session.close();
  });

  t.test("what a store throws is told as its own", async () => {
    const { store } = await make();
    await Session.create(store, { id: "s" });
    for (const isLate of [false, true]) {
      const failing = (thrown) =>
        wrapped(store, (answer, name) => {
          if (name !== "append") return answer();
          if (isLate) return Promise.reject(thrown);
          throw thrown;
        });
      const appending = async (thrown) => {
        const session = await Session.open(failing(thrown), "s");
        return t.throws(() => session.append(item("one")));
      };
      const own = new RangeError("the disk is on fire");
      const error = await appending(own);
      t.ok(error instanceof TurnkeepError, error);
      t.equal([error.code, error.cause, error.key, error.session], ["store_failed", own, "s.jsonl", "s"]);
      t.ok(error.message.includes("the disk is on fire"), error.message);
      t.equal((await appending(undefined)).code, "store_failed");
      t.equal((await appending("words")).code, "store_failed");
      t.equal((await appending({ code: "ENOSPC" })).code, "store_failed");
      const passing = new TurnkeepError("store_failed", "busy", { retryable: true, hint: "wait" });
      const { retryable, hint } = await appending(passing);
      t.equal([retryable, hint], [true, "wait"]);
      t.equal((await appending(new TurnkeepError("locked", "no"))).code, "locked");
    }
  });

  t.test("what is no store at all is refused, and the hint names one", async () => {
    const { createRuntime, copySession, deleteSession, sessions, sweep, Tier } = host.turnkeep;
    for (const none of ["./sessions", undefined, null, 7, {}, new Map()]) {
      for (const call of [
        () => Session.create(none, { id: "s" }),
        () => Session.open(none, "s"),
        () => deleteSession(none, "s"),
        () => sessions(none).next(),
        () => sweep(none),
        () => createRuntime({ store: none }),
        async () => Tier.open(none, (await make()).store),
        async () => copySession((await make()).store, none, "s", "files"),
      ]) {
        const error = await t.throws(call, "invalid_argument");
        t.ok(error.hint.includes("FileStore"), `${call}: ${error.message}`);
      }
    }
  });

  t.test("a store that answers nonsense has failed", async () => {
    const { store } = await make();
    await Session.create(store, { id: "s" });
    for (const nonsense of [undefined, null, 5, "x", {}, { bytes: "x" }, { bytes: -1, version: "v" }]) {
      const strange = wrapped(store, () => nonsense);
      await t.throws(() => Session.open(strange, "s"), "store_failed");
      await t.throws(async () => {
        for await (const _ of host.turnkeep.sessions(strange)) break;
      }, "store_failed");
    }
  });
}

function misspelt(t, host) {
  const api = host.turnkeep;
  const { make } = host.stores[0];

  t.test("an option that there is none of is refused by its name, and nothing is done", async () => {
    const { store } = await make();
    const start = { id: "s", entries: [item("one"), item("two")] };
    const session = await api.Session.create(store, start);
    const tier = await api.Tier.open(store, (await make()).store);
    const runtime = await api.createRuntime({ store });
    const bundle = (await make()).store;
    const log = (await session.read()).lines;
    const first = async (entries) => (await entries.next()).value;
    const wrong = { lst: 3 };
    const calls = [
      () => api.Session.create(store, { id: "t", ...wrong }),
      () => api.Session.open(store, "s", wrong),
      () => session.verify({ head: session.head, ...wrong }),
      () => session.append(item("three"), wrong),
      () => session.truncateFrom({ seq: 1 }, wrong),
      () => session.replaceHistory([], wrong),
      () => session.compact({ summary: [], ...wrong }),
      () => session.read(wrong),
      () => first(session.entries(wrong)),
      () => session.state(wrong),
      () => session.stateJson(wrong),
      () => session.fork(wrong),
      () => session.fork({ at: wrong }),
      () => session.ensureHead(wrong),
      () => session.delete(wrong),
      () => api.deleteSession(store, "s", wrong),
      () => api.createCompacted(store, "s", { summary: [], ...wrong }),
      () => api.forkSession(store, "s", wrong),
      () => api.repairSession(store, "s", wrong),
      () => api.verify(log, wrong),
      () => first(api.recentSessions(store, wrong)),
      () => api.importFiles(store, [], wrong),
      () => api.sweep(store, wrong),
      () => api.sweep(store, {}, wrong),
      () => api.usage(store, wrong),
      () => api.prune(store, "s", "why", wrong),
      async () => api.startSweeping(store, { everyMs: 1000, onError() {}, ...wrong }),
      () => tier.hydrate("s", wrong),
      () => tier.flush("s", wrong),
      () => tier.collect(wrong),
      () => first(tier.coldSessions(wrong)),
      () => api.runSession(tier, { mode: "continue", id: "s", ...wrong }, () => t.ok(false, "it worked")),
      () => api.createRuntime({ store, ...wrong }),
      () => runtime.awaitIdle(wrong),
      () => runtime.quiesce(() => t.ok(false, "it worked"), wrong),
      () => runtime.snapshotTo(bundle, wrong),
      () => runtime.exportSession("s", bundle, wrong),
      () => runtime.restoreFrom(bundle, wrong),
      () => runtime.replaceSession("s", bundle, wrong),
    ];
    for (const call of calls) {
      const error = await t.throws(call, "invalid_argument");
      t.ok(/"(lst|head)"/.test(error.message) && error.hint.startsWith("There are: "), `${call}: ${error.message}`);
    }
    t.equal((await session.read()).lines, log);
    await t.throws(() => api.Session.open(store, "t"), "not_found");
    t.equal((await bundle.list("", undefined, 1)).objects, []);
    await session.close();

    const { signal } = new AbortController();
    const options = { mode: "continue", id: "s", signal, hot: "keep", merge: false, saveState: () => 1, onExitFault() {} };
    t.equal(await api.runSession(tier, options, ({ head }) => head.seq), 2);
  });

  t.test("a point to fork at that is none, or more than one, is refused", async () => {
    const { store } = await make();
    const session = await api.Session.create(store, { id: "s", entries: [item("one")] });
    for (const at of [0, "1", [], null, { seq: 1, turn: 0 }, { seq: 1, hash: session.head.hash }]) {
      await t.throws(() => session.fork({ at }), "invalid_argument");
    }
    for (const options of [5, []]) await t.throws(() => session.read(options), "invalid_argument");
    await session.close();
  });
}

function drafts(t, host) {
  const { Session, TurnkeepError, rawJson } = host.turnkeep;
  const { make } = host.stores[0];

  async function appended(...drafts) {
    const session = await Session.create((await make()).store, { id: "s" });
    await session.append(drafts);
    return (await session.read({ from: 1 })).entries;
  }

  t.test("payload bytes are kept", async () => {
    const json = '{"z":9007199254740993,"a":1.50,"1":-0,"s":"\\ud800 \u2028 \\u00e9","list":[1e400, 2 ]}';
    const [item] = await appended({ kind: "user_input", item: rawJson(json), id: "m1" });
    t.equal([item.json("item"), item.json("id"), item.json("none")], [json, '"m1"', undefined]);
    const [whole] = await appended(rawJson(` { "item": ${json} ,"kind":"user_input"}`.trim()));
    t.equal(whole.json("item"), json);
    const odd = { b: 1, a: "\ud800", "\u2028": "\u2029", 2: null, ["__proto__"]: { x: 1 } };
    const [plain] = await appended({ kind: "tool_result", item: odd });
    t.equal(plain.json("item"), JSON.stringify(odd));
    t.equal(JSON.stringify(plain.item), JSON.stringify(odd));
  });

  t.test("unknown kinds and fields are kept", async () => {
    const [entry] = await appended({ kind: "later_kind", anything: [1], ts: 5 });
    t.equal([entry.kind, entry.ts, entry.fields], ["later_kind", 5, { anything: [1] }]);
  });

  t.test("a draft that is none is named", async () => {
    const loop = {};
    loop.loop = loop;
    const cases = [
      ["bad_json", undefined],
      ["bad_json", null],
      ["bad_json", "text"],
      ["bad_json", () => {}],
      ["bad_json", { kind: "user_input", item: 1n }],
      ["bad_json", { kind: "user_input", item: loop }],
      ["bad_json", { kind: "user_input", item: rawJson("{") }],
      ["bad_json", rawJson("")],
      ["bad_entry", { kind: "user_input" }],
      ["bad_entry", { kind: "user_input", item: undefined }],
      ["bad_entry", {}],
      ["duplicate_key", { kind: "user_input", item: 1, seq: 4 }],
      ["invalid_argument", { kind: "user_input", item: { inner: rawJson("1") } }],
      ["too_large", { kind: "user_input", item: "x".repeat(33 << 20) }],
    ];
    for (const [code, draft] of cases) {
      const error = await t.throws(() => appended({ kind: "turn_end", turn: 1 }, draft), code);
      t.ok(error instanceof TurnkeepError, error);
      t.equal(error.draft, 1, `draft of ${error.message}`);
    }
    await t.throws(() => appended(), "invalid_argument");
    await t.throws(async () => rawJson("1\n"), "bad_json");
    await t.throws(async () => rawJson('"\ud800"'), "invalid_utf8");
    await t.throws(async () => rawJson('"\udc00\ud800"'), "invalid_utf8");
  });

  t.test("what JSON has not is refused wherever it is handed in, and all else is kept", async () => {
    class Point {
      x = 1;
    }
    const lost = [NaN, -Infinity, 7n, () => 1, Symbol("s"), [undefined], new Map([[1, 2]]), new Set(), /x/, new Point()];
    const session = await Session.create((await make()).store, { id: "s" });
    for (const value of [...lost, new Uint8Array(1), Promise.resolve()]) {
      const item = { deep: [{ value }] };
      const raw = rawJson("1");
      for (const draft of [{ kind: "user_input", item }, { kind: "later", raw, item }, { kind: "later", raw, value }]) {
        const error = await t.throws(() => session.append([{ kind: "turn_end", turn: 1 }, draft]), "bad_json");
        t.ok(error instanceof TurnkeepError && error.message.includes("JSON has no "), error.message);
        t.equal([error.draft, error.hint.includes("rawJson")], [1, typeof value === "bigint"], error.message);
      }
      await t.throws(() => session.replaceHistory([item]), "bad_json");
      await t.throws(() => session.compact({ summary: [item] }), "bad_json");
      await t.throws(() => session.trace(item), "bad_json");
      await t.throws(() => session.fork({ entries: [{ item }] }), "bad_json");
      const { store } = await make();
      await t.throws(() => Session.create(store, { start: { config: item } }), "bad_json");
      t.equal((await store.list("", undefined, 1)).objects, []);
    }
    t.equal(session.head.seq, 0);
    await session.close();

    const bare = Object.assign(Object.create(null), { a: [] });
    const nested = JSON.parse(`${"[".repeat(60)}${"]".repeat(60)}`);
    const own = { toJSON: () => ({ was: 1 }) };
    const kept = { date: new Date(0), url: new URL("https://a.b/c"), own, bare, none: undefined, "": undefined, zero: -0 };
    const [entry] = await appended({ kind: "user_input", item: { ...kept, nested }, id: undefined });
    t.equal(entry.json("item"), JSON.stringify({ ...kept, nested }));
    const [other] = await appended({ kind: "user_input", item: kept, raw: rawJson("1"), id: undefined });
    t.equal([other.json("item"), other.json("id")], [JSON.stringify(kept), undefined]);
  });

  t.test("drafts are read when they are given", async () => {
    const session = await Session.create((await make()).store, { id: "s" });
    const draft = item("before");
    const appends = [session.append(draft), session.append(draft)];
    draft.item.content = "after";
    await Promise.all(appends);
    const { history } = await session.state();
    t.equal(history.map((entry) => entry.item.content), ["before", "before"]);
  });

  t.test("a batch of many and large drafts", async () => {
    const big = "é\u2028x".repeat(1 << 20);
    const entries = await appended(item("small"), item(big), ...Array(2000).fill(item("one of many")));
    t.equal([entries.length > 0, entries[0].item.content], [true, "small"]);
    const session = await Session.create((await make()).store, { id: "s" });
    await session.append([item("small"), item(big), ...Array(2000).fill(item("one of many"))]);
    const { history } = await session.state();
    t.equal([history.length, history[1].item.content === big], [2002, true]);
    await session.append(item("small again"));
    t.ok((await session.verify({ deep: true })).isWhole, "isWhole");
  });
}

function archives(t, host) {
  const { Session, archiveLog, fold, openArchive, unarchiveLog, verify } = host.turnkeep;
  const { make } = host.stores[0];

  async function log(turns) {
    const { store } = await make();
    const session = await Session.create(store, { id: "s" });
    for (let turn = 0; turn < turns; turn += 1) {
      const words = (n) => `${turn} ${n} ${Math.random()} `.repeat(40);
      await session.append(Array.from({ length: 100 }, (_, n) => item(words(n))));
    }
    return (await store.get("s.jsonl")).bytes;
  }

  t.test("the end of a large archive costs what it gives", async () => {
    const bytes = archiveLog(await log(300));
    let read = 0;
    const ranges = {
      size: bytes.length,
      async read(start, end) {
        read += end - start;
        return bytes.subarray(start, end);
      },
    };
    for (const source of [bytes, new Blob([bytes]), ranges]) {
      const archive = await openArchive(source);
      const seqs = [];
      for await (const entry of archive.entries({ last: 50 })) seqs.push(entry.seq);
      t.equal([seqs.length, seqs[0], seqs.at(-1)], [50, archive.head.seq - 49, archive.head.seq]);
      t.ok(archive.bytesFetched <= 1 << 20, `${archive.bytesFetched} of ${bytes.length} bytes`);
      t.ok(archive.bytesFetched < bytes.length / 4, `${archive.bytesFetched} of ${bytes.length} bytes`);
    }
    t.ok(read > 0 && read <= 1 << 20, `${read} bytes read`);
  });

  t.test("archives open and logs do not", async () => {
    const bytes = await log(1);
    const archive = await openArchive(archiveLog(bytes));
    t.equal((await archive.read({ from: 3, to: 5 })).entries.map(({ seq }) => seq), [3, 4, 5]);
    await t.throws(() => openArchive(bytes), "not_gzip");
    await t.throws(() => openArchive(new Uint8Array(0)), "gzip_truncated");
    await t.throws(() => openArchive({ size: 9, read: () => "x" }), "invalid_argument");
    await t.throws(() => openArchive({ size: 9, read: () => Promise.reject(new Error("x")) }), "store_failed");
    t.equal(unarchiveLog(archiveLog(bytes)), bytes);
  });

  t.test("bytes are verified from wherever they come", async () => {
    const bytes = await log(1);
    const stream = () => new Blob([bytes]).stream();
    async function* pieces() {
      for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
    }
    const whole = await verify(bytes);
    t.equal([whole.isWhole, whole.session, whole.head.seq], [true, "s", 100]);
    for (const source of [new Blob([bytes]), stream(), pieces(), archiveLog(bytes)]) {
      t.equal(await verify(source, { deep: true, session: "s", expected: whole.head }), whole);
    }
    const other = await verify(bytes, { session: "other" });
    t.equal(other.fault.code, "wrong_session");
    const changed = bytes.slice();
    changed[changed.length - 5] ^= 1;
    t.equal((await verify(changed)).fault.code, "bad_hash");
    const strange = (async function* () {
      yield "text";
    })();
    await t.throws(() => verify(strange), "invalid_argument");
    const aborted = AbortSignal.abort(new Error("enough"));
    t.equal((await t.throws(() => verify(bytes, { signal: aborted }))).message, "enough");
  });

  t.test("what is no bytes is refused", async () => {
    for (const wrong of ["text", [1, 2], new ArrayBuffer(4), undefined, { length: 1e9 }]) {
      await t.throws(async () => fold(wrong), "invalid_argument");
      await t.throws(async () => archiveLog(wrong), "invalid_argument");
      await t.throws(async () => unarchiveLog(wrong), "invalid_argument");
    }
  });
}
