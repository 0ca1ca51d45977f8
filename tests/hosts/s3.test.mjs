// What only S3 does: its errors, its listings, answers that are lost or cut.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";

import { TurnkeepError } from "../../npm/dist/entry/node.js";
import { S3Store } from "../../npm/dist/s3.js";
import { parseXml } from "../../npm/dist/s3/xml.js";
import { s3Stores } from "./clients.mjs";
import { startS3 } from "./servers.mjs";

const server = await startS3();
after(() => server.stop());

const bytes = (text) => new TextEncoder().encode(text);
const text = (bytes) => new TextDecoder().decode(bytes);
const failed = (retryable, pattern = /./) => (error) => {
  assert.ok(error instanceof TurnkeepError, String(error));
  assert.deepEqual([error.code, error.retryable], ["store_failed", retryable], error.message);
  assert.match(error.message, pattern);
  return true;
};
const plan = (rule) => server.control("plan", [rule]);

for (const [name, make] of Object.entries(s3Stores)) {
  test(`${name}: a missing bucket is no missing object`, async () => {
    const store = make(server, { bucket: "missing" });
    for (const call of calls(store)) await assert.rejects(call, failed(false, /NoSuchBucket/));
  });

  test(`${name}: a wrong secret is said`, async () => {
    const store = make(server, { secret_key: "wrong" });
    const [get, put, info, list, remove] = calls(store);
    for (const call of [get, put, list]) await assert.rejects(call, failed(false, /SignatureDoesNotMatch/));
    // An answer to HEAD has no body that could say more.
    for (const call of [info, remove]) await assert.rejects(call, failed(false, /403/));
  });

  for (const status of [500, 503]) {
    test(`${name}: a ${status} may pass`, async () => {
      const store = make(server);
      await store.put("a", bytes("1"), "any");
      for (const call of calls(store)) {
        await plan({ action: "status", status });
        await assert.rejects(call, failed(true, new RegExp(status)));
      }
      assert.equal(text((await store.get("a")).bytes), "1");
    });
  }

  test(`${name}: a connection that ends may pass`, async () => {
    const store = make(server);
    await store.put("a", bytes("1"), "any");
    for (const action of ["drop_before", "drop_after"]) {
      await plan({ method: "GET", key: "a", action });
      await assert.rejects(store.get("a"), failed(true));
      await plan({ method: "PUT", key: action, action });
      await assert.rejects(store.put(action, bytes("2"), "absent"), failed(true));
    }
    await assert.rejects(store.info("drop_before"), { code: "not_found" });
    assert.equal((await store.info("drop_after")).bytes, 1);
  });

  test(`${name}: a body that ends early is no object`, async () => {
    const store = make(server);
    await store.put("a", new Uint8Array(100_000), "any");
    for (const range of [undefined, { start: 10, end: 90_000 }]) {
      await plan({ method: "GET", key: "a", action: "cut_body" });
      await assert.rejects(async () => store.get("a", range), failed(true));
    }
  });

  test(`${name}: a 409 is tried again, and then a conflict that may pass`, async () => {
    const store = make(server);
    await plan({ method: "PUT", action: "status", status: 409, times: 2 });
    await store.put("a", bytes("1"), "absent");
    await plan({ method: "PUT", action: "status", status: 409, times: 99 });
    await assert.rejects(store.put("b", bytes("1"), "absent"), { code: "conflict", retryable: true });
    await plan({});
  });

  test(`${name}: what is no ETag is no condition`, async () => {
    const store = make(server);
    await store.put("a", bytes("1"), "any");
    for (const version of ["", "*", '"a", "b"']) {
      await assert.rejects(store.put("a", bytes("2"), { version }), { code: "conflict" });
    }
    await assert.rejects(store.delete("a", { version: "x" }), { code: "not_supported" });
  });

  test(`${name}: other people's objects are not listed, and in nobody's way`, async () => {
    const prefix = `shared-${name.replace(/\W/g, "")}`;
    const [ours, theirs] = [make(server, { prefix }), make(server, { prefix: `${prefix}/Theirs` })];
    for (const key of ["a", "z%25"]) await ours.put(key, bytes(key), "any");
    for (const key of ["b", "c", "d"]) await theirs.put(key, bytes(key), "any");
    const first = await ours.list("", undefined, 1);
    assert.deepEqual([first.objects.map(({ key }) => key), first.more], [["a"], true]);
    const second = await ours.list("", "a", 1);
    assert.deepEqual(second.objects.map(({ key }) => key), ["z%25"]);
  });

  test(`${name}: a listing is one request`, async () => {
    const store = make(server);
    for (let number = 0; number < 12; number += 1) await store.put(`k${number}`, bytes("1"), "any");
    const before = (await server.control("requests")).length;
    await store.list("k", undefined, 5);
    assert.equal((await server.control("requests")).length - before, 1);
  });
}

