// What the model says of sessions, over an engine without files.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { answer, call, fakeEngine, result, rowsOf, usage, user } from "./fake-engine.mjs";
import { load } from "./load.mjs";

const { createSession } = await load("src/model/session.ts");
const { BlockCache } = await load("src/model/cache.ts");

const open = (engine) => createSession(engine, { key: 1, id: "test", form: "log", files: [], bytes: 1 });

/** A session whose rows are all read. */
async function read(specs, options) {
  const engine = fakeEngine(rowsOf(specs), options);
  const model = open(engine);
  await until(() => model.verification.value.state === "done");
  return { engine, model };
}

async function until(holds) {
  for (let tries = 0; !holds(); tries++) {
    assert.ok(tries < 500, "it never came");
    await sleep(5);
  }
}

const shown = (model) => Array.from({ length: model.shown.value.length }, (_, at) => model.shown.value.rowAt(at));
const only = (more) => ({ roles: new Set(), kinds: new Set(), tools: new Set(), errorsOnly: false, ...more });

test("a session is surveyed first, then verified", async () => {
  const { engine, model } = await read([user(), answer()]);
  assert.deepEqual(engine.asked, ["survey", "verify"]);
  assert.equal(model.verification.value.result.head.seq, 1);
});

test("a large session is neither surveyed nor verified unasked", async () => {
  const engine = fakeEngine(rowsOf([user(), answer()]), { isLarge: true });
  const model = open(engine);
  await until(() => model.layout.value);
  await sleep(20);
  assert.deepEqual(engine.asked, []);
  assert.equal(model.shown.value.length, 2);
});

test("rows that were never read count as shown", async () => {
  const specs = Array.from({ length: 12 }, () => usage(1, 1));
  specs[4] = answer();
  const engine = fakeEngine(rowsOf(specs), { isLarge: true });
  const model = open(engine);
  await until(() => model.layout.value);
  assert.equal(model.shown.value.length, 12);
  model.row(5);
  await until(() => model.row(5));
  assert.deepEqual(shown(model), [0, 1, 2, 3, 4, 8, 9, 10, 11]);
});

test("results are drawn in the row of their calls", async () => {
  const { model } = await read([user(), call("a", "b"), result("a"), result("b"), answer()]);
  assert.deepEqual(shown(model), [0, 1, 4]);
  await until(() => model.resultOf(1, "b"));
  assert.deepEqual(model.resultOf(1, "b"), { row: 3, part: { type: "result", call: "b", output: "output of b" } });
  assert.equal(model.resultOf(1, "c"), undefined);
});

test("a result without its call is a row of its own", async () => {
  const { model } = await read([user(), result("nobody"), call("a"), answer()]);
  assert.deepEqual(shown(model), [0, 1, 2, 3]);
});

test("a result finds its call in a block that comes later", async () => {
  const specs = [user(), answer(), answer(), call("a"), result("a"), answer()];
  const engine = fakeEngine(rowsOf(specs), { isLarge: true });
  const model = open(engine);
  await until(() => model.layout.value);
  model.row(4);
  await until(() => model.row(4));
  assert.deepEqual(shown(model), [0, 1, 2, 3, 4, 5]);
  model.row(3);
  await until(() => model.row(3));
  assert.deepEqual(shown(model), [0, 1, 2, 3, 5]);
});

test("ids that are used again belong to the nearest call before", async () => {
  const { model } = await read([call("1"), result("1"), call("1"), result("1"), call("1"), result("1")], { perBlock: 3 });
  assert.deepEqual(shown(model), [0, 2, 4]);
  await until(() => model.resultOf(4, "1"));
  assert.equal(model.resultOf(2, "1").row, 3);
  assert.equal(model.resultOf(4, "1").row, 5);
});

