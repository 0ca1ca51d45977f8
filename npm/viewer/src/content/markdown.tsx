import DOMPurify from "dompurify";
import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { jsonNodes } from "./code";
import { diffNodes, linesOfDiff } from "./diff";
import { codeNodes } from "./highlight";
import { htmlOf, type Written } from "./markdown-html";
import { Nodes } from "./nodes";
import { showHidden } from "./visible";

/** Longer texts are shown as they are, until someone asks for more. */
const CHARS_MAX = 200_000;
/** More HTML than this is too much for a page, whatever the text. */
const HTML_MAX = 600_000;

/** Markdown of a session. */
export function Markdown({ text }: { readonly text: string }): JSX.Element {
  const [isAsked, setAsked] = useState(false);
  if (text.length <= CHARS_MAX || isAsked) {
    return <Nodes class="c-markdown" of={[text]} make={() => markdownNodes(text)} />;
  }
  return (
    <div class="c-markdown">
      <button type="button" onClick={() => setAsked(true)}>
        Format this long text
      </button>
      <Nodes class="c-plain" of={[text]} make={() => plainNodes(text)} />
    </div>
  );
}

function markdownNodes(text: string): DocumentFragment {
  const written = htmlOrNothing(text);
  if (written === undefined || written.html.length > HTML_MAX) return plainNodes(text);
  const nodes = sanitized(written.html);
  finish(nodes);
  showHidden(nodes, true);
  fill(nodes, written);
  return nodes;
}

function htmlOrNothing(text: string): Written | undefined {
  try {
    return htmlOf(text);
  } catch {
    return undefined;
  }
}

/** Nothing in it runs or loads. One for all texts: what sanitises would make a document for each. */
let inert: Document | undefined;

/** The HTML is ours, and nothing in it is the session's; this holds should that ever be wrong. */
function sanitized(html: string): DocumentFragment {
  inert ??= document.implementation.createHTMLDocument("");
  const holder = inert.createElement("div");
  holder.innerHTML = html;
  DOMPurify.sanitize(holder, {
    ALLOWED_TAGS: [
      ..."p br hr h3 h4 h5 h6 strong em del code pre blockquote ul ol li".split(" "),
      ..."table thead tbody tr th td a span div".split(" "),
    ],
    ALLOWED_ATTR: ["class", "href", "start"],
    ALLOWED_URI_REGEXP: /^(?:https?:\/\/|mailto:)/i,
    ALLOW_ARIA_ATTR: false,
    ALLOW_DATA_ATTR: false,
    IN_PLACE: true,
  });
  const nodes = document.createDocumentFragment();
  nodes.append(...holder.childNodes);
  return nodes;
}

function finish(nodes: DocumentFragment): void {
  for (const link of nodes.querySelectorAll("a")) {
    link.rel = "noreferrer noopener";
    link.target = "_blank";
  }
  for (const table of nodes.querySelectorAll<HTMLElement>(".c-table")) {
    table.tabIndex = 0;
    table.setAttribute("role", "group");
    table.setAttribute("aria-label", "Table");
  }
  for (const block of nodes.querySelectorAll<HTMLElement>("p, li, h3, h4, h5, h6, th, td")) block.dir = "auto";
}

function fill(nodes: DocumentFragment, { codes, pictures }: Written): void {
  nodes.querySelectorAll<HTMLElement>("pre").forEach((place, at) => {
    const code = codes[at];
    place.dir = "ltr";
    if (code !== undefined) place.append(blockNodes(code.text, code.language));
  });
  nodes.querySelectorAll(".c-picture").forEach((place, at) => {
    const found = pictures[at];
    if (found !== undefined) place.append(imageOf(found));
  });
}

function blockNodes(text: string, language: string): DocumentFragment {
  const lines = language === "diff" || language === "patch" ? linesOfDiff(text) : undefined;
  if (lines !== undefined) return diffNodes(lines);
  return language === "json" ? jsonNodes(text) : codeNodes(text, language);
}

function imageOf({ picture, alt, address }: Written["pictures"][number]): HTMLImageElement {
  const image = document.createElement("img");
  image.className = "c-image";
  image.alt = alt;
  [image.width, image.height] = [picture.width, picture.height];
  image.src = address;
  return image;
}

function plainNodes(text: string): DocumentFragment {
  const nodes = document.createDocumentFragment();
  const plain = document.createElement("div");
  plain.className = "c-plain";
  plain.dir = "auto";
  plain.append(text);
  nodes.append(plain);
  showHidden(nodes, true);
  return nodes;
}
