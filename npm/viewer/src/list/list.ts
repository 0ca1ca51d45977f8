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

/** Under which it is remembered that a row's line is shown as it is written. */
export function rawKey(row: number): string {
  return `${row}:raw`;
}

/** Whether something that is folded by nature is open. The key never changes while a component lives. */
export function useFold({ model }: List, key: string): boolean {
  return useComputed(() => model.folds.value.get(key) ?? model.isUnfolded.value).value;
}

export function setFold({ model }: List, key: string, isOpen: boolean): void {
  model.folds.value = new Map(model.folds.peek()).set(key, isOpen);
}

/** Whether something was opened that stays closed where all is unfolded. */
export function useOpened({ model }: List, key: string): boolean {
  return useComputed(() => model.folds.value.get(key) ?? false).value;
}

/**
 * What the model says, as it is read; drawn again only when that is something else. What is asked may
 * change with `given`.
 */
export function useModel<T>({ model }: List, ask: (model: SessionModel) => T, given?: unknown): T {
  return useMemo(() => {
    let last: T;
    return computed(() => {
      void model.version.value;
      const answer = ask(model);
      return (last = isSame(last, answer) ? last : answer);
    });
  }, [model, given]).value;
}

/** The same, or objects of the same. */
function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  const entries = Object.entries(other);
  const values = new Map<string, unknown>(Object.entries(one));
  return entries.length === values.size && entries.every(([key, value]) => Object.is(values.get(key), value));
}

export async function copyMarkdown({ model, host }: List, row: number): Promise<void> {
  try {
    host.copy(await model.markdown([row]), "Entry copied as Markdown");
  } catch (error) {
    host.fail(error instanceof Error ? error.message : "The entry could not be read.");
  }
}
