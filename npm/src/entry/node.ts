// Node, Deno, Bun. Text too, not the .wasm file: bundlers for Node leave such a file behind, and
// reading it is not faster.
export * from "./inline.js";

// Paths of bundles. No file system is touched, and no module of Node's loaded, before one is named.
import { providePaths } from "../place.js";

providePaths(async (path) => (await import("../fs.js")).fileBundle(path));