test("usage is told of the answer before it", async () => {
  const { model } = await read([user(), answer(), usage(10, 3), user(), usage(1, 1)]);
  assert.deepEqual(shown(model), [0, 1, 3, 4]);
  await until(() => model.usageOf(1));
  assert.deepEqual(model.usageOf(1), { input: 10, output: 3 });
  model.filter.value = only({ kinds: new Set(["llm_usage"]) });
  assert.deepEqual(shown(model), [2, 4]);
});

test("turns go on over blocks, and their sums with them", async () => {
  const { model } = await read([
    { kind: "session_start" },
    user("one"),
    call("a"),
    result("a", { isError: true }),
    answer(),
    usage(10, 3),
    user("two"),
    answer({ input: 5, output: 1 }),
  ]);
  const [one, two] = model.turns.value;
  assert.deepEqual([one.number, one.row, one.preview, one.rows, one.calls, one.errors], [1, 1, "one", 5, 1, 1]);
  assert.deepEqual([one.usage.input, one.usage.output, one.tookMs], [10, 3, 4000]);
  assert.deepEqual([two.number, two.row, two.usage.input], [2, 6, 5]);
  assert.deepEqual([model.totals.value.entries, model.totals.value.usage.input], [8, 15]);
});

test("an answer whose usage is told twice counts once", async () => {
  const { model } = await read([user(), answer({ input: 7, output: 2 }), usage(7, 2)]);
  assert.equal(model.totals.value.usage.input, 7);
});

test("filters", async (t) => {
  const failing = result("b", { isError: true });
  const { model } = await read([user(), call("a"), result("a"), call("b"), failing, answer(), { kind: "gap" }]);
  const cases = {
    "of a role": [{ roles: new Set(["user"]) }, [0]],
    "show results alone where their calls are not shown": [{ roles: new Set(["tool"]) }, [2, 4]],
    "draw results in their calls where both are": [{ roles: new Set(["tool", "assistant"]) }, [1, 3, 5]],
    "of a tool": [{ tools: new Set(["read_file"]) }, [1, 3]],
    "of errors show the calls that failed": [{ errorsOnly: true }, [3]],
    "of everything at once": [{ errorsOnly: true, roles: new Set(["user"]) }, []],
  };
  for (const [name, [filter, expected]] of Object.entries(cases)) {
    await t.test(name, () => {
      model.filter.value = only(filter);
      assert.deepEqual(shown(model), expected);
    });
  }
});

test("a filter reads what was never read", async () => {
  const engine = fakeEngine(rowsOf(Array.from({ length: 20 }, (_, at) => (at % 10 ? answer() : user()))), { isLarge: true });
  const model = open(engine);
  await until(() => model.layout.value);
  model.filter.value = only({ roles: new Set(["user"]) });
  assert.equal(model.shown.value.length, 0);
  await until(() => model.survey.value.state === "done");
  assert.deepEqual(shown(model), [0, 10]);
});

test("counts, and marks in the log's order", async () => {
  const { model } = await read([
    user(),
    call("a"),
    result("a", { isError: true, preview: "no such file" }),
    { kind: "gap", problem: { code: "bad_hash", message: "changed" } },
    { kind: "redacted", role: "event" },
    { kind: "compaction" },
  ]);
  assert.equal(model.counts.value.roles.get("assistant"), 1);
  assert.equal(model.counts.value.tools.get("read_file"), 1);
  assert.equal(model.counts.value.errors, 2);
  assert.deepEqual(
    model.marks.value.map(({ row, what, text }) => [row, what, text]),
    [[2, "error", "no such file"], [3, "gap", "gap: changed"], [4, "withheld", "redacted"], [5, "compaction", "compaction"]],
  );
});

test("events that say the same are one row", async () => {
  const event = { kind: "extension", preview: "tick" };
  const { model } = await read([user(), event, event, event, { kind: "extension", preview: "tock" }, event], { perBlock: 8 });
  assert.deepEqual(shown(model), [0, 1, 4, 5]);
  assert.equal(model.repeatsOf(1), 2);
  assert.equal(model.shown.value.indexOf(3), 1);
});

