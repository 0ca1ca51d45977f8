// What a terminal would show of a tool's output, as far as it is text: colours and styles, and the last
// state of lines that were written over. All other escapes are left out; none of them is obeyed.

import { span } from "./nodes";

/** A piece of text of one look. */
interface Run {
  readonly text: string;
  readonly look: Look;
}

interface Look {
  /** As CSS understands it. */
  readonly fg?: Colour | undefined;
  readonly bg?: Colour | undefined;
  readonly bold?: boolean | undefined;
  readonly dim?: boolean | undefined;
  readonly italic?: boolean | undefined;
  readonly underline?: boolean | undefined;
  readonly strike?: boolean | undefined;
  readonly inverse?: boolean | undefined;
}

interface Colour {
  readonly css: string;
  /** One of the theme's own, which are readable as they are. */
  readonly isOwn: boolean;
}

const PLAIN: Look = {};
/** After so many changes of look in one text, the rest is plain. */
const RUNS_MAX = 5_000;

/**
 * Escapes: with parameters, with a string, and short ones. A string without an end is no escape but its
 * first two characters, so that nothing after it is hidden.
 */
const ESCAPE =
  /(?:\x1b\[|\x9b)(?<parameters>[0-?]{0,256})[ -/]{0,8}(?<final>[@-~])|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)|\x1b[ -/]{0,8}[0-~]?|[\x80-\x9f]/g;

/** Whether a terminal would show it otherwise than it is written. */
export function hasEscapes(text: string): boolean {
  return /[\x1b\x90\x98\x9b\x9d-\x9f]|\r(?!\n)/.test(text);
}

/** The text in lines, as a terminal would leave them. */
export function terminalNodes(text: string): DocumentFragment {
  const all = document.createDocumentFragment();
  for (const [at, line] of linesOf(text).entries()) {
    if (at > 0) all.append("\n");
    all.append(...line.map(runNode));
  }
  return all;
}

/** The same without any look. */
export function terminalText(text: string): string {
  return linesOf(text, 0)
    .map((line) => line.map((run) => run.text).join(""))
    .join("\n");
}

function linesOf(text: string, runsMax = RUNS_MAX): readonly (readonly Run[])[] {
  const screen = new Screen();
  let look = PLAIN;
  let runs = 0;
  let end = 0;
  for (const match of text.matchAll(ESCAPE)) {
    screen.write(text.slice(end, match.index), look);
    end = match.index + match[0].length;
    if (match.groups?.["final"] !== "m") continue;
    look = ++runs > runsMax ? PLAIN : restyled(look, match.groups["parameters"] ?? "");
  }
  screen.write(text.slice(end), look);
  return screen.lines;
}

class Screen {
  readonly lines: Run[][] = [[]];
  #hasReturned = false;

  /** A return begins the line anew: what stood in it is gone once something follows. */
  write(text: string, look: Look): void {
    for (const [piece] of text.matchAll(/\n|\r|[^\r\n]+/g)) {
      if (piece === "\r") {
        this.#hasReturned = true;
      } else if (piece === "\n") {
        this.lines.push([]);
        this.#hasReturned = false;
      } else {
        if (this.#hasReturned) this.lines[this.lines.length - 1] = [];
        this.#hasReturned = false;
        this.lines.at(-1)?.push({ text: piece, look });
      }
    }
  }
}

const STYLES = new Map<number, Look>([
  [1, { bold: true }],
  [2, { dim: true }],
  [3, { italic: true }],
  [4, { underline: true }],
  [7, { inverse: true }],
  [9, { strike: true }],
  [22, { bold: false, dim: false }],
  [23, { italic: false }],
  [24, { underline: false }],
  [27, { inverse: false }],
  [29, { strike: false }],
  [39, { fg: undefined }],
  [49, { bg: undefined }],
]);

/** The look after those parameters. Text that a terminal would conceal is shown. */
function restyled(look: Look, parameters: string): Look {
  const codes = parameters.split(";").flatMap((code) => extended(code) ?? [code]);
  let styled = look;
  for (let at = 0; at < codes.length; at++) {
    const code = Number(codes[at]);
    if (code === 0) styled = PLAIN;
    else if (code === 38 || code === 48) {
      const isIndexed = codes[at + 1] === "5";
      const colour = isIndexed ? indexed(Number(codes[at + 2])) : direct(codes.slice(at + 2, at + 5));
      styled = { ...styled, [code === 38 ? "fg" : "bg"]: colour };
      at += isIndexed ? 2 : 4;
    } else styled = { ...styled, ...(STYLES.get(code) ?? basic(code)) };
  }
  return styled;
}

/** Colours are also written with colons, then with an unused member before red: `38:2::R:G:B`. */
function extended(code: string): readonly string[] | undefined {
  if (!/^[34]8:/.test(code)) return code.includes(":") ? code.split(":", 1) : undefined;
  const parts = code.split(":");
  return parts[1] === "2" && parts.length > 5 ? parts.toSpliced(2, 1) : parts;
}

function basic(code: number): Look {
  if (code >= 30 && code <= 37) return { fg: indexed(code - 30) };
  if (code >= 40 && code <= 47) return { bg: indexed(code - 40) };
  if (code >= 90 && code <= 97) return { fg: indexed(code - 82) };
  if (code >= 100 && code <= 107) return { bg: indexed(code - 92) };
  return PLAIN;
}

function indexed(index: number): Colour | undefined {
  if (!Number.isInteger(index) || index < 0 || index > 255) return undefined;
  if (index < 16) return { css: `var(--ansi-${index})`, isOwn: true };
  if (index >= 232) return direct(Array<number>(3).fill((index - 232) * 10 + 8));
  const level = (step: number): number => (step === 0 ? 0 : step * 40 + 55);
  const cube = index - 16;
  return direct([Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(level));
}

function direct(levels: readonly (number | string)[]): Colour | undefined {
  const rgb = levels.map(Number);
  const isColour = rgb.length === 3 && rgb.every((level) => level >= 0 && level <= 255);
  return isColour ? { css: `rgb(${rgb.join(" ")})`, isOwn: false } : undefined;
}

const DEFAULT: Colour = { css: "var(--fg)", isOwn: true };

function runNode({ text, look }: Run): Node | string {
  if (look === PLAIN) return text;
  const { fg, bg } = look.inverse ? { fg: look.bg, bg: look.fg ?? DEFAULT } : look;
  const names = (["bold", "dim", "italic", "underline", "strike"] as const).filter((name) => look[name]);
  const node = span(names.map((name) => `c-${name}`).join(" "), text);
  if (fg !== undefined) paint(node, "fg", fg);
  if (bg !== undefined) paint(node, "bg", bg);
  return node;
}

/** Set through the object model: the page allows no style in markup. Which colours are readable is for the style sheet. */
function paint(node: HTMLElement, what: "fg" | "bg", { css, isOwn }: Colour): void {
  node.classList.add(isOwn ? `c-${what}` : `c-${what}-any`);
  node.style.setProperty(`--run-${what}`, css);
}
