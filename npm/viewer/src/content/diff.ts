// Differences as lines: those of a unified diff, and those between two texts.

import { diffLines, diffWordsWithSpace } from "diff";

import { span } from "./nodes";
import { showHidden } from "./visible";

export interface Line {
  readonly kind: "added" | "removed" | "same" | "place" | "about";
  readonly text: string;
  /** Pieces of the text, and whether they differ from the line that it replaces. */
  readonly pieces?: readonly { readonly text: string; readonly isNew: boolean }[] | undefined;
}

/** Longer ones are shown plain: comparing takes long, and so does drawing. */
export const LINES_MAX = 2_000;
const EDITS_MAX = 1_000;
/** Longer lines, and more than so many, are not compared word by word. */
const WORDS_MAX = 400;
const PAIRS_MAX = 200;

const HUNK = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/;
const SIGNS: Record<Line["kind"], string> = { added: "+", removed: "-", same: " ", place: "", about: "" };

/** Whether a text is a unified diff, or a patch as agents write them. */
export function isDiff(text: string): boolean {
  if (/^\s*\*\*\* Begin Patch/.test(text)) return true;
  return /^(?:\+\+\+ |--- |diff --git )/m.test(text) && /^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@/m.test(text);
}

/** The lines of a text that is a diff; undefined where it is too long. */
export function linesOfDiff(text: string): readonly Line[] | undefined {
  const texts = text.replace(/\r?\n$/, "").split(/\r?\n/);
  if (texts.length > LINES_MAX) return undefined;
  if (!texts.some((line) => HUNK.test(line))) return comparedByWords(texts.map(lineOfPatch));
  let removed = 0;
  let added = 0;
  const lines = texts.map((text): Line => {
    const hunk = HUNK.exec(text);
    if (hunk !== null) {
      removed = Number(hunk[1] ?? 1);
      added = Number(hunk[2] ?? 1);
      return { kind: "place", text };
    }
    const line = lineOfPatch(text);
    // Outside of hunks, lines that begin with these signs say which file it is about.
    if (removed + added <= 0 || text.startsWith("\\")) return { kind: "about", text };
    if (line.kind !== "added") removed--;
    if (line.kind !== "removed") added--;
    return line;
  });
  return comparedByWords(lines);
}

/** The lines of both texts, what was removed before what was added; undefined where they are too long. */
export function linesOfEdit(before: string, after: string): readonly Line[] | undefined {
  if (countLines(before) + countLines(after) > LINES_MAX) return undefined;
  const changes = diffLines(ended(before), ended(after), { maxEditLength: EDITS_MAX });
  const lines = changes?.flatMap(({ value, added, removed }) =>
    linesOf(value).map((text): Line => ({ kind: added ? "added" : removed ? "removed" : "same", text })),
  );
  return comparedByWords(lines ?? [...whole("removed", before), ...whole("added", after)]);
}

/** All of a text's lines as of one kind. */
export function whole(kind: Line["kind"], text: string): readonly Line[] {
  return text === "" ? [] : linesOf(ended(text)).map((text) => ({ kind, text }));
}

export function diffNodes(lines: readonly Line[]): DocumentFragment {
  const all = document.createDocumentFragment();
  all.append(...lines.map(lineNode));
  showHidden(all);
  return all;
}

function lineNode({ kind, text, pieces }: Line): Node {
  const shown = pieces?.map((piece) => (piece.isNew ? span("c-new", piece.text) : piece.text)) ?? [text];
  return span(`c-line c-${kind}`, span("c-sign", SIGNS[kind]), span("c-said", ...shown));
}

function lineOfPatch(text: string): Line {
  if (text.startsWith("+")) return { kind: "added", text: text.slice(1) };
  if (text.startsWith("-")) return { kind: "removed", text: text.slice(1) };
  if (text.startsWith("@@")) return { kind: "place", text };
  if (text.startsWith("*** ")) return { kind: "about", text };
  return { kind: "same", text: text.startsWith(" ") ? text.slice(1) : text };
}

/** Marks what differs in lines that replace as many others. */
function comparedByWords(lines: readonly Line[]): readonly Line[] {
  const compared = [...lines];
  let pairs = 0;
  for (let from = 0; from < lines.length; from++) {
    const between = endOf(lines, "removed", from);
    const to = endOf(lines, "added", between);
    const count = between - from;
    if (count > 0 && to - between === count && (pairs += count) <= PAIRS_MAX) {
      for (let at = from; at < between; at++) pair(compared, at, at + count);
    }
    from = Math.max(from, to - 1);
  }
  return compared;
}

function endOf(lines: readonly Line[], kind: Line["kind"], from: number): number {
  let end = from;
  while (lines[end]?.kind === kind) end++;
  return end;
}

function pair(lines: Line[], removed: number, added: number): void {
  const [before, after] = [lines[removed], lines[added]];
  if (before === undefined || after === undefined) return;
  if (before.text.length > WORDS_MAX || after.text.length > WORDS_MAX) return;
  const words = diffWordsWithSpace(before.text, after.text);
  // Where little is the same, marks would be noise.
  const same = words.reduce((sum, word) => (word.added || word.removed ? sum : sum + word.value.length), 0);
  if (same * 2 < Math.max(before.text.length, after.text.length)) return;
  const pieces = (isAfter: boolean): Line["pieces"] =>
    words
      .filter((word) => !(isAfter ? word.removed : word.added))
      .map((word) => ({ text: word.value, isNew: isAfter ? word.added : word.removed }));
  lines[removed] = { ...before, pieces: pieces(false) };
  lines[added] = { ...after, pieces: pieces(true) };
}

/** The last line with a line break too: whether it has one is no difference worth a line. */
function ended(text: string): string {
  const unix = text.replaceAll("\r\n", "\n");
  return unix === "" || unix.endsWith("\n") ? unix : `${unix}\n`;
}

function linesOf(ended: string): readonly string[] {
  return ended.slice(0, -1).split("\n");
}

function countLines(text: string): number {
  return text.split("\n", LINES_MAX + 1).length;
}
