// Bundlers may leave out modules that a named import does not seem to need: the one that holds
// the wasm must stay.
import { sha256Hex } from "turnkeep";
import { probe } from "./probe.mjs";

probe({ sha256Hex });
