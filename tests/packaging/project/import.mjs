import * as turnkeep from "turnkeep";
import { probe } from "./probe.mjs";

probe(turnkeep);
