// Deno and Bun: programs that run the shared modules as Node does.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { program } from "./programs.mjs";

const SCRIPT = fileURLToPath(new URL("process.mjs", import.meta.url));
/** Nothing is fetched, and no settings of the folders around are used. */
const DENO = ["run", "--allow-all", "--no-config", "--no-lock", "--no-remote", "--no-npm"];

export const runInDeno = async (parts, report) => runIn(program("DENO"), DENO, parts, report);
export const runInBun = async (parts, report) => runIn(program("BUN"), ["run", "--no-install"], parts, report);

/** Each line that the program prints is the outcome of a test. */
async function runIn(path, args, parts, report) {
  const child = spawn(path, [...args, SCRIPT, parts], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (data) => (said += data));
  const ended = once(child, "close");
  // Where there is no such program this throws too, once it is waited for.
  ended.catch(() => {});
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("{")) report(JSON.parse(line));
    else said += `${line}\n`;
  }
  const [code] = await ended;
  if (code !== 0) throw new Error(`${path} ended with ${code}\n${said}`);
}
