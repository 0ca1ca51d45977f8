// Firefox: the same page as Chromium's.

import { serve } from "../server.mjs";
import { firefox } from "../viewer/firefox.mjs";

export async function runInFirefox(parts, report) {
  const server = await serve();
  const tell = (what) => {
    if (what.startsWith("an error: ")) report({ module: "page", name: "error", error: what });
  };
  let page;
  try {
    page = await firefox(tell);
    await page.open(`${server.url}/tests/hosts/page.html`);
    const outcomes = await page.evaluate(`(async () => {
      const outcomes = [];
      const { runShared } = await import("/tests/hosts/page.mjs");
      await runShared(${JSON.stringify(parts)}, (outcome) => void outcomes.push(outcome));
      return JSON.stringify(outcomes);
    })()`);
    JSON.parse(outcomes).forEach(report);
  } finally {
    await page?.close();
    server.close();
  }
}
