// Browsers and bundlers: the wasm as text in a module.
import { decodeBase64 } from "../base64.js";
import { provide } from "../load.js";
import base64 from "../wasm/turnkeep_base64.js";

provide(() => decodeBase64(base64));

export * from "../index.js";
