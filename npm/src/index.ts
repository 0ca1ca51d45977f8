// The public API. Placeholder until the bindings are there.

import { wasm } from "./load.js";

/** The SHA-256 of `bytes` as 64 lower-case hex digits. */
export function sha256Hex(bytes: Uint8Array): string {
  return wasm().sha256_hex(bytes);
}
