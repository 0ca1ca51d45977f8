// Where the programs of npm packages are. Not where the packages' install scripts would put them: npm may be told to
// run none.

import { existsSync, readdirSync } from "node:fs";
import { arch, platform } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MODULES = fileURLToPath(new URL("../node_modules/", import.meta.url));
const CPU = { arm64: "aarch64" }[arch()] ?? arch();

/** Deno, whose script finds it. */
export const deno = () => join(MODULES, ".bin/deno");

/** Bun as it is for this machine: of several the one that asks least of the processor. */
export function bun() {
  const folder = join(MODULES, "@oven");
  const start = `bun-${platform()}-${CPU}`;
  const found = existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith(start)) : [];
  const best = found.find((name) => name === `${start}-baseline`) ?? found.find((name) => name === start);
  if (best === undefined) throw new Error(`no Bun for this machine in ${folder}: run npm ci in tests/hosts`);
  return join(folder, best, "bin/bun");
}
