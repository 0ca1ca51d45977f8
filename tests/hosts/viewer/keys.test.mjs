// The page without a mouse, for screen readers, in both themes, with less motion, and on a narrow screen.

import { strict as assert } from "node:assert";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";

import { startChromium, until } from "./browser.mjs";
import { bundle, flipped, long, sample } from "./sessions.mjs";

const { visit } = await startChromium();
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const log = await sample();
const clipboard = { permissions: ["clipboard-read", "clipboard-write"] };

/** Shows the sample. */
const read = (use, options = {}) =>
  visit(options, async (viewer) => {
    await viewer.read(log, "fix-the-tests.jsonl");
    await use(viewer);
  });

/** Whether something that keys can act on has the focus. */
async function assertFocus(viewer, when) {
  const { tag } = await viewer.focus();
  assert.ok(tag !== "body" && tag !== "none" && tag !== "turnkeep-viewer", `the focus is lost ${when}`);
}

test("j, k, g, G, J and K move through the rows, and the focus with them", async () => {
  await read(async (viewer) => {
    const places = [];
    for (const key of ["j", "j", "j", "k", "G", "g", "J", "K"]) {
      await viewer.press(key);
      const { row } = await viewer.focus();
      assert.ok(await viewer.inView(row), `row ${row} after ${key}`);
      places.push(row);
    }
    assert.deepEqual(places, [0, 1, 2, 1, 19, 0, 2, 2]);
  });
});

test("e and E go to what failed, past what is drawn in its call, and tell where there is no more", async () => {
  await read(async (viewer) => {
    const places = [];
    for (const key of ["e", "e", "E"]) {
      await viewer.press(key);
      places.push((await viewer.focus()).row);
    }
    assert.deepEqual(places, [3, 19, 3]);
    await viewer.press("E");
    assert.equal(await viewer.notice.textContent(), "Nothing failed before this row");
    assert.equal((await viewer.focus()).row, 3);
  });
});

test("O lets one choose other files, from a session and from a list", async () => {
  await visit({}, async (viewer) => {
    await viewer.choose({ "all.bundle": await bundle() });
    await viewer.page.locator(".session-name").first().waitFor();
    const choosers = [];
    viewer.page.on("filechooser", (chooser) => choosers.push(chooser));
    // The browser hears of that before it answers.
    await viewer.painted();
    for (const name of ["one.jsonl", "two.jsonl"]) {
      await viewer.painted();
      await viewer.press("O");
      await until(() => choosers.length > 0, "the dialog");
      await choosers.pop().setFiles({ name, mimeType: "", buffer: Buffer.from(log) });
      await viewer.page.locator("h1", { hasText: name.slice(0, 3) }).waitFor();
    }
  });
});

test("Home and End go to the ends", async () => {
  await read(async (viewer) => {
    await viewer.press("j", "End");
    assert.equal((await viewer.focus()).row, 19);
    await viewer.press("Home");
    assert.equal((await viewer.focus()).row, 0);
  });
});

test("x folds and unfolds the row, X all of them", async () => {
  await read(async (viewer) => {
    const open = () => viewer.page.locator(".card-body").count();
    await viewer.press("J", "j", "x");
    assert.equal(await open(), 1);
    await viewer.press("x");
    assert.equal(await open(), 0);
    await viewer.press("X");
    assert.equal(await open(), 4);
    await viewer.press("X");
    assert.equal(await open(), 0);
    await assertFocus(viewer, "after folding");
  });
});

test("r shows the row's raw line and hides it again", async () => {
  await read(async (viewer) => {
    await viewer.press("j", "r");
    await viewer.row(0).locator(".raw pre").waitFor();
    await viewer.press("r");
    assert.equal(await viewer.row(0).locator(".raw").count(), 0);
  });
});

test("c copies a link, m copies Markdown", async () => {
  await read(async (viewer) => {
    await viewer.press("J", "c");
    await viewer.notice.filter({ hasText: "Link to entry 2" }).waitFor();
    await viewer.press("m");
    await viewer.notice.filter({ hasText: "as Markdown" }).waitFor();
  }, clipboard);
});

