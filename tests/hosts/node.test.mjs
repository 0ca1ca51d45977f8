// The shared modules on Node. The other host is browser.mjs.

import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import * as turnkeep from "../../npm/dist/entry/node.js";
import { FileStore } from "../../npm/dist/fs.js";
import { wasm } from "../../npm/dist/load.js";
import { MemoryStore } from "../../npm/dist/memory.js";
import { checks } from "./harness.mjs";
import { listFiles } from "./files.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const vectors = join(here, "../vectors");

async function files() {
  const folder = await mkdtemp(join(tmpdir(), "turnkeep-hosts-"));
  const store = new FileStore(join(folder, "store"));
  const remove = async () => {
    store.close();
    await rm(folder, { recursive: true });
  };
  return { store, remove };
}

const host = {
  turnkeep,
  wasm: wasm(),
  storeCases: JSON.parse(await readFile(join(here, "../store-cases.json"), "utf8")),
  stores: [
    { name: "memory", durability: "os", make: () => ({ store: new MemoryStore(), remove() {} }) },
    { name: "files", durability: "disk", make: files },
  ],
  fetchBytes: async (path) => new Uint8Array(await readFile(join(vectors, path))),
  list: (area) => listFiles(vectors, area),
};

const modules = (await readdir(join(here, "shared"))).filter((name) => name.endsWith(".mjs"));

for (const name of modules.sort()) {
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
