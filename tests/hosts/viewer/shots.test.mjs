// Pictures of the main screens, so that a person can look: target/page-shots/ has them afterwards.

import { strict as assert } from "node:assert";
import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { ROOT, startChromium, until } from "./browser.mjs";
import { archiveLog, bundle, flipped, headOf, long, sample, withheld } from "./sessions.mjs";

const FOLDER = join(ROOT, "target/page-shots");
const { visit } = await startChromium();
const log = await sample();
const LONG = await archiveLog(await long(20_000));

/** How the screens come about. */
const SCREENS = {
  drop: async () => {},
  refused: async (viewer) => {
    await viewer.choose({ "other.jsonl": "no", "empty.jsonl": "" });
    await viewer.page.locator(".refused").waitFor();
  },
  list: async (viewer) => {
    await viewer.choose({ "all.bundle": await bundle(), "long.jsonl.gz": LONG, "fix-the-tests.jsonl": log, "other.jsonl": "no" });
    await viewer.page.locator(".session-name").first().waitFor();
  },
  session: (viewer) => viewer.read(log, "fix-the-tests.jsonl"),
  unfolded: async (viewer) => {
    await viewer.read(log, "fix-the-tests.jsonl");
    await viewer.press("X", "J", "j");
  },
  "images-and-events": async (viewer) => {
    await viewer.read(withheld(log, 17), "fix-the-tests.jsonl");
    await viewer.press("G");
  },
  finding: async (viewer) => {
    await viewer.read(log, "fix-the-tests.jsonl");
    if ((await viewer.page.viewportSize()).width > 1000) await viewer.press("f");
    await viewer.press("/");
    await viewer.page.keyboard.insertText("parse");
    await viewer.press("Enter");
    await until(async () => /of 6/.test(await viewer.page.locator(".search-count").textContent()), "the matches");
    await new Promise((resolve) => setTimeout(resolve, 300));
  },
  filters: async (viewer) => {
    await viewer.read(log, "fix-the-tests.jsonl");
    await viewer.press("f");
  },
  outline: async (viewer) => {
    await viewer.read(log, "fix-the-tests.jsonl");
    if ((await viewer.page.viewportSize()).width < 1000) await viewer.press("o");
  },
  raw: async (viewer) => {
    await viewer.read(log, "fix-the-tests.jsonl");
    await viewer.press("J", "r");
    await viewer.row(2).locator(".raw pre").waitFor();
  },
  verified: async (viewer) => {
    await viewer.read(log, "fix-the-tests.jsonl");
    await viewer.press("v");
    await viewer.page.getByLabel("Expected head").fill(headOf(log));
    await viewer.button("Check").click();
    await viewer.page.getByText("Verified", { exact: false }).first().waitFor();
  },
  damaged: async (viewer) => {
    await viewer.read(flipped(log, Buffer.from(log).indexOf("Thanks") + 2), "fix-the-tests.jsonl");
    await viewer.press("J", "J");
  },
  report: async (viewer) => {
    await viewer.read(flipped(log, Buffer.from(log).indexOf("Thanks") + 2), "fix-the-tests.jsonl");
    await viewer.press("v");
  },
  gap: async (viewer) => {
    await viewer.read(LONG.subarray(0, LONG.length >> 1), "long.jsonl.gz");
    await viewer.press("G");
  },
  long: async (viewer) => {
    await viewer.read(LONG, "long.jsonl.gz");
    await viewer.press("G");
  },
  help: async (viewer) => {
    await viewer.read(log, "fix-the-tests.jsonl");
    await viewer.press("?");
  },
};

await rm(FOLDER, { recursive: true, force: true });
await mkdir(FOLDER, { recursive: true });

for (const [width, height] of [[1400, 900], [360, 740]]) {
  for (const [screen, show] of Object.entries(SCREENS)) {
    test(`${screen} at ${width} px, light and dark`, async () => {
      await visit({ width, height, colorScheme: "light" }, async (viewer) => {
        await show(viewer);
        for (const colorScheme of ["light", "dark"]) {
          await viewer.page.emulateMedia({ colorScheme });
          await viewer.painted();
          const path = join(FOLDER, `${screen}-${width}-${colorScheme}.png`);
          await viewer.page.screenshot({ path });
          assert.ok((await stat(path)).size > 1_000);
        }
      });
    });
  }
}
