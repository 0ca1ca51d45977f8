import { Members, PATCHES, PATHS } from "./arguments";
import { isDiff } from "./diff";
import { visible } from "./visible";

export const SUMMARY_CHARS = 160;
/** Enough to fill a line, however much of it is space. */
const LOOKED_AT = 4_000;

const SOUGHT = ["pattern", "query", "q", "regex", "search_term", "glob"];
const SAID = ["url", "description", "title", "subject", "name", "prompt", "message", "question", "text", "id", "task"];

/** What a call is about, on one line. */
export function summaryOf(_name: string, argumentsJson: string): string {
  const members = Members.of(argumentsJson);
  return onOneLine(members === undefined ? argumentsJson : about(members));
}

function about(members: Members): string {
  const patch = members.first(PATCHES)?.text ?? "";
  if (isDiff(patch)) return filesOf(patch);
  const command = members.command()?.text;
  if (command !== undefined) return command;
  const path = members.first(PATHS)?.text;
  const sought = members.first(SOUGHT)?.text;
  if (sought !== undefined) return path === undefined ? sought : `${sought} in ${path}`;
  if (path !== undefined) return path;
  const said = members.first(SAID) ?? members.first(members.names);
  return said?.text ?? members.names.map((name) => `${name}: ${members.raw(name)?.slice(0, SUMMARY_CHARS)}`).join(", ");
}

function filesOf(patch: string): string {
  const lines = patch.matchAll(/^(?:\*\*\* (?:Add|Update|Delete) File: |\+\+\+ (?:b\/)?)(.{1,400})/gm);
  const files = [...new Set([...lines].map((line) => line[1] ?? ""))];
  return files.length > 1 ? `${files[0]} and ${files.length - 1} more` : (files[0] ?? patch);
}

function onOneLine(text: string): string {
  const line = visible(text.trimStart().slice(0, LOOKED_AT).replace(/\s+/gu, " ").trimEnd());
  if (line.length <= SUMMARY_CHARS) return line;
  return `${line.slice(0, SUMMARY_CHARS - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
