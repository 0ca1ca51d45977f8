// Listing and collecting what lies in a cold store; several at once, aborted and wrong calls; over every
// hot store of this host.

import { flushed, inTiers, keysOf, texts, turn, user } from "../tiers.mjs";

export async function run(t, host) {
  inTiers(t, host, (inTier) => {
    collections(t, inTier);
    races(t, inTier);
  });
}

function collections(t, inTier) {
  inTier("the sessions of the cold store are listed", async ({ tier }, { Session }) => {
    for (const id of ["a", "b", "c/d"]) {
      const session = await Session.create(tier, { id, entries: [user(id)] });
      await tier.flush(id);
      await session.close();
    }
    const list = async (options) => {
      const found = [];
      for await (const session of tier.coldSessions(options)) found.push(session);
      return found;
    };
    const all = await list();
    t.equal(all.map(({ id, head }) => [id, head.seq]), [["a", 1], ["b", 1], ["c/d", 1]]);
    t.ok(Math.abs(Date.now() - all[0].flushedMs) < 60_000, "the time of the flush");
    t.equal((await list({ limit: 2 })).map(({ id }) => id), ["a", "b"]);
    t.equal((await list({ after: "a", limit: 1 })).map(({ id }) => id), ["b"]);
    t.equal(await list({ after: "c/d" }), []);
    await tier.deleteSession("b");
    t.equal((await list()).map(({ id }) => id), ["a", "c/d"]);
  });

  inTier("what no session needs is found, and stays for the grace", async (rig, api) => {
    const { tier, coldStore } = rig;
    const session = await flushed(rig, api, 40, "clear");
    const told = await tier.collect({ dryRun: true });
    t.equal([told.sessions, told.deleted.length], [1, 0]);
    t.ok(told.used > 0 && told.usedBytes > 0 && told.unused.length > 0, JSON.stringify(told));
    t.equal(await keysOf(coldStore, "collect/"), []);
    const before = (await keysOf(coldStore)).length;
    const { deleted, unused } = await tier.collect();
    t.equal([deleted, unused.length], [[], told.unused.length]);
    t.equal((await keysOf(coldStore)).length, before + 1);
    await t.throws(() => tier.collect({ graceMs: 1000 }), "invalid_argument");
    await t.throws(() => tier.collect({ graceMs: -1 }), "invalid_argument");
    t.equal((await texts(session)).length, 280);
    await session.close();
  });

  inTier("nothing is collected where a listing cannot be right", async (rig, api) => {
    await (await flushed(rig, api, 3)).close();
    rig.cold.before = (verb, key) => {
      if (verb === "list" && key === "sessions/") throw Object.assign(new Error("no list"), { retryable: true });
    };
    t.ok((await t.throws(() => rig.tier.collect(), "store_failed")).retryable, "retryable");
  });
}

function races(t, inTier) {
  inTier("what is appended while a flush is under way is neither lost nor cleared", async (rig, api) => {
    const { tier, cold, hotStore } = rig;
    const session = await flushed(rig, api, 2);
    await turn(session, 3);
    let appended;
    cold.before = (verb) => {
      if (verb === "put") appended ??= session.append(user("meanwhile", "late"));
      return appended;
    };
    const { cleared } = await tier.flush("a");
    await appended;
    t.equal([cleared, (await keysOf(hotStore)).length > 0], [false, true]);
    t.equal((await tier.flush("a")).entries, 1);
    t.equal((await texts(session)).at(-1), "meanwhile");
    await session.close();
  });

  inTier("several flushes and several hydrations at once converge", async (rig, api) => {
    const { tier, coldStore } = rig;
    const session = await flushed(rig, api, 2);
    await turn(session, 3);
    const both = await Promise.all([1, 2, 3].map(() => tier.flush("a")));
    t.equal(new Set(both.map(({ head }) => head?.hash).filter(Boolean)).size, 1);
    t.ok((await session.verify({ deep: true })).isWhole, "the log");
    await tier.flush("a");
    await session.close();
    const hydrated = await Promise.all([1, 2, 3].map(() => tier.hydrate("a")));
    for (const { head } of hydrated) t.equal(head, hydrated[0].head);
    t.equal((await texts(hydrated[0])).length, 21);
    const outcomes = await Promise.allSettled(hydrated.map((session) => session.append(user("mine"))));
    t.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
    for (const session of hydrated) await session.close();
    t.ok((await keysOf(coldStore)).length > 0, "the cold store");
  });

  inTier("an aborted call leaves nothing half done", async (rig, api) => {
    const { tier, cold, hotStore } = rig;
    const session = await flushed(rig, api, 2, "clear");
    const reason = new Error("enough");
    for (const call of ["hydrate", "flush", "slice", "pull", "collect"]) {
      const args = call === "collect" ? [] : ["a"];
      const aborted = () => tier[call](...args, { signal: AbortSignal.abort(reason) });
      t.equal(await t.throws(aborted), reason, call);
    }
    const controller = new AbortController();
    cold.before = () => controller.abort(reason);
    t.equal(await t.throws(() => tier.hydrate("a", { signal: controller.signal })), reason);
    t.equal(await keysOf(hotStore), [], "the claim is given up");
    cold.before = undefined;
    t.equal((await texts(session)).length, 14);
    await session.close();
  });

  inTier("what is wrong is said before anything is asked", async ({ tier, hot, cold }) => {
    await t.throws(() => tier.flush("a", { hot: "lukewarm" }), "invalid_argument");
    for (const call of ["hydrate", "flush", "slice", "pull", "deleteSession"]) {
      await t.throws(() => tier[call](""), "invalid_id");
      await t.throws(() => tier[call](7), "invalid_id");
    }
    t.equal([hot.cost().requests, cold.cost().requests], [0, 0]);
  });
}
