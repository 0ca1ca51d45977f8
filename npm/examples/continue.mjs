// Continues a session that any host began: node continue.mjs FOLDER ID < drafts.jsonl
import { createInterface } from "node:readline";
import { Session } from "turnkeep";
import { FileStore } from "turnkeep/fs";

const [folder, id] = process.argv.slice(2);
const session = await Session.open(new FileStore(folder), id);
console.log(`opened at entry ${session.head.seq}, hash ${session.head.hash}`);

for await (const line of createInterface({ input: process.stdin })) {
  await session.append(JSON.parse(line));
}

const report = await session.verify();
if (report.fault) throw report.fault;
console.log(`verified in Node, head ${report.head.seq} ${report.head.hash}`);
const state = await session.state();
console.log(`${state.history.length} messages in ${state.turns} turns, last run ${state.run}`);
await session.close();
