// Tiers for tests: watched stores, and a hot one in front of a cold one.

const VERBS = [
  "get",
  "put",
  "append",
  "sync",
  "delete",
  "list",
  "info",
  "stage",
  "stagePart",
  "getStaged",
  "commit",
  "abort",
];

/**
 * A store that is watched. `calls` are its requests since `cost()` was asked last; `before(verb, key)`,
 * where it is set, runs before each and may throw; a `delay` makes it answer later, by promises.
 */
export function watched(target, delay) {
  const watch = { calls: [], bytesWritten: 0, before: undefined };
  watch.cost = () => {
    const { calls, bytesWritten } = watch;
    watch.calls = [];
    watch.bytesWritten = 0;
    return { requests: calls.length, calls, bytesWritten };
  };
  const call = (verb) => (...args) => {
    const begin = () => {
      watch.calls.push(verb);
      for (const arg of args) if (arg instanceof Uint8Array) watch.bytesWritten += arg.length;
      const before = watch.before?.(verb, args[0]);
      const go = () => target[verb](...args);
      return typeof before?.then === "function" ? before.then(go) : go();
    };
    return delay === undefined ? begin() : delay().then(begin);
  };
  const calls = Object.fromEntries(VERBS.map((verb) => [verb, call(verb)]));
  const store = new Proxy(target, {
    get(_, name) {
      const member = target[name];
      if (typeof member !== "function") return member;
      return Object.hasOwn(calls, name) ? calls[name] : member.bind(target);
    },
  });
  return { store, watch };
}

/** Waits for others, once. */
export const soon = () => new Promise((resolve) => setTimeout(resolve, 0));

/** The keys of a store. */
export async function keysOf(store, prefix = "") {
  const { objects } = await store.list(prefix, undefined, 10_000);
  return objects.map(({ key }) => key);
}

/**
 * For each hot store of the host, and for a cold one that answers by promises, gives what makes a test
 * of it: a title and a body, which takes `{ tier, hot, cold, hotStore, coldStore }`, where `hot` and
 * `cold` are what watches the stores, and turnkeep.
 */
export function inTiers(t, host, tests) {
  const memory = host.stores.find(({ name }) => name === "memory");
  const rigs = host.stores.map(({ name, make }) => ({ name: `${name} over memory`, make }));
  rigs.push({ name: "memory over slow memory", make: memory.make, delay: soon });
  for (const { name, make, delay } of rigs) {
    const inTier = (title, body) =>
      t.test(`${name}: ${title}`, async () => {
        const [hotPlace, coldPlace] = [await make(), await memory.make()];
        try {
          const hot = watched(hotPlace.store);
          const cold = watched(coldPlace.store, delay);
          const tier = await host.turnkeep.Tier.open(hot.store, cold.store);
          for (const { watch } of [hot, cold]) watch.cost();
          const rig = { tier, hot: hot.watch, cold: cold.watch, hotStore: hot.store, coldStore: cold.store };
          await body(rig, host.turnkeep);
        } finally {
          await coldPlace.remove();
          await hotPlace.remove();
        }
      });
    tests(inTier);
  }
}
