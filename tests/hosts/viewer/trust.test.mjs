// The badge and its report: what they say of sessions that are whole, and of all sorts of damage; and that
// whatever can still be read is shown.

import { strict as assert } from "node:assert";
import { test } from "node:test";

import { startChromium, until } from "./browser.mjs";
import { serveFiles } from "./file-server.mjs";
import {
  archiveLog,
  archivedAndMore,
  bundle,
  bundleOfLong,
  flipped,
  headOf,
  linesOf,
  long,
  sample,
  withheld,
} from "./sessions.mjs";

const { visit } = await startChromium();
const log = await sample();
const lines = linesOf(log);

/** Opens a session and tells what its badge says, then its report. */
const read = (bytes, use, { name = "fix-the-tests.jsonl", ...options } = {}) =>
  visit(options, async (viewer) => {
    await viewer.read(bytes, name);
    await use(viewer, await viewer.badge.textContent());
  });

/** The report's dialog: its texts by their places. */
async function report(viewer) {
  await viewer.badge.click();
  await viewer.dialog.waitFor();
  const checks = await viewer.dialog.locator(".checks li").evaluateAll((all) => all.map((one) => [one.querySelector("strong").textContent, one.dataset.state]));
  return { checks: Object.fromEntries(checks), places: await viewer.texts(".places li"), text: await viewer.dialog.textContent() };
}

test("of a whole log: all lines hold, and nobody said which head it should have", async () => {
  await read(log, async (viewer, badge) => {
    assert.equal(badge, "Intact, head unknown");
    const { checks, places, text } = await report(viewer);
    assert.deepEqual(checks, { Lines: "holds", Hashes: "holds", Chain: "holds", Entries: "holds", Head: "open" });
    assert.deepEqual(places, []);
    assert.ok(text.includes(headOf(log)), "its head can be copied and noted");
    assert.match(text, /What no check of the file alone can show.*its end was cut off.*hashes have no key/s);
  });
});

