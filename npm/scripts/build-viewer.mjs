// build-viewer.mjs: the page as one HTML file, and as a module with the element, out of viewer/src and
// the page's .wasm. Prints the sizes.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build, transform } from "esbuild";

const npm = join(dirname(fileURLToPath(import.meta.url)), "..");
const source = (name) => join(npm, "viewer/src", name);
const { version } = JSON.parse(readFileSync(join(npm, "package.json"), "utf8"));

/** Runs first: from here on nothing can be fetched but what ?src= names. */
const POLICING = `
  (() => {
    const origins = new URLSearchParams(location.search).getAll("src").flatMap((src) => {
      try {
        const url = new URL(src, location.href);
        return /^https?:$/.test(url.protocol) ? [url.origin] : [];
      } catch {
        return [];
      }
    });
    const meta = document.createElement("meta");
    meta.httpEquiv = "Content-Security-Policy";
    meta.content = "connect-src " + (origins.join(" ") || "'none'");
    document.head.append(meta);
  })();
`;

const wasm = gzipSync(readFileSync(source("wasm/page_bg.wasm")), { level: 9 }).toString("base64");
const [worker] = await bundle("engine/worker.ts", "iife", []);
const made = { "turnkeep:wasm": wasm, "turnkeep:worker": worker };
const [script] = await bundle("page.ts", "iife", [plugin()]);
const [element] = await bundle("element.tsx", "esm", [plugin()]);

const style = await minified(source("style/page.css"));
const page = Buffer.from(assemble(readFileSync(source("page.html"), "utf8")));
write("viewer/dist/index.html", page);
write("dist/viewer.html", page);
write("dist/viewer.js", element);
write("dist/viewer.d.ts", readFileSync(join(npm, "viewer/viewer.d.ts")));
// The command carries the page.
write("../bindings-native/page/index.html.gz", gzipSync(page, { level: 9 }));
for (const [name, bytes] of [["index.html", page], ["viewer.js", Buffer.from(element)]]) {
  console.log(`${name.padEnd(12)} ${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} gzip`);
}

async function bundle(entry, format, plugins) {
  const { outputFiles } = await build({
    entryPoints: [source(entry)],
    bundle: true,
    minify: true,
    format,
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    jsx: "automatic",
    jsxImportSource: "preact",
    define: { TURNKEEP_VERSION: JSON.stringify(version), "import.meta.url": '""' },
    write: false,
    plugins,
  });
  return outputFiles.map((file) => file.text);
}

/** What the build makes, and styles as text. */
function plugin() {
  return {
    name: "made",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^turnkeep:/ }, ({ path }) => ({ path, namespace: "made" }));
      onLoad({ filter: /.*/, namespace: "made" }, ({ path }) => ({ contents: made[path], loader: "text" }));
      onLoad({ filter: /\.css$/ }, async ({ path }) => ({ contents: await minified(path), loader: "text" }));
    },
  };
}

async function minified(path) {
  const { code } = await transform(readFileSync(path, "utf8"), { loader: "css", minify: true });
  return code.trim();
}

/** The page: its scripts and styles in it, and a policy that allows those and nothing else. */
function assemble(html) {
  const policing = POLICING.replaceAll(/\s+/g, " ").trim();
  const inlined = script.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
  const policy = [
    "default-src 'none'",
    `script-src ${hash(policing)} ${hash(inlined)} 'wasm-unsafe-eval'`,
    `style-src ${hash(style)}`,
    "img-src blob: data:",
    "worker-src blob:",
    // Narrowed to nothing, or to what was asked for, before anything else runs.
    "connect-src http: https:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const meta = `<meta http-equiv="Content-Security-Policy" content="${policy}">`;
  const head = `${meta}\n<script>${policing}</script>`;
  const pieces = { policy: head, style: `<style>${style}</style>`, script: `<script>${inlined}</script>` };
  for (const [name, piece] of Object.entries(pieces)) {
    const place = new RegExp(`<!-- ${name}\\b[^>]*-->`);
    if (!place.test(html)) throw new Error(`page.html has no place for its ${name}`);
    html = html.replace(place, () => piece);
  }
  return html;
}

function hash(text) {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

function write(path, content) {
  const file = join(npm, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}
