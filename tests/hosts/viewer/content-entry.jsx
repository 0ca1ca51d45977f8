// Runs in the page of content-page.mjs: shows every payload with everything that could be asked to show it,
// and looks at what became of it.

import { render } from "preact";

import { Arguments } from "../../../npm/viewer/src/content/call";
import { Code, Json } from "../../../npm/viewer/src/content/code";
import css from "../../../npm/viewer/src/content/content.css";
import { Image } from "../../../npm/viewer/src/content/image";
import { Markdown } from "../../../npm/viewer/src/content/markdown";
import { Output } from "../../../npm/viewer/src/content/output";
import { SUMMARY_CHARS, summaryOf } from "../../../npm/viewer/src/content/summary";
import { visible } from "../../../npm/viewer/src/content/visible";
import { expected } from "./content-expected.jsx";
import { hostile } from "./hostile.mjs";

/** Slower ones would be felt. Much above what is measured: machines that test are busy. */
const TIME_MAX = 3_000;
const HEAVY = 20_000;

document.currentScript.remove();
const root = document.createElement("div");
document.body.append(root);
const shadow = root.attachShadow({ mode: "open" });
const sheet = new CSSStyleSheet();
sheet.replaceSync(css);
shadow.adoptedStyleSheets = [sheet];
const place = document.createElement("div");
shadow.append(place);

const WAYS = {
  markdown: (text) => <Markdown text={text} />,
  output: (text) => <Output text={text} />,
  json: (text) => <Json text={text} />,
  code: (text) => <Code text={text} language="html" />,
  call: (text) => <Arguments name={text} json={text} />,
  written: (text) => <Arguments name="edit" json={JSON.stringify({ path: text, old_str: text, new_str: `${text}.` })} />,
  name: (text) => <bdi class="c-name">{visible(text)}</bdi>,
  summary: (text) => <p>{summaryOf(text, text) + summaryOf("x", JSON.stringify({ [text]: text, command: text }))}</p>,
  image: (text) => <Image {...imageOf(text)} />,
  address: (text) => <Image url={text} mediaType={text} />,
};

function imageOf(text) {
  try {
    const { mediaType, data, url } = JSON.parse(text);
    return { mediaType, data, url };
  } catch {
    return { data: text };
  }
}

/** `{ name, faults, slowest }` of every payload whose name contains `part`. */
export async function run(part) {
  const results = [];
  for (const payload of hostile.filter(({ name }) => name.includes(part))) {
    results.push(await show(payload));
  }
  for (const each of expected.filter(([name]) => name.includes(part))) results.push(await compare(each));
  await settled(500);
  results.push({ name: "afterwards", faults: page(), slowest: 0 });
  return JSON.stringify(results);
}

async function show({ name, where, text }) {
  const faults = [];
  let slowest = 0;
  for (const way of Object.keys(WAYS)) {
    if (text.length > HEAVY && way !== where && way !== "output") continue;
    const start = performance.now();
    render(WAYS[way](text), place);
    const took = performance.now() - start;
    slowest = Math.max(slowest, took);
    if (took > TIME_MAX) faults.push(`${way}: took ${Math.round(took)} ms`);
    faults.push(...look(text).map((fault) => `${way}: ${fault}`));
    const buttons = place.querySelectorAll("button[aria-pressed=false]");
    for (const button of buttons) button.click();
    await next();
    if (buttons.length > 0 || way === where) faults.push(...look(text).map((fault) => `${way}: ${fault}`));
    render(null, place);
  }
  return { name, faults: [...faults, ...page()], slowest };
}

async function compare([name, element, see, wanted]) {
  render(element, place);
  let seen = see(place);
  // Images take their time.
  for (let tries = 0; seen !== wanted && tries < 50; tries += 1) {
    await settled(60);
    seen = see(place);
  }
  render(null, place);
  const faults = seen === wanted ? [] : [`is ${JSON.stringify(seen)}, not ${JSON.stringify(wanted)}`];
  return { name: `expected: ${name}`, faults, slowest: 0 };
}

/** The next turn of the event loop, without the time that timers take at least. */
function next() {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => (port1.close(), resolve());
    port2.postMessage(0);
  });
}

