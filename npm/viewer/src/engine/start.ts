// Starts an engine: in a worker, or where there can be none, here.

import type { Engine } from "./api";
import { createEngine } from "./engine";
import { remoteEngine } from "./rpc";
import { initSync } from "../wasm/page";
// Both are put there by the build: the wasm packed and as text, the worker as a script.
import packed from "turnkeep:wasm";
import script from "turnkeep:worker";

/** Starts an engine. */
export function startEngine(): Engine {
  const started = start();
  const later =
    <M extends Exclude<keyof Engine, "close">>(method: M) =>
    async (...args: Parameters<Engine[M]>) =>
      ((await started)[method] as (...args: unknown[]) => unknown)(...args);
  const methods = ["open", "layout", "rows", "entries", "part", "raw", "survey", "verify", "search", "markdown", "bytesRead"] as const;
  const engine = Object.fromEntries(methods.map((method) => [method, later(method)]));
  return { ...(engine as unknown as Engine), close: () => void started.then((it) => it.close()) };
}

async function start(): Promise<Engine> {
  const module = await compiled();
  try {
    const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    const worker = new Worker(url);
    await new Promise((resolve, reject) => {
      // A page's policy may forbid workers; some browsers tell so only here.
      worker.onerror = reject;
      worker.onmessage = resolve;
      worker.postMessage(module);
    });
    worker.onerror = null;
    URL.revokeObjectURL(url);
    return remoteEngine(worker);
  } catch {
    initSync({ module });
    return createEngine();
  }
}

async function compiled(): Promise<WebAssembly.Module> {
  const packedBytes = bytesOf(packed);
  const stream = new Blob([packedBytes as BlobPart]).stream().pipeThrough(new DecompressionStream("gzip"));
  return WebAssembly.compile(await new Response(stream).arrayBuffer());
}

function bytesOf(base64: string): Uint8Array {
  const fromBase64 = (Uint8Array as { fromBase64?(text: string): Uint8Array }).fromBase64;
  if (fromBase64 !== undefined) return fromBase64.call(Uint8Array, base64);
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
