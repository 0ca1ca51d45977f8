// A web server with files that can be read by ranges, as static hosts have them: HEAD, ETag, and what other
// origins need to be told. It counts what is asked for, and can misbehave.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

/**
 * Serves `{ path: bytes }`. A file may be changed while it is served. `delay`: how long it takes
 * for an answer. `isPlain`: knows no ranges, like the simplest servers.
 */
export async function serveFiles(files, { isPlain = false } = {}) {
  const served = { files, requests: [], bytes: 0, delay: 0 };
  const server = createServer((request, response) => setTimeout(answer, served.delay, request, response, served, isPlain));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${server.address().port}`;
  return Object.assign(served, { origin, close: () => (server.closeAllConnections(), server.close()) });
}

function answer(request, response, served, isPlain) {
  const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
  // Browsers ask for it by themselves.
  if (path === "/favicon.ico") return response.writeHead(204).end();
  served.requests.push(`${request.method} ${path} ${request.headers.range ?? ""}`.trim());
  const file = served.files[path];
  if (file === undefined) return response.writeHead(404, CORS).end();
  const headers = { ...CORS, "content-type": typeOf(path), etag: tagOf(file), "accept-ranges": isPlain ? "none" : "bytes" };
  const range = isPlain ? null : /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  if (range === null) return end(request, response, 200, headers, file, served);
  const [start, stop] = [Number(range[1]), Math.min(Number(range[2]) + 1, file.length)];
  if (start >= file.length) return response.writeHead(416, { ...headers, "content-range": `bytes */${file.length}` }).end();
  headers["content-range"] = `bytes ${start}-${stop - 1}/${file.length}`;
  return end(request, response, 206, headers, file.subarray(start, stop), served);
}

function end(request, response, status, headers, body, served) {
  response.writeHead(status, { ...headers, "content-length": body.length });
  if (request.method === "HEAD") return response.end();
  served.bytes += body.length;
  return response.end(body);
}

/** Of large files the ends must do: the tag only has to change with what the tests change. */
function tagOf(file) {
  const hash = createHash("sha256").update(String(file.length)).update(file.subarray(0, 65_536)).update(file.subarray(-65_536));
  return `"${hash.digest("hex").slice(0, 16)}"`;
}

function typeOf(path) {
  if (path.endsWith(".html")) return "text/html; charset=utf-8";
  return path.endsWith(".js") ? "text/javascript; charset=utf-8" : "application/octet-stream";
}

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "content-range, etag",
  "cache-control": "no-store",
};
