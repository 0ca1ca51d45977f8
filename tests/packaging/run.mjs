// Packs the npm package, installs the tarball into a throw-away project as a user would, and
// loads it in each way that the package promises. The programs are the files in project/.

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import webpack from "webpack";

import { program } from "../hosts/others/programs.mjs";
import { startWorkerd } from "../hosts/others/workerd-server.mjs";
import { checkApi } from "./api.mjs";
import { titleOf } from "./page.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const npm = join(here, "../../npm");
const scratch = mkdtempSync(join(tmpdir(), "turnkeep-packaging-"));
const project = join(scratch, "project");
const installed = join(project, "node_modules/turnkeep");
const manifest = JSON.parse(readFileSync(join(npm, "package.json"), "utf8"));
const sizes = JSON.parse(readFileSync(join(here, "sizes.json"), "utf8"));
let tarball;
/** What is no module has no types, and CommonJS is served by Node's require of modules. */
const ATTW = ["--profile", "esm-only", "--exclude-entrypoints", "./core.wasm", "./viewer.html", "--no-color"];
/** Nothing is fetched. */
const DENO = ["run", "--allow-all", "--no-lock", "--node-modules-dir=manual", "--no-remote"];

const CHECKS = {
  "no dependencies, no install scripts"() {
    for (const kind of ["dependencies", "peerDependencies", "optionalDependencies", "scripts"]) {
      equal(manifest[kind], undefined, kind);
    }
  },
  "exact versions of development tools"() {
    for (const [name, version] of Object.entries(manifest.devDependencies)) {
      equal(/^\d+\.\d+\.\d+$/.test(version), true, `${name} ${version}`);
    }
  },
  "every export is in the tarball"() {
    for (const file of targets(manifest.exports)) {
      equal(existsSync(join(installed, file)), true, file);
    }
  },
  "README and license are in the tarball"() {
    equal(text("node_modules/turnkeep/README.md").startsWith("# turnkeep"), true, "README.md");
    equal(text("node_modules/turnkeep/LICENSE"), readFileSync(join(here, "../../LICENSE"), "utf8"), "LICENSE");
  },
  "the API is the one that was looked at": () => checkApi(installed),
  publint: () => own("publint", "run", installed, "--strict", "--pack", "false"),
  attw: () => own("attw", tarball, ...ATTW),
  "types stand first"() {
    for (const [path, target] of Object.entries(manifest.exports)) {
      if (typeof target === "object") equal(Object.keys(target)[0], "types", path);
    }
  },
  "Node, import": () => node("import.mjs"),
  "Node, require": () => node("require.cjs"),
  "Node, subpaths": () => node("subpaths.mjs"),
  "Node, stores": () => node("stores.mjs"),
  "Node, stores by require": () => node("stores.cjs"),
  "without Buffer and fromBase64": () => node("without-buffer.mjs"),
  "slim, initSync": () => node("slim.mjs", "initSync"),
  "slim, init": () => node("slim.mjs", "init"),
  "slim, init forgotten": () => node("slim.mjs", "forgotten"),
  "condition node": () => equal(entry(), "node.js", "entry"),
  "condition workerd": () => equal(entry("--conditions=workerd"), "workerd.js", "entry"),
  "TypeScript, nodenext": () => tsc("--module", "nodenext", "types.mts", "types.cts"),
  "TypeScript, bundler": () => tsc("--module", "preserve", "types.mts"),
  "TypeScript, the API": () => tsc("--module", "preserve", "api.ts"),
  "esbuild for browsers"() {
    const file = bundle("named.mjs", "--platform=browser");
    equal(/["']node:/.test(text(file)), false, "the bundle imports node: modules");
    node(file);
  },
  "esbuild for Node": () => node(bundle("named.mjs", "--platform=node")),
  "esbuild for Node, stores": () => node(bundle("stores.mjs", "--platform=node")),
  "esbuild for browsers, memory"() {
    const file = bundle("memory.mjs", "--platform=browser");
    equal(/["']node:/.test(text(file)), false, "the bundle imports node: modules");
    node(file);
  },
  "esbuild for workerd"() {
    const file = bundle("named.mjs", "--conditions=workerd", "--loader:.wasm=copy");
    equal(/from\s*["'][^"']+\.wasm["']/.test(text(file)), true, "the bundle imports the .wasm");
  },
  workerd: async () => equal(await askWorkerd(), "1 not_found true", "the worker's answer"),
  "Deno, import": () => inDeno("import.mjs"),
  "Deno, require": () => inDeno("require.cjs"),
  "Deno, stores": () => inDeno("stores.mjs"),
  "Bun, import": () => inBun("import.mjs"),
  "Bun, require": () => inBun("require.cjs"),
  "Bun, stores": () => inBun("stores.mjs"),
  "a plain page": async () => equal(await titleOf(project, "plain.html"), "recorded", "title"),
  "esbuild, a page"() {
    bundle("page.mjs", "--platform=browser");
    return showsBundle("bundle-page.mjs");
  },
  "webpack, a page": async () => {
    await webpacked("page.mjs", "webpack-page.js");
    return showsBundle("webpack-page.js");
  },
  async "Vite, a page"() {
    own("vite", "build", "--outDir", "vite-page", "--logLevel", "warn");
    equal(await titleOf(join(project, "vite-page"), "index.html"), "recorded", "title");
  },
  "size of the wasm"() {
    const file = join("node_modules/turnkeep", manifest.exports["./core.wasm"]);
    ceiling(file, sizes.wasm_gzip_max);
  },
  "size of a bundle of everything"() {
    ceiling(bundle("everything.mjs", "--platform=browser"), sizes.inline_gzip_max);
  },
};

/** Packs the package and installs it; prints what the tarball weighs. */
function install() {
  const pack = ["pack", "--json", "--pack-destination", scratch];
  const [packed] = Object.values(JSON.parse(run(npm, "npm", pack)));
  const { filename, size, unpackedSize, entryCount } = packed;
  tarball = join(scratch, filename);
  console.log(`${filename}: ${size} bytes, ${unpackedSize} unpacked, ${entryCount} files`);
  cpSync(join(here, "project"), project, { recursive: true });
  writeFileSync(join(project, "package.json"), '{ "private": true }');
  // Offline, so that a package which needs another one fails here.
  const options = ["--offline", "--no-audit", "--no-fund"];
  run(project, "npm", ["install", ...options, tarball]);
}

function targets(exports) {
  if (typeof exports === "string") return [exports];
  return Object.values(exports).flatMap(targets);
}

function node(...args) {
  return run(project, process.execPath, args);
}

function inDeno(script) {
  return run(project, program("DENO"), [...DENO, script]);
}

function inBun(script) {
  return run(project, program("BUN"), ["run", "--no-install", script]);
}

/** A tool that this folder has installed. */
function own(tool, ...args) {
  return run(project, join(here, "node_modules/.bin", tool), args);
}

/** Bundles a program with webpack, as its own defaults have it for a page. */
function webpacked(script, filename) {
  const output = { path: project, filename };
  // It is larger than webpack advises: sizes.json bounds it.
  const options = { mode: "production", context: project, entry: `./${script}`, output, performance: false };
  return new Promise((resolve, reject) => {
    webpack(options, (error, stats) => {
      if (error === null && !stats.hasErrors() && !stats.hasWarnings()) return resolve();
      reject(error ?? new Error(stats.toString({ all: false, errors: true, warnings: true })));
    });
  });
}

/** A page with a script that a bundler wrote does its work. */
async function showsBundle(script) {
  writeFileSync(join(project, "bundled.html"), text("index.html").replace("./page.mjs", `./${script}`));
  equal(await titleOf(project, "bundled.html"), "recorded", "title");
}

/** What a worker answers that was bundled for workerd. */
async function askWorkerd() {
  const file = bundle("worker.mjs", "--conditions=workerd", "--external:*.wasm");
  const worker = text(file).replace(/(from\s*)["'][^"']+\.wasm["']/, '$1"./core.wasm"');
  const { url, stop } = await startWorkerd(worker, join(installed, manifest.exports["./core.wasm"]));
  try {
    return await (await fetch(url)).text();
  } finally {
    await stop();
  }
}

/** The name of the file that "turnkeep" is for Node with these flags. */
function entry(...flags) {
  return node(...flags, "resolve.mjs").trim().split("/").at(-1);
}

function tsc(...args) {
  const strict = ["--noEmit", "--strict", "--target", "es2022", "--types", ""];
  run(project, join(npm, "node_modules/.bin/tsc"), [...strict, ...args]);
}

/** Bundles a program of the project; returns the name of the bundle. */
function bundle(script, ...options) {
  const out = `bundle-${script}`;
  const how = ["--bundle", "--minify", "--format=esm", `--outfile=${out}`, ...options];
  own("esbuild", script, ...how);
  return out;
}

function text(file) {
  return readFileSync(join(project, file), "utf8");
}

function ceiling(file, max) {
  const bytes = readFileSync(join(project, file));
  const gzip = gzipSync(bytes, { level: 9 }).length;
  console.log(`     ${bytes.length} bytes, ${gzip} gzip, ${max} allowed`);
  if (gzip > max) throw new Error(`${gzip - max} bytes over the ceiling in sizes.json`);
}

function equal(found, expected, what) {
  if (found !== expected) throw new Error(`${what}: found ${found}, expected ${expected}`);
}

function run(cwd, program, args) {
  try {
    return execFileSync(program, args, { cwd, encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    const output = `${error.stdout ?? ""}${error.stderr ?? ""}` || error.message;
    throw new Error(`${program} ${args.join(" ")}\n${output}`);
  }
}

let passed = 0;
let failed = 0;
try {
  install();
  for (const [name, check] of Object.entries(CHECKS)) {
    try {
      await check();
      passed += 1;
      console.log(`ok   ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${name}\n${error.message.replace(/^/gm, "     ")}`);
    }
  }
} finally {
  rmSync(scratch, { recursive: true });
}
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
