// What Deno and Bun run: the shared modules whose names contain a part of the argument. Prints each test's outcome as JSON.

import { host, sharedModules } from "../node-host.mjs";
import { isWanted, runModule } from "../run-shared.mjs";

const parts = process.argv[2] ?? "";
for (const name of await sharedModules()) {
  if (!isWanted(name, parts)) continue;
  const report = (outcome) => console.log(JSON.stringify(outcome));
  await runModule(name, () => import(`../shared/${name}`), host, report);
}