test("an archive's own word for its head proves nothing more, but is checked", async () => {
  await read(await archiveLog(log), async (viewer, badge) => {
    assert.equal(badge, "Intact, head unknown");
    const { checks, text } = await report(viewer);
    assert.equal(checks.Container, "holds");
    assert.equal(checks.Index, "holds");
    assert.match(text, /the head that the archive's own index names/);
  }, { name: "fix-the-tests.jsonl.gz" });
});

test("an archive before a log is checked as a file, not only its lines", async () => {
  const files = await archivedAndMore();
  const archive = files["two-files.jsonl.gz"];
  files["two-files.jsonl.gz"] = flipped(archive, archive.length - 6);
  await visit({}, async (viewer) => {
    await viewer.choose(files);
    await viewer.settled();
    assert.equal(await viewer.badge.textContent(), "Damaged");
    assert.equal((await report(viewer)).checks.Container, "fails");
  });
});

test("a bundle that holds less than it says is read to where it ends", async () => {
  const whole = await bundle();
  let opened = 0;
  // Which byte cuts a block's end off, and leaves the index, is for the packing to say.
  for (let back = 540; back < 580; back += 3) {
    await visit({}, async (viewer) => {
      await viewer.choose({ "all.bundle": flipped(whole, whole.length - back) });
      const name = viewer.page.locator(".session-name", { hasText: "parent" });
      await name.or(viewer.page.locator(".refused, .badge")).first().waitFor();
      if ((await name.count()) === 0) return;
      opened += 1;
      await name.click();
      await viewer.settled();
      assert.match(await viewer.badge.textContent(), /^Damaged/);
    });
  }
  assert.ok(opened > 0);
});

/** Bytes with some of them overwritten. */
function scratched(bytes, at) {
  return Buffer.from(bytes).fill(0x55, at, at + 50);
}

/** Where the blocks of a bundle end: with an empty stored block (docs/format.md, 6.1). */
function blockEnds(bytes) {
  const ends = [];
  for (let at = 0; (at = Buffer.from(bytes).indexOf("0000ffff", at, "hex")) >= 0; at += 4) ends.push(at + 4);
  return ends;
}

const names = async (viewer) => {
  await viewer.page.locator(".session-name").first().waitFor();
  return viewer.texts(".session-name");
};

test("a bundle whose index is damaged, or that was cut, lists what is in it and says so", async () => {
  const whole = await bundleOfLong(4, 1000);
  const cut = whole.subarray(0, whole.length * 0.6);
  for (const [bytes, sessions] of [[scratched(whole, whole.length - 300), 4], [scratched(whole, whole.length - 500), 4], [cut, 3]]) {
    await visit({}, async (viewer) => {
      await viewer.choose({ "all.bundle": bytes });
      assert.deepEqual(await names(viewer), Array.from({ length: sessions }, (_, at) => `session-${at}`));
      assert.match(await viewer.page.getByRole("alert").textContent(), /The bundle is damaged: bad_bundle/);
      await viewer.page.locator(".session-name").last().click();
      await viewer.settled();
      assert.match(await viewer.badge.textContent(), /^Damaged/);
      assert.match(await viewer.row(1).textContent(), /Question 0/);
    });
  }
});

test("of a bundle with a damaged block the sessions around it are listed, and the entries around it shown", async () => {
  const whole = await bundleOfLong(4, 1000);
  await visit({}, async (viewer) => {
    // There the second session begins, after some 700 KB.
    await viewer.choose({ "all.bundle": scratched(whole, blockEnds(whole)[1] + 2000) });
    assert.deepEqual(await names(viewer), ["session-0", "session-2", "session-3"]);
    assert.match(await viewer.page.locator(".refused").textContent(), /all\.bundle, session session-1.*bad_bundle/s);
    await viewer.page.locator(".session-name", { hasText: "session-0" }).click();
    await viewer.settled();
    assert.match(await viewer.badge.textContent(), /^Damaged/);
  });
  const one = await bundleOfLong(1, 3000);
  await visit({}, async (viewer) => {
    await viewer.choose({ "one.bundle": scratched(one, Math.floor(one.length / 2)) });
    await viewer.settled();
    await viewer.press("e");
    assert.match(await viewer.page.locator("article.current").textContent(), /bad_(line|hash)/);
    await viewer.press("G");
    assert.match(await viewer.page.locator("article.current").textContent(), /#2999.*Question 2998/s);
  });
});

test("a gzip file that holds nothing says why", async () => {
  await visit({}, async (viewer) => {
    await viewer.choose({ "torn.jsonl.gz": Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]), Buffer.alloc(200, 0x66)]) });
    await viewer.list.locator("article").waitFor();
    assert.match(await viewer.list.textContent(), /cannot be read.*gzip_corrupt/s);
  });
});

test("sessions of a bundle are verified, too", async () => {
  await visit({}, async (viewer) => {
    await viewer.choose({ "all.bundle": await bundle() });
    await viewer.page.locator(".session-name", { hasText: "parent" }).click();
    await viewer.settled();
    assert.match(await viewer.badge.textContent(), /^Intact/);
    assert.equal((await report(viewer)).checks.Container, "holds");
  });
});

test("a head that a link brings and that is the session's makes it verified", async () => {
  await read(log, async (viewer, badge) => {
    assert.equal(badge, "Verified");
    assert.equal((await report(viewer)).checks.Head, "holds");
  }, { hash: `#s=fix-the-tests&head=${headOf(log)}` });
});

test("an earlier head is found on the way", async () => {
  const head = `5:${JSON.parse(lines[5]).hash}`;
  await read(log, (viewer, badge) => assert.equal(badge, "Verified"), { hash: `#head=${head}` });
});

test("a head that is not the session's is told, and the session is shown", async () => {
  const wrong = `19:${"0".repeat(64)}`;
  await read(log, async (viewer, badge) => {
    assert.equal(badge, "Not the expected head");
    assert.match((await report(viewer)).places[0], /head_mismatch.*cut short or written anew/);
    assert.equal(await viewer.list.locator("article").count() > 10, true);
  }, { hash: `#head=${wrong}` });
});

test("a log that was cut at a line's end is intact for itself, but not for who noted its head", async () => {
  const cut = Buffer.from(lines.slice(0, 12).join(""));
  await read(cut, (viewer, badge) => assert.equal(badge, "Intact, head unknown"));
  await read(cut, (viewer, badge) => assert.equal(badge, "Not the expected head"), { hash: `#head=${headOf(log)}` });
});

