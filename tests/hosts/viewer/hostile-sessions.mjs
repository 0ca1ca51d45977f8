// The hostile corpus as sessions: every payload wherever an entry has room for a text.

import { rawJson } from "../../../npm/dist/entry/node.js";
import { hostile } from "./hostile.mjs";
import { sessionOf } from "./sessions.mjs";

/** Longer payloads stand only where they were made for: many copies of them would fill the memory. */
const LONG = 20_000;
/** So many payloads are a session that is drawn whole, so that all of it can be looked at. */
const PAYLOADS_MAX = 140;

/** `{ name, file, bytes }` of sessions that hold all payloads between them. */
export async function hostileSessions() {
  const sessions = [];
  for (let at = 0; at < hostile.length; at += PAYLOADS_MAX) {
    const payloads = hostile.slice(at, at + PAYLOADS_MAX);
    const drafts = payloads.flatMap((payload) => draftsOf(payload));
    const id = ID[sessions.length % ID.length];
    const start = { system_prompt: payloads[0].text, config: { [payloads[1].text]: payloads[2].text } };
    const name = `${payloads[0].name} to ${payloads.at(-1).name}`;
    sessions.push({ name, file: FILES[sessions.length % FILES.length], bytes: await sessionOf(drafts, { id, start, batch: 500 }) });
  }
  return sessions;
}

// What may be an id, and what may be a file's name on the disk.
const ID = ["<img src=x onerror=globalThis.__pwned='id'>", "\u202Edi live", "'\"><svg onload=globalThis.__pwned='id'>", "__proto__"];
const FILES = ["<img src=x onerror=globalThis.__pwned='file'>.jsonl", "a\u202Elnosj.jsonl", "'\"><b onclick=x>.jsonl", "constructor.jsonl"];

/** A payload in all places of entries. */
function draftsOf({ name, where, text }) {
  const own = { markdown: asText, output: asResult, json: asPayload, call: asCall, name: asName, image: asImage, session: asBody };
  const ways = text.length > LONG ? [own[where]] : [asText, asResult, asPayload, asCall, asName, asImage, asSummary, ...(where === "session" ? [asBody] : [])];
  return ways.flatMap((way) => way(text, name));
}

const user = (item) => ({ kind: "user_input", item });
const assistant = (item) => ({ kind: "assistant_item", item });
const result = (call, content, more = {}) => ({
  kind: "tool_result",
  item: { role: "user", content: [{ type: "tool_result", tool_use_id: call, content, ...more }] },
});

function asText(text) {
  return [
    user({ role: "user", content: text }),
    assistant({ role: "assistant", content: [{ type: "thinking", thinking: text }, { type: "text", text }] }),
  ];
}

function asResult(text, id) {
  const call = { type: "tool_use", id: `${id}-result`, name: "bash", input: { command: "true" } };
  return [assistant({ role: "assistant", content: [call] }), result(`${id}-result`, text, { is_error: true })];
}

function asPayload(text) {
  const body = JSON.stringify({ [text]: [text, { text }] });
  return [{ kind: "extension", domain: "hostile", payload: rawJson(isJson(text) ? text : body) }];
}

function isJson(text) {
  try {
    JSON.parse(text);
    return text.length < 5_000;
  } catch {
    return false;
  }
}

/** Arguments as the texts that some frameworks have, and as objects. */
function asCall(text, id) {
  const edit = { path: text, old_string: text, new_string: `${text}.` };
  return [
    assistant({ role: "assistant", tool_calls: [{ id: `${id}-call`, type: "function", function: { name: "edit", arguments: text } }] }),
    assistant({ role: "assistant", content: [{ type: "tool_use", id: `${id}-edit`, name: "edit", input: edit }, { type: "tool_use", id: `${id}-any`, name: "any", input: { [text]: text, command: text } }] }),
  ];
}

/** Of tools, roles, models, types, ids. */
function asName(text) {
  const call = { type: "tool_use", id: text, name: text, input: {} };
  return [
    user({ role: text, content: [{ type: text, text }] }),
    assistant({ role: "assistant", model: text, content: [call] }),
    result(text, [{ type: "text", text }], { name: text }),
  ];
}

function asImage(text) {
  const found = imageOf(text);
  const url = found.url ?? text;
  return [
    user({ role: "user", content: [{ type: "image", source: { type: "base64", media_type: found.mediaType ?? "image/png", data: found.data ?? text } }] }),
    user({ role: "user", content: [{ type: "image", source: { type: "url", url } }, { type: "image_url", image_url: { url } }] }),
  ];
}

function imageOf(text) {
  try {
    const { mediaType, data, url } = JSON.parse(text);
    return { mediaType, data, url };
  } catch {
    return {};
  }
}

function asSummary(text) {
  return [
    // A message has to be text: half a surrogate is none.
    { kind: "run_errored", message: text.toWellFormed() },
    { kind: "config_changed", config: { [text]: text } },
  ];
}

function asBody(text) {
  return [{ kind: "assistant_item", item: rawJson(text) }];
}
