// The files below a folder, for the hosts that have a file system.

import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";

/** The paths of all files below `root`/`area`, relative to `root`, sorted by code unit. */
export async function listFiles(root, area) {
  const entries = await readdir(join(root, area), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    .map((path) => path.split(sep).join("/"))
    .sort();
}
