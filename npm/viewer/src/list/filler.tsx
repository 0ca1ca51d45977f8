import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { RowView, type RowProps } from "./row";

/**
 * Fills the rows of a list that is drawn whole: those in view first, the others a few at a time whenever
 * the browser has nothing else to do.
 */
export class Filler {
  readonly #waiting = new Map<Element, () => void>();
  #observer: IntersectionObserver | undefined;
  #idle: number | ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  start(root: Element | null): void {
    this.#isStopped = false;
    this.#observer = new IntersectionObserver((seen) => {
      for (const { target, isIntersecting } of seen) if (isIntersecting) this.#fill(target);
    }, { root, rootMargin: "600px 0px" });
    for (const element of this.#waiting.keys()) this.#observer.observe(element);
    addEventListener("beforeprint", this.#fillAll);
    this.#later();
  }

  /** Paper has no scrollbar. */
  readonly #fillAll = (): void => {
    for (const element of this.#waiting.keys()) this.#fill(element);
  };

  add(element: Element, fill: () => void): void {
    this.#waiting.set(element, fill);
    this.#observer?.observe(element);
    this.#later();
  }

  remove(element: Element): void {
    this.#waiting.delete(element);
    this.#observer?.unobserve(element);
  }

  stop(): void {
    this.#isStopped = true;
    this.#observer?.disconnect();
    removeEventListener("beforeprint", this.#fillAll);
  }

  #later(): void {
    if (this.#idle !== undefined || this.#isStopped) return;
    // Not all browsers tell when they are idle.
    this.#idle = typeof requestIdleCallback === "function"
      ? requestIdleCallback(() => this.#fillSome(), { timeout: 500 })
      : setTimeout(() => this.#fillSome(), 50);
  }

  #fillSome(): void {
    this.#idle = undefined;
    if (this.#isStopped) return;
    let left = AT_ONCE;
    for (const element of this.#waiting.keys()) {
      if (left-- === 0) break;
      this.#fill(element);
    }
    if (this.#waiting.size > 0) this.#later();
  }

  #fill(element: Element): void {
    const fill = this.#waiting.get(element);
    this.remove(element);
    fill?.();
  }
}

const AT_ONCE = 12;

interface FillingProps extends Omit<RowProps, "isFilled"> {
  readonly filler: Filler;
  /** It is likely to be seen first, and filled at once. */
  readonly isFirst: boolean;
}

/** A row that is filled when its turn comes. */
export function FillingRow({ filler, isFirst, ...props }: FillingProps): JSX.Element {
  const isFilled = useSignal(isFirst);
  const element = useRef<HTMLElement>(null);
  useEffect(() => {
    const row = element.current;
    if (row === null || isFilled.peek()) return undefined;
    filler.add(row, () => (isFilled.value = true));
    return () => filler.remove(row);
  }, []);
  return <RowView {...props} element={element} isFilled={isFilled.value} />;
}
