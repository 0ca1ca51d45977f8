// The package's API: the declarations that its exports lead to, without their comments. api.d.ts holds it as it
// was when somebody last looked at it.
//
//   node tests/packaging/api.mjs     writes api.d.ts anew, from npm/dist

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const SNAPSHOT = join(here, "api.d.ts");

/** The declarations of the package that lies in a folder, as one text. */
export function apiOf(folder) {
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const entries = Object.entries(exports).map(([name, target]) => `// ${name}: ${target.types ?? target}\n`);
  const files = new Map();
  for (const { types } of Object.values(exports)) if (types !== undefined) add(files, folder, posix.normalize(types));
  const texts = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, text]) => `\n// ${path}\n${text}`);
  return entries.join("") + texts.join("");
}

/** Adds a file and those that it imports. */
function add(files, folder, path) {
  if (files.has(path)) return;
  const text = bare(readFileSync(join(folder, path), "utf8"));
  files.set(path, text);
  for (const [, target] of text.matchAll(/["'](\.\.?\/[^"']+)\.js["']/g)) {
    add(files, folder, posix.join(posix.dirname(path), `${target}.d.ts`));
  }
}

function bare(text) {
  const without = text.replace(/^\s*\/\*\*[\s\S]*?\*\/\n/gm, "").replace(/^\s*\/\/.*\n?/gm, "");
  return without.replace(/\n{2,}/g, "\n").trim() + "\n";
}

/** Fails where the API of an installed package is not that of the snapshot. */
export function checkApi(folder) {
  const found = apiOf(folder).split("\n");
  const expected = readFileSync(SNAPSHOT, "utf8").split("\n");
  const at = found.findIndex((line, index) => line !== expected[index]);
  if (at === -1 && found.length === expected.length) return;
  const line = at === -1 ? found.length : at;
  throw new Error(
    `the API changed at line ${line + 1} of tests/packaging/api.d.ts:\n  found    ${found[line]}\n`
      + `  expected ${expected[line]}\nWhere that is meant: write it into CHANGELOG.md, and run node tests/packaging/api.mjs`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(SNAPSHOT, apiOf(join(here, "../../npm")));
