// What runs in the worker. The first message brings the wasm.

import { initSync } from "../wasm/page";
import { createEngine } from "./engine";
import { serve } from "./rpc";

const port = globalThis as unknown as {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
};

port.onmessage = ({ data }: MessageEvent<WebAssembly.Module>) => {
  initSync({ module: data });
  serve(createEngine(), port);
  port.postMessage("ready");
};
