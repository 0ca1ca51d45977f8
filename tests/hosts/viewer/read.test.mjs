// What is shown of entries.

import { strict as assert } from "node:assert";
import { test } from "node:test";

import { startChromium, until } from "./browser.mjs";
import { bundle, linesOf, sample, sessionOf, withheld } from "./sessions.mjs";

const { visit } = await startChromium();
const log = await sample();
const clipboard = { permissions: ["clipboard-read", "clipboard-write"] };

/** Shows the sample. */
const read = (use, options = {}) =>
  visit(options, async (viewer) => {
    await viewer.read(log, "fix-the-tests.jsonl");
    await use(viewer);
  });

/** Opens a call's card. */
async function opened(viewer, tool) {
  const card = viewer.page.locator(".card", { has: viewer.page.locator(".name", { hasText: tool }) });
  await card.locator("button.fold").first().click();
  await card.locator(".card-body").waitFor();
  return card;
}

test("a message tells who, which entry, when, and of answers model, tokens and cost", async () => {
  await read(async (viewer) => {
    const user = viewer.row(2).locator("header");
    assert.equal(await user.locator(".role").textContent(), "User");
    assert.equal(await user.locator(".number").textContent(), "#2");
    assert.equal(await user.locator("time").getAttribute("datetime"), "2026-11-20T08:01:07.000Z");
    const answer = viewer.row(3).locator("header");
    assert.equal(await answer.locator(".model").textContent(), "m-2");
    assert.deepEqual(await answer.locator(".tokens").allTextContents(), ["1.2K in · 80 out", "$0.0123"]);
    assert.match(await answer.locator(".tokens").first().getAttribute("title"), /900 read from the cache/);
    assert.equal(await viewer.row(3).getAttribute("aria-label"), "Assistant 3, calls bash");
  });
});

test("sums of the session stand above it", async () => {
  await read(async (viewer) => {
    const facts = await viewer.page.locator(".bar-facts").textContent();
    for (const fact of ["20 entries", "4 turns", "tokens", "$", "Nov 20, 2026"]) assert.ok(facts.includes(fact), `${fact} in ${facts}`);
  });
});

test("Markdown is drawn: emphasis, code, tables, lists, and links that say where they lead", async () => {
  await read(async (viewer) => {
    assert.equal(await viewer.row(2).locator("strong").textContent(), "why");
    assert.match(await viewer.row(2).locator("pre").textContent(), /cargo test/);
    assert.equal(await viewer.row(14).locator("table td").count(), 2);
    assert.equal(await viewer.row(14).locator("li").count(), 2);
    assert.match(await viewer.row(14).textContent(), /link \(https:\/\/example\.com\/a\)/);
  });
});

