// Work on a session in two stores, from bringing it in to flushing it, over every hot store of this
// host. The names that start with "zeitlich" are those of the tests of its session and of its tiered
// threads, whose promises hold here too, or say what holds in their place.

import { inTiers, keysOf, soon } from "../tiers.mjs";

const user = (content, id) => ({ item: { role: "user", content }, ...(id && { id }) });
const texts = async (session) => (await session.state()).history.map(({ item }) => item.content);
const SLICE = { tasks: [["t1", { subject: "s" }]], custom: { counter: 3 } };

export async function run(t, host) {
  inTiers(t, host, (inTier) => {
    sessions(t, inTier);
    tiered(t, inTier);
    modes(t, inTier);
    exits(t, inTier);
    faults(t, inTier);
  });
}

/** A thread in the cold store, of two messages and a slice. */
async function archived({ tier }, { Session }, id = "a", state = SLICE) {
  const session = await Session.create(tier, { id, entries: [user("one", "m1"), user("two", "m2")] });
  if (state !== undefined) await session.append({ kind: "state", state });
  await tier.flush(id);
  await session.close();
}

/** Everything of a thread, wherever it lies. */
async function thread({ tier }, { Session }, id = "a") {
  const session = await Session.open(tier, id);
  const found = { form: session.form, texts: await texts(session), slice: await tier.slice(id) };
  const report = await session.verify({ deep: true });
  await session.close();
  return { ...found, isWhole: report.isWhole };
}

/** Notes in which order things are done. */
function noting({ hot, cold }) {
  const noted = [];
  hot.before = (verb) => noted.push(`hot ${verb}`) && undefined;
  cold.before = (verb) => noted.push(`cold ${verb}`) && undefined;
  return noted;
}