function settled(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const TAGS = new Set(
  "a bdi blockquote br button code del div em h3 h4 h5 h6 hr img li ol p pre span strong table tbody td th thead tr ul"
    .split(" ")
    .map((tag) => tag.toUpperCase()),
);
const ATTRIBUTES = {
  "aria-label": /^(Table|How this output is shown)$/,
  "aria-pressed": /^(true|false)$/,
  alt: /^[^]*$/,
  class: /^((c|hl)-[\w-]+_?|[\w-]+_|)( ((c|hl)-[\w-]+_?|[\w-]+_))*$/,
  decoding: /^async$/,
  dir: /^(auto|ltr)$/,
  height: /^\d+$/,
  href: /^(https?:\/\/|mailto:)/,
  loading: /^lazy$/,
  rel: /^noreferrer noopener$/,
  role: /^group$/,
  src: /^(blob:|data:image\/(png|jpeg|gif|webp);base64,[\w+/=\s]*$)/,
  start: /^\d+$/,
  style: /^(--run-(fg|bg): (rgb\([\d. ]+\)|var\(--(ansi-\d+|fg)\));? ?)+$/,
  tabindex: /^0$/,
  target: /^_blank$/,
  type: /^button$/,
  width: /^\d+$/,
};
const DECEIVING = /[\0-\x08\x0B-\x1F\x7F-\x9F\u202A-\u202E\u2066-\u2069\u{E0000}-\u{E001F}]/u;

function look(text) {
  const faults = [];
  for (const element of place.querySelectorAll("*")) {
    const { tagName, namespaceURI } = element;
    if (!TAGS.has(tagName) || namespaceURI !== "http://www.w3.org/1999/xhtml") faults.push(`<${tagName}>`);
    if (element.shadowRoot !== null) faults.push(`<${tagName}> with a shadow root`);
    for (const { name, value } of element.attributes) {
      if (!(Object.hasOwn(ATTRIBUTES, name) && ATTRIBUTES[name].test(value))) faults.push(`${name}="${value.slice(0, 60)}"`);
    }
  }
  const shown = place.textContent;
  const deceiving = DECEIVING.exec(shown);
  if (deceiving !== null) faults.push(`U+${deceiving[0].codePointAt(0).toString(16)} is left`);
  if (text.trim() !== "" && shown.trim() === "" && place.querySelector("img") === null && !isNothing(text)) faults.push("shows nothing");
  if (place.querySelector("p")?.textContent.length > 2 * SUMMARY_CHARS && place.firstChild.className === "") faults.push("summary too long");
  return faults;
}

/** Texts of which Markdown or a terminal leaves nothing. */
function isNothing(text) {
  return /^(\[a\]: b\n)+$|^[\x1b\r\n[\]]*$|^(\x1b.?)+$|^\x1b|^[\u0080-\u009f]/.test(text) || /^```/.test(text);
}

const ownGlobals = new Set(Object.getOwnPropertyNames(globalThis));
const prototypes = [Object.prototype, Array.prototype, Function.prototype, String.prototype];
const ownMembers = prototypes.map((prototype) => Reflect.ownKeys(prototype).length);

/** What no payload may change. */
function page() {
  const faults = [];
  if (globalThis.__pwned !== undefined) faults.push(`ran: ${globalThis.__pwned}`);
  delete globalThis.__pwned;
  for (const [at, prototype] of prototypes.entries()) {
    if (Reflect.ownKeys(prototype).length !== ownMembers[at]) faults.push("a prototype has changed");
  }
  const added = Object.getOwnPropertyNames(globalThis).filter((name) => !ownGlobals.has(name));
  const known = added.filter((name) => !/^(runHostile|event|__playwright.*|\d+)$/.test(name));
  if (known.length > 0) faults.push(`new globals: ${known}`);
  if (document.body.children.length !== 1) faults.push("nodes outside of the page's own");
  if (document.querySelectorAll("body script, iframe, object, embed, link, base").length > 0) faults.push("nodes in the document");
  return faults;
}

globalThis.runHostile = run;
