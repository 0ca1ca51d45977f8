// All the ways by which a session gets into the page.

import { strict as assert } from "node:assert";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

import { PAGE, ROOT, startChromium, until } from "./browser.mjs";
import { serveFiles } from "./file-server.mjs";
import { archiveLog, archivedAndMore, bundle, headOf, long, sample } from "./sessions.mjs";

const { visit, folder } = await startChromium();
const log = await sample();

test("without anything to show, the page says what it takes and that nothing leaves the machine", async () => {
  await visit({}, async (viewer) => {
    await viewer.button("Choose files").waitFor();
    const text = await viewer.main.textContent();
    for (const word of [".jsonl", ".jsonl.gz", ".bundle", "Nothing leaves this machine"]) assert.ok(text.includes(word), word);
    assert.equal(await viewer.page.title(), "turnkeep");
    assert.deepEqual(viewer.requests, []);
  });
});

test("a chosen log is shown, named and verified", async () => {
  await visit({}, async (viewer) => {
    await viewer.read(log, "fix-the-tests.jsonl");
    assert.equal(await viewer.page.locator("h1").textContent(), "fix-the-tests");
    assert.equal(await viewer.page.title(), "fix-the-tests - turnkeep");
    assert.match(await viewer.row(2).textContent(), /The tests fail on the build server/);
    assert.match(await viewer.badge.textContent(), /^Intact/);
    assert.deepEqual(viewer.requests, []);
  });
});

const FORMS = { archive: await archiveLog(log), "gzip without an index": gzipSync(log) };
for (const [form, bytes] of Object.entries(FORMS)) {
  test(`of an ${form} the same entries are shown as of its log`, async () => {
    await visit({}, async (viewer) => {
      await viewer.read(bytes, "fix-the-tests.jsonl.gz");
      assert.equal(await viewer.page.locator("h1").textContent(), "fix-the-tests");
      assert.equal(await viewer.row(2).count(), 1);
      assert.match(await viewer.page.locator(".bar-facts").textContent(), /^20 entries/);
      assert.match(await viewer.badge.textContent(), /^Intact/);
    });
  });
}

test("a bundle is a list to choose from, to filter, and to come back to", async () => {
  await visit({}, async (viewer) => {
    await viewer.choose({ "all.bundle": await bundle() });
    const names = viewer.page.locator(".session-name");
    await names.first().waitFor();
    assert.deepEqual(await names.allTextContents(), ["child", "parent"]);
    assert.equal((await viewer.focus()).name, "child", "the first one has the focus");
    await viewer.page.getByLabel("Filter sessions").fill("par");
    assert.deepEqual(await names.allTextContents(), ["parent"]);
    await viewer.page.getByLabel("Filter sessions").fill("");
    await names.first().focus();
    await viewer.press("j");
    assert.equal((await viewer.focus()).name, "parent");
    await viewer.press("Enter");
    await viewer.settled();
    assert.equal(await viewer.page.locator("h1").textContent(), "parent");
    await viewer.button("All sessions").click();
    await names.first().waitFor();
    await names.first().click();
    await viewer.settled();
    assert.equal(await viewer.page.locator("h1").textContent(), "child");
    await viewer.page.goBack();
    await names.first().waitFor();
  });
});

test("an archive and the log that goes on after it are one session", async () => {
  await visit({}, async (viewer) => {
    await viewer.choose(await archivedAndMore());
    await viewer.settled();
    assert.match(await viewer.page.locator(".bar-facts").textContent(), /^3 entries/);
    assert.match(await viewer.row(2).textContent(), /After the archive/);
    assert.match(await viewer.badge.textContent(), /^Intact/);
  });
});

test("a dropped file is opened", async () => {
  await visit({}, async (viewer) => {
    await viewer.drop({ "fix-the-tests.jsonl": log });
    await viewer.settled();
    assert.equal(await viewer.row(2).count(), 1);
  });
});

test("a file dropped onto an open session takes its place", async () => {
  await visit({}, async (viewer) => {
    await viewer.read(log);
    await viewer.drop({ "other.jsonl": await sample("other") });
    await viewer.page.locator("h1", { hasText: "other" }).waitFor();
    await viewer.settled();
  });
});

test("of a dropped folder all that is turnkeep's is opened, and nothing else is mentioned", async () => {
  await visit({}, async (viewer) => {
    const files = { "day/a.jsonl": await sample("a"), "day/deep/b.jsonl.gz": await archiveLog(await sample("b")) };
    await viewer.drop({ ...files, "day/notes.txt": "no", "day/.hidden.jsonl": "no", "day/a.about.json": "{}" }, ["day"]);
    await viewer.page.locator(".session-name").first().waitFor();
    assert.deepEqual(await viewer.texts(".session-name"), ["a", "b"]);
    assert.equal(await viewer.page.locator(".refused").count(), 0);
  });
});