function sessions(t, inTier) {
  inTier("zeitlich session: rehydrates on continue before the loop", async (rig, api) => {
    await archived(rig, api);
    const found = await api.runSession(rig.tier, { mode: "continue", id: "a" }, async (session, start) => {
      return { start, form: session.form, texts: await texts(session) };
    });
    t.equal(found, { start: { state: SLICE, mode: "continue" }, form: "live", texts: ["one", "two"] });
  });

  inTier("zeitlich session: fork copies slice", async (rig, api) => {
    await archived(rig, api);
    const options = { mode: "fork", forkFrom: "a", id: "b", saveState: () => ({ own: 1 }) };
    t.equal((await api.runSession(rig.tier, options, (_, { state }) => state)), SLICE);
    t.equal([await rig.tier.slice("a"), await rig.tier.slice("b")], [SLICE, { own: 1 }]);
    // At a point before the slice was set, there is none.
    const early = { mode: "fork", forkFrom: "a", at: { seq: 1 }, id: "c" };
    t.equal(await api.runSession(rig.tier, early, (_, { state }) => state), undefined);
  });

  inTier("zeitlich session: new skips hydrate but flushes", async (rig, api) => {
    const { tier, cold, hotStore } = rig;
    const result = await api.runSession(tier, { mode: "new", id: "a" }, async (session, { state, mode }) => {
      const { calls } = cold.cost();
      t.equal([state, mode, calls], [undefined, "new", ["list"]]);
      await session.append(user("hi"));
      return "done";
    });
    t.equal([result, await keysOf(hotStore)], ["done", []]);
    t.equal((await thread(rig, api)).texts, ["hi"]);
  });

  inTier("zeitlich session: hydrate before load on continue", async (rig, api) => {
    await archived(rig, api);
    const noted = noting(rig);
    await api.runSession(rig.tier, { mode: "continue", id: "a" }, () => noted.push("work"));
    const before = noted.slice(0, noted.indexOf("work"));
    t.equal(before.filter((call) => call.startsWith("cold")), ["cold list", "cold get"]);
    t.ok(before.lastIndexOf("hot put") > before.lastIndexOf("cold get"), before.join(", "));
    t.ok(before.lastIndexOf("hot get") > before.lastIndexOf("hot put"), before.join(", "));
  });

  inTier("zeitlich session: fork hydrates the source and flushes the new", async (rig, api) => {
    await archived(rig, api);
    rig.cold.cost();
    const keys = [];
    const options = { mode: "fork", forkFrom: "a", id: "b" };
    await api.runSession(rig.tier, options, async (session) => {
      t.ok(rig.cold.cost().requests <= 4, "hydrating the source and forking");
      keys.push(...(await keysOf(rig.hotStore)));
      await session.append(user("of the fork"));
    });
    t.equal(keys.filter((key) => key.endsWith(".jsonl")), ["a.jsonl", "b.jsonl"]);
    t.equal((await keysOf(rig.hotStore)).filter((key) => key.startsWith("b")), []);
    t.equal((await thread(rig, api, "b")).texts, ["one", "two", "of the fork"]);
    t.equal((await thread(rig, api, "a")).texts, ["one", "two"]);
  });

  inTier("zeitlich session: flush on failure", async (rig, api) => {
    await archived(rig, api);
    const failure = new Error("the model failed");
    const options = { mode: "continue", id: "a", saveState: () => ({ counter: 4 }) };
    const failing = async (session) => {
      await session.append(user("three"));
      throw failure;
    };
    t.equal(await t.throws(() => api.runSession(rig.tier, options, failing)), failure);
    t.equal([failure.suppressed, await keysOf(rig.hotStore)], [undefined, []]);
    const found = { form: "cold", texts: ["one", "two", "three"], slice: { counter: 4 }, isWhole: true };
    t.equal(await thread(rig, api), found);
  });

  inTier("zeitlich session: flush after save", async (rig, api) => {
    const noted = noting(rig);
    const saveState = () => noted.push("save") && SLICE;
    await api.runSession(rig.tier, { mode: "new", id: "a", saveState }, () => {});
    const after = noted.slice(noted.indexOf("save"));
    t.ok(after.indexOf("cold put") > after.indexOf("hot append"), after.join(", "));
    t.ok(after.indexOf("hot append") > 0, after.join(", "));
    t.equal(await rig.tier.slice("a"), SLICE);
  });
}

