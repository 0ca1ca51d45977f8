// What all of the list's components are given, and the small things that they share.

import { computed, useComputed } from "@preact/signals";
import { useMemo } from "preact/hooks";

import type { SessionModel } from "../model/types";

/** What the list asks of the page around it. */
export interface Host {
  /** Copies the link to an entry. */
  copyLink(row: number): void;
  /** Copies a text, and says so. */
  copy(text: string, done: string): void;
  /** Says that something did not work. */
  fail(message: string): void;
}

export interface List {
  readonly model: SessionModel;
  readonly host: Host;
}

export interface InList {
  readonly list: List;
}

/** Whether something that is folded by nature is open. The key never changes while a component lives. */
export function useFold({ model }: List, key: string): boolean {
  return useComputed(() => model.folds.value.get(key) ?? model.isUnfolded.value).value;
}

export function setFold({ model }: List, key: string, isOpen: boolean): void {
  model.folds.value = new Map(model.folds.peek()).set(key, isOpen);
}

/**
 * What the model says, as it is read; drawn again only when that is something else. What is asked may
 * change with `given`.
 */
export function useModel<T>({ model }: List, ask: (model: SessionModel) => T, given?: unknown): T {
  const answer = () => {
    void model.version.value;
    return ask(model);
  };
  return useMemo(() => computed(answer), [model, given]).value;
}

export async function copyMarkdown({ model, host }: List, row: number): Promise<void> {
  try {
    host.copy(await model.markdown([row]), "Entry copied as Markdown");
  } catch (error) {
    host.fail(error instanceof Error ? error.message : "The entry could not be read.");
  }
}
