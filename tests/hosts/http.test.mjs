// An archive on a web server, read by ranges.

import { strict as assert } from "node:assert";
import { createServer } from "node:http";
import { once } from "node:events";
import { after, before, test } from "node:test";

import { Session, TurnkeepError, openArchive } from "../../npm/dist/entry/node.js";
import { MemoryStore } from "../../npm/dist/memory.js";

let archive;
let server;
let url;
/** Bytes the server has sent. */
let sent = 0;

before(async () => {
  const store = new MemoryStore();
  const session = await Session.create(store, { id: "s" });
  for (let turn = 0; turn < 300; turn += 1) {
    const words = (n) => `${turn} ${n} ${Math.random()} `.repeat(30);
    const drafts = Array.from({ length: 100 }, (_, n) => ({ kind: "user_input", item: words(n) }));
    await session.append(drafts);
  }
  await session.archive();
  archive = (await store.get("s.jsonl.gz")).bytes;
  server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = (path) => new URL(path, `http://127.0.0.1:${server.address().port}`);
});
after(() => server.close());

let count = 0;

function answer(request, response) {
  const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range) ?? [];
  const body = archive.subarray(Number(start), Number(end) + 1);
  const range = `bytes ${start}-${Number(start) + body.length - 1}/${archive.length}`;
  count += 1;
  switch (request.url) {
    case "/whole":
      return response.writeHead(200).end(archive);
    case "/hidden":
      return response.writeHead(206).end(body);
    case "/missing":
      return response.writeHead(404).end();
    case "/busy":
      return response.writeHead(503).end();
    case "/changing":
      return response.writeHead(206, { "content-range": range, etag: `"${count}"` }).end(body);
    case "/short":
      return response.writeHead(206, { "content-range": range }).end(body.subarray(1));
    default:
      sent += body.length;
      return response.writeHead(206, { "content-range": range, etag: '"1"' }).end(body);
  }
}

const coded = (code, words) => (error) => {
  assert.match(error.message, words);
  return error instanceof TurnkeepError && error.code === code;
};

test("the last entries cost their blocks and the index", async () => {
  const opened = await openArchive(url("/s.jsonl.gz"));
  assert.equal(opened.head.seq, 30_000);
  const seqs = [];
  for await (const entry of opened.entries({ last: 50 })) seqs.push(entry.seq);
  assert.deepEqual([seqs.length, seqs[0], seqs.at(-1)], [50, 29_951, 30_000]);
  assert.equal(opened.bytesFetched, sent);
  assert.ok(sent <= 1 << 20 && sent < archive.length / 4, `${sent} of ${archive.length} bytes`);
  const before = sent;
  const page = await opened.read({ from: 15_000, to: 15_009 });
  assert.equal(page.entries.length, 10);
  assert.ok(sent - before < 300_000, `${sent - before} bytes for ten entries`);
});

test("servers that cannot serve ranges are told apart", async () => {
  await assert.rejects(openArchive(url("/whole")), coded("not_supported", /ignores range requests/));
  await assert.rejects(openArchive(url("/hidden")), coded("not_supported", /Content-Range/));
  await assert.rejects(openArchive(url("/missing")), coded("not_found", /404|no such/));
  await assert.rejects(openArchive(url("/short")), coded("not_supported", /encoding/));
  await assert.rejects(openArchive(url("/busy")), (error) => {
    assert.ok(error.retryable);
    return coded("store_failed", /503/)(error);
  });
  const changing = await openArchive(url("/changing"));
  await assert.rejects(changing.read({ last: 1 }), coded("conflict", /changed/));
});