function tiered(t, inTier) {
  inTier("zeitlich tiered: hydrate and flush without a cold store (said, not passed over)", async (rig, api) => {
    const tier = api.Tier.openReading(rig.hotStore, undefined);
    await (await api.Session.create(tier, { id: "a" })).close();
    await t.throws(() => tier.hydrate("a"), "not_supported");
    await t.throws(() => tier.flush("a"), "not_supported");
    t.equal(await keysOf(rig.hotStore, "a.jsonl"), ["a.jsonl"]);
  });

  inTier("zeitlich tiered: delegates base operations", async ({ tier, hotStore }, { Session }) => {
    t.equal(tier.capabilities, hotStore.capabilities);
    const session = await Session.create(tier, { id: "a" });
    await session.append([user("one", "m1"), user("two", "m2")]);
    await session.truncateFrom({ id: "m2" });
    await session.replaceHistory([{ role: "user", content: "other" }]);
    t.equal(await texts(session), ["other"]);
    await session.close();
    const direct = await Session.open(hotStore, "a");
    t.equal(await texts(direct), ["other"]);
    await direct.close();
    const bytes = new TextEncoder().encode("x");
    await tier.put("own.json", bytes, "absent");
    await tier.append("own.json", bytes, 1, 0, "os");
    t.equal([(await tier.info("own.json")).bytes, (await hotStore.get("own.json")).bytes.length], [2, 2]);
    const stage = await tier.stage("parts.json");
    await tier.stagePart(stage, 1, bytes);
    t.equal((await tier.getStaged(stage)).bytes, bytes);
    await tier.commit(stage, "any");
    await tier.abort(await tier.stage("given-up.json"));
    t.equal((await tier.list("parts", undefined, 1)).objects[0].key, "parts.json");
    await tier.delete("own.json", "any");
    await tier.release?.("own.json");
    t.equal(await tier.holder?.("own.json"), undefined);
  });

  inTier("zeitlich tiered: flush writes all three parts", async (rig, api) => {
    await archived(rig, api);
    const { texts, slice } = await thread(rig, api);
    t.equal([texts, slice], [["one", "two"], SLICE]);
    // The third, ids that are not taken twice.
    const session = await rig.tier.hydrate("a");
    const again = await session.append([user("one", "m1"), user("two", "m2")], { once: true });
    t.equal([again.alreadyApplied, again.firstSeq], [true, 1]);
    await session.close();
  });

  inTier("zeitlich tiered: flush on cold thread writes nothing", async (rig, api) => {
    await archived(rig, api);
    const keys = await keysOf(rig.coldStore);
    rig.cold.cost();
    const { head, entries, cleared } = await rig.tier.flush("a");
    t.equal([head, entries, cleared], [undefined, 0, false]);
    t.equal(rig.cold.cost().calls.filter((verb) => !["list", "get"].includes(verb)), []);
    t.equal((await rig.tier.flush("never was")).head, undefined);
    t.equal(await keysOf(rig.coldStore), keys);
  });

  inTier("zeitlich tiered: deletes hot by default", async (rig, api) => {
    await archived(rig, api);
    t.equal(await keysOf(rig.hotStore), []);
  });

  inTier("zeitlich tiered: deleteHot:false keeps", async ({ tier, hotStore, cold }, { Session }) => {
    const session = await Session.create(tier, { id: "a", entries: [user("one")] });
    const { bytes } = await hotStore.get("a.jsonl");
    t.equal((await tier.flush("a", { hot: "leave" })).cleared, false);
    t.equal((await hotStore.get("a.jsonl")).bytes, bytes);
    t.equal((await tier.flush("a", { hot: "keep" })).cleared, true);
    cold.cost();
    await session.append(user("two"));
    t.equal([await texts(session), cold.cost().calls.includes("put")], [["one", "two"], false]);
    await session.close();
  });

  inTier("zeitlich tiered: hydrate restores and ids are not taken twice", async (rig, api) => {
    await archived(rig, api);
    const session = await rig.tier.hydrate("a");
    t.equal(await texts(session), ["one", "two"]);
    t.equal((await session.append(user("two", "m2"), { once: true })).alreadyApplied, true);
    t.equal((await session.append(user("three", "m3"), { once: true })).alreadyApplied, false);
    t.equal(await texts(session), ["one", "two", "three"]);
    await session.close();
  });

  inTier("zeitlich tiered: hydrate does nothing when hot", async ({ tier, cold, hotStore }, { Session }) => {
    const session = await Session.create(tier, { id: "a", entries: [user("one")] });
    const { bytes } = await hotStore.get("a.jsonl");
    cold.cost();
    const again = await tier.hydrate("a");
    t.equal([cold.cost().requests, again.head], [0, session.head]);
    t.equal((await hotStore.get("a.jsonl")).bytes, bytes);
    await again.close();
    await session.close();
  });

  inTier("zeitlich tiered: hydrate when nothing is archived (not_found, after 1 read)", async (rig) => {
    await t.throws(() => rig.tier.hydrate("never was"), "not_found");
    t.equal(rig.cold.cost().requests, 1);
    t.equal(await keysOf(rig.hotStore), []);
  });

  inTier("zeitlich tiered: empty thread round trip", async (rig, api) => {
    await (await api.Session.create(rig.tier, { id: "a" })).close();
    await rig.tier.flush("a");
    const session = await rig.tier.hydrate("a");
    t.equal([session.head.seq, await texts(session), await rig.tier.slice("a")], [0, [], undefined]);
    await session.append(user("one"));
    t.equal(await texts(session), ["one"]);
    await session.close();
  });

  inTier("zeitlich tiered: two flushes converge", async (rig, api) => {
    const session = await api.Session.create(rig.tier, { id: "a", entries: [user("one")] });
    const flushes = await Promise.all([rig.tier.flush("a"), rig.tier.flush("a")]);
    t.equal(flushes.reduce((sum, { entries }) => sum + entries, 0), 2);
    t.equal(await keysOf(rig.hotStore), []);
    t.equal((await thread(rig, api)).texts, ["one"]);
    await session.close();
  });

  inTier("zeitlich tiered: two hydrates converge", async (rig, api) => {
    await archived(rig, api);
    const hydrated = await Promise.all([rig.tier.hydrate("a"), rig.tier.hydrate("a")]);
    t.equal(hydrated[0].head, hydrated[1].head);
    t.equal(await texts(hydrated[0]), ["one", "two"]);
    for (const session of hydrated) await session.close();
  });

  inTier("zeitlich tiered: fork from hydrated source", async (rig, api) => {
    await archived(rig, api);
    const source = await rig.tier.hydrate("a");
    rig.cold.cost();
    const fork = await source.fork({ id: "b" });
    t.ok(rig.cold.cost().requests <= 2, "a fork");
    t.equal([await texts(fork), await rig.tier.slice("b")], [["one", "two"], SLICE]);
    t.equal((await fork.append(user("two", "m2"), { once: true })).alreadyApplied, true);
    await fork.close();
    await source.close();
  });

  inTier("zeitlich tiered: custom ttl (the store's own: what expired takes nothing with it)", async (rig, api) => {
    await archived(rig, api);
    const session = await rig.tier.hydrate("a");
    await session.append(user("three"));
    await session.close();
    for (const key of await keysOf(rig.hotStore)) await rig.hotStore.delete(key, "any");
    t.equal((await rig.tier.flush("a")).head, undefined);
    t.equal((await thread(rig, api)).texts, ["one", "two"]);
    const again = await rig.tier.hydrate("a");
    await again.append(user("three, again"));
    await again.close();
    t.equal((await rig.tier.flush("a")).entries, 1);
    t.equal((await thread(rig, api)).texts, ["one", "two", "three, again"]);
  });
}

