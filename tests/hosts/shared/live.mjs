// What can be done with live sessions beside appending and reading, over every store of this host.

const user = (content, id) => ({ item: { role: "user", content }, ...(id && { id }) });
const call = (id) => ({ item: { type: "function_call", call_id: id, name: "f", arguments: "{}" } });
const result = (id) => ({ item: { type: "function_call_output", call_id: id, output: "x" } });
const texts = ({ history }) => history.map(({ item }) => item.content);

export async function run(t, host) {
  for (const { name, durability, make } of host.stores) {
    const inStore = (title, body) =>
      t.test(`${name}: ${title}`, async () => {
        const { store, remove } = await make();
        try {
          await body(store, host.turnkeep);
        } finally {
          await remove();
        }
      });
    appends(t, inStore, durability);
    views(t, inStore);
    ranges(t, inStore);
    forks(t, inStore);
    edits(t, inStore);
    wholeSessions(t, inStore);
    lineages(t, inStore);
    records(t, inStore);
  }
}

function appends(t, inStore, durability) {
  inStore("an item tells its kind", async (store, { Session }) => {
    const session = await Session.create(store);
    await session.append([user("a"), { item: { role: "assistant", content: "b" } }, result("c")]);
    const { history } = await session.state();
    t.equal(history.map(({ kind }) => kind), ["user_input", "assistant_item", "tool_result"]);
    await session.close();
  });

  inStore("an append after another entry than expected is a conflict", async (store, { Session }) => {
    const session = await Session.create(store);
    const expected = session.head;
    const { head } = await session.append(user("a"), { expected });
    const error = await t.throws(() => session.append(user("b"), { expected }), "conflict");
    t.equal([error.actual, session.head], [head, head]);
    await session.append(user("b"), { expected: head });
    await session.close();
  });

  inStore("an append once is applied once", async (store, { Session }) => {
    const session = await Session.create(store, { id: "s" });
    const drafts = [user("a", "1"), user("b", "2")];
    const first = await session.append(drafts, { once: true });
    t.equal([first.firstSeq, first.alreadyApplied], [1, false]);
    await session.append(user("c"));
    await session.close();
    const again = await Session.open(store, "s");
    const second = await again.append(drafts, { once: true });
    t.equal([second.firstSeq, second.alreadyApplied, second.head.seq], [1, true, 3]);
    await t.throws(() => again.append([user("b", "2"), user("d", "3")], { once: true }), "already_exists");
    await t.throws(() => again.append(user("no id"), { once: true }), "invalid_argument");
    await again.close();
  });

  inStore("a torn tail that an append cuts off is told", async (store, { Session }) => {
    const session = await Session.create(store, { id: "s" });
    const { bytes } = session.head;
    await session.close();
    await store.append("s.jsonl", new TextEncoder().encode('{"hash'), bytes, 0, "os");
    await store.release?.("s.jsonl");
    const again = await Session.open(store, "s");
    t.equal((await again.append(user("a"))).recovered, { offset: bytes, bytes: 6 });
    t.equal((await again.append(user("b"))).recovered, undefined);
    await again.close();
  });

  inStore("each append may survive something else", async (store, { Session }) => {
    const session = await Session.create(store);
    await session.append(user("a"), { durability: "memory" });
    await t.throws(() => session.append(user("b"), { durability: "forever" }), "invalid_argument");
    if (durability === "disk") {
      await session.append(user("b"), { durability: "disk" });
      t.equal(session.head.seq, 2);
    } else {
      await t.throws(() => session.append(user("b"), { durability: "disk" }), "not_supported");
      t.equal(session.head.seq, 1);
    }
    await session.close();
  });

  inStore("a store without sync makes each append durable by itself", async (store, { Session }) => {
    const asked = [];
    const direct = new Proxy(store, {
      get(target, name) {
        if (name === "sync") return undefined;
        if (name !== "append") return bound(target, name);
        return (key, bytes, at, torn, durability) => {
          asked.push(durability);
          return target.append(key, bytes, at, torn, "os");
        };
      },
    });
    const session = await Session.create(direct, { durability: "os" });
    await session.append(user("a"), { durability: "disk" });
    t.equal(asked.at(-1), "disk");
    await session.close();
  });

  inStore("an aborted append leaves the session usable", async (store, { Session }) => {
    const session = await Session.create(store);
    const reason = new Error("enough");
    t.equal(await t.throws(() => session.append(user("a"), { signal: AbortSignal.abort(reason) })), reason);
    const controller = new AbortController();
    const calls = [session.append(user("b")), session.append(user("c"), { signal: controller.signal })];
    controller.abort(reason);
    await Promise.allSettled(calls);
    await session.append(user("d"));
    t.ok((await session.verify({ deep: true })).isWhole, "the log");
    t.equal(texts(await session.state()).at(-1), "d");
    await session.close();
  });
}

