// Runs in the page: the shared modules against the package, both imported by their URLs.

import { isWanted, listed, runModule, servedHost } from "./run-shared.mjs";

/** Runs the modules whose names contain one of the `parts`; `report` is told of each test's outcome. */
export async function runShared(parts, report) {
  const turnkeep = await import("/npm/dist/entry/inline.js");
  const { wasm } = await import("/npm/dist/load.js");
  const { MemoryStore } = await import("/npm/dist/memory.js");
  const storeCases = await (await get("/tests/store-cases.json")).json();
  const host = servedHost(get, { turnkeep, wasm: wasm(), storeCases, MemoryStore });
  for (const path of await listed(get, "tests/hosts", "shared")) {
    const module = path.replace("shared/", "");
    if (!isWanted(module, parts)) continue;
    await runModule(module, () => import(`./${path}`), host, report);
  }
}

async function get(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response;
}