function modes(t, inTier) {
  inTier("a new session never replaces one, hot or cold", async (rig, api) => {
    await archived(rig, api);
    const fresh = () => api.runSession(rig.tier, { mode: "new", id: "a" }, () => t.ok(false, "the work"));
    await t.throws(fresh, "already_exists");
    await (await rig.tier.hydrate("a")).close();
    await t.throws(fresh, "already_exists");
    t.equal((await thread(rig, api)).texts, ["one", "two"]);
    const fork = { mode: "fork", forkFrom: "a", id: "a" };
    await t.throws(() => api.runSession(rig.tier, fork, () => t.ok(false, "the work")), "already_exists");
  });

  inTier("what is not there is neither continued nor forked, and nothing is left of it", async (rig, api) => {
    const never = () => t.ok(false, "the work");
    const continued = { mode: "continue", id: "a", saveState: never, onExitFault: never };
    await t.throws(() => api.runSession(rig.tier, continued, never), "not_found");
    await t.throws(() => api.runSession(rig.tier, { mode: "fork", forkFrom: "a" }, never), "not_found");
    await t.throws(() => api.runSession(rig.tier, { mode: "again", id: "a" }, never), "invalid_argument");
    await t.throws(() => api.runSession(rig.tier, { mode: "fork" }, never), "invalid_id");
    t.equal([await keysOf(rig.hotStore), await keysOf(rig.coldStore)], [[], []]);
  });

  inTier("ids are made up, and entries given, as for any new session or fork", async (rig, api) => {
    const options = { mode: "new", start: { system_prompt: "Be brief." }, entries: [user("hi")] };
    const id = await api.runSession(rig.tier, options, (session) => session.id);
    t.equal((await thread(rig, api, id)).texts, ["hi"]);
    const fork = { mode: "fork", forkFrom: id, at: { seq: 0 }, entries: [user("ho")] };
    const forked = await api.runSession(rig.tier, fork, (session) => session.id);
    t.equal((await thread(rig, api, forked)).texts, ["ho"]);
  });

  inTier("work goes on from worker to worker", async (rig, api) => {
    let state;
    for (let number = 0; number < 5; number += 1) {
      const mode = number === 0 ? "new" : "continue";
      const saveState = () => state;
      await api.runSession(rig.tier, { mode, id: "a", saveState }, async (session, start) => {
        state = { count: (start.state?.count ?? 0) + 1 };
        await session.append(user(`${number}`));
      });
    }
    t.equal([state, await rig.tier.slice("a")], [{ count: 5 }, { count: 5 }]);
    t.equal((await thread(rig, api)).texts, ["0", "1", "2", "3", "4"]);
  });

  inTier("the slice is appended only if it changed", async (rig, api) => {
    await archived(rig, api);
    const seqAfter = async (saveState, work = () => {}) => {
      await api.runSession(rig.tier, { mode: "continue", id: "a", saveState }, work);
      const session = await api.Session.open(rig.tier, "a");
      return session.head.seq;
    };
    t.equal(await seqAfter(() => SLICE), 3);
    t.equal(await seqAfter(undefined), 3);
    t.equal(await seqAfter(() => undefined), 3);
    t.equal(await seqAfter(async () => api.rawJson('{"n":1.50}')), 4);
    t.equal(await rig.tier.sliceJson("a"), '{"n":1.50}');
    // What counts is what the session has then, not what it had before.
    const other = (session) => session.append({ kind: "state", state: 7 });
    t.equal(await seqAfter(() => api.rawJson('{"n":1.50}'), other), 6);
    t.equal(await rig.tier.sliceJson("a"), '{"n":1.50}');
    t.equal(await seqAfter(() => null), 7);
    t.equal(await seqAfter(() => null), 7);
    t.equal(await rig.tier.slice("a"), undefined);
  });

  inTier("what becomes of the hot part can be chosen", async (rig, api) => {
    await api.runSession(rig.tier, { mode: "new", id: "a", hot: "keep" }, () => {});
    t.equal(await keysOf(rig.hotStore), ["a.jsonl"]);
    rig.cold.cost();
    await api.runSession(rig.tier, { mode: "continue", id: "a", hot: "clear", merge: false }, () => {
      t.equal(rig.cold.cost().requests, 0);
    });
    t.equal(await keysOf(rig.hotStore), []);
  });
}

