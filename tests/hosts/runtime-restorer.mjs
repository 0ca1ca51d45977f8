// Restores a bundle into a folder's store and cache, and tells when it begins and ends:
// node runtime-restorer.mjs FOLDER FILE. Killed by runtime.test.mjs.

import { readFileSync, readdirSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { createRuntime } from "../../npm/dist/entry/node.js";
import { FileStore } from "../../npm/dist/fs.js";

/** A cache of one file for each value, which outlives its process. */
export function fileCache(folder) {
  return {
    list: () => readdirSync(folder).filter((name) => !name.startsWith(".")).map(decodeURIComponent),
    get: (key) => ({ value: JSON.parse(readFileSync(join(folder, encodeURIComponent(key)), "utf8")) }),
    put(key, { value }) {
      const beside = join(folder, ".put");
      writeFileSync(beside, JSON.stringify(value));
      renameSync(beside, join(folder, encodeURIComponent(key)));
    },
  };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [folder, file] = process.argv.slice(2);
  const cache = fileCache(join(folder, "cache"));
  const runtime = await createRuntime({ store: new FileStore(join(folder, "store")), cache });
  writeSync(1, "begins\n");
  await runtime.restoreFrom(file);
  writeSync(1, "done\n");
  setInterval(() => {}, 1000);
}
