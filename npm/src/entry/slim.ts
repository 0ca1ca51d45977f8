// No wasm inside: the application hands it over.
export { init, initSync, type WasmInput, type WasmSource } from "../load.js";
export * from "../index.js";