function views(t, inStore) {
  inStore("a state from the last compaction on says where it starts", async (store, { Session }) => {
    const session = await Session.create(store);
    for (let n = 0; n < 10; n += 1) await session.append(Array.from({ length: 40 }, (_, m) => user(`${n} ${m}`)));
    const { firstSeq } = await session.compact({ summary: [{ role: "user", content: "sum" }], keepLast: 0 });
    await session.append(user("after"));
    const whole = await session.state();
    const recent = await session.state({ sinceCompaction: true });
    t.equal([texts(whole), whole.since], [["sum", "after"], 0]);
    t.equal(texts(recent), ["sum", "after"]);
    t.ok(recent.since > 0 && recent.since <= firstSeq, `since ${recent.since}`);
    t.equal(recent.head, whole.head);
    await session.close();
  });

  inStore("open calls are told, and closed where that is wanted", async (store, { Session }) => {
    const session = await Session.create(store);
    await session.append([user("go"), call("a"), call("b"), result("a")]);
    const open = await session.state();
    t.equal(open.openCalls, [{ index: 2, seq: 3, callId: "b", name: "f" }]);
    t.equal(open.history.length, 4);
    const closed = await session.state({ closeCalls: true });
    t.equal(closed.openCalls, open.openCalls);
    t.equal([closed.history.length, closed.history.at(-1).item.call_id], [5, "b"]);
    t.equal(JSON.parse(await session.stateJson({ closeCalls: true })).history.length, 5);
    await session.append(result("b"));
    t.equal((await session.state({ closeCalls: true })).openCalls, []);
    await session.close();
  });
}

