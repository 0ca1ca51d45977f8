// Cloudflare's workerd, the program itself: a worker that answers on the loopback.

import { spawn } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { program } from "./programs.mjs";

const COMPATIBLE_SINCE = "2025-01-01";

/**
 * Starts a worker, whose text imports the wasm as "./core.wasm"; `bindings` are texts that it is given, and
 * `wasm` is the file. Gives its address and what stops it.
 */
export async function startWorkerd(text, wasm, bindings = {}) {
  const folder = await mkdtemp(join(tmpdir(), "turnkeep-workerd-"));
  await writeFile(join(folder, "worker.mjs"), text);
  await cp(wasm, join(folder, "core.wasm"));
  await writeFile(join(folder, "config.capnp"), config(bindings));
  // What listens is told on the third descriptor.
  const args = ["serve", "config.capnp", "--experimental", "--control-fd=3"];
  const child = spawn(program("WORKERD"), args, { cwd: folder, stdio: ["ignore", "pipe", "pipe", "pipe"] });
  const ended = new Promise((resolve) => child.on("close", resolve));
  const stop = async () => {
    child.kill("SIGKILL");
    await ended;
    await rm(folder, { recursive: true });
  };
  try {
    return { url: `http://127.0.0.1:${await portOf(child)}/`, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function portOf(child) {
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (said += data));
  const failed = new Promise((_, reject) => {
    child.on("error", reject);
    child.on("close", (code) => reject(new Error(`workerd ended with ${code}\n${said}`)));
  });
  // It ends after all, once it is stopped.
  failed.catch(() => {});
  return Promise.race([failed, listening(child.stdio[3])]);
}

async function listening(control) {
  for await (const line of createInterface({ input: control })) {
    const { event, port } = JSON.parse(line);
    if (event === "listen") return port;
  }
  return new Promise(() => {});
}

function config(bindings) {
  const texts = Object.entries(bindings).map(([name, text]) => `(name = "${name}", text = ${JSON.stringify(text)})`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [
        (name = "worker.mjs", esModule = embed "worker.mjs"),
        (name = "core.wasm", wasm = embed "core.wasm"),
      ],
      compatibilityDate = "${COMPATIBLE_SINCE}",
      bindings = [${texts.join(", ")}],
      globalOutbound = "loopback",
    )),
    (name = "loopback", network = (allow = ["local", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`;
}
