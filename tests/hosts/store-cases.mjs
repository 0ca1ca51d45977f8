// Runs the cases of tests/store-cases.json over a store: the counterpart of tests/src/store_cases.rs.

const utf8 = new TextEncoder();
const text = new TextDecoder("utf-8", { fatal: true });

/** Registers a test for each case; `open()` gives a fresh store. */
export function runStoreCases(t, cases, open) {
  for (const one of cases) {
    t.test(one.name, async () => {
      const store = await open();
      t.equal(lacking(one, store), [], "capabilities that the case needs and the store lacks");
      const names = new Map();
      await runSteps(t, one.steps ?? [], store, names);
      if (one.race) await runRace(t, one.race, store, names);
      await runSteps(t, one.then ?? [], store, names);
    });
  }
}

/** The capabilities that a case needs and a store lacks. */
export function lacking(one, { capabilities }) {
  const lacks = (need) => {
    const camel = need.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
    if (!(camel in capabilities)) throw new Error(`no capability ${need}`);
    return !capabilities[camel];
  };
  return (one.needs ?? []).filter(lacks);
}

async function runSteps(t, steps, store, names) {
  for (const [index, step] of steps.entries()) {
    const what = `step ${index}, ${JSON.stringify(step).slice(0, 200)}`;
    const answer = await outcome(() => perform(step, store, names));
    check(t, answer, expected(step, store), what);
    if (step.save !== undefined && !answer.error) {
      names.set(step.save, answer.value.info?.version ?? answer.value.stage);
    }
  }
}

function expected(step, store) {
  const isSupported = step.do !== "sync" || store.capabilities.durability === "disk";
  return isSupported ? step.expect ?? {} : { code: "not_supported" };
}

async function outcome(run) {
  try {
    return { value: await run() };
  } catch (error) {
    if (typeof error.code !== "string") throw error;
    return { error };
  }
}

function check(t, { value, error }, expect, what) {
  if ("code" in expect || error) {
    t.equal(error?.code, expect.code, `${what}: code (${error?.message ?? "it was done"})`);
    return;
  }
  if ("text" in expect) t.equal(text.decode(value.bytes), text.decode(bytesOf(expect.text)), what);
  if ("bytes" in expect) t.equal(value.info.bytes, expect.bytes, what);
  if ("keys" in expect) t.equal(value.keys, expect.keys, what);
  if ("more" in expect) t.equal(value.more, expect.more, what);
  if ("holder" in expect && value.holder !== undefined) {
    const { isAlive, isSelf } = value.holder;
    t.equal([expect.holder, isAlive, isSelf], ["nobody else", true, true], what);
  }
  if ("done" in expect) t.equal(value.done, true, what);
}

function bytesOf(content = "") {
  return utf8.encode(typeof content === "string" ? content : content.text.repeat(content.repeat ?? 1));
}

/** Carries a step out; gives what it answered, by sort. */
async function perform(step, store, names) {
  const { do: verb, key, prefix = "", after, limit = 1000, number, at = 0, torn = 0, mark, markAt = 0, tornStart } = step;
  const condition =
    typeof step.if === "object" ? { version: names.get(step.if.version) ?? step.if.version } : step.if ?? "any";
  const stage = names.get(step.stage) ?? step.stage;
  const range = step.range && { start: step.range[0], end: step.range[1] };
  const done = async (answer) => (await answer, { done: true });
  const info = async (answer) => ({ info: await answer });
  switch (verb) {
    case "put":
      return info(store.put(key, bytesOf(step.text), condition));
    case "get":
      return { ...(await store.get(key, range)) };
    case "append":
      return info(store.append(key, bytesOf(step.text), at, torn, "os", mark && { at: markAt, bytes: bytesOf(mark) }, bytesOf(tornStart)));
    case "sync":
      return done(store.sync(key));
    case "holder":
      return { holder: await store.holder?.(key) };
    case "delete":
      return done(store.delete(key, condition));
    case "list": {
      const { objects, more } = await store.list(prefix, after, limit);
      return { keys: objects.map((object) => object.key), more };
    }
    case "info":
      return info(store.info(key));
    case "stage":
      return { stage: await store.stage(key) };
    case "part":
      return done(store.stagePart(stage, number, bytesOf(step.text)));
    case "staged":
      return { ...(await store.getStaged(stage, range)) };
    case "commit":
      return info(store.commit(stage, condition));
    case "abort":
      return done(store.abort(stage));
    default:
      throw new Error(`no verb ${verb}`);
  }
}

async function runRace(t, race, store, names) {
  const steps = Array.from({ length: race.writers }, (_, number) => ({
    ...race.do,
    ...(race.do.text === undefined ? {} : { text: `${race.do.text}${number}` }),
    ...(race.do.stage === undefined ? {} : { stage: race.do.stage.replaceAll("#", number) }),
  }));
  const answers = await Promise.all(steps.map((step) => outcome(() => perform(step, store, names))));
  t.equal(answers.filter(({ error }) => !error).length, race.wins, "writers that won");
  const wrong = answers.filter(({ error }) => error && !race.loses.includes(error.code));
  t.equal(wrong.map(({ error }) => error.message), [], "writers that lost in another way");
}