test("going to a result goes to its call and opens it", async () => {
  const { model } = await read([user(), call("a", "b"), result("a"), result("b")]);
  model.goTo(3);
  assert.deepEqual(model.target.value, { row: 1, focus: false, at: "start" });
  await until(() => model.folds.value.size > 0);
  assert.deepEqual([...model.folds.value], [["1:1", true]]);
});

test("going to a row that a filter hides clears the filter", async () => {
  const { model } = await read([user(), answer()]);
  model.filter.value = only({ roles: new Set(["user"]) });
  model.goTo(1, { focus: true });
  assert.deepEqual(shown(model), [0, 1]);
  assert.deepEqual(model.target.value, { row: 1, focus: true, at: "start" });
});

test("an entry is found by its number where gaps moved the rows", async () => {
  const specs = Array.from({ length: 40 }, (_, row) => ({ ...answer(), seq: row < 10 ? row : row + 100 }));
  specs[10] = { kind: "gap", seq: undefined };
  const model = open(fakeEngine(rowsOf(specs), { isLarge: true }));
  await until(() => model.layout.value);
  assert.equal(await model.rowOfSeq(3), 3);
  assert.equal(await model.rowOfSeq(125), 25);
  assert.equal(await model.rowOfSeq(50), undefined);
});

test("a search goes to the first hit at or after where one is, and round", async () => {
  const { model } = await read([user("x"), user("needle"), user("y"), user("needle"), user("needle")]);
  model.current.value = 2;
  model.search.start("needle", false);
  await until(() => model.search.job.value.state === "done");
  assert.deepEqual(model.search.hits.value.map((hit) => hit.row), [1, 3, 4]);
  assert.equal(model.target.value.row, 3);
  model.search.next();
  model.search.next();
  assert.equal(model.target.value.row, 1);
  model.search.previous();
  assert.equal(model.target.value.row, 4);
  model.search.clear();
  assert.deepEqual([model.search.at.value, model.search.hits.value.length, model.search.query.value.text], [-1, 0, ""]);
});

test("a search that is stopped or cleared says nothing more", async () => {
  const { model } = await read([user("needle")]);
  model.search.start("needle", false);
  model.search.clear();
  await sleep(20);
  assert.deepEqual([model.search.job.value.state, model.search.hits.value.length], ["idle", 0]);
});

test("what was stopped stays stopped, and nothing is verified behind it", async () => {
  const engine = fakeEngine(rowsOf(Array.from({ length: 2000 }, () => answer())));
  const model = open(engine);
  await until(() => model.survey.value.state === "running" && model.survey.value.progress.done > 0);
  model.stop();
  await sleep(50);
  assert.equal(model.survey.value.state, "stopped");
  assert.deepEqual(engine.asked, ["survey"]);
});

test("a block that cannot be read says why, and is read again when asked", async () => {
  const engine = fakeEngine(rowsOf([user(), answer()]), { isLarge: true });
  engine.failing.add(0);
  const model = open(engine);
  await until(() => model.layout.value);
  model.entry(0);
  await until(() => model.trouble(0));
  assert.equal(model.trouble(0).code, "network");
  model.entry(0);
  assert.deepEqual(engine.asked, ["entries 0"], "it is not asked for again and again");
  engine.failing.clear();
  model.retry(0);
  await until(() => model.entry(0));
  assert.equal(model.trouble(0), undefined);
});

test("markdown of a row has the results that are drawn in it", async () => {
  const { model } = await read([user(), call("a"), result("a"), answer()]);
  assert.equal(await model.markdown([3, 1]), "1 2 3");
});

