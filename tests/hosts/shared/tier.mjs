// Two stores for one session, over every hot store of this host: flush, hydrate, fork, delete, pull,
// copy; what they cost. What tests/tests/tiers.rs checks, and then some.

import { flushed, inTiers, keysOf, texts, turn, user } from "../tiers.mjs";

export async function run(t, host) {
  inTiers(t, host, (inTier) => {
    whole(t, inTier);
    costs(t, inTier);
    forks(t, inTier);
    deletions(t, inTier);
    travels(t, inTier);
    copies(t, inTier);
  });
}

function whole(t, inTier) {
  inTier("what was flushed and hydrated is what was appended", async ({ tier, hotStore }, { Session }) => {
    const session = await Session.create(tier, { id: "a" });
    for (let number = 1; number <= 12; number += 1) {
      await turn(session, number);
      const hot = ["clear", "keep", "leave"][number % 3];
      const { entries, cleared, mergeFault, head } = await tier.flush("a", { hot });
      t.equal([entries, cleared, mergeFault], [number === 1 ? 9 : 8, hot !== "leave", undefined]);
      t.equal(head, session.head);
      t.equal((await keysOf(hotStore)).length === 0, hot === "clear", `turn ${number}`);
      t.ok((await session.verify({ deep: true })).isWhole, `turn ${number}`);
      t.equal((await texts(session)).length, 7 * number);
    }
    await tier.flush("a");
    const other = await Session.open(tier, "a");
    t.equal([other.form, other.head], ["cold", session.head]);
    t.equal(await texts(other), await texts(session));
    for (const newestFirst of [false, true]) {
      let count = 0;
      for await (const _ of other.entries({ newestFirst })) count += 1;
      t.equal(count, 97);
    }
    const page = await other.read({ from: 50, to: 54 });
    t.equal(page.entries.map(({ seq }) => seq), [50, 51, 52, 53, 54]);
    await turn(other, 13);
    t.equal(other.form, "live");
    t.equal((await texts(session)).length, 7 * 13);
    await t.throws(() => session.append(user("late")), "conflict");
    t.equal((await other.summary()).kinds.get("turn_end"), 13);
    await session.close();
    await other.close();
  });

  inTier("a session in two stores is compacted, truncated and traced as any other", async ({ tier }, api) => {
    const session = await flushed({ tier }, api, 3, "clear");
    await session.truncateFrom({ id: "m3-0" });
    await tier.flush("a");
    t.equal((await texts(session)).length, 14);
    await session.compact({ summary: [{ role: "user", content: "so far" }], keepLast: 2 });
    await tier.flush("a");
    t.equal(await texts(session), ["so far", "turn 2, message 5", "turn 2, message 6"]);
    t.ok((await session.verify({ deep: true })).isWhole, "the log");
    await session.close();
  });
}

