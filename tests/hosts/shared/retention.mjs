// Archives that are appended to, sweeps, tombstones and usage, over every store of this host.

import { inStores } from "../harness.mjs";

const DAY_MS = 86_400_000;

const user = (content, id) => ({ item: { role: "user", content }, ...(id && { id }) });
const texts = ({ history }) => history.map(({ item }) => item.content);

export async function run(t, host) {
  inStores(t, host, (inStore) => {
    tails(t, inStore);
    sweeps(t, inStore);
    prunes(t, inStore);
    sweepers(t, inStore);
  });
  policies(t, host);
}

/**
 * The store as if all that is in it was written that long ago, whether or not it knows when that was.
 */
function aged(store, ageMs = 30 * DAY_MS) {
  const utf8 = new TextEncoder();
  const old = (info) => ({ ...info, modifiedMs: (info.modifiedMs ?? Date.now()) - ageMs });
  return new Proxy(store, {
    get(target, name) {
      if (name === "info") return async (key) => old(await target.info(key));
      if (name === "list") {
        return async (...args) => {
          const { objects, more } = await target.list(...args);
          return { objects: objects.map(({ key, info }) => ({ key, info: old(info) })), more };
        };
      }
      if (name === "get") {
        return async (key, range) => {
          const { bytes, info } = await target.get(key, range);
          if (!key.endsWith(".retention.json")) return { bytes, info: old(info) };
          const record = JSON.parse(new TextDecoder().decode(bytes));
          record.last_activity -= ageMs;
          return { bytes: utf8.encode(`${JSON.stringify(record)}\n`), info: old(info) };
        };
      }
      const member = target[name];
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

const outcomes = ({ sessions }) => sessions.map(({ id, outcome, reason }) => [id, reason ?? outcome]);

async function seqs(session, range) {
  const found = [];
  for await (const { seq } of session.entries(range)) found.push(seq);
  return found;
}

/** A session of entries 0 to 6 in its archive, and 7 to 9 after it. */
async function withTail(Session, store) {
  const session = await Session.create(store, { id: "s" });
  const turn = (n) => [user(`${n}`, `m${n}`), { item: { role: "assistant", content: `re ${n}` } }, { kind: "turn_end", turn: n }];
  await session.append([...turn(1), ...turn(2)]);
  await session.archive();
  await session.append(turn(3));
  return session;
}

async function create(Session, store, ...ids) {
  for (const id of ids) await (await Session.create(store, { id, entries: [user(`of ${id}`)] })).close();
}

function tails(t, inStore) {
  inStore("an archived session is appended to", async (store, { Session }) => {
    const session = await withTail(Session, store);
    t.equal([session.form, session.head.seq], ["live", 9]);
    const keys = (await store.list("", undefined, 9)).objects.map(({ key }) => key);
    t.equal(keys, ["s.jsonl", "s.jsonl.gz", "s.retention.json"]);
    t.equal(texts(await session.state()), ["1", "re 1", "2", "re 2", "3", "re 3"]);
    t.equal((await session.state()).turns, 3);
    t.ok((await session.verify({ deep: true, expected: session.head })).isWhole, "the log");
    const { kinds } = await session.summary();
    t.equal([kinds.get("session_start"), kinds.get("turn_end")], [1, 3]);
    await session.close();
    const again = await Session.open(store, "s");
    t.equal([again.form, again.head], ["live", session.head]);
    await again.close();
  });

  inStore("what is read goes over the archive's end", async (store, { Session }) => {
    const session = await withTail(Session, store);
    const all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    for (const pageBytes of [1, 1 << 20]) {
      t.equal(await seqs(session, { pageBytes }), all);
      t.equal(await seqs(session, { pageBytes, newestFirst: true }), [...all].reverse());
      t.equal(await seqs(session, { pageBytes, from: 5, to: 8 }), [5, 6, 7, 8]);
      t.equal(await seqs(session, { pageBytes, from: 5, to: 8, newestFirst: true }), [8, 7, 6, 5]);
      t.equal(await seqs(session, { pageBytes, last: 5 }), [5, 6, 7, 8, 9]);
      t.equal(await seqs(session, { pageBytes, turn: 2 }), [4, 5, 6]);
      t.equal(await seqs(session, { pageBytes, turn: 3 }), [7, 8, 9]);
      t.equal(await seqs(session, { pageBytes, kinds: ["turn_end"] }), [3, 6, 9]);
      t.equal(await seqs(session, { pageBytes, kinds: ["turn_end"], last: 2 }), [6, 9]);
    }
    await session.close();
  });

  inStore("a fork before and after the archive's end", async (store, { Session }) => {
    const session = await withTail(Session, store);
    for (const [at, expected] of [
      [{ turn: 1 }, ["1", "re 1"]],
      [{ seq: 6 }, ["1", "re 1", "2", "re 2"]],
      [{ seq: 7 }, ["1", "re 1", "2", "re 2", "3"]],
      [{}, ["1", "re 1", "2", "re 2", "3", "re 3"]],
    ]) {
      const fork = await session.fork({ at });
      t.equal(texts(await fork.state()), expected);
      await fork.append(user("on"));
      t.ok((await fork.verify({ deep: true })).isWhole, "the fork");
      await fork.close();
    }
    await session.close();
  });

  inStore("an append once is found in the archive", async (store, { Session }) => {
    const session = await Session.create(store, { id: "s", entries: [user("a", "1")] });
    await session.archive();
    const again = await session.append(user("a", "1"), { once: true });
    t.equal([again.alreadyApplied, again.firstSeq, session.form], [true, 1, "archived"]);
    await session.append(user("b", "2"), { once: true });
    await session.close();
    const later = await Session.open(store, "s");
    for (const id of ["1", "2"]) t.ok((await later.append(user("x", id), { once: true })).alreadyApplied, id);
    t.equal(later.head.seq, 2);
    await later.close();
  });

  inStore("archiving again merges, and restoring gives the log", async (store, { Session }) => {
    const session = await withTail(Session, store);
    const { rawBytes, head } = await session.archive();
    t.equal([session.form, rawBytes, head], ["archived", session.head.bytes, session.head]);
    await t.throws(() => session.archive(), "already_exists");
    await session.append(user("4"));
    const lines = [];
    for await (const { text } of session.entries()) lines.push(`${text}\n`);
    await session.restore();
    t.equal([session.form, session.head.seq], ["live", 10]);
    t.equal((await store.get("s.jsonl")).bytes, new TextEncoder().encode(lines.join("")));
    t.equal((await store.list("s.", undefined, 9)).objects.map(({ key }) => key), ["s.jsonl"]);
    await t.throws(() => session.restore(), "already_exists");
    await session.append(user("5"));
    t.ok((await session.verify({ deep: true })).isWhole, "the log");
    await session.close();
  });

  inStore("a session that is archived while it is open is appended to", async (store, { Session, sweep }) => {
    await create(Session, store, "s");
    const session = await Session.open(store, "s");
    t.equal((await sweep(aged(store))).archived, 1);
    await session.append(user("on"));
    t.equal([session.form, session.head.seq, texts(await session.state())], ["live", 2, ["of s", "on"]]);
    await session.close();
  });

  inStore("of two writers to an archived session one hears it", async (store, { Session }) => {
    const one = await Session.create(store, { id: "s" });
    await one.archive();
    const other = await Session.open(store, "s");
    await one.append(user("one"));
    await t.throws(() => other.append(user("other")), "conflict");
    await one.close();
    await other.close();
  });
}

function sweeps(t, inStore) {
  inStore("a sweep tells why it keeps what it keeps", async (store, turnkeep) => {
    const { Session, rebuildRecord, setAbout, sweep } = turnkeep;
    await create(Session, store, "agent", "done", "kind", "pinned", "run");
    await setAbout(store, "agent", { kind: "agent" });
    await setAbout(store, "pinned", { kind: "agent", tags: ["pin"] });
    await setAbout(store, "run", { kind: "agent" });
    const run = await Session.open(store, "run", { recovery: { projectDir: "/p" } });
    await run.append({ kind: "run_started" });
    await run.close();
    // Records are written now and then.
    await rebuildRecord(store, "run");
    const done = await Session.open(store, "done");
    await done.archive();
    await done.close();
    const old = aged(store);
    t.equal(outcomes(await sweep(aged(store, 0))).map(([, reason]) => reason), ["recent", "archived", "recent", "recent", "recent"]);
    t.equal(outcomes(await sweep(old, { inactiveMs: null })).map(([, reason]) => reason), ["live", "archived", "live", "live", "live"]);
    const policy = { kinds: ["agent"], keepTags: ["pin"] };
    const expected = [["agent", "archived"], ["done", "archived"], ["kind", "kind"], ["pinned", "tag"], ["run", "running"]];
    const before = (await store.list("", undefined, 99)).objects;
    const wouldDo = await sweep(old, { ...policy, dryRun: true });
    t.equal([outcomes(wouldDo), wouldDo.archived], [expected, 1]);
    t.equal((await store.list("", undefined, 99)).objects, before);
    const did = await sweep(old, policy);
    t.equal([outcomes(did), did.archived, did.pruned], [expected, 1, 0]);
    t.equal(did.sessions.map(({ outcome }) => outcome), ["archived", "kept", "kept", "kept", "kept"]);
    const [agent, kept] = did.sessions;
    t.equal([agent.bytes - agent.freedBytes > 0, kept.freedBytes, agent.error], [true, 0, undefined]);
    t.equal(did.freedBytes, agent.freedBytes);
    t.equal((await Session.open(store, "agent")).form, "archived");
  });

  inStore("what is held, and what a fork that is held comes from, is kept", async (store, { Session, sweep }) => {
    await create(Session, store, "parent", "other");
    const parent = await Session.open(store, "parent");
    const fork = await parent.fork({ id: "fork" });
    await fork.append(user("on"));
    await parent.close();
    const knows = (await store.holder?.("fork.jsonl")) !== undefined;
    if (!knows) return;
    const swept = await sweep(aged(store));
    t.equal(outcomes(swept), [["fork", "held"], ["other", "archived"], ["parent", "fork_held"]]);
    await fork.close();
    t.equal((await sweep(aged(store))).archived, 2);
  });

  inStore("a sweep goes on after what fails", async (store, { Session, TurnkeepError, sweep }) => {
    await create(Session, store, "a", "b");
    const { bytes } = await store.get("a.jsonl");
    bytes[bytes.length - 9] ^= 1;
    await store.put("a.jsonl", bytes, "any");
    const { sessions, archived } = await sweep(aged(store));
    t.equal(sessions.map(({ outcome }) => outcome), ["failed", "archived"]);
    t.ok(sessions[0].error instanceof TurnkeepError, "that it is an error");
    t.equal([sessions[0].error.code, sessions[0].error.session, archived], ["bad_hash", "a", 1]);
  });

  inStore("an archive of elsewhere is not pruned", async (store, { Session, archiveLog, sweep }) => {
    await create(Session, store, "here", "there");
    const { bytes } = await store.get("there.jsonl");
    await store.put("there.jsonl.gz", archiveLog(bytes), "absent");
    await store.delete("there.jsonl", "any");
    const swept = await sweep(aged(store), { maxBytes: 0 });
    t.equal(outcomes(swept), [["here", "pruned"], ["there", "foreign"]]);
    t.equal([swept.archived, swept.pruned], [1, 1]);
  });

  inStore("the longest unused archives are pruned until the rest fit", async (store, { Session, sweep }) => {
    await create(Session, store, "a", "b", "c");
    for (const id of ["b", "c", "a"]) {
      const session = await Session.open(store, id);
      await session.append(user(`later of ${id}`));
      await session.archive();
      await session.close();
      await new Promise((done) => setTimeout(done, 20));
    }
    const { archiveBytes, sessions } = await sweep(store);
    t.equal(sessions.length, 3);
    const policy = { maxBytes: archiveBytes - 1, minAgeMs: 60_000 };
    t.equal(outcomes(await sweep(store, policy)).map(([, reason]) => reason), ["recent", "recent", "recent"]);
    const swept = await sweep(aged(store), policy);
    t.equal(outcomes(swept), [["a", "archived"], ["b", "pruned"], ["c", "archived"]]);
    t.ok(swept.archiveBytes < archiveBytes && swept.freedBytes > 0, "the room");
    await t.throws(() => Session.open(store, "b"), "pruned");
  });

  inStore("an aborted sweep ends with the signal's reason, and another one can be", async (store, { Session, sweep }) => {
    await create(Session, store, "a", "b", "c");
    const reason = new Error("enough");
    t.equal(await t.throws(() => sweep(aged(store), {}, { signal: AbortSignal.abort(reason) })), reason);
    t.equal((await store.list("sweep", undefined, 9)).objects, []);
    const controller = new AbortController();
    const old = aged(store);
    const committing = new Proxy(old, {
      get(target, name) {
        if (name === "commit") controller.abort(reason);
        return target[name];
      },
    });
    t.equal(await t.throws(() => sweep(committing, {}, { signal: controller.signal })), reason);
    const forms = [];
    for (const id of ["a", "b", "c"]) forms.push((await Session.open(store, id)).form);
    t.equal(forms, ["archived", "live", "live"]);
    t.equal((await sweep(old)).archived, 2);
  });

  inStore("one sweep at a time", async (store, { Session, sweep }) => {
    await create(Session, store, "a");
    const other = { version: 1, until: Date.now() + 60_000, finished: null };
    await store.put("sweep.json", new TextEncoder().encode(JSON.stringify(other)), "any");
    const error = await t.throws(() => sweep(aged(store)), "locked");
    t.equal([error.retryable, error.key], [true, "sweep.json"]);
    t.equal((await sweep(aged(store), { dryRun: true })).archived, 1);
  });

  inStore("a store tells the room that is used", async (store, { Session, sessions: each, setAbout, usage }) => {
    const session = await withTail(Session, store);
    const tail = (await store.info("s.jsonl")).bytes;
    const archived = (await store.info("s.jsonl.gz")).bytes;
    const noted = (await store.info("s.retention.json")).bytes;
    await session.close();
    const { total, sessions } = await usage(aged(store, 0));
    t.equal(total, { live: tail, archived, beside: noted, reclaimable: 0 });
    t.equal([sessions.length, sessions[0].id, sessions[0].form, sessions[0].bytes], [1, "s", "live", total]);
    t.ok(Math.abs(sessions[0].modifiedMs - Date.now()) < 60_000, sessions[0].modifiedMs);
    for await (const { storedBytes } of each(store)) t.equal(storedBytes, tail + archived);
    await setAbout(store, "s", { title: "T" });
    t.ok((await usage(store)).total.beside > noted, "what is beside");
    t.equal((await usage(aged(store), { inactiveMs: 0 })).total.reclaimable, tail);
    t.equal((await usage(aged(store))).total.reclaimable, tail);
    t.equal((await usage(aged(store, 6 * DAY_MS))).total.reclaimable, 0);
    t.equal((await usage(aged(store), { inactiveMs: 60 * DAY_MS })).total.reclaimable, 0);
    for (const inactiveMs of [-1, NaN, 1.5, "7"]) await t.throws(() => usage(store, { inactiveMs }), "invalid_argument");
  });
}

function prunes(t, inStore) {
  inStore("a pruned session says so, until it is deleted", async (store, { Session, deleteSession, prune }) => {
    const session = await Session.create(store, { id: "s", entries: [user("a")] });
    await t.throws(() => prune(store, "s", "why"), "conflict");
    await t.throws(() => prune(store, "none", "why"), "not_found");
    const { archiveBytes, head } = await session.archive();
    t.ok((await t.throws(() => prune(store, "s", "so soon"), "locked")).retryable, "retryable");
    const noted = await prune(aged(store), "s", "the customer asked for it");
    t.equal([noted.head, noted.archiveBytes, noted.pruned.reason], [head, archiveBytes, "the customer asked for it"]);
    t.ok(Math.abs(noted.pruned.atMs - Date.now()) < 60_000 && noted.archivedMs <= noted.pruned.atMs, "times");
    const error = await t.throws(() => Session.open(store, "s"), "pruned");
    t.ok(error.message.includes("the customer asked for it") && error.hint.length > 0, error.message);
    t.equal(error.session, "s");
    await t.throws(() => session.append(user("b")), "pruned");
    await t.throws(() => session.read(), "pruned");
    await t.throws(() => session.restore(), "pruned");
    await t.throws(() => prune(store, "s", "again"), "pruned");
    await t.throws(() => Session.create(store, { id: "s" }), "pruned");
    await session.close();
    await deleteSession(store, "s");
    t.equal((await store.list("", undefined, 9)).objects, []);
    await create(Session, store, "s");
  });

  inStore("an id and a reason must be what they are", async (store, { prune }) => {
    await t.throws(() => prune(store, "a\nb", "why"), "invalid_id");
    for (const reason of [undefined, 5, "\ud800"]) await t.throws(() => prune(store, "s", reason), "invalid_argument");
  });
}

/** What a sweeper tells, and a promise of the next thing it does. */
function listener() {
  const told = [];
  let next = () => {};
  const hear = (what) => {
    told.push(what);
    next();
  };
  const some = async (count) => {
    // Sweepers keep no process alive: this does.
    let late;
    const timer = setTimeout(() => {
      late = new Error(`a sweeper told ${told.length} of ${count} things in 20 s`);
      next();
    }, 20_000);
    while (told.length < count && !late) await new Promise((resolve) => (next = resolve));
    clearTimeout(timer);
    if (late) throw late;
    return told;
  };
  return { told, some, hears: { onSweep: hear, onError: hear } };
}

const passed = (ms) => new Promise((done) => setTimeout(done, ms));

function sweepers(t, inStore) {
  inStore("of two that sweep a store one does", async (store, { Session, startSweeping }) => {
    await create(Session, store, "a", "b");
    const one = listener();
    const options = { policy: {}, everyMs: 3_600_000 };
    const first = startSweeping(aged(store), { ...options, ...one.hears });
    const second = startSweeping(aged(store), { ...options, ...one.hears });
    t.equal(one.told, []);
    const [swept] = await one.some(1);
    t.equal(outcomes(swept), [["a", "archived"], ["b", "archived"]]);
    await passed(50);
    await Promise.all([first.stop(), second.stop()]);
    await first.stop();
    t.equal(one.told.length, 1);
    const late = listener();
    const third = startSweeping(store, { ...options, ...late.hears });
    await passed(20);
    await third.stop();
    t.equal(late.told, []);
  });

  inStore("a store is swept again and again, whatever fails or throws", async (store, { Session, startSweeping }) => {
    await create(Session, store, "a");
    const [heard, failures] = [listener(), []];
    let broken = true;
    const failing = new Proxy(aged(store), {
      get(target, name) {
        if (name !== "list" || !broken) return target[name];
        return () => {
          broken = false;
          throw new Error("not now");
        };
      },
    });
    const sweeping = startSweeping(failing, {
      everyMs: 5,
      onSweep(sweep) {
        heard.hears.onSweep(sweep);
        throw new Error("of the callback");
      },
      onError: (error) => failures.push(error),
    });
    await heard.some(3);
    await sweeping.stop();
    const count = heard.told.length;
    await passed(30);
    t.equal(heard.told.length, count);
    t.equal(outcomes(heard.told[0]), [["a", "archived"]]);
    t.equal([failures[0].code, failures[0].cause.message], ["store_failed", "not now"]);
    t.ok(failures.slice(1).length >= 3 && failures.slice(1).every(({ message }) => message === "of the callback"), "what was thrown");
  });

  inStore("one that is stopped or aborted ends after the session it is at", async (store, { Session, startSweeping }) => {
    const ids = Array.from({ length: 5 }, (_, n) => `s${n}`);
    await create(Session, store, ...ids);
    const old = aged(store);
    for (const how of ["stop", "signal"]) {
      const controller = new AbortController();
      const heard = listener();
      let sweeping;
      const ending = new Proxy(old, {
        get(target, name) {
          if (name === "commit" && heard.told.length === 0) {
            if (how === "stop") void sweeping.stop();
            else controller.abort();
          }
          return target[name];
        },
      });
      // What was ended early is no sweep that others wait after.
      sweeping = startSweeping(ending, { everyMs: 3_600_000, signal: controller.signal, ...heard.hears });
      await heard.some(1);
      await sweeping.stop();
      t.equal([heard.told.length, heard.told[0].archived], [1, 1]);
      t.equal(heard.told[0].sessions.at(-1).reason, "stopped");
    }
    const never = listener();
    await startSweeping(old, { everyMs: 1, signal: AbortSignal.abort(), ...never.hears }).stop();
    t.equal(never.told, []);
  });

  inStore("other things have their turn during a sweep", async (store, { Session, sweep }) => {
    const ids = Array.from({ length: 60 }, (_, n) => `s${n}`);
    await create(Session, store, ...ids);
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    try {
      t.equal((await sweep(aged(store))).archived, 60);
    } finally {
      clearInterval(timer);
    }
    t.ok(turns > 0, "other turns");
  });
}

function policies(t, { turnkeep: { startSweeping, sweep } }) {
  t.test("a policy that makes no sense is refused, and the store not asked", async () => {
    const wrong = [
      [{ maxbytes: 1 }, "maxbytes"],
      [{ inactiveMs: -1 }, "inactiveMs"],
      [{ inactiveMs: "7d" }, "inactiveMs"],
      [{ maxBytes: NaN }, "maxBytes"],
      [{ maxBytes: Infinity }, "maxBytes"],
      [{ minAgeMs: 0.5 }, "minAgeMs"],
      [{ minAgeMs: null }, "minAgeMs"],
      [{ kinds: "agent" }, "kinds"],
      [{ kinds: [5] }, "kind"],
      [{ keepTags: new Set() }, "keepTags"],
      [{ dryRun: "yes" }, "dryRun"],
      [null, "policy"],
      [5, "policy"],
    ];
    const onError = () => {};
    for (const [policy, word] of wrong) {
      for (const call of [() => sweep({}, policy), () => startSweeping({}, { policy, everyMs: 1, onError })]) {
        const { message } = await t.throws(call, "invalid_argument");
        t.ok(message.includes(word), message);
      }
    }
    for (const options of [
      { onError },
      { everyMs: NaN, onError },
      { everyMs: -1, onError },
      { everyMs: 1 },
      { everyMs: 1, onError, onSweep: 5 },
    ]) {
      await t.throws(() => startSweeping({}, options), "invalid_argument");
    }
  });
}
