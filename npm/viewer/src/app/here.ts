// Where in the session the reader is: what outline and chart point at.

import { useSignalEffect } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";

import type { SessionModel } from "../model/types";
import type { App } from "./app";

/** So far below the list's upper edge rows are looked for: between two there is a space. */
const PROBES_PX = [8, 24, 48, 96];

/** The current row as long as it is in view, else the first one that is. */
export function useHere(app: App, model: SessionModel, main: RefObject<HTMLElement | null>): void {
  const frame = useRef(0);
  const lookSoon = (): void => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => {
      const list = main.current?.querySelector(".rows");
      app.here.value = (list && rowInView(list, model.current.value)) ?? app.here.value;
    });
  };
  useEffect(() => {
    const node = main.current;
    // The list scrolls within; its events do not bubble.
    node?.addEventListener("scroll", lookSoon, { capture: true, passive: true });
    return () => {
      cancelAnimationFrame(frame.current);
      node?.removeEventListener("scroll", lookSoon, { capture: true });
    };
  }, []);
  useSignalEffect(() => {
    app.here.value = model.current.value ?? model.target.value?.row ?? 0;
    void model.shown.value;
    lookSoon();
  });
}

function rowInView(list: Element, current: number | undefined): number | undefined {
  const box = list.getBoundingClientRect();
  const own = current === undefined ? undefined : list.querySelector(`[data-row="${current}"]`)?.getBoundingClientRect();
  if (own !== undefined && own.bottom > box.top && own.top < box.bottom) {
    return current;
  }
  const root = list.getRootNode();
  if (!(root instanceof ShadowRoot)) {
    return undefined;
  }
  for (const below of PROBES_PX) {
    const found = root.elementFromPoint(box.left + box.width / 2, box.top + below)?.closest("[data-row]");
    const row = found?.getAttribute("data-row");
    if (row !== null && row !== undefined) {
      return Number(row);
    }
  }
  return undefined;
}
