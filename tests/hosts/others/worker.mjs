// Runs in workerd: the shared modules, which are bundled with this, against the package for workerd.

import * as turnkeep from "../../../npm/dist/entry/workerd.js";
import { wasm } from "../../../npm/dist/load.js";
import { MemoryStore } from "../../../npm/dist/memory.js";
import { isWanted, listed, runModule, servedHost } from "../run-shared.mjs";

export default {
  async fetch(_request, { SERVER, PARTS }) {
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
      if (!isWanted(path.replace("shared/", ""), PARTS)) continue;
      // The bundler takes every file that this may name.
      const report = (outcome) => void outcomes.push(outcome);
      await runModule(`${name}.mjs`, () => import(`../shared/${name}.mjs`), host, report);
    }
    return Response.json(outcomes);
  },
};
