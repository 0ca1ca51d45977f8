// Source code as highlighted nodes. What highlight.js returns is HTML; it is not parsed as such: only the
// spans and entities that it writes are understood, and anything else makes it plain text.

import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import cpp from "highlight.js/lib/languages/cpp";
import css from "highlight.js/lib/languages/css";
import dockerfile from "highlight.js/lib/languages/dockerfile";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import python from "highlight.js/lib/languages/python";
import rust from "highlight.js/lib/languages/rust";
import shell from "highlight.js/lib/languages/shell";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";

import { span } from "./nodes";
import { showHidden } from "./visible";

const LANGUAGES = {
  bash,
  cpp,
  css,
  dockerfile,
  go,
  ini,
  java,
  javascript,
  python,
  rust,
  shell,
  sql,
  typescript,
  xml,
  yaml,
};
for (const [name, language] of Object.entries(LANGUAGES)) hljs.registerLanguage(name, language);
hljs.registerAliases(["c", "h", "cs"], { languageName: "cpp" });
hljs.registerAliases(["kt", "kotlin", "scala"], { languageName: "java" });
hljs.registerAliases(["json5", "jsonc", "mts", "cts"], { languageName: "typescript" });
hljs.registerAliases(["scss", "less"], { languageName: "css" });
hljs.configure({ classPrefix: "hl-" });

/** Longer texts take too long to highlight, and too many nodes. */
const CHARS_MAX = 65_536;

/** The text as nodes: highlighted where the language is known. */
export function codeNodes(text: string, language: string | undefined): DocumentFragment {
  const plain = text.replaceAll("\r\n", "\n");
  const nodes = (canHighlight(plain, language) && highlighted(plain, language)) || textNodes(plain);
  showHidden(nodes);
  return nodes;
}

/** The language that a file's name speaks of. */
export function languageOf(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  return name.includes(".") ? name.slice(name.lastIndexOf(".") + 1) : name;
}

function canHighlight(text: string, language: string | undefined): language is string {
  return language !== undefined && text.length <= CHARS_MAX && hljs.getLanguage(language) !== undefined;
}

function highlighted(text: string, language: string): DocumentFragment | undefined {
  try {
    return nodesOf(hljs.highlight(text, { language, ignoreIllegals: true }).value);
  } catch {
    return undefined;
  }
}

const PIECE = /<span class="([\w -]*)">|(<\/span>)|&(amp|lt|gt|quot|#x27);|[^<&]+/y;
const ENTITIES = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["#x27", "'"],
]);

function nodesOf(html: string): DocumentFragment | undefined {
  const all = document.createDocumentFragment();
  const open: (DocumentFragment | HTMLElement)[] = [all];
  PIECE.lastIndex = 0;
  while (PIECE.lastIndex < html.length) {
    const piece = PIECE.exec(html);
    const parent = open.at(-1);
    if (piece === null || parent === undefined) return undefined;
    const [text, className, close, entity] = piece;
    if (className !== undefined) {
      const child = span(className);
      parent.append(child);
      open.push(child);
    } else if (close !== undefined) {
      open.pop();
    } else {
      appendText(parent, entity === undefined ? text : (ENTITIES.get(entity) ?? text));
    }
  }
  return all;
}

/** Text around entities stays in one node, so that nothing is torn apart that belongs together. */
function appendText(parent: Node, text: string): void {
  if (parent.lastChild instanceof Text) parent.lastChild.appendData(text);
  else parent.appendChild(new Text(text));
}

function textNodes(text: string): DocumentFragment {
  const all = document.createDocumentFragment();
  all.append(text);
  return all;
}
