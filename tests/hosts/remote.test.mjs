// The stores that lie elsewhere, over the clients that applications use, on real servers: every
// store case, and what the four have in common.

import { readFileSync } from "node:fs";
import { after, test } from "node:test";

import "../../npm/dist/entry/node.js";
import { redisClients, s3Stores } from "./clients.mjs";
import { checks } from "./harness.mjs";
import { startRedis, startS3 } from "./servers.mjs";
import { lacking, runStoreCases } from "./store-cases.mjs";

const cases = JSON.parse(readFileSync(new URL("../store-cases.json", import.meta.url), "utf8"));
const redis = await startRedis();
const s3 = await startS3();
const clients = await redisClients(redis);
after(async () => {
  clients.close();
  await redis.stop();
  await s3.stop();
});

/** What S3 does otherwise than a store with all its capabilities would. */
const OTHERWISE_IN_S3 = new Map([
  // An ETag is that of the bytes.
  ["every put is another version, even of the same bytes", "versions"],
  ["an object that was deleted and put again has another version", "versions"],
  // It has no condition that every server looks at.
  ["a failed write changes no version", "delete if version"],
  ["delete if version", "delete if version"],
  ["race: delete if version", "delete if version"],
  // It deletes without telling whether there was anything.
  ["race: delete", "delete of a missing object"],
]);

const makers = [
  ...Object.entries(clients.stores),
  ...Object.entries(s3Stores).map(([name, make]) => [name, () => make(s3)]),
];
for (const [name, make] of makers) {
  const store = make();
  const isOfS3 = name in s3Stores;
  const applying = cases.filter(
    (one) => lacking(one, store).length === 0 && !(isOfS3 && OTHERWISE_IN_S3.has(one.name)),
  );
  const t = { ...checks, test: (title, body) => test(`${name}: ${title}`, body) };
  runStoreCases(t, applying, make);
}
