// The TypeScript that the documentation shows: all of it compiles, and what can run without a server runs.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "turnkeep-docs-"));
after(() => rmSync(folder, { recursive: true }));

/** What a snippet that imports nothing goes on from. */
const BEFORE = `import { Session, type Store } from "turnkeep";
declare const store: Store;
declare const [call, result, answer]: object[];
`;

const pages = ["README.md", "npm/README.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)];
const snippets = pages.filter((page) => page.endsWith(".md")).flatMap((page) => {
  const found = [...readFileSync(join(root, page), "utf8").matchAll(/^```ts\n(.*?)^```$/gms)];
  return found.map(([, code], at) => ({ page, name: `${page.replaceAll(/\W/g, "-")}-${at}`, code }));
});

test("it compiles, however strict", () => {
  const modules = join(folder, "node_modules");
  mkdirSync(modules);
  symlinkSync(join(root, "npm"), join(modules, "turnkeep"));
  for (const client of ["redis", "aws4fetch"]) {
    symlinkSync(join(root, "tests/hosts/node_modules", client), join(modules, client));
  }
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const { name, code } of snippets) {
    writeFileSync(join(folder, `${name}.ts`), /^import /m.test(code) ? code : BEFORE + code);
  }
  for (const page of ["README.md", "docs/import.md", "docs/runtime.md", "docs/sessions.md", "docs/tiers.md"]) {
    assert.ok(snippets.some((snippet) => snippet.page === page), page);
  }
  const types = ["--typeRoots", join(root, "npm/node_modules/@types"), "--types", "node"];
  const strict = ["--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--skipLibCheck"];
  const how = ["--target", "es2022", "--module", "nodenext", "--outDir", "out", "--rootDir", "."];
  const files = snippets.map(({ name }) => `${name}.ts`);
  const compiler = join(root, "npm/node_modules/.bin/tsc");
  const { status, stdout } = spawnSync(compiler, [...types, ...strict, ...how, ...files], { cwd: folder, encoding: "utf8" });
  assert.equal(status, 0, stdout);
});

/** What its comments, or its text, say that it prints. */
const SAYS = {
  "README-md-0": "0 session_start undefined\n1 user_input { role: 'user', content: 'What is 6 × 7?' }\n2 assistant_item { role: 'assistant', content: '42' }",
  "docs-import-md-0": "default imported 5\nwork imported 1",
  "docs-runtime-md-0": "talk unchanged",
  "docs-runtime-md-1": "1 0",
  "docs-sessions-md-1": "",
};

for (const [name, says] of Object.entries(SAYS)) {
  test(`${name} runs`, () => {
    const cwd = join(folder, "run", name);
    mkdirSync(cwd, { recursive: true });
    copyFileSync(join(root, "tests/fixtures/eai_snapshot.gz"), join(cwd, "backup.gz"));
    const call = spawnSync(process.execPath, [join(folder, "out", `${name}.js`)], { cwd, encoding: "utf8" });
    assert.equal(call.status, 0, call.stderr);
    assert.equal(call.stdout.trim(), says);
  });
}
