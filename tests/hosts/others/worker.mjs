// Runs in workerd: the shared modules, which are bundled with this, against the package for workerd.

import * as turnkeep from "../../../npm/dist/entry/workerd.js";
import { wasm } from "../../../npm/dist/load.js";
import { MemoryStore } from "../../../npm/dist/memory.js";
import { listed, runModule, servedHost } from "../run-shared.mjs";

export default {
  async fetch(_request, { SERVER, PART }) {
    const get = async (path) => {
      const response = await fetch(SERVER + path);
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return response;
    };
    const storeCases = await (await get("/tests/store-cases.json")).json();
    const host = servedHost(get, { turnkeep, wasm: wasm(), storeCases, MemoryStore });
    const outcomes = [];
    for (const path of await listed(get, "tests/hosts", "shared")) {
      const name = path.replace(/^shared\/|\.mjs$/g, "");
      if (!path.endsWith(".mjs") || !path.includes(PART)) continue;
      // The bundler takes every file that this may name.
      await runModule(`${name}.mjs`, () => import(`../shared/${name}.mjs`), host, (outcome) => void outcomes.push(outcome));
    }
    return Response.json(outcomes);
  },
};
