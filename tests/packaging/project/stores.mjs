// The stores have their own modules, and use the wasm that "turnkeep" brings.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Session, TurnkeepError } from "turnkeep";
import { FileStore } from "turnkeep/fs";
import { recordIn } from "./memory.mjs";

const folder = mkdtempSync(join(tmpdir(), "turnkeep-packaging-"));
try {
  await recordIn(new FileStore(folder), Session, TurnkeepError);
} finally {
  rmSync(folder, { recursive: true });
}