test("a head can be given in the report; what is none is refused in words", async () => {
  await read(log, async (viewer) => {
    await viewer.badge.click();
    const input = viewer.page.getByLabel("Expected head");
    await input.fill("nonsense");
    await viewer.button("Check").click();
    await viewer.page.getByText("That is no head.").waitFor();
    assert.equal(await input.getAttribute("aria-invalid"), "true");
    await input.fill(headOf(log));
    await viewer.button("Check").click();
    await until(async () => (await viewer.badge.textContent()) === "Verified", "the badge");
  });
});

/** How a log is damaged, and what is to be said of it. */
const DAMAGED = {
  "a byte of an entry is another": {
    bytes: flipped(log, Buffer.from(log).indexOf("Thanks. Here") + 2),
    badge: "Damaged at entry 12",
    place: /^bad_hash Entry 12 .*line 13, byte [\d,]+/,
    shown: [/Th.nks\. Here/, /And the next one\?/],
  },
  "a line is missing": {
    bytes: Buffer.from(lines.toSpliced(12, 1).join("")),
    badge: "Damaged at entry 12",
    place: /^broken_link Entry 12/,
    shown: [/The tests fail/, /And the next one\?/],
  },
  "two lines have changed places": {
    bytes: Buffer.from(lines.with(12, lines[13]).with(13, lines[12]).join("")),
    badge: "Damaged at entry 12",
    place: /^broken_link/,
    shown: [/Thanks\. Here/, /And the next one\?/],
  },
  "the very first bytes are others": {
    bytes: flipped(log, 3),
    badge: "Damaged at entry 0",
    place: /^bad_line/,
    shown: [/The tests fail/, /And the next one\?/],
  },
  "junk stands between lines": {
    bytes: Buffer.from(lines.toSpliced(12, 0, "junk that nobody wrote\n").join("")),
    badge: "Damaged at entry 12",
    place: /^bad_line/,
    shown: [/The tests fail/, /Thanks\. Here/, /And the next one\?/],
  },
  "bytes are zeroed as after a crash": {
    bytes: Buffer.from(log).fill(0, Buffer.from(log).indexOf(lines[12]), Buffer.from(log).indexOf(lines[13]) - 1),
    badge: "Damaged at entry 12",
    place: /^bad_line/,
    shown: [/The tests fail/, /And the next one\?/],
  },
  "bytes are no UTF-8": {
    bytes: Buffer.from(log).fill(0xff, Buffer.from(log).indexOf("Thanks. Here"), Buffer.from(log).indexOf("Thanks. Here") + 2),
    badge: "Damaged at entry 12",
    place: /^(bad_hash|invalid_utf8) Entry 12/,
    shown: [/The tests fail/, /And the next one\?/],
  },
};
for (const [what, { bytes, badge: expected, place, shown }] of Object.entries(DAMAGED)) {
  test(`a log in which ${what}: told at its place with a way there, and all that can be read is shown`, async () => {
    await read(bytes, async (viewer, badge) => {
      assert.equal(badge, expected);
      const all = await viewer.list.textContent();
      for (const text of shown) assert.match(all, text);
      assert.ok((await viewer.list.locator(".damage").count()) >= 1, "it is said at the place itself");
      const { places, checks } = await report(viewer);
      assert.match(places[0], place);
      assert.ok(Object.values(checks).includes("fails"));
      await viewer.dialog.locator(".places button").first().click();
      await viewer.dialog.waitFor({ state: "detached" });
      const row = await viewer.focusedRow();
      assert.ok(await viewer.inView(row));
      assert.ok((await viewer.row(row).locator(".damage").count()) === 1, `row ${row} is the damaged one`);
    });
  });
}

test("several places of damage are each listed, with a way to each", async () => {
  const junk = (at) => lines.toSpliced(at, 0, "junk\n");
  const bytes = Buffer.from([...junk(12).slice(0, 16), "more junk\n", ...lines.slice(15)].join(""));
  await read(bytes, async (viewer) => {
    const { places } = await report(viewer);
    assert.equal(places.length, 2, places.join("\n"));
    const jump = viewer.dialog.locator(".places li").nth(1).getByRole("button");
    await jump.click();
    const row = await viewer.focusedRow();
    assert.match(await viewer.row(row).textContent(), /bad_line/);
  });
});

test("a torn tail is no damage, and is told", async () => {
  const torn = Buffer.concat([Buffer.from(log), Buffer.from(lines[5].slice(0, 200))]);
  await read(torn, async (viewer, badge) => {
    assert.equal(badge, "Intact, head unknown · torn tail");
    assert.match((await report(viewer)).places.join("\n"), /torn_tail An unfinished write of 200 B.*no damage/);
  });
});

