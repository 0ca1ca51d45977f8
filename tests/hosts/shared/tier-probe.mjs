// Which stores a tier is opened over: those that let exactly one writer create an object.

import { keysOf, soon, watched } from "../tiers.mjs";

export async function run(t, host) {
  probes(t, host);
  missing(t, host);
}

/** So many openings of each store. */
const OPENINGS = 200;

function probes(t, host) {
  const { Tier } = host.turnkeep;
  const make = async () => (await host.stores.find(({ name }) => name === "memory").make()).store;
  /** A store whose `put` is another one. */
  const putting = (store, put) => {
    const { store: other } = watched(store);
    return new Proxy(other, { get: (target, name) => (name === "put" ? put : target[name]) });
  };
  const sane = async (delay) => watched(await make(), delay).store;
  const kinds = [
    ["creates atomically", true, () => sane()],
    ["creates atomically, later", true, () => sane(soon)],
    [
      "ignores absent",
      false,
      async () => {
        const store = await make();
        return putting(store, (key, bytes) => store.put(key, bytes, "any"));
      },
    ],
    [
      "looks and then writes",
      false,
      async () => {
        const store = await make();
        return putting(store, async (key, bytes, condition) => {
          const { objects } = store.list(key, undefined, 1);
          await undefined;
          return store.put(key, bytes, objects.length > 0 ? condition : "any");
        });
      },
    ],
    [
      "looks and then writes, each at its own pace",
      false,
      async () => {
        const store = await make();
        return putting(store, async (key, bytes, condition) => {
          for (let left = Math.random() * 4; left > 0; left -= 1) await soon();
          const { objects } = store.list(key, undefined, 1);
          for (let left = Math.random() * 4; left > 0; left -= 1) await soon();
          return store.put(key, bytes, objects.length > 0 ? condition : "any");
        });
      },
    ],
  ];
  for (const [kind, isSound, cold] of kinds) {
    t.test(`of ${OPENINGS} openings over a store that ${kind}, ${isSound ? "all" : "0"} succeed`, async () => {
      const hot = await make();
      let opened = 0;
      for (let number = 0; number < OPENINGS; number += 1) {
        const store = await cold();
        try {
          await Tier.open(hot, store);
          opened += 1;
        } catch (error) {
          t.equal(error.code, "not_supported", error.message);
        }
        t.equal(await keysOf(store), [], "the probe cleans up");
      }
      t.equal(opened, isSound ? OPENINGS : 0);
    });
  }

  t.test("the probe's writers race", async () => {
    let [now, most] = [0, 0];
    const store = await make();
    const cold = putting(store, async (...args) => {
      now += 1;
      most = Math.max(most, now);
      await soon();
      now -= 1;
      return store.put(...args);
    });
    await Tier.open(await make(), cold);
    t.equal(most, 8);
  });

  t.test("an opening that is aborted, or whose store fails, says so", async () => {
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    t.equal(await t.throws(async () => Tier.open(await make(), await make(), { signal })), reason);
    const broken = putting(await make(), () => {
      throw new Error("no network");
    });
    const error = await t.throws(async () => Tier.open(await make(), broken), "store_failed");
    t.equal(error.cause?.message, "no network");
  });
}

function missing(t, host) {
  t.test("a missing cold store is told", async () => {
    const { store } = await host.stores[0].make();
    const { Session, Tier } = host.turnkeep;
    const tier = Tier.openReading(store, undefined);
    await (await Session.create(tier, { id: "a" })).close();
    for (const call of ["flush", "hydrate", "pull"]) {
      await t.throws(() => tier[call]("a"), "not_supported");
    }
    await t.throws(() => tier.collect(), "not_supported");
    await t.throws(() => Tier.open(store, undefined), "not_supported");
    store.close?.();
  });
}
