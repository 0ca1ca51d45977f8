// How one gets to a place: outline, chart, filters, search and links.

import { strict as assert } from "node:assert";
import { test } from "node:test";

import { startChromium, until } from "./browser.mjs";
import { bundle, long, sample, sessionOf } from "./sessions.mjs";

const { visit } = await startChromium();
const log = await sample();
const clipboard = { permissions: ["clipboard-read", "clipboard-write"] };

/** Shows the sample. */
const read = (use, options = {}) =>
  visit(options, async (viewer) => {
    await viewer.read(log, "fix-the-tests.jsonl");
    await use(viewer);
  });

/** Rows of what is shown. */
const rows = (viewer) => viewer.list.locator("article").evaluateAll((all) => all.map((row) => Number(row.dataset.row)));

/** Searches, and waits until it is known what was found. */
async function search(viewer, text) {
  // Another search takes the place of the last one's text.
  await viewer.press((await viewer.focus()).tag === "input" ? "Control+a" : "/");
  await viewer.page.keyboard.insertText(text);
  await viewer.press("Enter");
  const count = viewer.page.locator(".search-count");
  await until(async () => /^(\d+ of \d+|Nothing found)$/.test(await count.textContent()), "the search's end");
  return count;
}

/** The text that is marked as the match looked at. */
const marked = (viewer) =>
  viewer.page.evaluate(() => [...CSS.highlights.get("turnkeep-find-current")].map((range) => range.toString()));

test("the outline lists the turns of the user and what is between them", async () => {
  await read(async (viewer) => {
    const lines = await viewer.texts(".tree-line");
    assert.match(lines[0], /^1The tests fail on the build server/);
    assert.ok(lines.some((line) => /^2Thanks/.test(line)));
    assert.ok(lines.some((line) => line.includes("the history keeps its last item")), "the compaction");
    assert.ok(lines.some((line) => /^4And the next one/.test(line)));
  });
});

test("a click in the outline goes there, and the outline follows what is read", async () => {
  await read(async (viewer) => {
    await viewer.page.locator(".tree-line", { hasText: "And the next one" }).click();
    await until(() => viewer.inView(17), "the turn in view");
    await until(async () => /And the next one/.test((await viewer.texts(".tree-line[aria-selected=true]"))[0]), "the outline");
    await viewer.press("K", "K", "K");
    await until(async () => /The tests fail/.test((await viewer.texts(".tree-line[aria-selected=true]"))[0]), "the outline, back");
  });
});

test("errors of a turn are counted in the outline, and listed when asked", async () => {
  await read(async (viewer) => {
    const first = viewer.page.locator(".tree-line").first();
    assert.equal(await first.getAttribute("aria-expanded"), "false");
    const before = await viewer.page.locator(".tree-line").count();
    await first.locator(".tree-errors").click();
    assert.equal(await first.getAttribute("aria-expanded"), "true");
    assert.equal(await viewer.page.locator(".tree-line").count(), before + 1);
  });
});

test("J and K go from turn to turn of the user", async () => {
  await read(async (viewer) => {
    const places = [];
    for (const key of ["J", "J", "J", "J", "K", "K"]) {
      await viewer.press(key);
      places.push((await viewer.focus()).row);
    }
    assert.deepEqual(places, [2, 12, 13, 17, 13, 12]);
  });
});

test("the chart goes to places by arrow keys and by a click", async () => {
  await read(async (viewer) => {
    const chart = viewer.page.getByRole("slider");
    await chart.focus();
    await viewer.press("End");
    assert.equal(await chart.getAttribute("aria-valuenow"), await chart.getAttribute("aria-valuemax"));
    assert.match(await chart.getAttribute("aria-valuetext"), /Turn 4/);
    await viewer.press("Home");
    assert.equal(await chart.getAttribute("aria-valuenow"), "1");
    const box = await chart.boundingBox();
    await viewer.page.mouse.click(box.x + box.width - 3, box.y + 10);
    await until(() => viewer.inView(19), "the end in view");
  });
});

test("filters tell how many there are of each role, kind and tool", async () => {
  await read(async (viewer) => {
    await viewer.press("f");
    const choices = Object.fromEntries(
      await viewer.page.locator(".choice").evaluateAll((all) => all.map((one) => [one.querySelector(".cut").textContent, Number(one.querySelector(".choice-count").textContent)])),
    );
    const expected = { "Errors only": 2, User: 4, Assistant: 5, Tool: 4, bash: 1, read_file: 1, grep: 1, edit: 1, user_input: 4, compaction: 1 };
    for (const [name, count] of Object.entries(expected)) assert.equal(choices[name], count, `${name} of ${JSON.stringify(choices)}`);
  });
});