test("withheld entries are counted in the badge and listed with ways to them", async () => {
  await read(withheld(withheld(log, 12), 17), async (viewer, badge) => {
    assert.equal(badge, "Intact, head unknown · 2 entries withheld");
    const { places } = await report(viewer);
    assert.equal(places.length, 2);
    await viewer.dialog.getByRole("button", { name: "Entry 17" }).click();
    assert.equal(await viewer.focusedRow(), 17);
  });
});

const archive = await archiveLog(await long(6_000, { id: "big", bytes: 900 }));

/** An archive's blocks are told by their damage: rows that cannot be read are gaps, and all others are there. */
const readArchive = (bytes, use) => read(bytes, use, { name: "big.jsonl.gz" });

/** An archive in whose middle some bytes are lost. */
const torn = (bytes) => Buffer.from(bytes).fill(0xff, bytes.length >> 1, (bytes.length >> 1) + 64);

test("an archive with a damaged block shows all other blocks, and the gap is listed with a way to it", async () => {
  await readArchive(torn(archive), async (viewer, badge) => {
    assert.match(badge, /^Damaged/);
    const { places, checks } = await report(viewer);
    assert.ok(Object.values(checks).includes("fails"));
    // What a damaged block still inflates to is a matter of chance: fewer lines, or junk among them.
    assert.ok(places.length >= 1);
    await viewer.dialog.locator(".places button").last().click();
    const row = await viewer.focusedRow();
    assert.ok((await viewer.row(row).locator(".damage").count()) === 1);
    await viewer.press("G");
    await until(() => viewer.inView(5_999), "the last row");
    assert.match(await viewer.row(5_999).textContent(), /5998/);
    await viewer.press("g");
    await until(() => viewer.inView(1), "the first rows");
    assert.match(await viewer.row(1).textContent(), /Question 0/);
  });
});

test("an archive that was cut shows what comes before the cut, and what is missing", async () => {
  await readArchive(archive.subarray(0, archive.length >> 1), async (viewer, badge) => {
    assert.match(badge, /^Damaged/);
    const { places } = await report(viewer);
    assert.match(places[0], /^gzip_truncated/);
    assert.match(places[1], /^gzip_corrupt .*to \d+ cannot be read/);
    await viewer.dialog.locator(".places button").last().click();
    const row = await viewer.focusedRow();
    assert.match(await viewer.row(row).textContent(), /Gap.*cannot be read/);
    await viewer.press("g");
    await until(() => viewer.inView(1), "the first rows");
    assert.match(await viewer.row(1).textContent(), /Question 0/);
  });
});

test("an archive whose index is damaged is read without it", async () => {
  await readArchive(flipped(archive, 40), async (viewer, badge) => {
    assert.match(badge, /^Damaged/);
    assert.match((await report(viewer)).places.join("\n"), /bad_index|no_index/);
    await viewer.press("Escape");
    await viewer.press("G");
    await until(() => viewer.inView(5_999), "the last row");
  });
});

test("a file of which not one line is whole is told, and nothing is made up", async () => {
  await read(Buffer.from(lines[0].slice(0, 120)), async (viewer, badge) => {
    assert.match(badge, /torn tail|Damaged/);
  });
});

test("a large session far away is verified when asked, with its progress, and that can be stopped", async () => {
  const server = await serveFiles({ "/large.jsonl": Buffer.from(await long(5_000, { id: "large", bytes: 8_000 })) });
  try {
    await visit({ query: `?src=${server.origin}/large.jsonl` }, async (viewer) => {
      const badge = (text) => until(async () => text.test(await viewer.badge.textContent()), `the badge ${text}`);
      await badge(/^Not verified$/);
      server.delay = 100;
      await viewer.button("Verify").click();
      await badge(/^Verifying [1-9]\d* %$/);
      await viewer.button("Stop", viewer.page.locator(".badge")).click();
      await badge(/^Not verified$/);
      assert.match(await viewer.badge.getAttribute("title"), /Verifying was stopped at \d+ %/);
      server.delay = 0;
      await viewer.button("Verify").click();
      await badge(/^Intact, head unknown$/);
    });
  } finally {
    server.close();
  }
});
