// What the members of tools' arguments are called, across the agents that are around.

import { membersOf, stringOf } from "./json-text";

export const PATHS = ["file_path", "filePath", "path", "notebook_path", "filename", "file", "target_file", "uri"];
export const COMMANDS = ["command", "cmd", "script", "commands"];
export const PATCHES = ["patch", "diff", "input", "patchText", "patch_text"];
export const CONTENTS = ["content", "file_text", "contents", "new_source"];
export const EDITS = [
  ["old_string", "new_string"],
  ["old_str", "new_str"],
  ["oldString", "newString"],
  ["old_text", "new_text"],
  ["oldText", "newText"],
  ["search", "replace"],
] as const;

/** The members of a call's arguments, by their names, as they are written. */
export class Members {
  /** A name that stands there twice means different things to different readers: such objects are not taken apart. */
  static of(json: string): Members | undefined {
    const members = membersOf(json);
    if (members === undefined) return undefined;
    const raw = new Map(members.map((member) => [member.name, member.raw]));
    return raw.size === members.length ? new Members(raw) : undefined;
  }

  readonly #raw: Map<string, string>;

  private constructor(raw: Map<string, string>) {
    this.#raw = raw;
  }

  get names(): readonly string[] {
    return [...this.#raw.keys()];
  }

  raw(name: string): string | undefined {
    return this.#raw.get(name);
  }

  /** That member, where it is a string. */
  string(name: string): string | undefined {
    return stringOf(this.#raw.get(name) ?? "");
  }

  /** The first of these members that is a string which says something. */
  first(names: readonly string[]): { readonly name: string; readonly text: string } | undefined {
    for (const name of names) {
      const text = this.string(name);
      if (text !== undefined && text.trim() !== "") return { name, text };
    }
    return undefined;
  }

  /** A command: a line, or words, of which a shell's own are left out (`bash -lc …`). */
  command(): { readonly name: string; readonly text: string } | undefined {
    const line = this.first(COMMANDS);
    if (line !== undefined) return line;
    for (const name of COMMANDS) {
      const words = wordsOf(this.#raw.get(name) ?? "");
      if (words === undefined) continue;
      const isShell = words.length === 3 && /(?:^|\/)(?:ba|z|da)?sh$/.test(words[0] ?? "") && /^-l?c$/.test(words[1] ?? "");
      return { name, text: isShell ? (words[2] ?? "") : words.map(quoted).join(" ") };
    }
    return undefined;
  }

  /** All but these, as JSON; undefined where none is left. */
  without(names: readonly string[]): string | undefined {
    const left = [...this.#raw].filter(([name]) => !names.includes(name));
    if (left.length === 0) return undefined;
    return `{${left.map(([name, raw]) => `${JSON.stringify(name)}:${raw}`).join(",")}}`;
  }
}

function wordsOf(raw: string): readonly string[] | undefined {
  if (!raw.startsWith("[")) return undefined;
  try {
    const words: unknown = JSON.parse(raw);
    const areWords = Array.isArray(words) && words.length > 0 && words.every((word) => typeof word === "string");
    return areWords ? (words as readonly string[]) : undefined;
  } catch {
    return undefined;
  }
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