function exits(t, inTier) {
  const reason = new Error("cancelled");

  inTier("cancellation is an exit path", async (rig, api) => {
    await archived(rig, api);
    const controller = new AbortController();
    const options = { mode: "continue", id: "a", signal: controller.signal, saveState: () => ({ counter: 9 }) };
    let late;
    const waiting = api.runSession(rig.tier, options, async (session) => {
      await session.append(user("three"));
      controller.abort(reason);
      // It hears nothing of the signal, and never ends.
      late = session;
      await new Promise(() => {});
    });
    t.equal(await t.throws(() => waiting), reason);
    t.equal(reason.suppressed, undefined);
    t.equal(await keysOf(rig.hotStore), []);
    const found = { form: "cold", texts: ["one", "two", "three"], slice: { counter: 9 }, isWhole: true };
    t.equal(await thread(rig, api), found);
    await t.throws(() => late.append(user("too late")), "invalid_argument");
  });

  inTier("work that heeds the signal, and what it throws then", async (rig, api) => {
    const controller = new AbortController();
    const { signal } = controller;
    const options = { mode: "new", id: "a", signal, saveState: () => 1 };
    const working = async (session) => {
      await session.append(user("one"));
      setTimeout(() => controller.abort(reason), 5);
      for (;;) {
        await soon();
        signal.throwIfAborted();
      }
    };
    t.equal(await t.throws(() => api.runSession(rig.tier, options, working)), reason);
    t.equal([(await thread(rig, api)).texts, await rig.tier.slice("a")], [["one"], 1]);
  });

  inTier("an abort during the opening ends it there", async (rig, api) => {
    await archived(rig, api);
    const never = () => t.ok(false, "the work");
    for (const options of [{ mode: "continue", id: "a" }, { mode: "new", id: "b" }, { mode: "fork", forkFrom: "a", id: "b" }]) {
      const aborted = { ...options, signal: AbortSignal.abort(reason) };
      t.equal(await t.throws(() => api.runSession(rig.tier, aborted, never)), reason);
    }
    t.equal(await keysOf(rig.hotStore), []);
    for (let after = 1; after < 12; after += 1) {
      const controller = new AbortController();
      let left = after;
      rig.hot.before = rig.cold.before = () => {
        left -= 1;
        if (left === 0) controller.abort(reason);
      };
      let worked = false;
      const options = { mode: "continue", id: "a", signal: controller.signal };
      const run = api.runSession(rig.tier, options, () => (worked = true));
      const outcome = await run.then(() => "done", (error) => error);
      rig.hot.before = rig.cold.before = undefined;
      t.ok(outcome === "done" || outcome === reason, outcome);
      t.ok(worked || outcome === reason, `after ${after} requests`);
      t.equal(await keysOf(rig.hotStore), [], `after ${after} requests`);
    }
  });

  inTier("an abort after the work changes nothing", async (rig, api) => {
    const controller = new AbortController();
    const saveState = () => {
      controller.abort(reason);
      return 1;
    };
    const options = { mode: "new", id: "a", signal: controller.signal, saveState };
    t.equal(await api.runSession(rig.tier, options, () => "done"), "done");
    t.equal([await rig.tier.slice("a"), await keysOf(rig.hotStore)], [1, []]);
  });

  inTier("what was acknowledged before the end is flushed, what comes after it is refused", async (rig, api) => {
    const outcomes = [];
    const working = async (session) => {
      for (let number = 0; number < 5; number += 1) {
        session.append(user(`${number}`)).then(() => outcomes.push(number), () => outcomes.push("refused"));
      }
      throw reason;
    };
    await t.throws(() => api.runSession(rig.tier, { mode: "new", id: "a" }, working));
    t.equal(outcomes, [0, 1, 2, 3, 4]);
    t.equal((await thread(rig, api)).texts, ["0", "1", "2", "3", "4"]);
    t.equal(await keysOf(rig.hotStore), []);
  });

  inTier("work that throws at once, or throws no error", async (rig, api) => {
    const throwing = (value) => () => {
      throw value;
    };
    t.equal(await t.throws(() => api.runSession(rig.tier, { mode: "new", id: "a" }, throwing(reason))), reason);
    const run = api.runSession(rig.tier, { mode: "continue", id: "a" }, throwing("text"));
    t.equal(await run.then(() => "done", (thrown) => thrown), "text");
    t.equal(await keysOf(rig.hotStore), []);
  });
}

