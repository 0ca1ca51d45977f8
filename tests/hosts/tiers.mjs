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

export const user = (content, id) => ({ item: { role: "user", content }, ...(id && { id }) });
export const texts = async (session) => (await session.state()).history.map(({ item }) => item.content);

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

/** Seven messages and a turn's end. */
export function turn(session, number, text = `turn ${number}`) {
  const drafts = Array.from({ length: 7 }, (_, n) => user(`${text}, message ${n}`, `m${number}-${n}`));
  return session.append([...drafts, { kind: "turn_end", turn: number }]);
}

/** A session of so many turns, each of which was flushed. */
export async function flushed({ tier }, { Session }, turns, hot = "keep") {
  const session = await Session.create(tier, { id: "a" });
  for (let number = 1; number <= turns; number += 1) {
    await turn(session, number);
    await tier.flush("a", { hot });
  }
  return session;
}

export const SLICE = { tasks: [["t1", { subject: "s" }]], custom: { counter: 3 } };

/** A thread in the cold store, of two messages and a slice. */
export async function archived({ tier }, { Session }, id = "a", state = SLICE) {
  const session = await Session.create(tier, { id, entries: [user("one", "m1"), user("two", "m2")] });
  if (state !== undefined) await session.append({ kind: "state", state });
  await tier.flush(id);
  await session.close();
}

/** Everything of a thread, wherever it lies. */
export async function thread({ tier }, { Session }, id = "a") {
  const session = await Session.open(tier, id);
  const found = { form: session.form, texts: await texts(session), slice: await tier.slice(id) };
  const report = await session.verify({ deep: true });
  await session.close();
  return { ...found, isWhole: report.isWhole };
}
