// How small the page is, and how it copes with sessions that are not. Times are told as figures; what is
// asserted of them has slack for machines that are busy. What does not depend on the machine is exact.

import { strict as assert } from "node:assert";
import { randomBytes } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { PAGE, startChromium, until } from "./browser.mjs";
import { serveFiles } from "./file-server.mjs";
import { archiveLog, long, sessionOf } from "./sessions.mjs";

const MIB = 1024 * 1024;
const SLACK = 4;
const FIRST_MS_MAX = 300;
const END_MS_MAX = 500;
const ROUNDS = 8;
const MEMORY_MAX = 300 * MIB;
const FIRST_BYTES_MAX = 4 * MIB;
/** Compressed. */
const LARGE_BYTES = process.env.TURNKEEP_FULL === undefined ? 40 * MIB : 1024 * MIB;
const ENTRIES = 100_000;

const { visit, folder } = await startChromium({ args: ["--enable-precise-memory-info"] });
const log = await long(ENTRIES, { id: "hundred-thousand", bytes: 300 });

test("the page is at most 1 MB, and 400 KB gzipped", async (context) => {
  const html = await readFile(PAGE);
  const packed = gzipSync(html, { level: 9 }).length;
  context.diagnostic(`${html.length} bytes, ${packed} gzipped`);
  assert.ok(html.length <= 1_000_000);
  assert.ok(packed <= 400_000);
});

/** Remembers when the first row with a text was painted; to be called before anything is opened. */
const watchFirst = () => {
  globalThis.firstSeen = undefined;
  const root = document.querySelector("turnkeep-viewer").shadowRoot;
  const observer = new MutationObserver(() => {
    if (root.querySelector(".rows article .body, .rows article .event-line") === null) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => (globalThis.firstSeen = performance.now())));
  });
  observer.observe(root, { subtree: true, childList: true });
};

test("the first message of a session of 48 KB is there soon after it was dropped", async (context) => {
  const small = await long(90, { id: "small", bytes: 250 });
  context.diagnostic(`${small.length} bytes`);
  const times = [];
  // The best of some: others may have had the processor.
  for (let round = 0; round < ROUNDS && (round < 3 || Math.min(...times) > FIRST_MS_MAX); round += 1) {
    await visit({}, async (viewer) => {
      await viewer.button("Choose files").waitFor();
      await viewer.page.evaluate(() => addEventListener("drop", () => (globalThis.droppedAt = performance.now()), { capture: true }));
      await viewer.page.evaluate(watchFirst);
      // Nobody drops a file in the moment in which the page comes.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await viewer.drop({ "small.jsonl": small });
      const took = () => viewer.page.evaluate(() => globalThis.firstSeen - globalThis.droppedAt);
      await until(async () => (await took()) > 0, "the first message");
      times.push(await took());
    });
  }
  const best = Math.min(...times);
  context.diagnostic(`first message after ${times.map(Math.round).join(", ")} ms`);
  assert.ok(best <= SLACK * FIRST_MS_MAX, `${best} ms`);
});

/** Where a row's edges are against the list's. */
const edges = (viewer, row) =>
  viewer.row(row).evaluate((article) => {
    const list = article.closest(".rows").getBoundingClientRect();
    const own = article.getBoundingClientRect();
    return { top: own.top - list.top, bottom: own.bottom - list.bottom };
  });

/** Bytes of the page's JavaScript and DOM, worker included, and of its whole process. */
async function memory(viewer) {
  const devtools = await viewer.page.context().newCDPSession(viewer.page);
  await devtools.send("HeapProfiler.collectGarbage");
  const heap = await viewer.page.evaluate(() => performance.memory.usedJSHeapSize);
  const browser = await viewer.page.context().browser().newBrowserCDPSession();
  const { processInfo } = await browser.send("SystemInfo.getProcessInfo");
  const sizes = await Promise.all(processInfo.filter(({ type }) => type === "renderer").map(({ id }) => residentBytes(id)));
  // Of none the largest is less than nothing, and what cannot be read counts as nothing.
  const resident = Math.max(...sizes);
  assert.ok(heap > 0 && resident > 0, `no figures: ${heap} and ${resident} bytes`);
  return { heap, process: resident };
}

async function residentBytes(process) {
  const status = await readFile(`/proc/${process}/status`, "utf8").catch(() => "");
  return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
}

