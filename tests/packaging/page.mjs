// A page of the throw-away project in headless Chromium. CHROMIUM names another browser than Debian's.

import { join } from "node:path";

import { chromium } from "../hosts/node_modules/playwright-core/index.mjs";

const ORIGIN = "http://project.test";
const MS_MAX = 30_000;

/** Opens a page of a folder; gives its title once that has changed, and fails on any error of the page. */
export async function titleOf(folder, path) {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const page = await browser.newPage();
    await page.route("**", (route) => {
      const { pathname } = new URL(route.request().url());
      if (pathname === "/favicon.ico") return route.fulfill({ status: 204 });
      return route.fulfill({ path: join(folder, decodeURIComponent(pathname)) });
    });
    const failed = new Promise((_, reject) => {
      page.on("pageerror", reject);
      page.on("requestfailed", (request) => reject(new Error(`${request.url()}: ${request.failure()?.errorText}`)));
    });
    await page.goto(`${ORIGIN}/${path}`);
    const changed = page.waitForFunction(() => document.title !== "nothing happened", undefined, { timeout: MS_MAX });
    await Promise.race([changed, failed]);
    return await page.title();
  } finally {
    await browser.close();
  }
}
