// Bundlers may leave out modules that a named import does not seem to need: the one that holds
// the wasm must stay.
import { fold } from "turnkeep";
import { probe } from "./probe.mjs";

probe({ fold });