for (const [form, bytes] of Object.entries({ log, archive: await archiveLog(log) })) {
  test(`${ENTRIES} entries, as ${form}: the end at once, every place exact, and bounded memory`, async (context) => {
    await visit({ hash: "#e=50000" }, async (viewer) => {
      viewer.page.setDefaultTimeout(60_000);
      await viewer.choose({ [`hundred-thousand.jsonl${form === "log" ? "" : ".gz"}`]: bytes });
      await until(async () => (await viewer.focus()).row === 50_000, "the entry that the link leads to");
      await viewer.settled();

      await viewer.list.locator("article").first().focus();
      const took = await viewer.page.evaluate(async (last) => {
        const list = document.querySelector("turnkeep-viewer").shadowRoot.querySelector(".rows");
        const start = performance.now();
        list.dispatchEvent(new KeyboardEvent("keydown", { key: "End", bubbles: true, composed: true, cancelable: true }));
        const there = () => list.querySelector(`[data-row="${last}"] .body`) !== null;
        // Playwright gives no evaluation an end of its own.
        while (!there() && performance.now() - start < 60_000) await new Promise((resolve) => requestAnimationFrame(resolve));
        return performance.now() - start;
      }, ENTRIES - 1);
      context.diagnostic(`the end after ${Math.round(took)} ms`);
      assert.ok(took <= SLACK * END_MS_MAX, `${took} ms`);
      await viewer.painted();
      assert.ok(Math.abs((await edges(viewer, ENTRIES - 1)).bottom) <= 1, "the last row ends where the list ends");
      const { scrollTop, below } = await viewer.list.evaluate((list) => ({ scrollTop: list.scrollTop, below: list.scrollHeight - list.clientHeight }));
      assert.ok(Math.abs(scrollTop - below) <= 1, "and there is nothing to scroll to below it");

      for (const row of [1, 777, 33_333, 66_666, 99_000, 50_001, 4]) {
        await viewer.page.evaluate((row) => (location.hash = `#s=hundred-thousand&e=${row}`), row);
        await until(async () => (await viewer.focus()).row === row, `row ${row}`);
        await new Promise((resolve) => setTimeout(resolve, 300));
        const { top } = await edges(viewer, row);
        assert.ok(Math.abs(top) <= 1, `row ${row} stands at ${top} px`);
        assert.match(await viewer.row(row).textContent(), new RegExp(` ${row - 1} `));
      }
      await browse(viewer);
      const used = await memory(viewer);
      context.diagnostic(`after browsing: ${Math.round(used.heap / MIB)} MiB of JavaScript, ${Math.round(used.process / MIB)} MiB the process`);
      assert.ok(used.heap <= MEMORY_MAX);
      assert.ok(used.process <= MEMORY_MAX, `${used.process} bytes`);
    });
  });
}

/** Goes through all of it as people do: by the wheel, by keys, by the scrollbar. */
async function browse(viewer) {
  await viewer.page.mouse.move(700, 500);
  for (let turn = 0; turn < 20; turn += 1) await viewer.page.mouse.wheel(0, 3_000);
  for (let share = 0; share <= 20; share += 1) {
    await viewer.list.evaluate((list, share) => (list.scrollTop = share * (list.scrollHeight - list.clientHeight)), share / 20);
    await viewer.painted();
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  await viewer.press("g", "J", "J", "G", "K");
}

/** An archive of so many bytes, of which nothing is read unasked: random ones, beside some that are packed away. */
async function largeArchive(bytes) {
  const padding = "words that are packed away ".repeat(12_000);
  const drafts = Array.from({ length: Math.ceil(bytes / 48_000) }, () => ({
    kind: "user_input",
    item: { role: "user", content: `First words ${randomBytes(48_000).toString("base64")} ${padding}` },
  }));
  return archiveLog(await sessionOf(drafts, { id: "large", batch: 20 }));
}

test("of a large archive no more than 4 MiB is read until its first message is there", async (context) => {
  const archive = Buffer.from(await largeArchive(LARGE_BYTES));
  const path = join(folder, "large.jsonl.gz");
  await writeFile(path, archive);
  context.diagnostic(`${Math.round((await stat(path)).size / MIB)} MiB`);
  const server = await serveFiles({ "/large.jsonl.gz": archive });
  try {
    await visit({ query: `?src=${server.origin}/large.jsonl.gz` }, async (viewer) => {
      await viewer.page.locator(".rows article .body").first().waitFor();
      // Whatever it would still ask for unasked.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      context.diagnostic(`over HTTP: ${server.bytes} bytes in ${server.requests.length} requests`);
      assert.ok(server.bytes <= FIRST_BYTES_MAX);
      assert.match(await viewer.row(1).textContent(), /First words/);
      server.bytes = 0;
      await viewer.press("G");
      await until(() => viewer.page.locator(".rows article .body", { hasText: "First words" }).last().isVisible(), "the end");
      assert.ok(server.bytes <= FIRST_BYTES_MAX, `its end took ${server.bytes} bytes`);
    });
    await visit({ before: countReads }, async (viewer) => {
      await viewer.button("Choose files").waitFor();
      await viewer.page.evaluate(() => addEventListener("drop", () => (globalThis.droppedAt = performance.now()), { capture: true }));
      await viewer.page.evaluate(watchFirst);
      await viewer.dropPaths([path]);
      await viewer.page.locator(".rows article .body").first().waitFor();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const [took, read] = await viewer.page.evaluate(() => [globalThis.firstSeen - globalThis.droppedAt, globalThis.readBytes]);
      context.diagnostic(`from the disk: first message after ${Math.round(took)} ms, ${read} bytes read`);
      assert.ok(read > 0 && read <= FIRST_BYTES_MAX);
    });
  } finally {
    server.close();
  }
});

/** Lets the page's worker count what it reads of files, and tell the page. */
const countReads = (page) =>
  page.addInitScript(() => {
    const counting = `{
      const read = Blob.prototype.arrayBuffer;
      const channel = new BroadcastChannel("read-bytes");
      let bytes = 0;
      Blob.prototype.arrayBuffer = function () {
        channel.postMessage((bytes += this.size));
        return read.call(this);
      };
    }`;
    const Plain = globalThis.Blob;
    globalThis.Blob = class Blob extends Plain {
      constructor(parts, options) {
        super(options?.type === "text/javascript" ? [counting, ...parts] : parts, options);
      }
    };
    new BroadcastChannel("read-bytes").onmessage = ({ data }) => (globalThis.readBytes = data);
  });