test("/ opens the search, Enter searches, n and N step, Esc closes it, and the focus goes back", async () => {
  await read(async (viewer) => {
    await viewer.press("J", "/");
    assert.equal((await viewer.focus()).tag, "input");
    await viewer.page.keyboard.insertText("parse");
    await viewer.press("Enter");
    await until(async () => /of 6/.test(await viewer.page.locator(".search-count").textContent()), "the matches");
    await viewer.press("Escape");
    assert.equal(await viewer.page.locator("search").count(), 0);
    await assertFocus(viewer, "after the search");
  });
});

test("f and o open and close filters and outline, and the focus is kept", async () => {
  await read(async (viewer) => {
    const panes = () => viewer.page.locator("[data-pane]").evaluateAll((all) => all.map((pane) => pane.dataset.pane));
    await viewer.press("J", "f");
    assert.deepEqual(await panes(), ["outline", "filters"]);
    await viewer.page.locator("[data-pane=filters] input").first().focus();
    await viewer.press("f");
    assert.deepEqual(await panes(), ["outline"]);
    await assertFocus(viewer, "after filters closed");
    await viewer.page.getByRole("tree").focus();
    await viewer.press("o");
    assert.deepEqual(await panes(), []);
    await assertFocus(viewer, "after the outline closed");
    await viewer.press("o");
    assert.deepEqual(await panes(), ["outline"]);
  });
});

test("a filter that hides the row with the focus gives it to the nearest one", async () => {
  await read(async (viewer) => {
    await viewer.press("f", "G");
    const choice = viewer.page.locator(".choice[data-role=user] input");
    // As a script would: without taking the focus.
    await choice.evaluate((input) => input.click());
    await viewer.painted();
    assert.equal((await viewer.focus()).row, 17);
    assert.ok(await viewer.inView(17));
  });
});

test("v opens the report, Esc closes it, and the focus goes back to where it was", async () => {
  await read(async (viewer) => {
    await viewer.press("J", "v");
    await viewer.dialog.waitFor();
    await viewer.press("Tab", "Tab", "Tab");
    assert.ok(await viewer.dialog.evaluate((dialog) => dialog.contains(dialog.getRootNode().activeElement)), "it stays within");
    await viewer.press("Escape");
    await viewer.dialog.waitFor({ state: "detached" });
    assert.equal((await viewer.focus()).row, 2);
  });
});

test("? tells all keys, wherever one is; while it is open they do nothing", async () => {
  await read(async (viewer) => {
    await viewer.press("J", "?");
    const told = await viewer.texts("dialog kbd");
    for (const key of ["j", "k", "J", "K", "g", "G", "[", "]", "x", "X", "r", "c", "m", "/", "n", "N", "f", "o", "v", "t", "?", "Esc"]) {
      assert.ok(told.includes(key), key);
    }
    await viewer.press("f");
    assert.equal(await viewer.page.locator("[data-pane=filters]").count(), 0);
    await viewer.press("Escape");
    assert.equal((await viewer.focus()).row, 2);
  });
  await visit({}, async (viewer) => {
    await viewer.press("?");
    await viewer.dialog.waitFor();
    await viewer.press("Escape");
    await viewer.dialog.waitFor({ state: "detached" });
  });
});

test("keys are letters while one types", async () => {
  await read(async (viewer) => {
    await viewer.press("/");
    await viewer.page.keyboard.type("fox/?tjG");
    assert.equal(await viewer.page.locator("search input").inputValue(), "fox/?tjG");
    assert.equal(await viewer.page.locator("[data-pane=filters], dialog").count(), 0);
  });
});

test("[ and ] go through the sessions, and the list is one tab away", async () => {
  await visit({}, async (viewer) => {
    await viewer.choose({ "all.bundle": await bundle() });
    await viewer.page.locator(".session-name").first().waitFor();
    await viewer.press("Enter");
    await viewer.settled();
    await viewer.press("]");
    await viewer.page.locator("h1", { hasText: "parent" }).waitFor();
    await viewer.press("]", "[");
    await viewer.page.locator("h1", { hasText: "child" }).waitFor();
    await viewer.button("All sessions").focus();
    await viewer.press("Enter");
    await viewer.page.locator(".session-name").first().waitFor();
    await assertFocus(viewer, "in the list");
  });
});