test("a write that was sent twice knows its own work", async () => {
  // The server keeps no metadata: this one's are kept here.
  const writers = new Map();
  const fetched = async (response, url, init) => {
    if (init.method === "PUT" && response.ok) {
      writers.set(url, init.headers["x-amz-meta-turnkeep-write"]);
      return new Response("<Error><Code>PreconditionFailed</Code></Error>", { status: 412 });
    }
    const headers = new Headers(response.headers);
    if (writers.has(url)) headers.set("x-amz-meta-turnkeep-write", writers.get(url));
    return new Response(response.body, { status: response.status, headers });
  };
  const store = s3Stores.aws4fetch(server, { fetched });
  const { version } = await store.put("a", bytes("1"), "absent");
  await assert.rejects(store.put("a", bytes("2"), "absent"), { code: "already_exists" });
  await store.put("a", bytes("3"), { version });
  assert.equal(text((await store.get("a")).bytes), "3");
});

test("buckets in hosts and in paths", async () => {
  const asked = [];
  const fetch = async (url) => {
    asked.push(url.split("?")[0]);
    return new Response("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>");
  };
  const urls = [
    ["https://b.s3.eu-central-1.amazonaws.com/p/q", "https://b.s3.eu-central-1.amazonaws.com"],
    ["https://s3.eu-central-1.amazonaws.com/b/p", "https://s3.eu-central-1.amazonaws.com/b"],
    ["https://id.r2.cloudflarestorage.com/b", "https://id.r2.cloudflarestorage.com/b"],
    ["http://127.0.0.1:9000/b/", "http://127.0.0.1:9000/b"],
  ];
  for (const [url] of urls) await S3Store.fetching({ url, fetch }).list("", undefined, 1);
  assert.deepEqual(asked, urls.map(([, root]) => root));
  assert.throws(() => S3Store.fetching({ url: "http://127.0.0.1:9000/", fetch }), { code: "invalid_argument" });
});

test("a listing that does not go on ends", async () => {
  let asked = 0;
  const contents = "<Contents><Key>Theirs/a</Key><Size>1</Size><ETag>1</ETag></Contents>";
  const fetch = async () => {
    if ((asked += 1) > 9) throw new Error("asked again and again");
    return new Response(`<ListBucketResult><IsTruncated>true</IsTruncated>${contents}</ListBucketResult>`);
  };
  const store = S3Store.fetching({ url: "http://127.0.0.1:9000/b", fetch });
  for (const after of [undefined, "k"]) await assert.rejects(store.list("", after, 5), failed(false, /does not go on/));
});

test("of a body that is longer than what was asked for, no more is read", async () => {
  const answers = {
    "206": [{ start: 0, end: 10 }, { "content-range": "bytes 0-9/100" }],
    "200": [undefined, { "content-length": "10" }],
  };
  for (const [status, [range, headers]] of Object.entries(answers)) {
    let left = 64;
    const pull = (body) => ((left -= 1) === 0 ? body.close() : body.enqueue(new Uint8Array(1 << 16)));
    const init = { status: Number(status), headers: { etag: '"1"', ...headers } };
    const fetch = async () => new Response(new ReadableStream({ pull }), init);
    const store = S3Store.fetching({ url: "http://127.0.0.1:9000/b", fetch });
    await assert.rejects(store.get("a", range), failed(false, /longer than 10 bytes/), status);
    assert.ok(left > 48, `${status}: ${left}`);
  }
});

test("XML is read strictly", () => {
  const root = parseXml('<?xml version="1.0"?>\n<A xmlns="x"><B>&lt;&#38;&#x41;&quot;</B><!-- c --><C/></A>\n');
  assert.deepEqual(root.children.map(({ name, text }) => [name, text]), [["B", '<&A"'], ["C", ""]]);
  const wrong = ["", "text", "<A>", "<A></B>", "</A>", "<A/><B/>", "<A>&x;</A>", "<A>&amp</A>", "<!DOCTYPE A><A/>", "<A>".repeat(99)];
  for (const document of wrong) assert.throws(() => parseXml(document), SyntaxError, document);
});

/** A call of each verb: get, put, info, list, delete. */
function calls(store) {
  return [
    async () => store.get("a"),
    async () => store.put("a", bytes("1"), "any"),
    async () => store.info("a"),
    async () => store.list("", undefined, 10),
    async () => store.delete("a", "any"),
  ];
}
