// The built page in Debian's Chromium, from a file, as a person uses it. Whatever nobody should ever see is
// collected on the way: errors, dialogs, windows and requests.

import { strict as assert } from "node:assert";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

import { chromium } from "playwright-core";

export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
export const PAGE = join(ROOT, "npm/viewer/dist/index.html");
const PAGE_URL = pathToFileURL(PAGE).href;

/** What the page takes from itself: its worker, and images of sessions. */
const OWN = /^(blob:|data:image\/)/;

/**
 * A browser for the tests of one file: `visit(options, use)` opens the page in a window of its own, and fails
 * where anything went wrong that `use` has not taken out of `viewer.faults`.
 */
export async function startChromium({ args = [] } = {}) {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", ...args] });
  const folder = await mkdtemp(join(tmpdir(), "turnkeep-page-"));
  after(async () => {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { browser, folder, visit: (options, use) => visit({ browser, folder }, options, use) };
}

/**
 * `url`: of another page than the built one; `hash`, `query`: what follows the address; `before`: gets the
 * window before the page is there.
 */
async function visit({ browser, folder }, options, use) {
  const { url = PAGE_URL, hash = "", query = "", width = 1400, height = 900, before, ...context } = options;
  const opened = await browser.newContext({ viewport: { width, height }, locale: "en-US", timezoneId: "UTC", ...context });
  try {
    const page = await opened.newPage();
    const viewer = new Viewer(page, folder);
    await before?.(page);
    await page.goto(`${url}${query}${hash}`);
    const result = await use(viewer);
    assert.deepEqual(viewer.faults, [], "nothing is to go wrong on the way");
    return result;
  } finally {
    await opened.close();
  }
}

/** The page in one window. */
export class Viewer {
  page;
  /** Errors, dialogs and windows, in words. */
  faults = [];
  /** Addresses of all requests but those for the page itself. */
  requests = [];
  #folder;

  constructor(page, folder) {
    this.page = page;
    this.#folder = folder;
    page.setDefaultTimeout(15_000);
    page.on("console", (message) => {
      if (message.type() === "error") this.faults.push(`told on the console: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.faults.push(`an error: ${error.message}`));
    page.on("popup", (popup) => this.faults.push(`a window: ${popup.url()}`));
    page.on("dialog", (dialog) => {
      this.faults.push(`a dialog: ${dialog.message()}`);
      return dialog.dismiss();
    });
    page.on("request", (request) => {
      const isPage = request.isNavigationRequest() && request.frame() === page.mainFrame();
      if (!isPage && !OWN.test(request.url())) this.requests.push(request.url());
    });
  }

  get main() {
    return this.page.locator("#conversation");
  }

  get list() {
    return this.page.locator(".rows");
  }

  get badge() {
    return this.page.locator(".badge-text");
  }

  get notice() {
    return this.page.locator(".notice [role=status]");
  }

  get dialog() {
    return this.page.getByRole("dialog");
  }

  row(row) {
    return this.page.locator(`.rows [data-row="${row}"]`);
  }

  button(name, within = this.page) {
    return within.getByRole("button", { name, exact: true });
  }

  /** Chooses files: `{ name: bytes }`. */
  async choose(files) {
    const folder = await this.write(files);
    const input = this.page.locator("input[type=file]:not([webkitdirectory])");
    await input.setInputFiles(Object.keys(files).map((name) => join(folder, name)));
  }

  /** Drops files or folders that lie on the disk, as the system's file manager would. */
  async dropPaths(paths) {
    const devtools = await this.page.context().newCDPSession(this.page);
    const data = { items: [], files: paths, dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"]) {
      await devtools.send("Input.dispatchDragEvent", { type, x: 300, y: 300, data });
    }
  }

  /** Drops files: `{ name: bytes }`; a name may have folders. */
  async drop(files, dropped = Object.keys(files)) {
    const folder = await this.write(files);
    await this.dropPaths(dropped.map((name) => join(folder, name)));
  }

  /** Writes files into a folder of their own, and tells which. */
  async write(files) {
    const folder = await mkdtemp(join(this.#folder, "files-"));
    for (const [name, bytes] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), bytes);
    }
    return folder;
  }

  /** Opens one session and waits until it was read and verified. */
  async read(bytes, name = "fix-the-tests.jsonl") {
    await this.choose({ [name]: bytes });
    await this.settled();
  }

  /** Waits until the session was read and verified. */
  async settled() {
    await this.list.locator("article").first().waitFor();
    await this.page.waitForFunction(() => {
      const badge = document.querySelector("turnkeep-viewer").shadowRoot.querySelector(".badge-text");
      return badge !== null && !badge.textContent.startsWith("Verifying");
    });
    await this.painted();
  }

  /** Waits for two frames: what signals changed is drawn then. */
  async painted() {
    await this.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))));
  }

  async press(...keys) {
    for (const key of keys) {
      await this.page.keyboard.press(key);
      await this.painted();
    }
  }

  /** Waits until a row has the focus, and tells which. */
  async focusedRow() {
    let row;
    await until(async () => ({ row } = await this.focus()).row !== undefined, "a row with the focus");
    return row;
  }

  /** What has the focus: `{ tag, row, name }`; the tag of the page itself is `body`. */
  async focus() {
    return this.page.evaluate(() => {
      let active = document.activeElement;
      while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
      const row = active?.getAttribute("data-row");
      const name = active?.getAttribute("aria-label") ?? active?.textContent.trim().slice(0, 40);
      return { tag: active?.localName ?? "none", row: row === null ? undefined : Number(row), name };
    });
  }

  /** Texts of whatever a locator finds. */
  async texts(selector) {
    return (await this.page.locator(selector).allTextContents()).map((text) => text.trim());
  }

  /** Whether a row can be seen: at least partly within the list. */
  async inView(row) {
    const [list, own] = [await this.list.boundingBox(), await this.row(row).boundingBox()];
    return own !== null && own.y + own.height > list.y + 1 && own.y < list.y + list.height - 1;
  }
}

/** Waits until something holds, for what no locator can wait for. */
export async function until(holds, what) {
  for (let tries = 0; tries < 300; tries += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`it never came: ${what}`);
}