function costs(t, inTier) {
  inTier("a flush costs what is new: 3 requests; a hydration 2, and 0 where it is hot", async (rig, api) => {
    const { tier, hot, cold } = rig;
    const written = [];
    const session = await api.Session.create(tier, { id: "a" });
    for (let number = 1; number <= 90; number += 1) {
      await turn(session, number);
      if (![2, 80].includes(number)) {
        await tier.flush("a", { hot: "keep" });
        continue;
      }
      cold.cost();
      await tier.flush("a", { hot: "keep", merge: false });
      const { requests, bytesWritten, calls } = cold.cost();
      t.equal(requests, 3, `a flush after ${number} turns: ${calls}`);
      written.push(bytesWritten);
    }
    t.ok(written[1] < 3 * written[0] + 16_384, `bytes written: ${written}`);
    await tier.flush("a");
    await session.close();
    hot.cost();
    cold.cost();
    const again = await tier.hydrate("a");
    t.equal(cold.cost().requests, 2, "a hydration");
    await again.append(user("on"));
    t.equal(cold.cost().requests, 0, "an append after it");
    await (await tier.hydrate("a")).close();
    t.equal(cold.cost().requests, 0, "a hydration of what is hot");
    await again.close();
  });

  inTier("a hot part that is left is flushed again and again", async ({ tier }, { Session }) => {
    const session = await Session.create(tier, { id: "a" });
    await tier.flush("a", { hot: "keep" });
    for (let number = 1; number <= 20; number += 1) {
      await turn(session, number);
      const { entries, head } = await tier.flush("a", { hot: "leave" });
      t.equal([entries, head], [8, session.head]);
    }
    t.equal((await tier.flush("a")).entries, 0);
    t.equal((await texts(session)).length, 140);
    await session.close();
  });

  inTier("an append, an open and a slice of what is hot ask the cold store nothing", async (rig, api) => {
    const { tier, cold } = rig;
    const session = await flushed(rig, api, 2);
    await turn(session, 3);
    cold.cost();
    await session.append({ kind: "state", state: 1 });
    await (await api.Session.open(tier, "a")).close();
    t.equal(await tier.slice("a"), 1);
    t.equal(cold.cost().requests, 0);
    await session.close();
  });

  inTier("ids are recognised across flushes and forks", async (rig, api) => {
    const { tier } = rig;
    await (await flushed(rig, api, 20)).close();
    await tier.flush("a");
    const again = async (session, number) => {
      const drafts = Array.from({ length: 7 }, (_, n) => user("again", `m${number}-${n}`));
      const appended = await session.append([...drafts, { kind: "turn_end", turn: number }], { once: true });
      return appended.alreadyApplied;
    };
    const session = await tier.hydrate("a");
    for (const number of [1, 7, 19, 20]) t.ok(await again(session, number), `turn ${number}`);
    const child = await session.fork();
    t.equal([await again(child, 13), await again(child, 21), await again(child, 21)], [true, false, true]);
    t.equal(await again(session, 21), false);
    await child.close();
    await session.close();
  });
}

function forks(t, inTier) {
  inTier("a fork names its parent's segments: at most 2 requests", async (rig, api) => {
    const { tier, cold, hotStore } = rig;
    const session = await flushed(rig, api, 20);
    cold.cost();
    const child = await session.fork({ id: "b" });
    const { requests, bytesWritten, calls } = cold.cost();
    t.ok(requests <= 2 && bytesWritten <= 8192, `${calls}, ${bytesWritten} bytes`);
    await turn(child, 21);
    t.equal((await texts(child)).slice(0, 140), await texts(session));
    await tier.flush("b");
    await tier.flush("a");
    t.equal(await keysOf(hotStore), []);
    const page = await session.read({ turn: 7 });
    for (const at of [{ turn: 7 }, { seq: page.firstSeq - 3 }, {}]) {
      const fork = await session.fork({ at });
      t.ok((await fork.verify({ deep: true })).isWhole, JSON.stringify(at));
      const history = await texts(fork);
      t.equal(history, (await texts(session)).slice(0, history.length));
      await tier.flush(fork.id);
      t.equal(await texts(fork), history);
      await fork.close();
    }
    t.equal((await child.summary()).head.seq, 169);
    await child.close();
    await session.close();
  });
}

function deletions(t, inTier) {
  inTier("a deleted session stays deleted, and its id is free", async (rig, api) => {
    const { tier, hotStore } = rig;
    const session = await flushed(rig, api, 1);
    await turn(session, 2);
    await tier.deleteSession("a");
    t.equal(await keysOf(hotStore), []);
    await t.throws(() => tier.hydrate("a"), "not_found");
    await t.throws(() => api.Session.open(tier, "a"), "not_found");
    await t.throws(() => session.append(user("late")));
    await t.throws(() => tier.deleteSession("a"), "not_found");
    t.equal((await tier.flush("a")).head, undefined);
    t.equal(await keysOf(hotStore), []);
    await session.close();
    const anew = await api.Session.create(tier, { id: "a" });
    await turn(anew, 1);
    await tier.flush("a");
    t.equal((await texts(anew)).length, 7);
    await anew.close();
  });

  inTier("a session that is cold cannot be created again", async (rig, api) => {
    const session = await flushed(rig, api, 1, "clear");
    await t.throws(() => api.Session.create(rig.tier, { id: "a" }), "already_exists");
    t.equal(await keysOf(rig.hotStore), []);
    await t.throws(() => session.fork({ id: "a" }), "already_exists");
    await session.close();
  });
}

