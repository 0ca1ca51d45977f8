// The hostile corpus against what the page shows contents with, in real browsers, from a file.
//
//   node tests/hosts/viewer/content-page.mjs [PART]              Chromium; only what has PART in its name
//   BROWSER=firefox node tests/hosts/viewer/content-page.mjs     Firefox
//
// It runs without any policy, so that nothing that a policy stops passes for harmless; safe.test.mjs runs the
// same under the page's own. CHROMIUM and FIREFOX name other browsers than Debian's.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { chromium } from "playwright-core";

import { firefox } from "./firefox.mjs";

const NPM = fileURLToPath(new URL("../../../npm/", import.meta.url));
const ENTRY = fileURLToPath(new URL("content-entry.jsx", import.meta.url));
const MINUTES_MAX = 10;
const esbuild = createRequire(join(NPM, "package.json"))("esbuild");

async function pageHtml() {
  const built = await esbuild.build({
    entryPoints: [ENTRY],
    bundle: true,
    write: false,
    format: "iife",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    loader: { ".css": "text" },
    nodePaths: [join(NPM, "node_modules")],
    tsconfig: join(NPM, "viewer/tsconfig.json"),
    charset: "ascii",
    legalComments: "none",
  });
  const script = built.outputFiles[0].text.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Contents</title></head><body><script>${script}</script></body></html>`;
}

/** A browser whose page is asked `evaluate`, and that tells of dialogs and requests. */
async function openChromium(tell) {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  const page = await browser.newPage();
  page.on("dialog", (dialog) => {
    tell(`a dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  page.on("request", (request) => tell(request.url()));
  page.on("popup", (popup) => tell(`a window: ${popup.url()}`));
  page.on("pageerror", (error) => tell(`an error: ${error.message}`));
  return {
    open: (url) => page.goto(url),
    evaluate: (expression) => page.evaluate(expression),
    close: () => browser.close(),
  };
}

async function runIn(browser, { html, part, folder, told }) {
  const file = join(folder, "contents.html");
  await writeFile(file, html);
  const url = pathToFileURL(file).href;
  await browser.open(url);
  const results = JSON.parse(await browser.evaluate(`runHostile(${JSON.stringify(part)})`));
  const faults = told.splice(0).filter((what) => what !== url && !/^(data:(image|font)\/|blob:)/.test(what));
  return [...results, { name: "requests, dialogs, errors", faults, slowest: 0 }];
}

function report(title, results) {
  const failed = results.filter(({ faults }) => faults.length > 0);
  for (const { name, faults } of failed) console.log(`FAIL ${name}: ${[...new Set(faults)].slice(0, 5).join("; ")}`);
  const slowest = results.reduce((most, result) => (result.slowest > most.slowest ? result : most));
  console.log(`slowest: ${slowest.name}, ${Math.round(slowest.slowest)} ms`);
  console.log(`${title}: ${results.length - failed.length} passed, ${failed.length} failed`);
  if (failed.length > 0 || results.length < 3) process.exitCode = 1;
}

const deadline = setTimeout(() => {
  console.error(`not done after ${MINUTES_MAX} minutes`);
  process.exit(1);
}, MINUTES_MAX * 60_000);
const name = process.env.BROWSER ?? "chromium";
const folder = await mkdtemp(join(tmpdir(), "turnkeep-contents-"));
const told = [];
const browser = await (name === "firefox" ? firefox : openChromium)((what) => told.push(what));
try {
  report(name, await runIn(browser, { html: await pageHtml(), part: process.argv[2] ?? "", folder, told }));
} finally {
  clearTimeout(deadline);
  await browser.close();
  await rm(folder, { recursive: true });
}
