require("./probe.mjs").probe(require("turnkeep"));
