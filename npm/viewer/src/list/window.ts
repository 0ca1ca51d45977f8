// Where a list stands that is too long to be drawn whole. Only the rows in view are drawn, in a strip of
// the page that is laid into a spacer. What holds still is the anchor: one row, and where it is in the
// spacer. Heights of rows that are not drawn are never needed, so rows may be as many as they like; and
// rows that grow above the anchor move nothing in view.
//
// A short way of scrolling moves the strip as it is. A long one, as by the scrollbar's thumb, means a
// share of the whole: the row at that share becomes the anchor. The two drift apart while one scrolls the
// short way, because the spacer is as high as rows are guessed to be; so when scrolling rests, the strip
// and the scroll position are moved together to where the anchor's share is, which nobody sees.

import { signal, type ReadonlySignal } from "@preact/signals";

import { type Range, Strip } from "./strip";

interface Anchor {
  readonly index: number;
  /** Where its edge is, in the spacer. */
  readonly y: number;
  readonly edge: "start" | "end";
}

/** Browsers cut off heights somewhere between 16 and 33 million pixels. */
const HEIGHT_MAX = 8_000_000;
const ROW_PX = 120;
/** What is drawn beyond what is in view, and when there is too little of it: a page's scrolling has to fit in. */
const BEYOND_PX = 1200;
const TOO_LITTLE_PX = 900;
const REST_MS = 150;

export class Window {
  readonly #range = signal<Range>({ from: 0, to: 0 });
  #count = 0;
  #anchor: Anchor = { index: 0, y: 0, edge: "start" };
  #height = 0;
  /** The scroll position that this has dealt with. */
  #scrolled = 0;
  #viewHeight = 0;
  #rowPx = ROW_PX;
  #isThumb = false;
  #isJumping = true;
  #wheelAt = -Infinity;
  #rest: ReturnType<typeof setTimeout> | undefined;

  readonly #scroller: HTMLElement;
  readonly #spacer: HTMLElement;
  readonly #strip: Strip;
  readonly #observer: ResizeObserver;

  constructor(scroller: HTMLElement, spacer: HTMLElement, strip: HTMLElement) {
    this.#scroller = scroller;
    this.#spacer = spacer;
    this.#strip = new Strip(strip, spacer);
    this.#viewHeight = scroller.clientHeight;
    this.#observer = new ResizeObserver(() => this.#resized());
    this.#observer.observe(scroller);
    this.#observer.observe(strip);
  }

  get range(): ReadonlySignal<Range> {
    return this.#range;
  }

  /** The row that all others are placed by. */
  get anchor(): number {
    return this.#anchor.index;
  }