function faults(t, inTier) {
  /** The cold store takes nothing any more. */
  const broken = ({ cold }) => {
    cold.before = (verb) => {
      if (verb === "put") throw new Error("no network");
    };
  };

  inTier("a flush that fails is told, and what was acknowledged stays in the hot store", async (rig, api) => {
    await archived(rig, api);
    const heard = [];
    const options = { mode: "continue", id: "a", saveState: () => 5, onExitFault: (fault) => heard.push(fault) };
    const working = async (session) => {
      broken(rig);
      await session.append(user("three"));
      return "done";
    };
    t.equal(await api.runSession(rig.tier, options, working), "done");
    t.equal(heard.map(({ code, cause }) => [code, cause?.message]), [["store_failed", "no network"]]);
    rig.cold.before = undefined;
    t.equal((await thread(rig, api)).texts, ["one", "two", "three"]);
    t.equal((await rig.tier.flush("a")).entries, 2);
    t.equal(await rig.tier.slice("a"), 5);
  });

  inTier("without a callback, a fault after success is thrown", async (rig, api) => {
    const options = { mode: "new", id: "a" };
    const error = await t.throws(() => api.runSession(rig.tier, options, () => broken(rig)), "store_failed");
    t.equal(error.cause?.message, "no network");
    rig.cold.before = undefined;
    const failing = () => {
      throw new Error("no state");
    };
    const again = { mode: "continue", id: "a", saveState: failing };
    const both = await t.throws(() => api.runSession(rig.tier, again, () => broken(rig)));
    // There is nothing to flush but what the first run left.
    t.ok(both instanceof AggregateError, String(both));
    t.equal(both.errors.map(({ message }) => message.split(":")[0]), ["no state", "store_failed"]);
    rig.cold.before = undefined;
    t.equal((await rig.tier.flush("a")).entries, 1);
  });

  inTier("a fault never masks why the work failed", async (rig, api) => {
    const failure = new Error("the model failed");
    const failing = () => {
      broken(rig);
      throw failure;
    };
    const error = await t.throws(() => api.runSession(rig.tier, { mode: "new", id: "a" }, failing));
    t.equal(error, failure);
    t.equal(error.suppressed.map(({ code }) => code), ["store_failed"]);
    const heard = [];
    const options = { mode: "continue", id: "a", onExitFault: (fault) => heard.push(fault) };
    t.equal(await t.throws(() => api.runSession(rig.tier, options, failing)), failure);
    t.equal([heard.length, failure.suppressed.length], [1, 1]);
    const throwing = { mode: "continue", id: "a", onExitFault: () => { throw new Error("of the callback"); } };
    t.equal(await t.throws(() => api.runSession(rig.tier, throwing, failing)), failure);
    t.equal(failure.suppressed.map(({ message }) => message.split(":")[0]), ["store_failed", "of the callback"]);
  });

  inTier("an error that takes no property is the cause of one that tells both", async (rig, api) => {
    for (const value of ["text", Object.freeze(new Error("frozen"))]) {
      const failing = () => {
        broken(rig);
        throw value;
      };
      const options = { mode: "new" };
      const error = await t.throws(() => api.runSession(rig.tier, options, failing));
      t.equal([error.cause, error.errors[0], error.errors.length], [value, value, 2]);
      rig.cold.before = undefined;
    }
  });

  inTier("a state that cannot be saved does not keep the rest from being flushed", async (rig, api) => {
    for (const [number, saveState] of [
      () => { throw new Error("no state"); },
      async () => { throw new Error("no state"); },
      () => 7n,
    ].entries()) {
      const id = `s${number}`;
      const heard = [];
      const options = { mode: "new", id, saveState, onExitFault: async (fault) => heard.push(fault) };
      await api.runSession(rig.tier, options, (session) => session.append(user("kept")));
      t.equal(heard.length, 1);
      t.equal([(await thread(rig, api, id)).texts, await keysOf(rig.hotStore)], [["kept"], []]);
    }
  });

  inTier("a state is not saved over what another worker wrote", async (rig, api) => {
    await archived(rig, api);
    const heard = [];
    const options = { mode: "continue", id: "a", saveState: () => "mine", onExitFault: (fault) => heard.push(fault) };
    await api.runSession(rig.tier, options, async () => {
      const other = await api.Session.open(rig.tier, "a");
      await other.append({ kind: "state", state: "theirs" });
      await other.close();
    });
    t.equal(heard.map(({ code }) => code), ["conflict"]);
    t.equal(await rig.tier.slice("a"), "theirs");
  });
}
