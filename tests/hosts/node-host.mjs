// The host that shared modules get where Node's own modules are: in Node, Deno and Bun.

import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import * as turnkeep from "../../npm/dist/entry/node.js";
import { FileStore } from "../../npm/dist/fs.js";
import { wasm } from "../../npm/dist/load.js";
import { MemoryStore } from "../../npm/dist/memory.js";
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

/** See harness.mjs. */
export const host = {
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

/** The names of the shared modules. */
export async function sharedModules() {
  const names = await readdir(join(here, "shared"));
  return names.filter((name) => name.endsWith(".mjs")).sort();
}
