// Holds the one instance of the wasm. The entries say where its bytes are; it is instantiated at
// first use, synchronously, so importing the package costs nothing and needs no await.

import * as glue from "./wasm/turnkeep.js";

/** The wasm itself: its bytes, or a module that the host has already compiled. */
export type WasmSource = BufferSource | WebAssembly.Module;

/** What {@link init} takes: the wasm, a response that carries it, or where to fetch it. */
export type WasmInput = WasmSource | Response | URL | string;

let source: (() => WasmSource) | undefined;
let ready = false;

/** Says where the wasm comes from, should it be needed. @internal */
export function provide(next: () => WasmSource): void {
  source = next;
}

/** The functions and classes of the wasm. @internal */
export function wasm(): typeof glue {
  if (!ready) {
    if (source === undefined) {
      throw new Error("turnkeep has no wasm yet: import turnkeep, or call init(source) of turnkeep/slim");
    }
    initSync(source());
  }
  return glue;
}

/** Instantiates the wasm. When that has happened already, nothing does. */
export function initSync(wasm: WasmSource): void {
  if (ready) return;
  try {
    glue.initSync({ module: wasm });
  } catch (cause) {
    throw new Error(`this host did not take turnkeep's wasm: ${String(cause)}. ${HINT}`, { cause });
  }
  ready = true;
}

/** Fetches and compiles the wasm as needed, and instantiates it. */
export async function init(input: WasmInput | PromiseLike<WasmInput>): Promise<void> {
  // The glue's own asynchronous start could replace an instance that is in use by then.
  initSync(await compile(await input));
}

async function compile(input: WasmInput): Promise<WebAssembly.Module> {
  if (input instanceof WebAssembly.Module) return input;
  if (typeof input === "string" || input instanceof URL) return compile(await fetch(input));
  if (!(input instanceof Response)) return WebAssembly.compile(input);
  if (!input.ok) throw new Error(`turnkeep's wasm: ${input.url} answered ${input.status}`);
  return WebAssembly.compile(await input.arrayBuffer());
}

const HINT =
  "A page's Content-Security-Policy must allow 'wasm-unsafe-eval'; a host that compiles no wasm " +
  "at run time needs turnkeep/core.wasm imported as a module and given to init of turnkeep/slim.";
