// What is done with whole sessions, and what is kept beside them, over every store of this host.

import { inStores } from "../harness.mjs";

const user = (content) => ({ item: { role: "user", content } });
const call = (id) => ({ item: { type: "function_call", call_id: id, name: "f", arguments: "{}" } });
const result = (id) => ({ item: { type: "function_call_output", call_id: id, output: "x" } });
const texts = ({ history }) => history.map(({ item }) => item.content);

export async function run(t, host) {
  inStores(t, host, (inStore) => {
    wholeSessions(t, inStore);
    lineages(t, inStore);
    records(t, inStore);
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
  inStore("an archived session is forked, and its origins told", async (store, { Session, ancestors }) => {
    const parent = await Session.create(store, { id: "p", entries: [user("a")] });
    await parent.archive();
    const fork = await parent.fork({ id: "f" });
    await fork.append(user("b"));
    t.equal(texts(await fork.state()), ["a", "b"]);
    await fork.archive();
    t.equal((await ancestors(store, "f")).map(({ point }) => point.session), ["p"]);
    await fork.close();
    await parent.close();
  });

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

  inStore("titles, kinds and tags", async (store, { Session, about, setAbout }) => {
    await (await Session.create(store, { id: "s" })).close();
    t.equal(await about(store, "s"), { title: undefined, kind: undefined, tags: [] });
    await setAbout(store, "s", { title: "日", kind: "subagent", tags: ["b", "a", "b"] });
    t.equal(await about(store, "s"), { title: "日", kind: "subagent", tags: ["a", "b"] });
    await setAbout(store, "s", { title: "日" });
    t.equal(await about(store, "s"), { title: "日", kind: undefined, tags: [] });
    await t.throws(() => setAbout(store, "none", { title: "x" }), "not_found");
    await t.throws(() => setAbout(store, "s", { title: "x".repeat(20_000) }), "too_large");
    await t.throws(() => setAbout(store, "s", { kind: "x".repeat(20_000) }), "too_large");
    await t.throws(() => setAbout(store, "s", { kind: 1 }), "invalid_argument");
  });

  inStore("recent sessions come the last written first", async (store, { Session, recentSessions, setAbout }) => {
    for (const id of ["a", "b", "c"]) {
      await (await Session.create(store, { id, entries: [user(`Say ${id}`)] })).close();
      await new Promise((done) => setTimeout(done, 5));
    }
    await setAbout(store, "a", { title: "A", kind: "agent", tags: ["x"] });
    const listed = async (options) => {
      const found = [];
      for await (const session of recentSessions(store, options)) found.push(session);
      return found;
    };
    const all = await listed();
    const byTime = all[0].modifiedMs !== undefined;
    t.equal(all.map(({ id }) => id), ["c", "b", "a"], `by time: ${byTime}`);
    t.equal(all.map(({ title }) => title), ["Say c", "Say b", "A"]);
    t.equal(all.map(({ kind }) => kind), [undefined, undefined, "agent"]);
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

  inStore("a record that cannot be written is told, and the append holds", async (store, { Session, TurnkeepError }) => {
    let isFull = false;
    const filling = new Proxy(store, {
      get: (target, name) =>
        name === "put" && isFull ? () => { throw new Error("full"); } : bound(target, name),
    });
    const session = await Session.create(filling, { id: "s", recovery });
    isFull = true;
    const { recordFault, firstSeq } = await session.append({ kind: "run_completed", result: "finished" });
    t.ok(recordFault instanceof TurnkeepError, "recordFault");
    t.equal([recordFault.code, firstSeq, session.head.seq], ["store_failed", 1, 1]);
    await session.close();
    await t.throws(() => Session.open(filling, "s", { recovery }), "store_failed");
    isFull = false;
    await (await Session.open(filling, "s", { recovery })).close();
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
