// The hostile corpus against each of the page's components, by itself and without any policy.

import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const SCRIPT = fileURLToPath(new URL("content-page.mjs", import.meta.url));
const MINUTES_MAX = 5;

for (const browser of ["chromium", "firefox"]) {
  test(`no component lets hostile contents do anything, ${browser}`, { timeout: MINUTES_MAX * 60_000 }, async (context) => {
    const options = { env: { ...process.env, BROWSER: browser }, maxBuffer: 64 * 1024 * 1024 };
    const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT], options).catch(({ stdout, stderr }) => {
      assert.fail(`${stdout}${stderr}`.slice(-4_000));
    });
    context.diagnostic(stdout.trim().split("\n").join("; "));
    const passed = Number(/(\d+) passed, 0 failed/.exec(stdout)?.[1] ?? 0);
    assert.ok(passed > 500, `${passed} payloads`);
  });
}