  /** The rows have become others; the one that was the anchor is at that place now. */
  reset(count: number, anchor: number): void {
    const index = Math.max(0, Math.min(anchor, count - 1));
    if (count === this.#count && index === this.#anchor.index) return;
    this.#count = count;
    this.#anchor = { ...this.#anchor, index };
    // While somebody scrolls, the scroll position is left alone.
    this.#isJumping = this.#rest === undefined;
    this.#drawAround();
  }

  /** Brings a row into view. */
  goTo(index: number, at: "start" | "end" | "nearest"): void {
    const drawn = this.#strip.rows(this.#range.peek()).find((row) => row.index === index);
    const y = this.#scroller.scrollTop;
    const end = y + this.#viewHeight;
    if (at === "nearest" && drawn !== undefined) {
      if (drawn.top >= y && drawn.bottom <= end) return;
      const isBelow = drawn.bottom > end && drawn.bottom - drawn.top < this.#viewHeight;
      this.#anchor = isBelow ? { index, y: end, edge: "end" } : { index, y, edge: "start" };
    } else {
      this.#anchor = at === "end" ? { index, y: end, edge: "end" } : { index, y, edge: "start" };
    }
    this.#isJumping = true;
    this.#drawAround();
    this.place();
  }

  /** Scrolls what is drawn. */
  scrollBy(px: number): void {
    const { index, y, edge } = this.#anchor;
    this.#anchor = { index, y: y - px, edge };
    this.#isJumping = true;
    this.place();
  }

  /** From now on this row holds still: somebody works in it. */
  hold(index: number): void {
    const row = this.#strip.rows(this.#range.peek()).find((row) => row.index === index);
    if (row !== undefined) this.#anchor = { index, y: row.top, edge: "start" };
  }

  wheeled(): void {
    this.#wheelAt = performance.now();
  }

  scrolled(): void {
    const y = this.#scroller.scrollTop;
    const by = y - this.#scrolled;
    if (Math.abs(by) < 0.5) return;
    this.#scrolled = y;
    this.#isThumb = performance.now() - this.#wheelAt > 250;
    const isFar = Math.abs(by) > 2 * this.#viewHeight;
    const isEnd = y <= 0 || y >= this.#height - this.#viewHeight - 1;
    if (this.#isThumb && (isFar || (isEnd && !this.#isWhole()))) this.#goToShare(y / (this.#height - this.#viewHeight));
    else if (isFar) this.#goFar(by);
    else this.#anchor = this.#anchorInView() ?? this.#anchor;
    this.place();
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.#rested(), REST_MS);
  }

  /** Puts the strip where the anchor is. To be called whenever rows were drawn or have changed. */
  place(): void {
    if (this.#count === 0) return;
    const row = this.#strip.row(this.#anchor.index, this.#range.peek());
    if (row === undefined) return this.#drawAround();
    const edge = this.#anchor.edge === "start" ? row.top : row.bottom;
    this.#strip.move(this.#anchor.y - edge);
    if (this.#drawMore()) return;
    if (this.#isJumping) {
      this.#isJumping = false;
      this.#synchronise();
    } else if (this.#isAstray()) {
      if (this.#isThumb) this.#clamp();
      else this.#synchronise();
    }
  }

  close(): void {
    this.#observer.disconnect();
    clearTimeout(this.#rest);
  }

  #rested(): void {
    this.#rest = undefined;
    this.#isThumb = false;
    this.#synchronise();
  }

  #resized(): void {
    const height = this.#scroller.clientHeight;
    if (this.#anchor.edge === "end") this.#anchor = { ...this.#anchor, y: this.#anchor.y + height - this.#viewHeight };
    this.#viewHeight = height;
    this.place();
  }

  /** The item that a share of the whole means stands at that share of the view: so both ends are exact. */
  #goToShare(share: number): void {
    const y = this.#scroller.scrollTop;
    if (share >= 1) this.#anchor = { index: this.#count - 1, y: y + this.#viewHeight, edge: "end" };
    else if (share <= 0) this.#anchor = { index: 0, y, edge: "start" };
    else {
      const place = share * this.#count;
      const index = Math.min(Math.floor(place), this.#count - 1);
      this.#anchor = { index, y: y + share * this.#viewHeight - (place - index) * this.#rowPx, edge: "start" };
    }
    this.#drawAround();
  }

  #goFar(by: number): void {
    const index = Math.round(this.#anchor.index + by / this.#rowPx);
    const y = this.#scroller.scrollTop;
    this.#anchor = { index: Math.max(0, Math.min(index, this.#count - 1)), y, edge: "start" };
    this.#drawAround();
  }

  #isWhole(): boolean {
    const { from, to } = this.#range.peek();
    return from === 0 && to === this.#count;
  }

  /** Draws what is in view around the anchor, as high as rows are guessed to be. */
  #drawAround(): void {
    const rows = Math.ceil((this.#viewHeight + BEYOND_PX) / this.#rowPx);
    const before = this.#anchor.edge === "end" ? rows : Math.ceil(BEYOND_PX / this.#rowPx);
    const after = this.#anchor.edge === "end" ? Math.ceil(BEYOND_PX / this.#rowPx) : rows;
    this.#draw(this.#anchor.index - before, this.#anchor.index + after + 1);
  }

  #draw(from: number, to: number): boolean {
    const range = { from: Math.max(0, from), to: Math.min(this.#count, to) };
    const old = this.#range.peek();
    if (range.from === old.from && range.to === old.to) return false;
    this.#range.value = range;
    return true;
  }

  /** Draws rows that have come near the view, and lets go of those far from it. */
  #drawMore(): boolean {
    const rows = this.#strip.rows(this.#range.peek());
    const first = rows[0];
    const last = rows.at(-1);
    if (first === undefined || last === undefined) return false;
    this.#rowPx = Math.max(24, (last.bottom - first.top) / rows.length);
    const start = this.#scroller.scrollTop;
    const end = start + this.#viewHeight;
    let { from, to } = this.#range.peek();
    if (first.top > start - TOO_LITTLE_PX) from -= this.#rowsIn(first.top - start + BEYOND_PX);
    else from = rows.find((row) => row.bottom > start - 2 * BEYOND_PX)?.index ?? from;
    if (last.bottom < end + TOO_LITTLE_PX) to += this.#rowsIn(end - last.bottom + BEYOND_PX);
    else to = (rows.findLast((row) => row.top < end + 2 * BEYOND_PX)?.index ?? to - 1) + 1;
    return this.#draw(from, Math.max(to, from + 1));
  }

  #rowsIn(px: number): number {
    return Math.max(1, Math.min(100, Math.ceil(px / this.#rowPx)));
  }

  /** Whether what is drawn does not lie where it could be scrolled to, or leaves a part of the view empty. */
  #isAstray(): boolean {
    const { from, to } = this.#range.peek();
    const y = this.#scroller.scrollTop;
    const bottom = this.#strip.top + this.#strip.height;
    if (this.#strip.top < -1 || bottom > this.#height + 1) return true;
    if (from === 0 && (this.#isThumb ? y < this.#strip.top - 1 : this.#strip.top > 0.1)) return true;
    const rest = this.#height - bottom;
    if (to === this.#count && (this.#isThumb ? y + this.#viewHeight > bottom + 1 : rest > 0.1)) return true;
    return (from > 0 && y <= 0) || (to < this.#count && y >= this.#height - this.#viewHeight - 0.5);
  }

  /** Moves strip and scroll position together to where the anchor's share of the whole is. */
  #synchronise(): void {
    if (this.#count === 0) return;
    const { from, to } = this.#range.peek();
    const strip = this.#strip.height;
    const y = this.#scroller.scrollTop;
    const above = y - this.#strip.top;
    this.#setHeight(strip);
    const end = this.#height - this.#viewHeight;
    const lowest = this.#height - strip + above;
    let wanted = Math.max(above, Math.min(this.#share() * end, lowest));
    if (from === 0) wanted = above;
    else if (to === this.#count) wanted = lowest;
    wanted = Math.max(0, Math.min(wanted, end));
    this.#scroller.scrollTop = wanted;
    this.#scrolled = this.#scroller.scrollTop;
    // At an end the strip is there, wherever the view was; else what is in view stays.
    const top = from === 0 ? 0 : to === this.#count ? this.#height - strip : this.#scrolled - above;
    const moved = top - this.#strip.top;
    this.#strip.move(moved);
    this.#anchor = { ...this.#anchor, y: this.#anchor.y + moved };
  }

  #setHeight(strip: number): void {
    const guess = Math.min(HEIGHT_MAX, this.#count * ROW_PX);
    this.#height = this.#isWhole() ? strip : Math.max(guess, 3 * strip);
    this.#spacer.style.height = `${this.#height}px`;
  }

  /** While the thumb is held, the scroll position is its own: the rows have to give way. */
  #clamp(): void {
    const { from, to } = this.#range.peek();
    const y = this.#scroller.scrollTop;
    const strip = this.#strip.height;
    let top = Math.max(0, Math.min(this.#strip.top, this.#height - strip));
    if (from === 0) top = Math.min(top, y);
    if (to === this.#count) top = Math.max(top, y + this.#viewHeight - strip);
    this.#strip.move(top - this.#strip.top);
    this.#anchor = this.#anchorInView() ?? this.#anchor;
  }

  /** The share of the whole at which a row stands in the view at that share of it. */
  #share(): number {
    const rows = this.#strip.rows(this.#range.peek());
    const guess = this.#anchor.index / this.#count;
    const line = this.#scroller.scrollTop + guess * this.#viewHeight;
    const row = rows.find((row) => row.bottom > line) ?? rows.at(-1);
    if (row === undefined) return guess;
    const within = (line - row.top) / Math.max(1, row.bottom - row.top);
    return (row.index + Math.max(0, Math.min(within, 1))) / this.#count;
  }

  /** The first row that begins in view; of one that is taller than the view, that one. */
  #anchorInView(): Anchor | undefined {
    const y = this.#scroller.scrollTop;
    const rows = this.#strip.rows(this.#range.peek());
    const begins = rows.find((row) => row.top >= y - 1 && row.top < y + 0.6 * this.#viewHeight);
    const row = begins ?? rows.find((row) => row.bottom > y) ?? rows.at(-1);
    return row === undefined ? undefined : { index: row.index, y: row.top, edge: "start" };
  }
}
