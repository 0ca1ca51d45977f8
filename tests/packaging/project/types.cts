import * as turnkeep from "turnkeep";
import "turnkeep/fs";
import "turnkeep/memory";
import * as slim from "turnkeep/slim";

export const both: [typeof turnkeep, typeof turnkeep] = [turnkeep, slim];
export const started: Promise<void> = slim.init(new URL("https://example.com/core.wasm"));
