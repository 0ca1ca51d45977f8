// Runs shared modules one after another, on hosts that have no test runner of their own.

import { harness } from "./harness.mjs";

/** Whether a module is one of those whose names contain one of the `parts`, which stand between commas. */
export function isWanted(module, parts) {
  return module.endsWith(".mjs") && parts.split(",").some((part) => module.includes(part));
}

/**
 * Runs a module that `load` gives against a host; `report` is told of each test's outcome:
 * `{ module, name, error? }`.
 */
export async function runModule(module, load, host, report) {
  const { t, finish } = harness((outcome) => report({ module, ...outcome }));
  const failed = (error) => report({ module, name: "(the module itself)", error });
  try {
    const { run } = await load();
    await run(t, host);
  } catch (error) {
    await failed(String(error?.stack ?? error));
  }
  if ((await finish()) === 0) await failed("it registers no test");
}

/** What of a host is the same wherever files come from a server: `get` fetches one of its addresses. */
export function servedHost(get, { MemoryStore, ...rest }) {
  const memory = () => ({ store: new MemoryStore(), remove: () => {} });
  return {
    ...rest,
    stores: [{ name: "memory", durability: "os", make: memory }],
    fetchBytes: async (path) => {
      const encoded = path.split("/").map(encodeURIComponent).join("/");
      return new Uint8Array(await (await get(`/tests/vectors/${encoded}`)).arrayBuffer());
    },
    list: (area) => listed(get, "tests/vectors", area),
  };
}

/** The paths of the server's files in FOLDER/AREA, relative to FOLDER. */
export async function listed(get, folder, area) {
  return (await get(`/list/${folder}?area=${encodeURIComponent(area)}`)).json();
}