test("a filter shows only what fits, several of a sort widen it, of other sorts narrow it, and Clear ends it", async () => {
  await read(async (viewer) => {
    const choose = async (name) => viewer.page.locator(".choice").getByText(name, { exact: true }).click();
    const all = await rows(viewer);
    await viewer.press("f");
    await choose("User");
    assert.deepEqual(await rows(viewer), [2, 12, 13, 17]);
    assert.match(await viewer.page.locator(".filters-sum").textContent(), /^4 rows shown/);
    await choose("Assistant");
    assert.deepEqual(await rows(viewer), [2, 3, 5, 8, 12, 13, 14, 17, 18]);
    await choose("Errors only");
    assert.deepEqual(await rows(viewer), [3], "what failed in a card counts for its call");
    await viewer.page.getByRole("button", { name: "Filters (in force)" }).waitFor();
    await viewer.button("Clear").click();
    assert.deepEqual(await rows(viewer), all);
    await choose("grep");
    assert.deepEqual(await rows(viewer), [5]);
  });
});

test("a filter that nothing fits says so", async () => {
  await read(async (viewer) => {
    await viewer.press("f");
    await viewer.page.locator(".choice").getByText("User", { exact: true }).click();
    await viewer.page.locator(".choice").getByText("Errors only", { exact: true }).click();
    await viewer.list.getByText("Nothing matches the filter.").waitFor();
  });
});

test("a filter that hides where a link leads is taken away", async () => {
  await read(async (viewer) => {
    await viewer.press("f");
    await viewer.page.locator(".choice").getByText("User", { exact: true }).click();
    await viewer.page.evaluate(() => (location.hash = "#s=fix-the-tests&e=14"));
    await until(() => viewer.inView(14), "the entry");
  });
});

test("search finds folded text, counts entries, and goes on and back, around the ends too", async () => {
  await read(async (viewer) => {
    const count = await search(viewer, "line_199");
    assert.equal(await count.textContent(), "1 of 1");
    await until(async () => (await marked(viewer)).length > 0, "the mark");
    assert.deepEqual(await marked(viewer), ["line_199"]);
    assert.match(await viewer.row(5).locator(".card-result").textContent(), /line_199/, "its card was opened");
    const isInView = () => viewer.page.evaluate(() => {
      const range = [...CSS.highlights.get("turnkeep-find-current")][0].getBoundingClientRect();
      const list = document.querySelector("turnkeep-viewer").shadowRoot.querySelector(".rows").getBoundingClientRect();
      return range.top >= list.top && range.bottom <= list.bottom;
    });
    await until(isInView, "the match in view, in a text that was capped");

    assert.match(await (await search(viewer, "parse")).textContent(), /of 6$/);
    const at = async () => Number((await count.textContent()).split(" ")[0]);
    const first = await at();
    await viewer.press("Enter");
    assert.equal(await at(), (first % 6) + 1);
    await viewer.press("Shift+Enter", "Shift+Enter");
    assert.equal(await at(), ((first + 4) % 6) + 1);
    await viewer.button("Next match").click();
    assert.equal(await at(), first);
  });
});

test("search looks into JSON, reasoning, system prompt and events", async () => {
  await read(async (viewer) => {
    for (const [text, row] of [["folded away", 15], ["careful engineer", 0], ["First the log", 3], ["529", 19]]) {
      assert.equal(await (await search(viewer, text)).textContent(), "1 of 1", text);
      await until(async () => (await marked(viewer)).length > 0, `the mark of ${text}`);
      await until(() => viewer.inView(row), `row ${row}`);
    }
  });
});

test("search minds the case only when asked to", async () => {
  await read(async (viewer) => {
    assert.match(await (await search(viewer, "THE TESTS FAIL")).textContent(), /^1 of 1$/);
    await viewer.button("Match case").click();
    await until(async () => (await viewer.page.locator(".search-count").textContent()) === "Nothing found", "the search with case");
  });
});

test("search says when there is nothing, and Esc ends it and its marks", async () => {
  await read(async (viewer) => {
    assert.equal(await (await search(viewer, "no such words")).textContent(), "Nothing found");
    await search(viewer, "parse");
    await viewer.press("Escape");
    assert.equal(await viewer.page.locator("search").count(), 0);
    await until(async () => (await marked(viewer)).length === 0, "no marks");
    assert.notEqual((await viewer.focus()).tag, "body");
  });
});

test("n and N step through matches when the search has not the focus", async () => {
  await read(async (viewer) => {
    const count = await search(viewer, "parse");
    await viewer.row(2).focus();
    const before = await count.textContent();
    await viewer.press("n");
    assert.notEqual(await count.textContent(), before);
    await viewer.press("N");
    assert.equal(await count.textContent(), before);
  });
});

test("text that would mean something in a pattern is searched as it is", async () => {
  await visit({}, async (viewer) => {
    await viewer.read(await sessionOf([{ item: { role: "user", content: "a.c (x|y) [z] \\d $1" } }, { item: { role: "user", content: "abc" } }]));
    for (const text of ["a.c", "(x|y)", "[z]", "\\d", "$1"]) assert.equal(await (await search(viewer, text)).textContent(), "1 of 1", text);
  });
});

