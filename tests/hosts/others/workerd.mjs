// Cloudflare's workerd: worker.mjs and all it needs bundled into one module, and the wasm as another.

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

import { serve } from "../server.mjs";
import { startWorkerd } from "./workerd-server.mjs";

const NPM = new URL("../../../npm/", import.meta.url);
const WASM = fileURLToPath(new URL("dist/wasm/turnkeep_bg.wasm", NPM));
const WORKER = fileURLToPath(new URL("worker.mjs", import.meta.url));

export async function runInWorkerd(parts, report) {
  const server = await serve();
  let worker;
  try {
    worker = await startWorkerd(await bundled(), WASM, { SERVER: server.url, PARTS: parts });
    const response = await fetch(worker.url);
    if (!response.ok) throw new Error(`the worker answered ${response.status}: ${await response.text()}`);
    for (const outcome of await response.json()) report(outcome);
  } finally {
    await worker?.stop();
    server.close();
  }
}

async function bundled() {
  const esbuild = createRequire(new URL("package.json", NPM))("esbuild");
  const wasm = {
    name: "wasm as a module of its own",
    setup({ onResolve }) {
      onResolve({ filter: /\.wasm$/ }, () => ({ path: "./core.wasm", external: true }));
    },
  };
  const { outputFiles } = await esbuild.build({
    entryPoints: [WORKER],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    conditions: ["workerd"],
    plugins: [wasm],
  });
  return outputFiles[0].text;
}
