// Real servers for the tests of the stores that lie elsewhere, each on a free port, in a place of
// its own, and gone when the tests are.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const SETUP = "`cargo xtask setup` installs what the tests need";

/** Starts a Redis with these settings beside its own; `stop` ends it. */
export async function startRedis(...settings) {
  if (spawnSync("redis-server", ["--version"]).status !== 0) {
    throw new Error(`redis-server is not installed: ${SETUP}`);
  }
  const folder = mkdtempSync(join(tmpdir(), "turnkeep-redis-"));
  const port = await freePort();
  const own = ["--bind", "127.0.0.1", "--port", port, "--dir", folder, "--save", "", "--appendonly", "no"];
  const child = spawn("redis-server", [...own, ...settings].map(String), { stdio: ["ignore", "pipe", "inherit"] });
  const stop = async () => {
    await ended(child);
    rmSync(folder, { recursive: true, force: true });
  };
  await lineWith(child, /Ready to accept connections/);
  return { port, url: `redis://127.0.0.1:${port}`, stop };
}

/** Starts an S3 server; `control(path, body)` plans what goes wrong and tells what was asked. */
export async function startS3(personality = "linear") {
  const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL("../../target", import.meta.url));
  const program = process.env.TEST_S3 ?? join(target, "debug/test-s3");
  if (!existsSync(program)) {
    throw new Error(`${program} is missing: ${SETUP}, and cargo build builds it, or TEST_S3 names another`);
  }
  const child = spawn(program, ["--personality", personality], { stdio: ["pipe", "pipe", "inherit"] });
  const access = JSON.parse(await lineWith(child, /^\{/));
  const control = async (path, body) => {
    const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    const response = await fetch(`${access.control}/${path}`, init);
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return response.json();
  };
  return { ...access, control, stop: () => ended(child) };
}

/** A port on which nobody listens. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject).listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

const children = new Set();
process.on("exit", () => children.forEach((child) => child.kill("SIGKILL")));

/** The first line of what a program says that fits. */
function lineWith(child, pattern) {
  children.add(child);
  return new Promise((resolve, reject) => {
    const lines = createInterface(child.stdout);
    const heard = [];
    lines.on("line", (line) => {
      heard.push(line);
      if (!pattern.test(line)) return;
      // It is read on, for a full pipe would hold the server up, but keeps nobody from ending.
      for (const handle of [child, child.stdin, child.stdout]) handle?.unref();
      resolve(line);
    });
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`the server ended with ${code}:\n${heard.join("\n")}`)));
  });
}

/** Ends a program that was started here. */
async function ended(child) {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.stdin?.end();
  child.kill("SIGTERM");
  const late = sleep(5000, "late", { ref: false });
  if ((await Promise.race([gone, late])) === "late") child.kill("SIGKILL");
}
