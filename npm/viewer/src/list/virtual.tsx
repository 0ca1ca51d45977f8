import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

import type { ListProps } from "./rows";
import { RowView } from "./row";
import { focusedIn, focusRow, rowOf, useTarget } from "./focus";
import { Window } from "./window";

/** A list of any length, of which only what is in view is drawn. */
export function VirtualRows(props: ListProps): JSX.Element {
  const { list, scroller, scroll, place } = props;
  const { model } = list;
  const spacer = useRef<HTMLDivElement>(null);
  const strip = useRef<HTMLDivElement>(null);
  const window = useSignal<Window | undefined>(undefined);
  const focused = useSignal<number | undefined>(undefined);
  /** Gets the focus as soon as it is drawn. */
  const sought = useRef<number>(undefined);
  const shown = model.shown.value;
  const range = window.value?.range.value ?? { from: 0, to: 0 };

  useLayoutEffect(() => {
    if (!scroller.current || !spacer.current || !strip.current) return undefined;
    const made = new Window(scroller.current, spacer.current, strip.current);
    window.value = made;
    scroll.current = (px) => made.scrollBy(px);
    const stop = listen(scroller.current, made);
    return () => {
      stop();
      made.close();
    };
  }, []);
  useLayoutEffect(() => {
    const row = place.current ?? model.target.peek()?.row ?? 0;
    window.value?.reset(shown.length, shown.indexOf(row));
  }, [shown, window.value]);
  useLayoutEffect(() => {
    window.value?.place();
    if (window.value && shown.length > 0) place.current = shown.rowAt(window.value.anchor);
    if (strip.current === null) return;
    if (sought.current !== undefined && focusRow(strip.current, sought.current)) sought.current = undefined;
    else if (focused.value !== undefined) keepFocus(strip.current, focused.value);
  });
  useTarget(props, window.value, ({ row, at, focus }) => {
    window.value?.goTo(model.shown.peek().indexOf(row), at);
    place.current = row;
    if (!focus || strip.current === null) return;
    sought.current = focusRow(strip.current, row) ? undefined : row;
  });

  const indexes = indexesOf(range, focused.value === undefined ? undefined : shown.indexOf(focused.value), shown.length);
  const current = model.current.value;
  const isDrawn = current !== undefined && indexes.some((index) => shown.rowAt(index) === current);
  return (
    <div ref={spacer} class="spacer">
      <div
        ref={strip}
        class="strip"
        onFocusIn={(event) => (focused.value = rowOf(event.target))}
        // Rows that are moved lose the focus for a moment, until they get it back.
        onFocusOut={() => queueMicrotask(() => {
          if (focusedIn(strip.current) === null) focused.value = undefined;
        })}
        onPointerDown={(event) => hold(list, window.value, event.target)}
        onKeyDown={(event) => hold(list, window.value, event.target)}
      >
        {indexes.map((index) => {
          const row = shown.rowAt(index);
          return (
            <RowView key={row} list={list} row={row} index={index} size={shown.length} isFilled
              isTabbable={isDrawn ? row === current : index === indexes[0]}
              isAway={index < range.from || index >= range.to} />
          );
        })}
      </div>
    </div>
  );
}

/** What is in view; and the row that has the focus, wherever it is, in its order. */
function indexesOf(range: { from: number; to: number }, focused: number | undefined, count: number): number[] {
  const indexes: number[] = [];
  if (focused !== undefined && focused < range.from) indexes.push(focused);
  for (let index = range.from; index < Math.min(range.to, count); index++) indexes.push(index);
  if (focused !== undefined && focused >= range.to && focused < count) indexes.push(focused);
  return indexes;
}

function listen(scroller: HTMLElement, window: Window): () => void {
  const aborted = new AbortController();
  const options = { passive: true, signal: aborted.signal };
  scroller.addEventListener("scroll", () => window.scrolled(), options);
  for (const type of ["wheel", "touchmove", "keydown"]) scroller.addEventListener(type, () => window.wheeled(), options);
  return () => aborted.abort();
}

function hold({ model }: ListProps["list"], window: Window | undefined, target: EventTarget | null): void {
  const row = rowOf(target);
  if (row !== undefined) window?.hold(model.shown.peek().indexOf(row));
}

/** Drawing may move rows, and a browser takes the focus from what is moved. */
function keepFocus(strip: HTMLElement, row: number): void {
  const root = strip.getRootNode();
  const isNowhere = root instanceof ShadowRoot ? root.activeElement === null : strip.ownerDocument.activeElement === strip.ownerDocument.body;
  if (isNowhere) focusRow(strip, row);
}
