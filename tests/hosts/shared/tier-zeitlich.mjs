// The tests of zeitlich's session and of its tiered threads, by their names: what they promise holds here
// too, or the name says what holds in its place. Over every hot store of this host.

import { SLICE, archived, inTiers, keysOf, texts, thread, user } from "../tiers.mjs";

export async function run(t, host) {
  inTiers(t, host, (inTier) => {
    sessions(t, inTier);
    tiered(t, inTier);
  });
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
