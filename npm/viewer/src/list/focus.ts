import { useSignalEffect } from "@preact/signals";

import type { Target } from "../model/types";
import type { ListProps } from "./rows";

/** The row that something in it stands in. */
export function rowOf(target: EventTarget | null): number | undefined {
  const row = target instanceof Element ? target.closest("[data-row]")?.getAttribute("data-row") : undefined;
  return row === null || row === undefined ? undefined : Number(row);
}

export function elementOf(within: Element, row: number): HTMLElement | undefined {
  return within.querySelector<HTMLElement>(`[data-row="${row}"]`) ?? undefined;
}

/** What has the focus, if that is in the element. */
export function focusedIn(within: Element | null): Element | null {
  const root = within?.getRootNode();
  const active = root instanceof ShadowRoot || root instanceof Document ? root.activeElement : null;
  return within?.contains(active) ? active : null;
}

/** Says whether the row is there. */
export function focusRow(within: Element, row: number): boolean {
  const element = elementOf(within, row);
  element?.focus({ preventScroll: true });
  return element !== undefined;
}

/** Goes wherever the model says, once the list can; but not where another list has gone before it took over. */
export function useTarget({ list, handled }: ListProps, ready: unknown, go: (target: Target) => void): void {
  useSignalEffect(() => {
    const target = list.model.target.value;
    if (target === undefined || target === handled.current || ready === undefined) return;
    handled.current = target;
    go(target);
  });
}