test("of a chosen folder likewise", async () => {
  await visit({}, async (viewer) => {
    const folder = await viewer.write({ "a.jsonl": await sample("a"), "deep/b.jsonl": await sample("b"), "notes.txt": "no" });
    await viewer.page.locator("input[webkitdirectory]").setInputFiles(folder);
    await viewer.page.locator(".session-name").first().waitFor();
    assert.deepEqual(await viewer.texts(".session-name"), ["a", "b"]);
  });
});

test("a folder without sessions is said to have none", async () => {
  await visit({}, async (viewer) => {
    await viewer.drop({ "day/notes.txt": "no" }, ["day"]);
    await viewer.notice.filter({ hasText: "no file ending in .jsonl" }).waitFor();
  });
});

test("sessions of the same id are told apart by their files", async () => {
  await visit({}, async (viewer) => {
    await viewer.drop({ "old/a.jsonl": await sample("a"), "new/a.jsonl": await sample("a"), "new/b.jsonl": await sample("b") }, ["old", "new"]);
    await viewer.page.locator(".session-name").first().waitFor();
    assert.deepEqual(await viewer.texts(".session-name"), ["anew/a.jsonl", "b", "aold/a.jsonl"]);
  });
});

test("a gzip file without an index is shown before all of it is inflated", async () => {
  const log = await long(20_000);
  await visit({}, async (viewer) => {
    await viewer.read(gzipSync(log), "long.jsonl.gz");
    assert.match(await viewer.row(1).textContent(), /Question 0/);
    assert.match(await viewer.page.locator(".bar-facts").textContent(), /20,000 entries/);
    await viewer.press("G");
    assert.match(await viewer.row(19_999).textContent(), /Question 19998/);
  });
});

test("files that are nothing of turnkeep's are refused by name, each with its code and a next step", async () => {
  await visit({}, async (viewer) => {
    await viewer.choose({ "empty.jsonl": "", "other.jsonl": '{"type":"user"}\n', "binary.gz": Buffer.from([0x50, 0x4b, 3, 4]) });
    const refused = viewer.page.locator(".refused li");
    await refused.first().waitFor();
    const texts = await refused.allTextContents();
    assert.match(texts[0], /binary\.gz bad_line/);
    assert.match(texts[1], /empty\.jsonl empty_log/);
    assert.match(texts[2], /other\.jsonl bad_line.*turnkeep import other\.jsonl/s);
    assert.ok(await viewer.button("Choose files").isVisible(), "others can be chosen");
  });
});

test("what can be opened is, beside what is refused", async () => {
  await visit({}, async (viewer) => {
    await viewer.choose({ "a.jsonl": await sample("a"), "b.jsonl": await sample("b"), "other.jsonl": "no" });
    await viewer.page.locator(".session-name").first().waitFor();
    assert.deepEqual(await viewer.texts(".session-name"), ["a", "b"]);
    assert.match((await viewer.texts(".refused li"))[0], /other\.jsonl/);
  });
});

test("?src= reads an archive by ranges, from the page's own server or another, and only so", async () => {
  const archive = await archiveLog(await long(4000, { id: "far" }));
  const server = await serveFiles({ "/far.jsonl.gz": archive, "/page.html": await readFile(PAGE) });
  try {
    for (const place of [{ url: `${server.origin}/page.html`, query: "?src=far.jsonl.gz" }, { query: `?src=${server.origin}/far.jsonl.gz` }]) {
      server.requests.length = 0;
      await visit(place, async (viewer) => {
        await viewer.settled();
        assert.equal(await viewer.page.locator("h1").textContent(), "far");
        assert.match(await viewer.badge.textContent(), /^Intact/);
        const reads = server.requests.filter((request) => request.includes("far.jsonl.gz"));
        assert.ok(reads.every((request) => /^GET \S+ bytes=\d+-\d+$/.test(request)), reads.join("\n"));
      });
    }
  } finally {
    server.close();
  }
});

test("?src= may be given several times", async () => {
  const server = await serveFiles({ "/a.jsonl": Buffer.from(await sample("a")), "/b.jsonl": Buffer.from(await sample("b")) });
  try {
    await visit({ query: `?src=${server.origin}/a.jsonl&src=${server.origin}/b.jsonl` }, async (viewer) => {
      await viewer.page.locator(".session-name").first().waitFor();
      assert.deepEqual(await viewer.texts(".session-name"), ["a", "b"]);
    });
  } finally {
    server.close();
  }
});

test("a server without ranges is named, with what to do", async () => {
  const server = await serveFiles({ "/a.jsonl": Buffer.from(log) }, { isPlain: true });
  try {
    await visit({ query: `?src=${server.origin}/a.jsonl` }, async (viewer) => {
      const failure = viewer.page.locator(".failure");
      await failure.waitFor();
      assert.match(await failure.textContent(), /not_supported.*does not answer range requests.*download the file and drop it here/s);
      assert.ok(await viewer.button("Choose files").isVisible());
    });
  } finally {
    server.close();
  }
});

