// node slim.mjs init|initSync|forgotten
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as turnkeep from "turnkeep/slim";
import { probe } from "./probe.mjs";

const bytes = readFileSync(createRequire(import.meta.url).resolve("turnkeep/core.wasm"));

switch (process.argv[2]) {
  case "init":
    await Promise.all([turnkeep.init(new Response(bytes)), turnkeep.init(bytes)]);
    break;
  case "initSync":
    turnkeep.initSync(new WebAssembly.Module(bytes));
    break;
  case "forgotten":
    try {
      probe(turnkeep);
    } catch (error) {
      if (!error.message.includes("init(")) throw error;
      process.exit(0);
    }
    throw new Error("slim worked without init");
}
probe(turnkeep);
