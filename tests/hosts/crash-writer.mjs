// As tests/src/bin/crash-writer.rs, in Node: node crash-writer.mjs ROOT SESSION

import { writeSync } from "node:fs";

import { Session } from "../../npm/dist/entry/node.js";
import { FileStore } from "../../npm/dist/fs.js";

const [root, id] = process.argv.slice(2);
const store = new FileStore(root);
const durability = "disk";
const session = await Session.open(store, id, { durability }).catch((error) => {
  if (error.code !== "not_found" && error.code !== "empty_log") throw error;
  return Session.create(store, { id, durability });
});
const parts = [0, 1, 2].map((part) => ({ kind: "user_input", item: `part ${part} of a batch` }));
for (;;) {
  const { firstSeq } = await session.append(parts);
  writeSync(1, `${firstSeq}\n`);
}
