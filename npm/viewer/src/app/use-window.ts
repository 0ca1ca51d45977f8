// Which lines of a long list of equally high ones are on screen.

import type { RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

export interface Window {
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly first: number;
  /** Behind the last one. */
  readonly end: number;
  /** Scrolls as little as is needed to have a line on screen. */
  readonly reveal: (index: number) => void;
}

/** Lines drawn beyond the edges, so that scrolling shows no blanks. */
const SPARE = 8;

export function useWindow(length: number, lineHeight: number): Window {
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });

  useLayoutEffect(() => {
    const node = scroller.current;
    if (node === null) {
      return undefined;
    }
    const look = (): void => setView({ top: node.scrollTop, height: node.clientHeight });
    const observer = new ResizeObserver(look);
    observer.observe(node);
    node.addEventListener("scroll", look, { passive: true });
    return () => {
      observer.disconnect();
      node.removeEventListener("scroll", look);
    };
  }, []);

  const reveal = (index: number): void => {
    const node = scroller.current;
    if (node === null || index < 0) {
      return;
    }
    const top = index * lineHeight;
    const lowest = top - node.clientHeight + 2 * lineHeight;
    if (node.scrollTop > top - lineHeight) {
      node.scrollTop = top - lineHeight;
    } else if (node.scrollTop < lowest) {
      node.scrollTop = lowest;
    }
  };

  return {
    scroller,
    first: Math.max(0, Math.floor(view.top / lineHeight) - SPARE),
    end: Math.min(length, Math.ceil((view.top + view.height) / lineHeight) + SPARE),
    reveal,
  };
}
