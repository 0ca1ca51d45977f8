// Runs in the page: the shared modules against the package, both imported by their URLs.

import { harness } from "./harness.mjs";

const VECTORS = "/tests/vectors/";

/** Runs the modules whose names contain `part`; `report` is told of each test's outcome. */
export async function runShared(part, report) {
  const turnkeep = await import("/npm/dist/entry/inline.js");
  const { wasm } = await import("/npm/dist/load.js");
  const { MemoryStore } = await import("/npm/dist/memory.js");
  const memory = () => ({ store: new MemoryStore(), remove: () => {} });
  const host = {
    turnkeep,
    wasm: wasm(),
    storeCases: await (await get("/tests/store-cases.json")).json(),
    stores: [{ name: "memory", durability: "os", make: memory }],
    fetchBytes: async (path) => new Uint8Array(await (await get(VECTORS + path)).arrayBuffer()),
    list: (area) => list("tests/vectors", area),
  };
  for (const path of await list("tests/hosts", "shared")) {
    if (!path.endsWith(".mjs") || !path.includes(part)) continue;
    await runModule(path, host, report);
  }
}

async function runModule(path, host, report) {
  const module = path.replace("shared/", "");
  const { t, finish } = harness((outcome) => report({ module, ...outcome }));
  const failed = (error) => report({ module, name: "(the module itself)", error });
  try {
    const { run } = await import(`./${path}`);
    await run(t, host);
  } catch (error) {
    await failed(String(error?.stack ?? error));
  }
  if ((await finish()) === 0) await failed("it registers no test");
}

async function list(folder, area) {
  return (await get(`/list/${folder}?area=${encodeURIComponent(area)}`)).json();
}

async function get(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response;
}
