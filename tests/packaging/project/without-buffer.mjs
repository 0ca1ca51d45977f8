// What is left is atob, as in a browser of before 2025.
import * as turnkeep from "turnkeep";
import { probe } from "./probe.mjs";

delete globalThis.Buffer;
delete Uint8Array.fromBase64;
probe(turnkeep);
