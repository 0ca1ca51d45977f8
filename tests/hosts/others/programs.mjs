// Where the programs of other hosts are: in npm packages that hold nothing else, for Linux on x64. DENO, BUN and
// WORKERD name others.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PROGRAMS = {
  DENO: "@deno/linux-x64-glibc/deno",
  BUN: "@oven/bun-linux-x64/bin/bun",
  WORKERD: "@cloudflare/workerd-linux-64/bin/workerd",
};

/** The path of a program; an error where there is none. */
export function program(name) {
  const path = process.env[name] ?? fileURLToPath(new URL(`../node_modules/${PROGRAMS[name]}`, import.meta.url));
  if (existsSync(path)) return path;
  throw new Error(`there is no ${path}: run cargo xtask setup on Linux on x64, or set ${name} to the path of one`);
}
