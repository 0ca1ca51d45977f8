// Texts that sessions may hold to harm those who read them. Whatever shows them must run no script, ask for
// no address, and leave none of their markup as nodes.
//
//   where    what shows such a text: "markdown", "output", "json", "call" (a call's arguments), "name" (of
//            a tool, a role, a session), "image" (JSON with mediaType, data, url), "session" (an entry's body)

import { FORBIDDEN, HANDLERS, MUTATIONS, SCRIPTS } from "./hostile-markup.mjs";
import { CALLS, HEAVY, IMAGES, LINKS, MARKDOWN, NAMES, TERMINAL, UNICODE } from "./hostile-texts.mjs";

/** Every payload says its own name, so that one that runs tells which it was. */
export const hostile = [
  ...group("script", "markdown", SCRIPTS),
  ...group("handler", "markdown", HANDLERS),
  ...group("mutation", "markdown", MUTATIONS),
  ...group("forbidden", "markdown", FORBIDDEN),
  ...group("link", "markdown", LINKS),
  ...group("syntax", "markdown", MARKDOWN),
  ...group("unicode", "markdown", UNICODE),
  ...group("heavy", "markdown", HEAVY),
  ...group("terminal", "output", TERMINAL),
  ...group("markup-in-output", "output", MUTATIONS.slice(0, 12)),
  ...group("unicode-in-json", "json", UNICODE.map((text) => JSON.stringify({ [text]: [text] }))),
  ...group("call", "call", CALLS),
  ...group("name", "name", NAMES),
  ...group("image", "image", IMAGES),
  ...group("session", "session", NAMES.slice(0, 22).map(entryNamed)),
];

function group(prefix, where, texts) {
  return texts.map((text, at) => {
    const name = `${prefix}-${at + 1}`;
    return { name, where, text: armed(text, name) };
  });
}

/** Puts in what the payload does. */
function armed(text, name) {
  return text
    .replaceAll("RUN", () => `globalThis.__pwned='${name}'`)
    .replaceAll("URL", () => `http://127.0.0.1:9/${name}`);
}

/** An entry's body in which everything that has a name has this one. */
function entryNamed(name) {
  const quoted = JSON.stringify(name);
  const call = `{"type":"tool_use","id":${quoted},"name":${quoted},"input":{${quoted}:${quoted}}}`;
  const result = `{"type":"tool_result","tool_use_id":${quoted},"content":${quoted}}`;
  return `{"role":${quoted},"model":${quoted},"content":[${call},${result},{"type":${quoted},"text":${quoted}}]}`;
}