function travels(t, inTier) {
  inTier("the state slice and the title travel", async ({ tier, cold, hotStore }, api) => {
    const { Session, about, rawJson, setAbout } = api;
    const session = await Session.create(tier, { id: "a" });
    await turn(session, 1);
    t.equal([await tier.slice("a"), await tier.sliceJson("a")], [undefined, undefined]);
    const json = '{"tasks":[["t1",{"n":1.50}]]}';
    await session.append({ kind: "state", state: rawJson(json) });
    await setAbout(tier, "a", { title: "A title", tags: ["tag"] });
    await tier.flush("a");
    await session.close();
    t.equal(await keysOf(hotStore), []);
    cold.cost();
    t.equal(await tier.sliceJson("a"), json);
    t.equal(cold.cost().requests, 2);
    t.equal(await tier.slice("a"), { tasks: [["t1", { n: 1.5 }]] });
    const again = await tier.hydrate("a");
    t.equal((await about(tier, "a")).title, "A title");
    await again.append({ kind: "state", state: 7 });
    t.equal(await tier.slice("a"), 7);
    await again.append({ kind: "state", state: null });
    t.equal([await tier.slice("a"), (await again.state()).slice], [undefined, null]);
    await tier.flush("a");
    t.equal(await tier.slice("a"), undefined);
    await again.close();
  });
}

function copies(t, inTier) {
  inTier("all of a session is pulled, and what is new is added", async (rig, api) => {
    const { tier, hotStore, coldStore } = rig;
    const session = await flushed(rig, api, 5);
    await turn(session, 6);
    t.equal((await tier.pull("a")).head, session.head);
    await session.close();
    const alone = await api.Session.open(hotStore, "a");
    t.equal((await texts(alone)).length, 42);
    await tier.flush("a", { hot: "leave" });
    // Another machine has an older copy.
    const other = await another(rig);
    const elsewhere = await api.Tier.open(other, coldStore);
    await elsewhere.pull("a");
    await turn(alone, 7);
    await tier.flush("a", { hot: "leave" });
    t.equal((await elsewhere.pull("a")).entries, 8);
    const there = await api.Session.open(other, "a");
    t.equal(await texts(there), await texts(alone));
    await there.close();
    await alone.close();
  });

  inTier("a session is copied whole, from layout to layout", async (rig, api) => {
    const { Session, Tier, copySession } = api;
    const session = await Session.create(rig.hotStore, { id: "a" });
    await turn(session, 1);
    const objects = await another(rig);
    t.equal(await copySession(rig.hotStore, objects, "a", "objects"), { head: session.head, entries: 9 });
    await turn(session, 2);
    t.equal((await copySession(rig.hotStore, objects, "a", "objects")).entries, 8);
    t.equal((await copySession(rig.hotStore, objects, "a", "objects")).entries, 0);
    const files = await another(rig);
    t.equal(await copySession(objects, files, "a", "files"), { head: session.head, entries: 17 });
    const copied = await Session.open(files, "a");
    t.equal(await texts(copied), await texts(session));
    t.ok((await copied.verify({ deep: true, expected: session.head })).isWhole, "the copy");
    const tier = Tier.openReading(await another(rig), objects);
    t.equal((await Session.open(tier, "a")).head, session.head);
    await copied.append(user("another way"));
    await turn(session, 3);
    await t.throws(() => copySession(rig.hotStore, files, "a", "files"), "conflict");
    await t.throws(() => copySession(rig.hotStore, files, "a", "sideways"), "invalid_argument");
    await copied.close();
    await session.close();
  });
}

/** A store of its own, alike the cold one. */
async function another({ coldStore }) {
  const Memory = Object.getPrototypeOf(coldStore).constructor;
  return new Memory();
}
