// What Deno and Bun run: the shared modules whose names contain the argument. Prints each test's outcome as JSON.

import { host, sharedModules } from "../node-host.mjs";
import { runModule } from "../run-shared.mjs";

const part = process.argv[2] ?? "";
for (const name of await sharedModules()) {
  if (!name.includes(part)) continue;
  const report = (outcome) => console.log(JSON.stringify(outcome));
  await runModule(name, () => import(`../shared/${name}`), host, report);
}
