import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { Filler, FillingRow } from "./filler";
import { elementOf, focusRow, rowOf, useTarget } from "./focus";
import type { ListProps } from "./rows";

/** A list that is drawn whole: the browser's own find and all that reads pages know all of it. */
export function NativeRows(props: ListProps): JSX.Element {
  const { list, scroller, scroll, place } = props;
  const { model } = list;
  const strip = useRef<HTMLDivElement>(null);
  const filler = useRef<Filler>(undefined);
  filler.current ??= new Filler();
  const settle = useRef<() => void>(undefined);
  const shown = model.shown.value;
  const current = model.current.value;

  useLayoutEffect(() => {
    scroll.current = (px) => scroller.current?.scrollBy({ top: px, behavior: "instant" });
    if (strip.current === null || scroller.current === null) return undefined;
    const element = place.current === undefined ? undefined : elementOf(strip.current, shown.rowAt(shown.indexOf(place.current)));
    if (element) settle.current = scrollTo(scroller.current, strip.current, element, "start");
    const view = scroller.current;
    const rows = strip.current;
    return () => (place.current = rowInView(view, rows));
  }, []);
  useEffect(() => {
    filler.current?.start(scroller.current);
    return () => {
      settle.current?.();
      filler.current?.stop();
    };
  }, []);
  useTarget(props, scroller, ({ row, at, focus }) => {
    const element = strip.current && elementOf(strip.current, row);
    if (!element || !scroller.current || !strip.current) return;
    settle.current?.();
    settle.current = scrollTo(scroller.current, strip.current, element, at);
    if (focus) focusRow(strip.current, row);
  });

  const rows = Array.from({ length: shown.length }, (_, index) => shown.rowAt(index));
  const start = shown.indexOf(place.current ?? model.target.peek()?.row ?? 0);
  const tabbable = current !== undefined && rows[shown.indexOf(current)] === current ? current : rows[0];
  return (
    <div ref={strip} class="strip whole">
      {rows.map((row, index) => (
        <FillingRow key={row} filler={filler.current as Filler} list={list} row={row} index={index}
          size={rows.length} isTabbable={row === tabbable} isFirst={Math.abs(index - start) < FIRST_ROWS} />
      ))}
    </div>
  );
}

function rowInView(scroller: HTMLElement, strip: HTMLElement): number | undefined {
  const { top } = scroller.getBoundingClientRect();
  for (const element of strip.children) if (element.getBoundingClientRect().bottom > top) return rowOf(element);
  return undefined;
}

/**
 * Rows on the way take their heights only when they are seen: until that has settled, or the reader
 * scrolls, the row is brought to its place again whenever heights change.
 */
function scrollTo(scroller: HTMLElement, strip: HTMLElement, element: HTMLElement, at: "start" | "end" | "nearest"): () => void {
  const place = (): void => element.scrollIntoView({ block: at, behavior: "instant" });
  place();
  const observer = new ResizeObserver(place);
  observer.observe(strip);
  const aborted = new AbortController();
  const stop = (): void => {
    observer.disconnect();
    aborted.abort();
    clearTimeout(timer);
  };
  for (const type of ["wheel", "touchmove", "pointerdown", "keydown"]) {
    scroller.addEventListener(type, stop, { signal: aborted.signal, passive: true });
  }
  const timer = setTimeout(stop, SETTLED_MS);
  return stop;
}

const SETTLED_MS = 1000;

/** About as many as can be in view at first. */
const FIRST_ROWS = 24;
