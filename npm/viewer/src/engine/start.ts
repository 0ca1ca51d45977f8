// Starts an engine: in a worker, or where there can be none, here.

import type { Engine } from "./api";
import { createEngine } from "./engine";
import { remoteEngine } from "./rpc";
import { type Wire, parsed } from "./wire";
import { initSync } from "../wasm/page";
// Both are put there by the build: the wasm packed and as text, the worker as a script.
import packed from "turnkeep:wasm";
import script from "turnkeep:worker";

/** Starts an engine; what is asked of it meanwhile waits. */
export function startEngine(): Engine {
  const started = start();
  const wire = new Proxy({} as Wire, {
    get: (_, method: keyof Wire) =>
      async (...args: unknown[]) => ((await started)[method] as (...args: unknown[]) => unknown)(...args),
  });
  return parsed(wire);
}

async function start(): Promise<Wire> {
  const module = await compiled();
  try {
    return remoteEngine(await startWorker(module));
  } catch {
    // The page's policy forbids workers, or the browser has none for it.
    initSync({ module });
    return createEngine();
  }
}

async function startWorker(module: WebAssembly.Module): Promise<Worker> {
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const worker = new Worker(url);
  await new Promise((resolve, reject) => {
    worker.onerror = reject;
    worker.onmessage = resolve;
    worker.postMessage(module);
  });
  worker.onerror = null;
  URL.revokeObjectURL(url);
  return worker;
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
