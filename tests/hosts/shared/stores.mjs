// The store in memory does what the cases say.

import { MemoryStore } from "../../../npm/dist/memory.js";
import { runStoreCases } from "../store-cases.mjs";

export async function run(t, host) {
  const cases = JSON.parse(new TextDecoder().decode(await host.fetchBytes("../store-cases.json")));
  runStoreCases(t, cases, () => new MemoryStore());
}