test("an address that has nothing is told as not found", async () => {
  const server = await serveFiles({});
  try {
    await visit({ query: `?src=${server.origin}/a.jsonl` }, async (viewer) => {
      await viewer.page.locator(".failure", { hasText: "not_found" }).waitFor();
      // The browser tells of every 404 on the console, whatever the page does.
      viewer.faults = viewer.faults.filter((fault) => !fault.includes("404"));
    });
  } finally {
    server.close();
  }
});

test("a file that changes on its server while it is read is told, and what was read stays", async () => {
  const server = await serveFiles({ "/far.jsonl": Buffer.from(await long(5_000, { id: "far", bytes: 8_000 })) });
  try {
    await visit({ query: `?src=${server.origin}/far.jsonl` }, async (viewer) => {
      await viewer.row(0).waitFor();
      server.files["/far.jsonl"] = Buffer.concat([server.files["/far.jsonl"], Buffer.from("\n")]);
      await viewer.button("Verify").click();
      await until(async () => (await viewer.badge.textContent()) === "Not verified", "the end of verifying");
      assert.match(await viewer.badge.getAttribute("title"), /changed while it was read/);
      assert.match(await viewer.row(1).textContent(), /Question 0/);
    });
  } finally {
    server.close();
  }
});

/** A copy of the page with a session in it, as an export writes it. */
async function pageWith(bytes, name, file) {
  const script = `<script type="application/octet-stream" id="turnkeep-session" data-name="${name}">${Buffer.from(bytes).toString("base64")}</script>`;
  const path = join(folder, file);
  await writeFile(path, (await readFile(PAGE, "utf8")).replace("<!-- session -->", () => script));
  return pathToFileURL(path).href;
}

test("a page with a session in it shows that one, verifies it and takes links to its entries", async () => {
  const url = await pageWith(await archiveLog(log), "fix-the-tests.jsonl.gz", "with-session.html");
  await visit({ url, hash: `#e=17&head=${headOf(log)}` }, async (viewer) => {
    await viewer.settled();
    await until(() => viewer.inView(17), "the entry in view");
    assert.equal(await viewer.badge.textContent(), "Verified");
    assert.equal(await viewer.page.locator("#turnkeep-session").count(), 0, "its text is let go");
    assert.deepEqual(viewer.requests, []);
  });
});

test("the element shows sessions in a page of one's own, several at once, and tells what happens", async () => {
  const server = await serveFiles({
    "/viewer.js": await readFile(join(ROOT, "npm/dist/viewer.js")),
    "/a.jsonl": Buffer.from(await sample("a")),
    "/own.html": Buffer.from(`<!doctype html><html lang="en"><title>Own</title><style>turnkeep-viewer { height: 400px; }</style>
      <turnkeep-viewer id="one" src="a.jsonl" theme="dark"></turnkeep-viewer><turnkeep-viewer id="two"></turnkeep-viewer>
      <script type="module">
        import "./viewer.js";
        globalThis.told = [];
        for (const type of ["opened", "session", "verified", "failed"]) {
          for (const id of ["one", "two"]) document.getElementById(id).addEventListener("turnkeep-" + type, () => told.push(id + " " + type));
        }
      </script>`),
  });
  try {
    await visit({ url: `${server.origin}/own.html` }, async (viewer) => {
      const { page } = viewer;
      const [one, two] = [page.locator("#one"), page.locator("#two")];
      await one.locator(".badge-text", { hasText: "Intact" }).waitFor();
      await two.evaluate(async (element, text) => element.open([new File([text], "b.jsonl")]), Buffer.from(await sample("b")).toString());
      await two.locator(".badge-text", { hasText: "Intact" }).waitFor();
      assert.equal(await one.locator("h1").textContent(), "a");
      assert.equal(await two.locator("h1").textContent(), "b");
      await two.evaluate((element) => element.goTo("#e=17"));
      await until(async () => (await page.evaluate(() => document.activeElement.shadowRoot?.activeElement?.dataset.row)) === "17", "the entry");
      const told = await page.evaluate(() => globalThis.told);
      for (const event of ["one opened", "one session", "one verified", "two verified"]) assert.ok(told.includes(event), `${event} in ${told}`);
      assert.equal(await page.title(), "Own", "the page's title is its own");
      assert.equal(new URL(page.url()).hash, "", "and so is its address");
      const ground = (element) => getComputedStyle(element.shadowRoot.querySelector(".app")).colorScheme;
      assert.deepEqual([await one.evaluate(ground), await two.evaluate(ground)], ["dark", "light dark"]);
      await one.evaluate((element) => element.remove());
      assert.equal(await two.locator("article").first().isVisible(), true);
    });
  } finally {
    server.close();
  }
});