test("the first tab stop skips to the content, and every control can be reached by Tab", async () => {
  await read(async (viewer) => {
    await viewer.press("Tab");
    assert.equal((await viewer.focus()).name, "Skip to the content");
    const seen = new Set();
    for (let tabs = 0; tabs < 80; tabs += 1) {
      await viewer.page.keyboard.press("Tab");
      const { name } = await viewer.focus();
      seen.add(name);
    }
    for (const name of ["Outline", "Search", "Filters", "Copy link", "Copy as Markdown", "Print", "Keys", "Place in the session", "Turns"]) {
      assert.ok(seen.has(name), `${name} in ${[...seen].join(", ")}`);
    }
  });
});

test("the outline is a tree that arrow keys go through", async () => {
  await read(async (viewer) => {
    const tree = viewer.page.getByRole("tree");
    await tree.focus();
    await viewer.press("Home", "ArrowRight");
    assert.equal(await viewer.page.locator("#outline-0").getAttribute("aria-expanded"), "true");
    await viewer.press("ArrowLeft");
    assert.equal(await viewer.page.locator("#outline-0").getAttribute("aria-expanded"), "false");
    await viewer.press("End", "Enter");
    await until(() => viewer.inView(19), "the last place");
    assert.match(await tree.getAttribute("aria-activedescendant"), /^outline-\d+$/);
  });
});

test("rows tell screen readers their place and number, also in a list of which only a part is drawn", async () => {
  const places = (viewer) =>
    viewer.list.locator("article").evaluateAll((all) => all.map((row) => [Number(row.ariaPosInSet), Number(row.ariaSetSize)]));
  await read(async (viewer) => {
    const all = await places(viewer);
    assert.deepEqual(all, all.map((_, at) => [at + 1, all.length]));
    assert.equal(await viewer.list.getAttribute("role"), "feed");
  });
  await visit({}, async (viewer) => {
    await viewer.read(await long(5_000), "long.jsonl");
    await viewer.press("G");
    const drawn = await places(viewer);
    assert.ok(drawn.length < 200, `${drawn.length} rows are drawn`);
    assert.deepEqual(drawn.at(-1), [5_000, 5_000]);
    assert.equal((await viewer.focus()).row, 4_999);
    await viewer.page.mouse.move(700, 500);
    await viewer.page.mouse.wheel(0, -30_000);
    await viewer.painted();
    await assertFocus(viewer, "when its row is out of view");
    await viewer.press("k");
    assert.equal((await viewer.focus()).row, 4_998);
    assert.ok(await viewer.inView(4_998));
  });
});

test("what ends is told to screen readers: verifying and searching", async () => {
  await read(async (viewer) => {
    const told = () => viewer.page.locator("[role=status]").allTextContents();
    await until(async () => (await told()).some((text) => text.startsWith("Intact")), "the verification told");
    await viewer.press("/");
    await viewer.page.keyboard.insertText("parse");
    await viewer.press("Enter");
    await until(async () => (await told()).some((text) => /matches in 6 entries/.test(text)), "the search told");
  });
});

const ground = (viewer) => viewer.page.locator(".app").evaluate((app) => getComputedStyle(app).backgroundColor);

test("the theme is the system's, t turns it, and it is remembered", async () => {
  const light = await visit({ colorScheme: "light" }, ground);
  const dark = await visit({ colorScheme: "dark" }, ground);
  assert.notEqual(light, dark);
  await visit({ colorScheme: "light" }, async (viewer) => {
    await viewer.press("t");
    assert.equal(await ground(viewer), dark);
    await viewer.notice.filter({ hasText: "Theme: dark" }).waitFor();
    await viewer.page.reload();
    await viewer.main.waitFor();
    assert.equal(await ground(viewer), dark, "after a reload");
    await viewer.press("t");
    assert.equal(await ground(viewer), light);
    await viewer.press("t");
    await viewer.page.emulateMedia({ colorScheme: "dark" });
    assert.equal(await ground(viewer), dark, "the system's again");
  });
});