function ranges(t, inStore) {
  const numbers = async (session, range) => {
    const seqs = [];
    for await (const { seq } of session.entries(range)) seqs.push(seq);
    return seqs;
  };
  const filled = async (Session, store) => {
    const session = await Session.create(store);
    for (const turn of [1, 2, 3]) {
      await session.append([user(`${turn}`), { item: { role: "assistant", content: "…" } }, { kind: "turn_end", turn }]);
    }
    return session;
  };

  inStore("entries of some kinds", async (store, { Session }) => {
    const session = await filled(Session, store);
    t.equal(await numbers(session, { kinds: ["turn_end"] }), [3, 6, 9]);
    t.equal(await numbers(session, { kinds: ["turn_end", "user_input"], last: 3 }), [6, 7, 9]);
    t.equal(await numbers(session, { kinds: ["turn_end"], pageBytes: 1 }), [3, 6, 9]);
    await t.throws(() => session.read({ kinds: ["my_kind"] }), "invalid_argument");
    await session.close();
  });

  inStore("an empty page may have a next one", async (store, { Session }) => {
    const session = await filled(Session, store);
    const page = await session.read({ kinds: ["turn_end"], pageBytes: 1 });
    t.equal([page.entries.length, page.lines.length, page.next === undefined], [0, 0, false]);
    await session.close();
  });

  inStore("entries from the last to the first", async (store, { Session }) => {
    const session = await filled(Session, store);
    t.equal(await numbers(session, { newestFirst: true, limit: 3 }), [9, 8, 7]);
    t.equal(await numbers(session, { newestFirst: true, pageBytes: 1 }), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    t.equal(await numbers(session, { newestFirst: true, from: 2, to: 4 }), [4, 3, 2]);
    await session.close();
  });

  inStore("entries of a turn, and at most so many", async (store, { Session }) => {
    const session = await filled(Session, store);
    t.equal(await numbers(session, { turn: 2 }), [4, 5, 6]);
    t.equal(await numbers(session, { turn: 2, limit: 2, pageBytes: 1 }), [4, 5]);
    await t.throws(() => session.read({ turn: 4 }), "not_found");
    await session.close();
  });
}

function forks(t, inStore) {
  inStore("a fork shares what came before its point", async (store, { Session, forkSession }) => {
    const parent = await Session.create(store, { id: "p" });
    const { head } = await parent.append([user("a"), { kind: "turn_end", turn: 1 }]);
    await parent.append(user("b"));
    for (const at of [{ turn: 1 }, { seq: 2 }, { hash: head.hash }]) {
      const fork = await forkSession(store, "p", { at, entries: [user("c")] });
      const state = await fork.state();
      t.equal([texts(state), state.forked_from], [["a", "c"], { session: "p", seq: 2, hash: head.hash }]);
      await fork.append(user("d"));
      t.ok((await fork.verify({ deep: true })).isWhole, "the fork");
      await fork.close();
    }
    const whole = await parent.fork({ id: "f" });
    t.equal([whole.id, texts(await whole.state())], ["f", ["a", "b"]]);
    t.equal(texts(await parent.state()), ["a", "b"]);
    await whole.close();
    await parent.close();
  });

  inStore("a fork at an unknown point, or of or into the wrong session", async (store, { Session, forkSession }) => {
    const parent = await Session.create(store, { id: "p" });
    for (const at of [{ seq: 9 }, { turn: 9 }, { hash: "0".repeat(64) }]) {
      await t.throws(() => parent.fork({ at }), "not_found");
    }
    await t.throws(() => forkSession(store, "none"), "not_found");
    await t.throws(() => parent.fork({ id: "p" }), "already_exists");
    await t.throws(() => parent.fork({ entries: [{ kind: "turn_end" }] }), "bad_entry");
    await parent.close();
  });

  inStore("a session that others went on with becomes a fork", async (store, { Session }) => {
    const one = await Session.create(store, { id: "s" });
    t.equal(await one.ensureHead(), { forkedFrom: undefined });
    t.equal(one.id, "s");
    await one.append(user("a"));
    const { seq, hash } = one.head;
    const other = await Session.open(store, "s");
    await other.append(user("theirs"));
    t.equal(await one.ensureHead({ id: "f" }), { forkedFrom: { session: "s", seq, hash } });
    await one.append(user("mine"));
    t.equal([one.id, texts(await one.state()), texts(await other.state())], ["f", ["a", "mine"], ["a", "theirs"]]);
    await one.close();
    await other.close();
  });
}

function edits(t, inStore) {
  inStore("the history's end is dropped, by entry, id or place", async (store, { Session }) => {
    const session = await Session.create(store);
    await session.append([user("a", "1"), user("b", "2"), user("c", "3"), user("d", "4")]);
    await session.truncateFrom({ index: 3 });
    t.equal(texts(await session.state()), ["a", "b", "c"]);
    await session.truncateFrom({ id: "3" });
    t.equal(texts(await session.state()), ["a", "b"]);
    const { head, firstSeq } = await session.truncateFrom({ seq: 2 });
    t.equal([texts(await session.state()), firstSeq, head], [["a"], 7, session.head]);
    for (const place of [{ index: 1 }, { id: "2" }, { seq: 2 }]) {
      await t.throws(() => session.truncateFrom(place), "not_found");
    }
    await t.throws(() => session.truncateFrom({}), "invalid_argument");
    await session.close();
  });

  inStore("more cannot be kept than there is", async (store, { Session }) => {
    const session = await Session.create(store);
    await session.append(user("a"));
    const error = await t.throws(() => session.append({ kind: "truncated", keep: 2 }));
    t.ok(["bad_entry", "invalid_argument"].includes(error.code), error.code);
    await t.throws(() => session.compact({ summary: [], keepLast: 2 }), "invalid_argument");
    t.equal(texts(await session.state()), ["a"]);
    await session.close();
  });

  inStore("the history is replaced, byte for byte", async (store, { Session, rawJson }) => {
    const session = await Session.create(store);
    await session.append(user("a"));
    await session.replaceHistory([{ role: "user", content: "b" }, rawJson('{"content":9007199254740993}')]);
    t.ok((await session.stateJson()).includes('"item":{"content":9007199254740993}'), "the raw item");
    await session.replaceHistory([]);
    t.equal((await session.state()).history, []);
    await t.throws(() => session.replaceHistory([undefined]), "bad_json");
    await session.close();
  });

  inStore("the history becomes a summary and its end", async (store, { Session }) => {
    const session = await Session.create(store, { start: { system_prompt: "Be brief." } });
    await session.append([user("a"), user("b"), user("c")]);
    await session.compact({ summary: [{ role: "user", content: "sum" }], keepLast: 1 });
    const state = await session.state();
    t.equal([texts(state), state.system_prompt], [["sum", "c"], "Be brief."]);
    await session.close();
  });

  inStore("a new session goes on from a summary", async (store, { Session, createCompacted }) => {
    const session = await Session.create(store, { id: "s", start: { config: { model: "m" } } });
    const { head } = await session.append([user("a"), user("b")]);
    const summary = [{ role: "user", content: "sum" }];
    const next = await createCompacted(store, "s", { summary, keepLast: 1, id: "n", entries: [user("c")] });
    const state = await next.state();
    t.equal([next.id, texts(state), state.config], ["n", ["sum", "b", "c"], { model: "m" }]);
    t.equal(state.compacted_from, { session: "s", seq: head.seq, hash: head.hash });
    await t.throws(() => createCompacted(store, "s", { summary, keepLast: 3 }), "invalid_argument");
    await t.throws(() => createCompacted(store, "none", { summary }), "not_found");
    await next.close();
    await session.close();
  });
}

function wholeSessions(t, inStore) {
  inStore("a deleted session is gone, with all beside it", async (store, { Session, deleteSession, setAbout }) => {
    const session = await Session.create(store, { id: "s", recovery: { projectDir: "/p" } });
    await session.trace({ event: 1 });
    await setAbout(store, "s", { title: "T" });
    await session.delete();
    t.equal((await store.list("", undefined, 10)).objects, []);
    await t.throws(() => session.append(user("a")), "invalid_argument");
    await t.throws(() => session.delete(), "invalid_argument");
    await t.throws(() => deleteSession(store, "s"), "not_found");
    await (await Session.create(store, { id: "s" })).close();
    await deleteSession(store, "s");
    await t.throws(() => Session.open(store, "s"), "not_found");
  });

  inStore("a damaged session is repaired into a new one", async (store, { Session, repairSession }) => {
    const session = await Session.create(store, { id: "s" });
    for (const text of ["one", "two", "three"]) await session.append(user(text));
    t.equal((await repairSession(store, "s")).fault, undefined);
    await session.close();
    const { bytes } = await store.get("s.jsonl");
    const damaged = new TextDecoder().decode(bytes).replace("two", "tWo");
    await store.put("s.jsonl", new TextEncoder().encode(damaged), "any");
    const seen = await repairSession(store, "s", { dryRun: true });
    t.equal([seen.fault.code, seen.sound.seq, seen.saved, seen.session], ["bad_hash", 1, 1, undefined]);
    t.equal(seen.leftOut.map(({ line }) => line), [3]);
    const { session: saved } = await repairSession(store, "s", { into: "saved" });
    t.equal([saved.id, texts(await saved.state())], ["saved", ["one", "three"]]);
    t.ok((await saved.verify({ deep: true })).isWhole, "the repaired log");
    await saved.close();
    await t.throws(() => repairSession(store, "s", { into: "saved" }), "already_exists");
  });

  inStore("the trace is beside the session, and fails without harm", async (store, { Session }) => {
    const session = await Session.create(store, { id: "s" });
    const { head } = session;
    t.equal(await Promise.all([1, 2, 3].map((n) => session.trace({ n }))), [true, true, true]);
    const { objects } = await store.list("", undefined, 10);
    const { key } = objects.find(({ key }) => key !== "s.jsonl");
    const lines = new TextDecoder().decode((await store.get(key)).bytes).trimEnd().split("\n");
    t.equal(lines.map((line) => JSON.parse(line).event), [{ n: 1 }, { n: 2 }, { n: 3 }]);
    t.equal(session.head, head);
    await t.throws(() => session.trace(() => {}), "bad_json");
    await session.close();
    await t.throws(() => session.trace({}), "invalid_argument");
    const broken = new Proxy(store, {
      get: (target, name) =>
        name === "append" ? () => { throw new Error("no"); } : bound(target, name),
    });
    const other = await Session.open(broken, "s");
    t.equal(await other.trace({ n: 4 }), false);
    await other.close();
  });
}

function lineages(t, inStore) {
  inStore("lineage goes up and down", async (store, { Session, ancestors, lineage, createCompacted }) => {
    const a = await Session.create(store, { id: "a" });
    const b = await a.fork({ id: "b" });
    const c = await createCompacted(store, "b", { summary: [], id: "c" });
    const told = (line) => line.map(({ point, isCompacted }) => [point.session, isCompacted]);
    t.equal(told(await ancestors(store, "c")), [["b", true], ["a", false]]);
    t.equal(await ancestors(store, "a"), []);
    const around = await lineage(store, "a");
    t.equal(around.descendants.map(({ id }) => id).sort(), ["b", "c"]);
    t.equal(around.descendants.find(({ id }) => id === "b").origin.point, { session: "a", ...{ seq: a.head.seq, hash: a.head.hash } });
    await t.throws(() => ancestors(store, "none"), "not_found");
    for (const session of [a, b, c]) await session.close();
  });

  inStore("titles and tags", async (store, { Session, about, setAbout }) => {
    await (await Session.create(store, { id: "s" })).close();
    t.equal(await about(store, "s"), { title: undefined, tags: [] });
    await setAbout(store, "s", { title: "日", tags: ["b", "a", "b"] });
    t.equal(await about(store, "s"), { title: "日", tags: ["a", "b"] });
    await t.throws(() => setAbout(store, "none", { title: "x" }), "not_found");
    await t.throws(() => setAbout(store, "s", { title: "x".repeat(20_000) }), "too_large");
  });

  inStore("recent sessions come the last written first", async (store, { Session, recentSessions, setAbout }) => {
    for (const id of ["a", "b", "c"]) {
      await (await Session.create(store, { id, entries: [user(`Say ${id}`)] })).close();
      await new Promise((done) => setTimeout(done, 5));
    }
    await setAbout(store, "a", { title: "A", tags: ["x"] });
    const listed = async (options) => {
      const found = [];
      for await (const session of recentSessions(store, options)) found.push(session);
      return found;
    };
    const all = await listed();
    const byTime = all[0].modifiedMs !== undefined;
    t.equal(all.map(({ id }) => id), ["c", "b", "a"], `by time: ${byTime}`);
    t.equal(all.map(({ title }) => title), ["Say c", "Say b", "A"]);
    t.equal((await listed({ limit: 1, after: all[0] })).map(({ id }) => id), ["b"]);
    t.equal((await listed({ tag: "x" })).map(({ id, tags }) => [id, tags]), [["a", ["x"]]]);
    t.equal(await listed({ limit: 0 }), []);
  });
}

function records(t, inStore) {
  const recovery = { projectDir: "/home/u/proj" };

  inStore("an interrupted session is found, with what it was doing", async (store, turnkeep) => {
    const { Session, findIncomplete, recoveryRecord } = turnkeep;
    const session = await Session.create(store, { id: "s", recovery });
    await session.append([{ kind: "run_started" }, user("a"), call("c"), result("c")]);
    const appended = await session.append({ kind: "llm_usage", cost_usd: 0.15 });
    t.equal(appended.recordFault, undefined);
    await session.close();
    t.equal((await recoveryRecord(store, "s")).projectDir, recovery.projectDir);
    const { sessions, damaged } = await findIncomplete(store);
    t.equal(sessions.map(({ status }) => status), ["crashed"]);
    const [{ record }] = sessions;
    t.equal([record.sessionId, record.costUsd, record.run, record.completed], ["s", 0.15, "running", false]);
    t.equal(record.lastToolResults, [{ toolName: "", callId: "c", outputPreview: "x", success: true }]);
    t.equal([record.messageCount > 0, record.head, damaged], [true, session.head, []]);
  });

  inStore("a run that ended is written at once", async (store, { Session, recoveryRecord }) => {
    const session = await Session.create(store, { id: "s", recovery });
    await session.append([{ kind: "run_started" }, { kind: "run_completed", result: "finished" }]);
    t.equal((await recoveryRecord(store, "s")).run, "finished");
    await session.close();
  });

  inStore("a completed session is not found", async (store, { Session, findIncomplete, markCompleted }) => {
    const session = await Session.create(store, { id: "s", recovery });
    t.equal((await session.markCompleted()).completed, true);
    t.equal((await findIncomplete(store)).sessions, []);
    await session.archive();
    t.equal((await findIncomplete(store)).sessions, []);
    await session.close();
    await (await Session.open(store, "s", { recovery })).close();
    t.equal((await findIncomplete(store)).sessions.length, 1);
    t.equal((await markCompleted(store, "s")).sessionId, "s");
    t.equal((await findIncomplete(store)).sessions, []);
  });

  inStore("a damaged record is told, and made anew", async (store, { Session, findIncomplete, rebuildRecord, TurnkeepError }) => {
    const session = await Session.create(store, { id: "s", recovery });
    await session.append(user("a"));
    await session.close();
    const { objects } = await store.list("", undefined, 10);
    const { key } = objects.find(({ key }) => key !== "s.jsonl");
    await store.put(key, new TextEncoder().encode('{"session_id"'), "any");
    const { sessions, damaged } = await findIncomplete(store);
    t.equal([sessions, damaged.map((found) => found.key)], [[], [key]]);
    t.ok(damaged[0].error instanceof TurnkeepError, "the error");
    t.equal((await rebuildRecord(store, "s")).messageCount, 1);
    t.equal((await findIncomplete(store)).sessions.length, 1);
  });

  inStore("records are removed, one by one or when they are old", async (store, turnkeep) => {
    const { Session, recoveryRecord, removeRecord, cleanupOldRecords } = turnkeep;
    await (await Session.create(store, { id: "s", recovery })).close();
    t.equal([await removeRecord(store, "s"), await removeRecord(store, "s")], [true, false]);
    await t.throws(() => recoveryRecord(store, "s"), "not_found");
    await (await Session.open(store, "s", { recovery })).close();
    t.equal(await cleanupOldRecords(store, 3_600_000), 0);
    await new Promise((done) => setTimeout(done, 5));
    t.equal(await cleanupOldRecords(store, 0), 1);
    await t.throws(() => cleanupOldRecords(store, -1), "invalid_argument");
  });
}

function bound(target, name) {
  const member = target[name];
  return typeof member === "function" ? member.bind(target) : member;
}
