// Marks what a search found in what is drawn, without touching it: the browser highlights ranges.

import { effect } from "@preact/signals";

import type { Entry, Part } from "../engine/api";
import { Publisher } from "../model/publisher";
import type { SessionModel } from "../model/types";
import { elementOf } from "./focus";

/** What says nothing of the entry itself; and results, which are entries of their own. */
const NOT_FOUND_IN = "header, .actions, .more, .show-all, time, .number, [data-row-of]";

/** More than anybody can see. */
const RANGES_MAX = 2000;

const isSupported = typeof Highlight === "function" && "highlights" in CSS;

/** Highlights are the document's: all lists of a page share theirs. */
const all = isSupported ? shared("turnkeep-find") : undefined;
const current = isSupported ? shared("turnkeep-find-current") : undefined;

function shared(name: string): Highlight {
  const highlight = CSS.highlights.get(name) ?? new Highlight();
  CSS.highlights.set(name, highlight);
  return highlight;
}

export class Finder {
  readonly #model: SessionModel;
  readonly #scroller: HTMLElement;
  readonly #scroll: (px: number) => void;
  readonly #stops: (() => void)[];
  readonly #observer: MutationObserver;
  #ranges: Range[] = [];
  /** The current hit has to be opened, and brought into view once it is drawn. */
  #isSought = false;
  #opened = -1;
  /** The rows of all hits. */
  #hits = new Set<number>();
  readonly #publisher = new Publisher(() => this.#mark());

  constructor(model: SessionModel, scroller: HTMLElement, scroll: (px: number) => void) {
    this.#model = model;
    this.#scroller = scroller;
    this.#scroll = scroll;
    this.#observer = new MutationObserver(() => this.#publisher.soon());
    this.#stops = [effect(() => this.#searched()), effect(() => this.#stepped())];
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#observer.disconnect();
    this.#publisher.cancel();
    this.#clear();
  }

  /** Only while there is something to mark does it matter what is drawn. */
  #searched(): void {
    const isSearching = this.#model.search.query.value.text !== "";
    this.#hits = new Set(this.#model.search.hits.value.map((hit) => hit.row));
    this.#observer.disconnect();
    if (isSearching) this.#observer.observe(this.#scroller, { subtree: true, childList: true, characterData: true });
    this.#publisher.soon();
  }

  #stepped(): void {
    this.#isSought = this.#model.search.at.value >= 0;
    this.#opened = -1;
    this.#publisher.soon();
  }

  #mark(): void {
    this.#clear();
    const { query, hits, at } = this.#model.search;
    if (query.peek().text === "") return;
    const pattern = patternOf(query.peek());
    const hit = hits.peek()[at.peek()]?.row;
    if (this.#isSought && hit !== undefined) this.#open(hit, pattern);
    for (const element of this.#scroller.querySelectorAll("[data-row], [data-row-of]")) {
      const row = Number(element.getAttribute("data-row") ?? element.getAttribute("data-row-of"));
      if (row !== hit && this.#hits.has(row)) this.#markIn(element, pattern, all);
    }
    const found = hit === undefined ? undefined : this.#elementOfHit(hit);
    if (found === undefined) return;
    const first = this.#markIn(found, pattern, current);
    if (first !== undefined && this.#isSought) this.#reveal(first);
  }

  /** A result stands in the card of its call. */
  #elementOfHit(hit: number): Element | undefined {
    return this.#scroller.querySelector(`[data-row-of="${hit}"]`) ?? elementOf(this.#scroller, hit);
  }

  #markIn(element: Element, pattern: RegExp, highlight: Highlight | undefined): Range | undefined {
    let first: Range | undefined;
    for (const range of rangesIn(element, pattern)) {
      if (this.#ranges.length >= RANGES_MAX) return first;
      first ??= range;
      this.#ranges.push(range);
      highlight?.add(range);
    }
    return first;
  }

  #reveal(range: Range): void {
    this.#isSought = false;
    const view = this.#scroller.getBoundingClientRect();
    const { top, bottom } = range.getBoundingClientRect();
    if (top < view.top || bottom > view.bottom) this.#scroll(top - view.top - view.height / 3);
  }

  /** Opens the folded parts of the hit that it is found in. */
  #open(row: number, pattern: RegExp): void {
    const entry = this.#model.entry(row);
    if (entry === undefined || this.#opened === row) return;
    this.#opened = row;
    const folds = new Map(this.#model.folds.peek());
    for (const key of keysOf(entry, pattern)) folds.set(key, true);
    this.#model.folds.value = folds;
  }

  #clear(): void {
    for (const range of this.#ranges) {
      all?.delete(range);
      current?.delete(range);
    }
    this.#ranges = [];
  }
}

function keysOf(entry: Entry, pattern: RegExp): string[] {
  const keys = entry.parts.flatMap((part, at) => {
    const isFound = textsOf(part).some((text) => text.search(pattern) >= 0);
    return isFound ? [`${entry.row}:${at}`, `${entry.row}:${at}:more`] : [];
  });
  return entry.role === "event" && keys.length > 0 ? [String(entry.row), ...keys] : keys;
}

function textsOf(part: Part): readonly string[] {
  switch (part.type) {
    case "text":
    case "reasoning":
      return [part.text];
    case "call":
      return [part.arguments];
    case "result":
      return [part.output];
    case "json":
      return [part.json];
    default:
      return [];
  }
}

function patternOf({ text, matchCase }: { readonly text: string; readonly matchCase: boolean }): RegExp {
  return new RegExp(text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"), matchCase ? "gu" : "giu");
}

/** Where the pattern is in an element's text, also across its nodes. What buttons say is none of it. */
function* rangesIn(element: Element, pattern: RegExp): Generator<Range> {
  const nodes: { readonly node: Text; readonly start: number }[] = [];
  let text = "";
  for (const node of textsIn(element)) {
    nodes.push({ node, start: text.length });
    text += node.data;
  }
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    const end = match.index + match[0].length;
    while ((nodes[at + 1]?.start ?? Infinity) <= match.index) at++;
    let last = at;
    while ((nodes[last + 1]?.start ?? Infinity) < end) last++;
    const [from, to] = [nodes[at], nodes[last]];
    if (from === undefined || to === undefined) return;
    const range = document.createRange();
    range.setStart(from.node, match.index - from.start);
    range.setEnd(to.node, end - to.start);
    yield range;
  }
}

function* textsIn(element: Element): Generator<Text> {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT, (node) =>
    node instanceof Element && node.matches(NOT_FOUND_IN)
      ? NodeFilter.FILTER_REJECT
      : NodeFilter.FILTER_ACCEPT,
  );
  while (walker.nextNode()) if (walker.currentNode instanceof Text) yield walker.currentNode;
}
