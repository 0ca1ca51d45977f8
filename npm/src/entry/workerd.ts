// Cloudflare's workerd: a module compiled ahead, since it compiles none at run time.
import module from "../wasm/turnkeep_bg.wasm";
import { provide } from "../load.js";

provide(() => module);

export * from "../index.js";