test("a call and its result are one folded card with a line that sums it up", async () => {
  await read(async (viewer) => {
    assert.equal(await viewer.row(4).count(), 0, "the result is no row of its own");
    const card = viewer.row(3).locator(".card");
    assert.equal(await card.count(), 1);
    assert.equal(await card.locator("button.fold").getAttribute("aria-expanded"), "false");
    assert.equal(await card.locator(".name").textContent(), "bash");
    assert.equal(await card.locator(".summary").textContent(), "cargo test 2>&1 | tail -n 20");
    assert.equal(await card.locator(".outcome").textContent(), "failed");
    assert.equal(await card.locator(".took").textContent(), "7.0 s");
    assert.equal(await card.locator(".error-line").textContent(), "FAILED parse::empty", "what failed is told while it is folded");
    await opened(viewer, "bash");
    assert.match(await card.locator(".card-result").textContent(), /#4/);
    await card.locator("button.fold").first().click();
    assert.equal(await card.locator(".card-body").count(), 0);
  });
});

test("two calls of one answer are two cards, each with its own result", async () => {
  await read(async (viewer) => {
    assert.deepEqual(await viewer.row(5).locator(".card .name").allTextContents(), ["read_file", "grep"]);
    const card = await opened(viewer, "grep");
    assert.match(await card.locator(".card-result").textContent(), /#7.*matches/s);
  });
});

test("an edit is shown as a diff", async () => {
  await read(async (viewer) => {
    const card = await opened(viewer, "edit");
    assert.equal(await card.locator(".c-path").first().textContent(), "src/parse.rs");
    const diff = card.locator(".c-call .c-diff");
    assert.ok((await diff.locator(".c-removed").count()) >= 1);
    assert.ok((await diff.locator(".c-added").count()) >= 3);
    assert.ok((await card.locator(".card-result .c-added").count()) >= 2, "a diff that a tool gave back, too");
  });
});

test("output in a terminal's colours has them, and can be read raw", async () => {
  await read(async (viewer) => {
    const card = await opened(viewer, "bash");
    const output = card.locator(".card-result .c-output");
    assert.ok((await output.locator("pre span").count()) >= 2);
    assert.doesNotMatch(await output.locator("pre").textContent(), /\[31m/);
    const colour = await output.locator("pre span").first().evaluate((span) => getComputedStyle(span).color);
    assert.notEqual(colour, await output.locator("pre").evaluate((pre) => getComputedStyle(pre).color));
    await viewer.button("Raw", output).click();
    assert.match(await output.locator("pre").textContent(), /\[31mFAILED/);
    await viewer.button("Rendered", output).click();
    assert.doesNotMatch(await output.locator("pre").textContent(), /\[31m/);
  });
});

test("very tall output is capped, and shown whole when asked", async () => {
  await read(async (viewer) => {
    const card = await opened(viewer, "read_file");
    const result = card.locator(".card-result");
    const height = async () => (await result.locator(".capped").first().boundingBox()).height;
    await result.locator("button.more").waitFor();
    const capped = await height();
    assert.ok(capped < 700, `${capped} px`);
    await result.locator("button.more", { hasText: "Show more" }).click();
    await result.locator("button.more", { hasText: "Show less" }).waitFor();
    assert.ok((await height()) > 2 * capped);
    assert.match(await result.textContent(), /line_199/);
  });
});

test("a text of more than 64 Ki characters is cut, and read whole when asked", async () => {
  const text = `${"many words ".repeat(20_000)}the end`;
  await visit({}, async (viewer) => {
    await viewer.read(await sessionOf([{ kind: "user_input", item: { role: "user", content: text } }]));
    const all = viewer.row(1).locator("button.show-all");
    assert.equal(await all.textContent(), "Show all 220,007 characters");
    assert.doesNotMatch(await viewer.row(1).textContent(), /the end/);
    await all.click();
    await until(async () => /the end/.test(await viewer.row(1).textContent()), "the whole text");
  });
});

test("reasoning is folded, with its first line beside it", async () => {
  await read(async (viewer) => {
    const folded = viewer.row(3).locator(".folded");
    assert.match(await folded.textContent(), /Reasoning.*First the log of the server\./);
    assert.doesNotMatch(await folded.textContent(), /Then the code/);
    await folded.locator("button.fold").click();
    assert.match(await folded.textContent(), /Then the code that it names/);
  });
});

test("an image of the file is shown, with what it is for those who do not see it", async () => {
  await read(async (viewer) => {
    const image = viewer.row(13).locator("img");
    await image.scrollIntoViewIfNeeded();
    await until(() => image.evaluate((img) => img.complete && img.naturalWidth === 40), "the image");
    assert.equal(await image.getAttribute("alt"), "Image, 40 by 24 pixels");
    assert.match(await image.getAttribute("src"), /^blob:/);
  });
});

test("an image elsewhere is not loaded, but told", async () => {
  const item = { role: "user", content: [{ type: "image", source: { type: "url", url: "https://example.com/a.png" } }] };
  await visit({}, async (viewer) => {
    await viewer.read(await sessionOf([{ kind: "user_input", item }]));
    assert.match(await viewer.row(1).textContent(), /Image that is not in this file.*https:\/\/example\.com\/a\.png/);
    assert.deepEqual(viewer.requests, []);
  });
});

test("the line of an entry is shown with its hash, every digit of its numbers, and as it is written", async () => {
  await read(async (viewer) => {
    const row = viewer.row(15);
    await viewer.button("Raw line", row).click();
    const raw = row.locator(".raw");
    await raw.locator("pre").waitFor();
    const line = linesOf(log)[15];
    const { hash, prev_hash: previous } = JSON.parse(line);
    assert.deepEqual(await raw.locator("dd").allTextContents(), [hash, previous, String(line.length)]);
    assert.match(await raw.textContent(), /"n": 12345678901234567890/);
    await viewer.button("As written", raw).click();
    assert.equal(await raw.locator("pre").textContent(), line.trimEnd());
    await viewer.button("Copy the line", raw).click();
    await viewer.notice.filter({ hasText: "Line copied" }).waitFor();
    assert.equal(await viewer.page.evaluate(() => navigator.clipboard.readText()), line.trimEnd());
  }, clipboard);
});

test("a result in its call's card has a line of its own, too", async () => {
  await read(async (viewer) => {
    const card = await opened(viewer, "grep");
    await viewer.button("Raw line", card.locator(".card-result")).click();
    await card.locator(".raw pre").waitFor();
    assert.match(await card.locator(".raw").textContent(), new RegExp(JSON.parse(linesOf(log)[7]).hash));
  });
});

test("an entry, and all that is shown, can be copied as Markdown", async () => {
  await read(async (viewer) => {
    const copied = () => viewer.page.evaluate(() => navigator.clipboard.readText());
    await viewer.row(2).hover();
    await viewer.button("Copy as Markdown", viewer.row(2)).click();
    await viewer.notice.filter({ hasText: "Entry copied" }).waitFor();
    assert.match(await copied(), /Please find out \*\*why\*\*/);
    assert.doesNotMatch(await copied(), /And the next one/);
    await viewer.press("m");
    await viewer.notice.filter({ hasText: "rows copied as Markdown" }).waitFor();
    const all = await copied();
    for (const text of ["Please find out **why**", "cargo test 2>&1", "fn line_199()", "And the next one?"]) assert.ok(all.includes(text), text);
  }, clipboard);
});

test("where the browser lets nothing be copied, the page says so", async () => {
  await read(async (viewer) => {
    await viewer.page.evaluate(() => {
      navigator.clipboard.writeText = () => Promise.reject(new Error("no"));
    });
    await viewer.press("m");
    await viewer.notice.filter({ hasText: "does not let this page copy" }).waitFor();
  });
});

test("a compaction is a boundary, and what it summed up can be read", async () => {
  await read(async (viewer) => {
    const row = viewer.row(16);
    assert.equal(await row.locator(".boundary .title").textContent(), "Compaction");
    await row.locator("button.fold").click();
    assert.match(await row.textContent(), /The parser was mended\./);
  });
});

test("an error of the run is marked and told", async () => {
  await read(async (viewer) => {
    assert.match(await viewer.row(19).textContent(), /Run errored.*The model did not answer: 529/);
    assert.match(await viewer.row(19).getAttribute("class"), /failed/);
  });
});

test("a fork tells from where it comes, beside what it has from there", async () => {
  await visit({}, async (viewer) => {
    await viewer.choose({ "all.bundle": await bundle() });
    await viewer.page.locator(".session-name", { hasText: "child" }).click();
    await viewer.settled();
    const lineage = viewer.list.locator(".lineage");
    assert.match(await lineage.textContent(), /^Forked from parent at entry 5[0-9a-f]{64}$/);
    assert.match(await viewer.list.textContent(), /The tests fail on the build server.*Another way/s);
    assert.ok((await viewer.texts(".tree-mark")).length > 0, "the outline has it, too");
  });
});

test("withheld entries have their place, and say that they are withheld", async () => {
  await visit({}, async (viewer) => {
    await viewer.read(withheld(withheld(log, 12), 13), "fix-the-tests.jsonl");
    assert.match(await viewer.row(12).textContent(), /Withheld.*taken out/);
    assert.match(await viewer.row(13).textContent(), /Withheld/);
    assert.doesNotMatch(await viewer.list.textContent(), /Here is how it looked/);
    assert.match(await viewer.badge.textContent(), /2 entries withheld/);
    assert.ok((await viewer.texts(".tree-mark")).some((text) => text.includes("2 entries withheld")));
  });
});

test("events that say the same one after the other are one line with their number", async () => {
  const note = { kind: "extension", domain: "tests.beat", payload: { at: 1 } };
  await visit({}, async (viewer) => {
    await viewer.read(await sessionOf([note, note, note, { kind: "user_input", item: { role: "user", content: "Hi" } }]));
    assert.match(await viewer.row(1).locator(".repeats").textContent(), /3$/);
    assert.equal(await viewer.row(2).count(), 0);
  });
});

test("what OpenAI's and other shapes of messages say is shown alike", async () => {
  const assistant = {
    role: "assistant",
    content: null,
    tool_calls: [{ id: "c1", type: "function", function: { name: "weather", arguments: '{"city":"Oslo"}' } }],
  };
  const tool = { role: "tool", tool_call_id: "c1", content: "Rain" };
  await visit({}, async (viewer) => {
    await viewer.read(await sessionOf([{ item: { role: "user", content: "Weather?" } }, { item: assistant }, { item: tool }]));
    assert.equal(await viewer.row(2).locator(".card .name").textContent(), "weather");
    assert.equal(await viewer.row(2).locator(".card .summary").textContent(), "Oslo");
    await opened(viewer, "weather");
    assert.match(await viewer.row(2).textContent(), /Rain/);
  });
});