test("the search of a long session shows matches wherever they are", async () => {
  await visit({}, async (viewer) => {
    await viewer.read(await long(9_000), "long.jsonl");
    await search(viewer, "Answer 7777 ");
    await until(() => viewer.inView(7778), "the answer");
    assert.deepEqual(await marked(viewer), ["Answer 7777 "]);
  });
});

test("the browser's own find is left alone", async () => {
  await read(async (viewer) => {
    const isTaken = await viewer.page.evaluate(() => {
      const keys = [{ key: "f", ctrlKey: true }, { key: "f", metaKey: true }, { key: "g", ctrlKey: true }, { key: "F3" }];
      const target = document.querySelector("turnkeep-viewer").shadowRoot.querySelector("article");
      return keys.map((init) => !target.dispatchEvent(new KeyboardEvent("keydown", { ...init, bubbles: true, composed: true, cancelable: true })));
    });
    assert.deepEqual(isTaken, [false, false, false, false]);
    assert.equal(await viewer.page.locator("search").count(), 0);
    assert.ok(await viewer.page.evaluate(() => window.find("And the next one")), "and it finds what is out of view");
  });
});

test("a link leads to its entry, and the entry has the focus", async () => {
  await visit({ hash: "#s=fix-the-tests&e=17" }, async (viewer) => {
    assert.match(await viewer.main.textContent(), /leads to entry 17 of session fix-the-tests\. Open the file/);
    await viewer.read(log);
    await until(async () => (await viewer.focus()).row === 17, "the focus");
    assert.ok(await viewer.inView(17));
  });
});

test("a link to a result leads to its call's card, and opens it", async () => {
  await visit({ hash: "#s=fix-the-tests&e=7" }, async (viewer) => {
    await viewer.read(log);
    await until(async () => (await viewer.row(5).locator('.card-result[data-row-of="7"]').count()) === 1, "the result");
    assert.equal((await viewer.focus()).row, 5);
  });
});

test("a copied link leads where the reader is, and lets the address follow", async () => {
  await read(async (viewer) => {
    await viewer.press("J", "J", "c");
    await viewer.notice.filter({ hasText: "Link to entry 12 copied" }).waitFor();
    const link = await viewer.page.evaluate(() => navigator.clipboard.readText());
    assert.match(link, /^file:\/\/.*\/index\.html#s=fix-the-tests&e=12$/);
    assert.equal(viewer.page.url(), link);
  }, clipboard);
});

test("an entry's own button copies the link to it, also to a result in a card", async () => {
  await read(async (viewer) => {
    await viewer.row(5).locator("button.fold").first().click();
    const result = viewer.row(5).locator('.card-result[data-row-of="6"]');
    await viewer.button("Copy link", result).click();
    await viewer.notice.filter({ hasText: "Link to entry 6 copied" }).waitFor();
  }, clipboard);
});

test("back and forward lead through the places of links", async () => {
  await read(async (viewer) => {
    for (const entry of [17, 2]) {
      await viewer.page.evaluate((hash) => (location.hash = hash), `#s=fix-the-tests&e=${entry}`);
      await until(async () => (await viewer.focus()).row === entry, `entry ${entry}`);
    }
    await viewer.page.goBack();
    await until(async () => (await viewer.focus()).row === 17, "back");
    await viewer.page.goForward();
    await until(async () => (await viewer.focus()).row === 2, "forward");
  });
});

test("back and forward lead from session to session of a bundle", async () => {
  await visit({}, async (viewer) => {
    await viewer.choose({ "all.bundle": await bundle() });
    await viewer.page.locator(".session-name", { hasText: "parent" }).click();
    await viewer.settled();
    const heading = (text) => viewer.page.locator("h1", { hasText: text }).waitFor();
    await viewer.press("[");
    await heading("child");
    await viewer.page.goBack();
    await heading("parent");
    await viewer.page.goForward();
    await heading("child");
  });
});

test("a link to an entry that is not there says so", async () => {
  await visit({ hash: "#s=fix-the-tests&e=4711" }, async (viewer) => {
    await viewer.read(log);
    await viewer.notice.filter({ hasText: "entry 4711, which this session does not have" }).waitFor();
  });
});

test("a link to another session says that it is not among those that are open", async () => {
  await visit({ hash: "#s=another&e=3" }, async (viewer) => {
    await viewer.read(log);
    await viewer.notice.filter({ hasText: "session another, which is not among those" }).waitFor();
    assert.equal(await viewer.page.locator("h1").textContent(), "fix-the-tests", "what was opened is shown all the same");
  });
});

for (const hash of ["#e=-1", "#e=1e3", "#s=&e=999999999999999", "#%", "#s=%F0%28&e=x&head=zz", "#__proto__=1&constructor=2"]) {
  test(`a link that is none is no fault: ${hash}`, async () => {
    await visit({ hash }, async (viewer) => {
      await viewer.read(log);
      assert.equal(await viewer.page.locator("h1").textContent(), "fix-the-tests");
    });
  });
}
