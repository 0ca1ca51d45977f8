// The shared modules in headless Chromium, from a plain page without any bundler.
//
//   node tests/hosts/browser.mjs [PART]    only the modules whose names contain PART
//
// Fails on a failed test, on an error of the page, and when no test ran. CHROMIUM names another
// browser than Debian's.

import { chromium } from "playwright-core";

import { serve } from "./server.mjs";

const MINUTES_MAX = 8;
const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const outcomes = [];

function report({ module, name, error }) {
  outcomes.push({ error });
  console.log(`${error === undefined ? "ok  " : "FAIL"} ${module}: ${name}`);
  if (error !== undefined) console.log(error.replace(/^/gm, "     "));
}

async function runInBrowser(url, part) {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: ARGS });
  try {
    const page = await browser.newPage();
    const pageError = (error) => report({ module: "page", name: "error", error });
    page.on("pageerror", (error) => pageError(error.stack ?? String(error)));
    page.on("crash", () => pageError("the page crashed"));
    page.on("console", (message) => console.log(`     console: ${message.text()}`));
    await page.exposeFunction("report", report);
    await page.goto(`${url}/tests/hosts/page.html`);
    await page.evaluate(async (part) => {
      const { runShared } = await import("/tests/hosts/page.mjs");
      await runShared(part, globalThis.report);
    }, part);
  } finally {
    await browser.close();
  }
}

const server = await serve();
const deadline = setTimeout(() => {
  console.error(`not done after ${MINUTES_MAX} minutes`);
  process.exit(1);
}, MINUTES_MAX * 60_000);
try {
  await runInBrowser(server.url, process.argv[2] ?? "");
} catch (error) {
  report({ module: "page", name: "run", error: error.stack });
} finally {
  clearTimeout(deadline);
  server.close();
}
const failed = outcomes.filter(({ error }) => error !== undefined).length;
const passed = outcomes.length - failed;
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) process.exitCode = 1;
