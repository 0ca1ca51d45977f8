// Nothing leaves the page, and no session can do anything in it.

import { strict as assert } from "node:assert";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { PAGE, startChromium, until } from "./browser.mjs";
import { serveFiles } from "./file-server.mjs";
import { firefox } from "./firefox.mjs";
import { hostileSessions } from "./hostile-sessions.mjs";
import { inspect } from "./inspect.mjs";
import { bundle, flipped, sample } from "./sessions.mjs";

/** Every request of the browser goes through this proxy, whoever in it asks: pages, workers, prefetching. */
const asked = [];
const proxy = createServer((request, response) => {
  asked.push(`${request.method} ${request.url}`);
  response.writeHead(403).end();
}).listen(0, "127.0.0.1");
proxy.on("connect", (request, socket) => {
  asked.push(`CONNECT ${request.url}`);
  socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
});
await once(proxy, "listening");
proxy.unref();

const through = [`--proxy-server=127.0.0.1:${proxy.address().port}`, "--proxy-bypass-list=<-loopback>"];
const { visit, folder } = await startChromium({ args: through });
const direct = await startChromium();
const log = await sample();

/** What was asked of the network since, but for what the browser itself wants of its makers. */
function leaked() {
  return asked.splice(0).filter((request) => !/google|gvt1|chromium/.test(request));
}

test("in a long session of use not one request is made", async () => {
  leaked();
  await visit({ permissions: ["clipboard-read", "clipboard-write"] }, async (viewer) => {
    await viewer.choose({ "other.jsonl": "no" });
    await viewer.page.locator(".refused").waitFor();
    await viewer.choose({ "all.bundle": await bundle(), "damaged.jsonl": flipped(log, 5_000) });
    await viewer.page.locator(".session-name", { hasText: "parent" }).click();
    await viewer.settled();
    await viewer.press("X", "J", "j", "r", "c", "m", "f", "G", "g", "t", "?", "Escape", "v", "Escape", "/");
    await viewer.page.keyboard.insertText("parse");
    await viewer.press("Enter", "Enter", "Escape", "o", "o");
    // Links are hovered and have the focus: nothing may be looked up in advance.
    await viewer.page.locator(".rows a").first().hover();
    await viewer.page.locator(".rows a").first().focus();
    await viewer.page.getByRole("slider").click();
    await viewer.press("]");
    await viewer.settled();
    await viewer.button("All sessions").click();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    assert.deepEqual(viewer.requests, []);
  });
  assert.deepEqual(leaked(), []);
});

/** Ways out of the page, and in; each tells what became of it. */
const ATTEMPTS = {
  "a fetch": (address) => fetch(address).then(() => "went through", () => "refused"),
  "a beacon": (address) => (navigator.sendBeacon(address) ? "queued" : "refused"),
  "a web socket": (address) =>
    new Promise((resolve) => {
      try {
        const socket = new WebSocket(address.replace("http", "ws"));
        socket.onopen = () => resolve("went through");
        socket.onerror = () => resolve("refused");
      } catch {
        resolve("refused");
      }
    }),
  "an image": (address) =>
    new Promise((resolve) => {
      const image = new Image();
      image.onload = () => resolve("went through");
      image.onerror = () => resolve("refused");
      image.src = address;
    }),
  "a script elsewhere": (address) =>
    new Promise((resolve) => {
      const script = document.createElement("script");
      script.onload = () => resolve("went through");
      script.onerror = () => resolve("refused");
      script.src = address;
      document.head.append(script);
    }),
  "a style elsewhere": (address) =>
    new Promise((resolve) => {
      const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: address });
      link.onload = () => resolve("went through");
      link.onerror = () => resolve("refused");
      document.head.append(link);
    }),
  "a frame": (address) =>
    new Promise((resolve) => {
      const frame = document.createElement("iframe");
      addEventListener("securitypolicyviolation", () => resolve("refused"), { once: true });
      frame.src = address;
      document.body.append(frame);
    }),
  "a form": (address) =>
    new Promise((resolve) => {
      const form = Object.assign(document.createElement("form"), { action: address, method: "post" });
      addEventListener("securitypolicyviolation", () => resolve("refused"), { once: true });
      document.body.append(form);
      form.submit();
    }),
  "an inline script": () => {
    const script = document.createElement("script");
    script.textContent = "globalThis.__pwned = 'inline'";
    document.body.append(script);
    return globalThis.__pwned === undefined ? "refused" : "ran";
  },
  "an inline handler": () => {
    const element = document.createElement("b");
    element.setAttribute("onclick", "globalThis.__pwned = 'handler'");
    document.body.append(element);
    element.click();
    return globalThis.__pwned === undefined ? "refused" : "ran";
  },
  "a javascript: address": async () => {
    const link = Object.assign(document.createElement("a"), { href: "javascript:globalThis.__pwned='link'" });
    document.body.append(link);
    link.click();
    await new Promise((resolve) => setTimeout(resolve, 200));
    return globalThis.__pwned === undefined ? "refused" : "ran";
  },
  eval: () => {
    // Within a handler: what the driver itself evaluates is not bound by the policy.
    return new Promise((resolve) => {
      setTimeout(() => {
        try {
          (0, eval)("1");
          resolve("ran");
        } catch {
          resolve("refused");
        }
      });
    });
  },
  "a worker elsewhere": (address) =>
    new Promise((resolve) => {
      try {
        const worker = new Worker(address);
        worker.onerror = () => resolve("refused");
        worker.onmessage = () => resolve("ran");
      } catch {
        resolve("refused");
      }
    }),
};

