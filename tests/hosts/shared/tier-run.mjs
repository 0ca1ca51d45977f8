// Work on a session in two stores, however it begins and ends, over every hot store of this host.

import { SLICE, archived, inTiers, keysOf, soon, thread, user } from "../tiers.mjs";

export async function run(t, host) {
  inTiers(t, host, (inTier) => {
    modes(t, inTier);
    exits(t, inTier);
    faults(t, inTier);
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
    // What the callback did not take, and why.
    const told = ["store_failed", "store_failed", "of the callback"];
    t.equal(failure.suppressed.map(({ message }) => message.split(":")[0]), told);
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
