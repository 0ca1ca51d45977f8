// Characters that change what a reader sees without being seen: controls that turn text around, characters
// of no width, tags that carry hidden text. They are shown as tokens like <U+202E>, and taken out.

const CONTROL = "[\\0-\\x08\\x0B-\\x1F\\x7F-\\x9F]";
const JOINER = "\\u200D";
const VARIATION = "[\\uFE00-\\uFE0F\\u{E0100}-\\u{E01EF}]";
const TAG = "[\\u{E0020}-\\u{E007F}]";
const UNSEEN = `(?!${JOINER}|${VARIATION}|${TAG})[\\p{Default_Ignorable_Code_Point}\\p{Cs}\\u2028\\u2029\\uFFF9-\\uFFFB]`;
/** Where they are needed, these three are not hidden: emoji that are joined, varied, or flags of regions. */
const ODD_JOINER = `${JOINER}(?:(?<!\\p{Extended_Pictographic}[\\uFE0F\\p{Emoji_Modifier}]?.)|(?!\\p{Extended_Pictographic}))`;
const ODD_VARIATION = `${VARIATION}(?<![\\p{Emoji}\\p{Script=Han}\\p{Math}].)`;
const ODD_TAG = `${TAG}(?<!\\u{1F3F4}${TAG}{1,7})`;
/** What scripts written from right to left, or joining their letters, need in prose. */
const SCRIPT = "[\\u200C-\\u200F\\u061C](?:(?<=[^\\0-\\x7F].)|(?=[^\\0-\\x7F]))";

const HIDDEN = `${CONTROL}|${UNSEEN}|${ODD_JOINER}|${ODD_VARIATION}|${ODD_TAG}`;
const IN_CODE = new RegExp(HIDDEN, "ug");
const IN_PROSE = new RegExp(`(?!${SCRIPT})(?:${HIDDEN})`, "ug");
/** Most texts have none of it. */
const SUSPECT = /[^\t\n\x20-\x7E\xA1-\xAC\xAE-\u02FF\u0400-\u052F\u2010-\u2027\u2030-\u205E\u2070-\u2BFF\u4E00-\u9FFF]/u;

/** Above this many tokens in one text they are not marked up, only written. */
const MARKS_MAX = 2_000;

/** The text with everything that deceives written out. Line breaks and tabs stay. */
export function visible(text: string): string {
  return replaced(text, IN_CODE);
}

/** Writes out what deceives in all texts below `root`, marked as tokens. `prose`: spare what scripts need. */
export function showHidden(root: Node, prose = false): void {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const suspects: Text[] = [];
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    if (SUSPECT.test((node as Text).data)) suspects.push(node as Text);
  }
  for (const node of suspects) {
    const isCode = !prose || node.parentElement?.closest("code, pre, a, .c-address") != null;
    node.replaceWith(marked(node.data, isCode ? IN_CODE : IN_PROSE));
  }
}

function replaced(text: string, pattern: RegExp): string {
  return SUSPECT.test(text) ? text.replace(pattern, token) : text;
}

function marked(text: string, pattern: RegExp): DocumentFragment {
  const all = document.createDocumentFragment();
  let end = 0;
  let marks = 0;
  for (const match of text.matchAll(pattern)) {
    if (++marks > MARKS_MAX) break;
    all.append(text.slice(end, match.index), mark(match[0]));
    end = match.index + match[0].length;
  }
  all.append(replaced(text.slice(end), pattern));
  return all;
}

function mark(character: string): HTMLElement {
  const span = document.createElement("span");
  span.className = "c-hidden";
  span.textContent = token(character);
  return span;
}

function token(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
}
