// JSON as it is written: its numbers, escapes and repeated names, which a parser would change.

export interface Token {
  readonly kind: "key" | "string" | "number" | "literal" | "open" | "close" | "comma" | "colon";
  readonly text: string;
}

export interface Piece {
  readonly kind: Token["kind"] | "space";
  readonly text: string;
}

export interface Member {
  readonly name: string;
  /** Its value as written, without the spaces between its tokens. */
  readonly raw: string;
}

const INDENT = "  ";
/** Deeper ones are not indented further: hostile nesting would be mostly spaces. */
const INDENTS_MAX = 40;
const LINE_MAX = 72;

/** Its tokens; of a text that was cut, up to there. Undefined where it is no JSON. */
export function tokensOf(text: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  const grammar = new Grammar();
  for (let at = endOfSpace(text, 0); at < text.length; ) {
    const end = endOfToken(text, at);
    const kind = end === undefined ? undefined : grammar.take(text[at] ?? "");
    if (end === undefined || kind === undefined) return undefined;
    tokens.push({ kind, text: text.slice(at, end) });
    at = endOfSpace(text, end);
  }
  return tokens.length === 0 ? undefined : tokens;
}

/** Laid out on lines: containers that are short and hold no others take one. */
export function layOut(tokens: readonly Token[]): readonly Piece[] {
  const pieces: Piece[] = [];
  const breakLine = (depth: number): void => {
    pieces.push({ kind: "space", text: `\n${INDENT.repeat(Math.min(depth, INDENTS_MAX))}` });
  };
  let depth = 0;
  let flatUntil = -1;
  tokens.forEach((token, at) => {
    const isFlat = at <= flatUntil;
    if (token.kind === "close" && !isFlat) breakLine(--depth);
    pieces.push(token);
    if (token.kind === "open") {
      const end = endOfFlat(tokens, at);
      if (end !== undefined) flatUntil = end;
      else breakLine(++depth);
    } else if (token.kind === "comma" && !isFlat) {
      breakLine(depth);
    } else if (token.kind === "comma" || token.kind === "colon") {
      pieces.push({ kind: "space", text: " " });
    }
  });
  return pieces;
}

/** The members of the object that a text is, in its order; those of a cut one up to there. */
export function membersOf(text: string): readonly Member[] | undefined {
  const tokens = tokensOf(text);
  if (tokens?.[0]?.text !== "{") return undefined;
  const members: { name: string; raw: string }[] = [];
  let depth = 0;
  for (const { kind, text } of tokens) {
    if (kind === "close" && --depth === 0) break;
    const last = members.at(-1);
    if (depth === 1 && kind === "key") members.push({ name: stringOf(text) ?? text, raw: "" });
    else if (last !== undefined && !(depth === 1 && (kind === "colon" || kind === "comma"))) last.raw += text;
    if (kind === "open") depth++;
  }
  return members;
}

/** The string that this JSON is, also where its end was cut off. */
export function stringOf(raw: string): string | undefined {
  if (!raw.startsWith('"')) return undefined;
  const isWhole = raw.length > 1 && raw.endsWith('"') && endOfString(raw, 0) === raw.length;
  try {
    return String(JSON.parse(isWhole ? raw : `${raw.replace(CUT_ESCAPE, "$1")}"`));
  } catch {
    return raw.slice(1);
  }
}

const CUT_ESCAPE = /(?<!\\)((?:\\\\)*)\\(?:u[\da-f]{0,3})?$/i;
const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])/y;
const LITERAL = /(?:true|false|null)(?!\w)/y;
/** What is left of a number or literal at the end of a text that was cut. */
const CUT = /[\w.+-]{1,24}$/y;

function endOfSpace(text: string, at: number): number {
  return endOf(SPACE, text, at) ?? at;
}

function endOfToken(text: string, at: number): number | undefined {
  const first = text[at] ?? "";
  if ("{}[],:".includes(first)) return at + 1;
  if (first === '"') return endOfString(text, at);
  return endOf(NUMBER, text, at) ?? endOf(LITERAL, text, at) ?? endOf(CUT, text, at);
}

function endOf(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

/** Where a container that fits on its line ends. */
function endOfFlat(tokens: readonly Token[], open: number): number | undefined {
  let length = 0;
  for (let at = open + 1; at < tokens.length && length <= LINE_MAX; at++) {
    const token = tokens[at];
    if (token === undefined || token.kind === "open") return undefined;
    if (token.kind === "close") return at;
    length += token.text.length + 1;
  }
  return undefined;
}

type Wanted = "value" | "value or end" | "key" | "key or end" | "colon" | "comma or end" | "nothing";

/** What may follow what. */
class Grammar {
  readonly #open: string[] = [];
  #wanted: Wanted = "value";

  /** The kind of the token that begins so; undefined where it may not stand. */
  take(first: string): Token["kind"] | undefined {
    const wanted = this.#wanted;
    if (first === ":") return this.#next(wanted === "colon", "value", "colon");
    if (first === ",") return this.#next(wanted === "comma or end", this.#member(), "comma");
    if (first === "}" || first === "]") return this.#close(first);
    if (wanted.startsWith("key")) return this.#next(first === '"', "colon", "key");
    if (!wanted.startsWith("value")) return undefined;
    if (first === "{" || first === "[") {
      this.#open.push(first);
      return this.#next(true, first === "{" ? "key or end" : "value or end", "open");
    }
    const kind = first === '"' ? "string" : /[-\d]/.test(first) ? "number" : "literal";
    return this.#next(true, this.#after(), kind);
  }

  #close(first: string): "close" | undefined {
    const isEnd = this.#wanted.endsWith("or end") && this.#open.pop() === (first === "}" ? "{" : "[");
    return this.#next(isEnd, this.#after(), "close");
  }

  #member(): Wanted {
    return this.#open.at(-1) === "{" ? "key" : "value";
  }

  #after(): Wanted {
    return this.#open.length > 0 ? "comma or end" : "nothing";
  }

  #next<K extends Token["kind"]>(isRight: boolean, wanted: Wanted, kind: K): K | undefined {
    this.#wanted = wanted;
    return isRight ? kind : undefined;
  }
}
