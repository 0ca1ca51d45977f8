// A server on the loopback that shows the browser the folders of the repository that it needs.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname, extname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";

import { listFiles } from "./files.mjs";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");
const SERVED = ["npm/dist", "tests/hosts", "tests/vectors", "tests/frozen", "tests/store-cases.json"];
const LIST = "/list/";
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".mjs": "text/javascript; charset=utf-8",
  ".wasm": "application/wasm",
};

/** Starts on a free port: `/PATH` is a file, `/list/FOLDER?area=AREA` the files in FOLDER/AREA. */
export async function serve() {
  const server = createServer((request, response) => {
    answer(new URL(request.url, "http://localhost")).then(
      ({ type, body }) => response.writeHead(200, { ...HEADERS, "content-type": type }).end(body),
      (error) => response.writeHead(404, HEADERS).end(String(error)),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  return { url, close: () => (server.closeAllConnections(), server.close()) };
}

async function answer(url) {
  const path = decodeURIComponent(url.pathname);
  if (path === "/favicon.ico") return { type: "image/x-icon", body: "" };
  if (path.startsWith(LIST)) {
    const folder = path.slice(LIST.length);
    const area = url.searchParams.get("area");
    inside(join(folder, area));
    const files = await listFiles(inside(folder), area);
    return { type: TYPES[".json"], body: JSON.stringify(files) };
  }
  const type = TYPES[extname(path)] ?? "application/octet-stream";
  return { type, body: await readFile(inside(path)) };
}

/** The file's place on the disk, which must be below one of the served folders. */
function inside(path) {
  const file = normalize(join(ROOT, path));
  const served = SERVED.some((folder) => `${file}${sep}`.startsWith(join(ROOT, folder) + sep));
  if (!served) throw new Error(`${path} is not served`);
  return file;
}

const HEADERS = { "cache-control": "no-store" };
