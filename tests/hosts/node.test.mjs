// The shared modules on Node. The other hosts are browser.mjs and those in others/.

import { test } from "node:test";

import { checks } from "./harness.mjs";
import { host, sharedModules } from "./node-host.mjs";

for (const name of await sharedModules()) {
  test(name, async (context) => {
    const { run } = await import(`./shared/${name}`);
    const registered = [];
    const t = {
      ...checks,
      test(title, fn) {
        const done = context.test(title, fn);
        registered.push(done);
        return done;
      },
    };
    await run(t, host);
    await Promise.all(registered);
    checks.ok(registered.length > 0, "the module registers a test: it");
  });
}
