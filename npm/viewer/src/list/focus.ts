import { useSignalEffect } from "@preact/signals";

import type { Target } from "../model/types";
import type { List } from "./list";

/** The row that something in it stands in. */
export function rowOf(target: EventTarget | null): number | undefined {
  const row = target instanceof Element ? target.closest("[data-row]")?.getAttribute("data-row") : undefined;
  return row === null || row === undefined ? undefined : Number(row);
}

export function elementOf(within: Element, row: number): HTMLElement | undefined {
  return within.querySelector<HTMLElement>(`[data-row="${row}"]`) ?? undefined;
}

/** Says whether the row is there. */
export function focusRow(within: Element, row: number): boolean {
  const element = elementOf(within, row);
  element?.focus({ preventScroll: true });
  return element !== undefined;
}

/** Goes wherever the model says, once the list can. */
export function useTarget({ model }: List, ready: unknown, go: (target: Target) => void): void {
  useSignalEffect(() => {
    const target = model.target.value;
    if (target !== undefined && ready !== undefined) go(target);
  });
}