for (const [what, attempt] of Object.entries(ATTEMPTS)) {
  test(`the page's policy refuses ${what}`, async () => {
    leaked();
    await visit({}, async (viewer) => {
      await viewer.button("Choose files").waitFor();
      const became = await viewer.page.evaluate(attempt, "http://127.0.0.1:9/out");
      assert.match(became, /^(refused|queued)$/);
      await new Promise((resolve) => setTimeout(resolve, 200));
      // The browser tells of every refusal on the console.
      viewer.faults = viewer.faults.filter((fault) => !/Content Security Policy|Refused|violates|Not allowed/.test(fault));
    });
    assert.deepEqual(leaked(), [], "and nothing of it reaches the network");
  });
}

test("with ?src= the page can reach that origin, and no other", async () => {
  const [own, other] = [await serveFiles({ "/a.jsonl": Buffer.from(log) }), await serveFiles({ "/a.jsonl": Buffer.from(log) })];
  try {
    await direct.visit({ query: `?src=${own.origin}/a.jsonl` }, async (viewer) => {
      await viewer.settled();
      const reach = (origin) => viewer.page.evaluate(ATTEMPTS["a fetch"], `${origin}/a.jsonl`);
      assert.equal(await reach(own.origin), "went through");
      assert.equal(await reach(other.origin), "refused");
      assert.equal(await viewer.page.evaluate(ATTEMPTS["an image"], `${own.origin}/a.jsonl`), "refused");
      viewer.faults = viewer.faults.filter((fault) => !/Content Security Policy|violates/.test(fault));
    });
    assert.deepEqual(other.requests, []);
  } finally {
    own.close();
    other.close();
  }
});

for (const src of ["javascript:globalThis.__pwned=1", "data:text/plain,x", "file:///etc/passwd", "http://[", "//", "http://127.0.0.1:9/%00", "'; script-src *"]) {
  test(`an address that is none of a file's is refused, and opens no way: ${src}`, async () => {
    leaked();
    await visit({ query: `?src=${encodeURIComponent(src)}` }, async (viewer) => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      assert.equal(await viewer.page.evaluate(() => globalThis.__pwned), undefined);
      assert.equal(await viewer.page.evaluate(ATTEMPTS["a fetch"], "http://127.0.0.1:9/out"), src.startsWith("http://127") ? "refused" : "refused");
      viewer.faults = viewer.faults.filter((fault) => fault.startsWith("a window") || fault.startsWith("a dialog"));
    });
  });
}

const sessions = await hostileSessions();

for (const { name, file, bytes } of sessions) {
  test(`hostile contents do nothing in the page, Chromium: ${name}`, { timeout: 120_000 }, async (context) => {
    leaked();
    await visit({}, async (viewer) => {
      viewer.page.setDefaultTimeout(60_000);
      await viewer.drop({ [file]: bytes });
      const { faults, payloads, nodes } = JSON.parse(await viewer.page.evaluate(inspect));
      context.diagnostic(`${payloads} rows, ${nodes} nodes`);
      assert.deepEqual(faults, []);
      assert.deepEqual(viewer.requests, []);
    });
    assert.deepEqual(leaked(), []);
  });
}

test("nor in Firefox", { timeout: 240_000 }, async (context) => {
  const told = [];
  const browser = await firefox((what) => told.push(what));
  try {
    for (const { name, file, bytes } of sessions) {
      const script = `<script type="application/octet-stream" id="turnkeep-session" data-name="${encodeURIComponent(file)}">${Buffer.from(bytes).toString("base64")}</script>`;
      const path = join(folder, "hostile.html");
      await writeFile(path, (await readFile(PAGE, "utf8")).replace("<!-- session -->", () => script));
      const url = pathToFileURL(path).href;
      await browser.open(url);
      const { faults, payloads, nodes } = JSON.parse(await browser.evaluate(`(${inspect})()`));
      context.diagnostic(`${name}: ${payloads} rows, ${nodes} nodes`);
      assert.deepEqual(faults, [], name);
      assert.deepEqual(told.splice(0).filter((what) => what !== url && !/^(data:(image|font)\/|blob:)/.test(what)), [], name);
    }
  } finally {
    await browser.close();
  }
});
