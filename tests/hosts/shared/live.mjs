// Appends under conditions, views, ranges, forks and edits, over every store of this host.

import { inStores } from "../harness.mjs";

const user = (content, id) => ({ item: { role: "user", content }, ...(id && { id }) });
const call = (id) => ({ item: { type: "function_call", call_id: id, name: "f", arguments: "{}" } });
const result = (id) => ({ item: { type: "function_call_output", call_id: id, output: "x" } });
const texts = ({ history }) => history.map(({ item }) => item.content);

export async function run(t, host) {
  inStores(t, host, (inStore, durability) => {
    appends(t, inStore, durability);
    views(t, inStore);
    ranges(t, inStore);
    forks(t, inStore);
    edits(t, inStore);
  });
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
    const { seq, hash } = head;
    for (const half of [{ hash }, { seq }, { seq: null, hash }]) {
      await t.throws(() => session.append(user("b"), { expected: half }), "invalid_argument");
    }
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

  inStore("what is torn stays torn where nothing had to be appended", async (store, { Session }) => {
    const session = await Session.create(store, { id: "s", entries: [user("a", "1")] });
    const { bytes } = session.head;
    await session.close();
    await store.append("s.jsonl", new TextEncoder().encode('{"hash'), bytes, 0, "os");
    await store.release?.("s.jsonl");
    const again = await Session.open(store, "s");
    t.equal((await again.append(user("a", "1"), { once: true })).alreadyApplied, true);
    t.equal(again.torn, { offset: bytes, bytes: 6 });
    await again.append(user("b"));
    t.equal(again.torn, undefined);
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
    const { seq, hash } = parent.head;
    await whole.append({ kind: "x" });
    const [own, next] = (await whole.read({ from: seq + 1 })).entries;
    t.equal([own.fields, next.fields], [{ session: "f", parent: { session: "p", seq, hash } }, {}]);
    t.equal(Object.keys(next.toJSON()), ["seq", "kind", "ts"]);
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

function bound(target, name) {
  const member = target[name];
  return typeof member === "function" ? member.bind(target) : member;
}