test("where less motion is asked for, nothing moves", async () => {
  await read(async (viewer) => {
    const moving = await viewer.page.locator("*").evaluateAll((all) =>
      all.filter((element) => {
        const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(element);
        return animationName !== "none" || scrollBehavior === "smooth" || transitionDuration.split(", ").some((time) => parseFloat(time) > 0.001);
      }).map((element) => element.className),
    );
    assert.deepEqual(moving, []);
  }, { reducedMotion: "reduce" });
});

/** How the main screens come about. */
const SCREENS = {
  "the drop page": async () => {},
  "refused files": async (viewer) => {
    await viewer.choose({ "other.jsonl": "no", "empty.jsonl": "" });
    await viewer.page.locator(".refused").waitFor();
  },
  "the list": async (viewer) => {
    await viewer.choose({ "all.bundle": await bundle() });
    await viewer.page.locator(".session-name").first().waitFor();
  },
  "a session": (viewer) => viewer.read(log),
  "a session with all of it open": async (viewer) => {
    await viewer.read(log);
    await viewer.press("J", "r", "X", "f", "/");
    await viewer.page.keyboard.insertText("parse");
    await viewer.press("Enter");
    await until(async () => /of 6/.test(await viewer.page.locator(".search-count").textContent()), "the matches");
  },
  "a damaged session's report": async (viewer) => {
    await viewer.read(flipped(log, Buffer.from(log).indexOf("Thanks") + 2));
    await viewer.press("v");
    await viewer.dialog.waitFor();
  },
  "the help": async (viewer) => {
    await viewer.read(log);
    await viewer.press("?");
    await viewer.dialog.waitFor();
  },
  "a long session": (viewer) => viewer.read(LONG),
};
const LONG = await long(4_000);

async function violations(viewer) {
  await viewer.painted();
  // By the driver, which the page's policy does not bind.
  await viewer.page.evaluate(axe);
  const { violations } = await viewer.page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => `${node.target} ${node.failureSummary}`).join("; ")}`);
}

for (const colorScheme of ["light", "dark"]) {
  for (const [screen, show] of Object.entries(SCREENS)) {
    test(`axe finds nothing wrong with ${screen}, ${colorScheme}, wide and at 360 px`, async () => {
      await visit({ colorScheme }, async (viewer) => {
        await show(viewer);
        assert.deepEqual(await violations(viewer), []);
        await viewer.page.setViewportSize({ width: 360, height: 740 });
        assert.deepEqual(await violations(viewer), [], "at 360 px");
        const [scrollWidth, clientWidth] = await viewer.page.evaluate(() => {
          const { scrollWidth, clientWidth } = document.documentElement;
          return [scrollWidth, clientWidth];
        });
        assert.ok(scrollWidth <= clientWidth, "nothing is wider than the screen");
      });
    });
  }
}

test("at 360 px outline and filters are drawers: they take the focus, one at a time, and give it back", async () => {
  await read(async (viewer) => {
    assert.equal(await viewer.page.locator("[data-pane]").count(), 0);
    await viewer.press("J", "o");
    assert.equal((await viewer.focus()).name, "Close outline");
    await viewer.press("f");
    assert.equal(await viewer.page.locator("[data-pane]").count(), 1);
    assert.equal((await viewer.focus()).name, "Close filters");
    await viewer.press("Escape");
    assert.equal(await viewer.page.locator("[data-pane]").count(), 0);
    await assertFocus(viewer, "after the drawers");
    await viewer.press("o");
    await viewer.page.locator(".tree-line", { hasText: "And the next one" }).click();
    await until(() => viewer.inView(17), "the turn");
    assert.equal(await viewer.page.locator("[data-pane]").count(), 0, "it closes when one chose");
    assert.equal((await viewer.focus()).row, 17);
  }, { width: 360, height: 740 });
});

test("on paper there is the conversation, and no tools", async () => {
  await read(async (viewer) => {
    await viewer.page.emulateMedia({ media: "print" });
    await viewer.page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    await viewer.painted();
    const shown = (selector) => viewer.page.locator(selector).evaluateAll((all) => all.filter((one) => one.getClientRects().length > 0).length);
    assert.equal(await shown(".no-print"), 0);
    assert.equal(await shown("article"), 15);
    const { bottom } = await viewer.row(19).evaluate((row) => row.getBoundingClientRect());
    assert.ok(bottom > 900, "all of it, not what fits on the screen");
  });
});