test("a million rows are surveyed in time that grows with their number", async () => {
  const some = rowsOf(Array.from({ length: 1000 }, (_, at) => [user(), call("x"), result("x"), answer()][at % 4]));
  const layout = { blocks: [], rows: 1_000_000, isComplete: true, isLarge: false, rawBytes: 1 };
  for (let block = 0; block < 1000; block++) layout.blocks.push({ first: block * 1000, rows: 1000, bytes: 1 });
  const engine = {
    ...fakeEngine(some),
    layout: async () => layout,
    async survey(_, each) {
      for (let block = 0; block < 1000; block++) {
        const rows = some.map((row) => ({ ...row, row: row.row + block * 1000, seq: row.seq + block * 1000 }));
        each({ block, rows, layout, progress: { done: block, total: 1000 } });
        if (block % 10 === 0) await sleep(0);
      }
    },
  };
  const start = performance.now();
  const model = open(engine);
  for (; model.verification.value.state !== "done"; await sleep(10)) assert.ok(performance.now() - start < 30_000);
  assert.equal(model.shown.value.length, 750_000);
  assert.equal(model.shown.value.rowAt(749_999), 999_999);
  assert.equal(model.turns.value.length, 100_000);
});

test("blocks over the limit are forgotten, those asked for the longest ago first", async () => {
  let time = 0;
  const cache = new BlockCache({ limit: 3, load: async (block) => block, weigh: () => 1, time: () => time, arrived() {} });
  for (let block = 0; block < 5; block++, time++) await cache.load(block);
  assert.deepEqual([0, 1, 2, 3, 4].map((block) => cache.peek(block)), [undefined, undefined, 2, 3, 4]);
});

test("what one drawing asks for is kept, however much it is", async () => {
  const cache = new BlockCache({ limit: 1, load: async (block) => block, weigh: () => 1, time: () => 0, arrived() {} });
  await Promise.all([0, 1, 2].map((block) => cache.load(block)));
  assert.deepEqual([0, 1, 2].map((block) => cache.peek(block)), [0, 1, 2]);
});

test("a block that is asked for twice is read once", async () => {
  let reads = 0;
  const load = async (block) => (reads++, block);
  const cache = new BlockCache({ limit: 9, load, weigh: () => 1, time: () => 0, arrived() {} });
  cache.get(1);
  cache.get(1);
  await cache.load(1);
  assert.equal(reads, 1);
});

test("a filter that lets nothing through is cleared by going anywhere", async () => {
  const { model } = await read([user(), call("a"), result("a")]);
  model.filter.value = only({ roles: new Set(["system"]) });
  assert.equal(model.shown.value.length, 0);
  model.goTo(2);
  assert.deepEqual([model.target.value.row, model.shown.value.length], [1, 2]);
});

test("an entry of a log that is not read yet is waited for", async () => {
  const rows = rowsOf(Array.from({ length: 20 }, () => answer()));
  const engine = fakeEngine(rows);
  const whole = await engine.layout();
  engine.layout = async () => ({ ...whole, blocks: whole.blocks.slice(0, 1), rows: 4, isComplete: false, isLarge: true });
  engine.told = 1;
  const model = open(engine);
  assert.equal(await model.rowOfSeq(17), 17);
  assert.equal(await model.rowOfSeq(99), undefined);
});

test("entries that are found after their page was read are drawn, too", async () => {
  const engine = fakeEngine(rowsOf([user(), answer(), answer(), answer(), answer(), answer()]), { perBlock: 2 });
  const { blocks, ...all } = await engine.layout();
  const { entries, survey } = engine;
  let found = 2;
  Object.assign(engine, {
    told: 1,
    layout: async () => ({ ...all, blocks: blocks.slice(0, 1), rows: found, isComplete: false }),
    entries: async (key, first, count) => (await entries.call(engine, key, first, count)).slice(0, found - first),
    survey: async (...args) => {
      await until(() => model.entry(1));
      found = 6;
      await survey.apply(engine, args);
    },
  });
  const model = open(engine);
  await until(() => model.survey.value.state === "done");
  await until(() => model.entry(5));
  assert.equal(model.entry(5).row, 5);
});
