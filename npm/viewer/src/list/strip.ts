export interface Range {
  readonly from: number;
  /** Not in it any more. */
  readonly to: number;
}

/** A row that is drawn, and where it is in the spacer. */
export interface Drawn {
  readonly index: number;
  readonly top: number;
  readonly bottom: number;
}

/** The strip of rows that are drawn, and the spacer that it lies in. */
export class Strip {
  readonly #strip: HTMLElement;
  readonly #spacer: HTMLElement;
  #top = 0;

  constructor(strip: HTMLElement, spacer: HTMLElement) {
    this.#strip = strip;
    this.#spacer = spacer;
  }

  /** Where it is in the spacer. */
  get top(): number {
    return this.#top;
  }

  get height(): number {
    return this.#strip.getBoundingClientRect().height;
  }

  move(by: number): void {
    if (by === 0) return;
    this.#top += by;
    this.#strip.style.top = `${this.#top}px`;
  }

  /** Without what only is there because it has the focus. */
  rows(range: Range): Drawn[] {
    const zero = this.#spacer.getBoundingClientRect().top;
    const rows: Drawn[] = [];
    for (const element of this.#strip.children) {
      const index = indexOf(element);
      if (index >= range.from && index < range.to) rows.push(drawn(element, index, zero));
    }
    return rows;
  }

  row(index: number, range: Range): Drawn | undefined {
    if (index < range.from || index >= range.to) return undefined;
    for (const element of this.#strip.children) {
      if (indexOf(element) === index) return drawn(element, index, this.#spacer.getBoundingClientRect().top);
    }
    return undefined;
  }
}

function drawn(element: Element, index: number, zero: number): Drawn {
  const { top, bottom } = element.getBoundingClientRect();
  return { index, top: top - zero, bottom: bottom - zero };
}

function indexOf(element: Element): number {
  return Number(element.getAttribute("aria-posinset")) - 1;
}
