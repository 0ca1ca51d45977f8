// Markdown as HTML, in which nothing of the text is markup: HTML in it is text like any other. What is no
// text (code, pictures) is set aside, and only its place is marked.

import { Lexer, type MarkedOptions, Parser, Renderer, type Token, Tokenizer, type Tokens, type TokensList } from "marked";

import { type Picture, pictureOf } from "./image-bytes";

export interface Written {
  readonly html: string;
  /** What belongs into the elements of class `c-code`, in their order. */
  readonly codes: readonly { readonly text: string; readonly language: string }[];
  /** What belongs into the elements of class `c-picture`, in their order. */
  readonly pictures: readonly Pictured[];
}

interface Pictured {
  readonly picture: Picture;
  readonly alt: string;
  /** The image itself. */
  readonly address: string;
}

/** Deeper nesting is text: each level is read again by all levels above it. */
const DEPTH_MAX = 16;
/** Work on one run of text: characters that may be markup, times its length. Some of marked's patterns need that much. */
const WORK_MAX = 8_000_000;
/** After so many milliseconds the rest is text. */
const TIME_MAX = 250;

export function htmlOf(markdown: string): Written {
  const renderer = new PlainRenderer();
  const options: MarkedOptions = { gfm: true, breaks: true, renderer, tokenizer: new PlainTokenizer() };
  const tokens = new BoundedLexer(options).lex(markdown);
  return { html: new Parser(options).parse(tokens), codes: renderer.codes, pictures: renderer.pictures };
}

class BoundedLexer extends Lexer {
  readonly #until = performance.now() + TIME_MAX;
  #depth = 0;

  override blockTokens(src: string, tokens?: Token[], isClipped?: boolean): Token[];
  override blockTokens(src: string, tokens?: TokensList, isClipped?: boolean): TokensList;
  override blockTokens(src: string, tokens: Token[] = [], isClipped = false): Token[] {
    if (this.#depth >= DEPTH_MAX || performance.now() > this.#until) {
      tokens.push({ type: "paragraph", raw: src, text: src, tokens: [textToken(src)] });
      return tokens;
    }
    this.#depth++;
    try {
      return super.blockTokens(src, tokens, isClipped);
    } finally {
      this.#depth--;
    }
  }

  override inlineTokens(src: string, tokens: Token[] = []): Token[] {
    const work = src.length * (src.match(/[*_~`[\](<!\\]/g)?.length ?? 0);
    if (work <= WORK_MAX && performance.now() <= this.#until) return super.inlineTokens(src, tokens);
    tokens.push(textToken(src));
    return tokens;
  }
}

function textToken(text: string): Tokens.Text {
  return { type: "text", raw: text, text, escaped: false };
}

/** Knows no HTML. */
class PlainTokenizer extends Tokenizer {
  override html(): undefined {
    return undefined;
  }

  override tag(): undefined {
    return undefined;
  }
}

class PlainRenderer extends Renderer {
  #level = 2;
  readonly codes: { text: string; language: string }[] = [];
  readonly pictures: Pictured[] = [];

  override html({ text }: Tokens.HTML | Tokens.Tag): string {
    return escaped(text);
  }

  override text(token: Tokens.Text | Tokens.Escape): string {
    return "tokens" in token && token.tokens ? this.parser.parseInline(token.tokens) : escaped(token.text);
  }

  override codespan({ text }: Tokens.Codespan): string {
    return `<code>${escaped(text)}</code>`;
  }

  override code({ text, lang }: Tokens.Code): string {
    this.codes.push({ text, language: /^[\w+#-]*/.exec(lang ?? "")?.[0].toLowerCase() ?? "" });
    return '<pre class="c-code"></pre>';
  }

  /** Below the headings of the page, and none deeper than one below the last: who listens counts them. */
  override heading({ tokens, depth }: Tokens.Heading): string {
    const level = Math.min(depth + 2, this.#level + 1, 6);
    this.#level = level;
    return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>`;
  }

  override checkbox({ checked }: Tokens.Checkbox): string {
    return `<span class="c-task${checked ? " c-done" : ""}">${checked ? "[x]" : "[ ]"}</span> `;
  }

  override table(token: Tokens.Table): string {
    return `<div class="c-table">${super.table(token)}</div>`;
  }

  override tablecell({ tokens, header, align }: Tokens.TableCell): string {
    const tag = header ? "th" : "td";
    const className = align === "right" || align === "center" ? ` class="c-${align}"` : "";
    return `<${tag}${className}>${this.parser.parseInline(tokens)}</${tag}>`;
  }

  /** With its address, where its text is not that. Addresses that open nothing safe are text. */
  override link({ href, text, tokens }: Tokens.Link): string {
    const shown = this.parser.parseInline(tokens);
    const address = addressOf(href);
    if (address === undefined) return `${shown} ${addressHtml(href)}`;
    const link = `<a href="${escaped(address)}">${shown}</a>`;
    return isSaid(text, address) ? link : `${link} ${addressHtml(address)}`;
  }

  /** Never loaded: shown where the text itself holds it, else only said. */
  override image({ href, text }: Tokens.Image): string {
    const data = /^data:(image\/[a-z]+);base64,(.*)$/is.exec(href);
    const picture = data === null ? undefined : pictureOf(data[1], data[2] ?? "");
    if (typeof picture === "object") {
      this.pictures.push({ picture, alt: text, address: `data:${picture.mediaType};base64,${data?.[2]}` });
      return '<span class="c-picture"></span>';
    }
    return `<span class="c-absent">Image: ${escaped(text)}</span> ${addressHtml(href.slice(0, ADDRESS_MAX))}`;
  }
}

const ADDRESS_MAX = 2_000;
const SCHEMES = new Set(["http:", "https:", "mailto:"]);

/** The address as a browser understands it: its host in ASCII, so that letters that look alike show. */
function addressOf(href: string): string | undefined {
  try {
    const url = new URL(href.replaceAll("&amp;", "&"));
    return SCHEMES.has(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a link's text is its address, but for what people leave out. */
function isSaid(text: string, address: string): boolean {
  const whole = ["", "http://", "https://", "mailto:"].map((start) => start + text);
  return whole.some((said) => said === address || `${said}/` === address);
}

function addressHtml(address: string): string {
  return `<span class="c-address">(${escaped(address)})</span>`;
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
