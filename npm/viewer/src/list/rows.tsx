import { effect, untracked, useComputed } from "@preact/signals";
import type { JSX, RefObject } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";

import type { SessionModel, Target } from "../model/types";
import { Finder } from "./find";
import { focusedIn, rowOf } from "./focus";
import { first, last } from "./keys";
import type { Host, InList } from "./list";
import { NativeRows } from "./native";
import { VirtualRows } from "./virtual";

/** Up to here a list is drawn whole, where its texts are few enough to be held all. */
const NATIVE_ROWS = 3000;
const NATIVE_BYTES = 16 * 1024 * 1024;

export interface ListProps extends InList {
  readonly scroller: RefObject<HTMLDivElement | null>;
  /** Scrolls by pixels, however the list scrolls. */
  readonly scroll: { current: (px: number) => void };
  /** The row that was in view, for the list that takes over when this one becomes too long or short. */
  readonly place: { current: number | undefined };
  /** Where the model sent the list last. */
  readonly handled: { current: Target | undefined };
}

interface Props {
  readonly model: SessionModel;
  readonly host: Host;
}

/** The conversation. Another session is another list. */
export function Rows({ model, host }: Props): JSX.Element {
  return <Conversation key={model} model={model} host={host} />;
}

function Conversation({ model, host }: Props): JSX.Element {
  const list = useMemo(() => ({ model, host }), [model, host]);
  const scroller = useRef<HTMLDivElement>(null);
  const scroll = useRef<(px: number) => void>(() => undefined);
  const place = useRef<number>(undefined);
  const handled = useRef<Target>(undefined);
  const isNative = useComputed(() => canBeWhole(model)).value;
  const isEmpty = useComputed(() => model.shown.value.length === 0).value;
  const List = isNative ? NativeRows : VirtualRows;
  useFinder(list, scroller, scroll);
  useKeptFocus(model, scroller);
  return (
    <div
      ref={scroller}
      class="rows"
      role="feed"
      aria-label="Entries"
      aria-busy={model.layout.value === undefined}
      tabindex={isEmpty ? 0 : -1}
      onClick={(event) => setCurrent(model, event.target)}
      onFocusIn={(event) => setCurrent(model, event.target)}
      onKeyDown={(event) => onKey(model, event)}
    >
      {isEmpty ? <Empty model={model} /> : <List key={isNative} {...{ list, scroller, scroll, place, handled }} />}
    </div>
  );
}

function canBeWhole(model: SessionModel): boolean {
  const layout = model.layout.value;
  return layout !== undefined && layout.rawBytes <= NATIVE_BYTES && model.shown.value.length <= NATIVE_ROWS;
}

function Empty({ model }: { readonly model: SessionModel }): JSX.Element {
  const isReading = model.layout.value === undefined || model.survey.value.state === "running";
  const isWithout = model.layout.value?.rows === 0;
  return <p class="empty">{isReading ? "Reading…" : isWithout ? "No entries." : "Nothing matches the filter."}</p>;
}

function setCurrent(model: SessionModel, target: EventTarget | null): void {
  const row = rowOf(target);
  if (row !== undefined) model.current.value = row;
}

/** The ends are ends of the log, not of what the browser has measured. */
function onKey(model: SessionModel, event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
  if (event.key !== "Home" && event.key !== "End") return;
  if (event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement) return;
  event.preventDefault();
  if (event.key === "Home") first(model);
  else last(model);
}

function useFinder({ model }: ListProps["list"], scroller: RefObject<HTMLDivElement | null>, scroll: ListProps["scroll"]): void {
  useEffect(() => {
    if (!scroller.current) return undefined;
    // It marks what is drawn, whichever list draws it.
    const made = new Finder(model, scroller.current, (px) => scroll.current(px));
    return () => made.close();
  }, [model]);
}

/**
 * When the row that has the focus is shown no more, the nearest one before it gets it. That has to be
 * known before it is gone: so this does not wait for the drawing, as effects of components do.
 */
function useKeptFocus(model: SessionModel, scroller: RefObject<HTMLDivElement | null>): void {
  useEffect(() => effect(() => {
    const shown = model.shown.value;
    const row = rowOf(focusedIn(scroller.current));
    if (row === undefined || shown.length === 0) return;
    const nearest = shown.rowAt(shown.indexOf(row));
    if (nearest !== row) untracked(() => model.goTo(nearest, { focus: true, at: "nearest" }));
  }), [model]);
}
