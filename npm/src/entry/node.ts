// Node, Deno, Bun. Text too, not the .wasm file: bundlers for Node leave such a file behind, and
// reading it is not faster.
export * from "./inline.js";
