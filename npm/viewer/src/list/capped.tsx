import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { type InList, setFold, useOpened } from "./list";

interface Props extends InList {
  /** Under which it is remembered that it was opened. */
  readonly id: string;
  readonly isRoomy?: boolean;
  readonly children: ComponentChildren;
}

/** What is very tall shows its start, and more when asked. */
export function Capped({ list, id, isRoomy, children }: Props): JSX.Element {
  const outer = useRef<HTMLDivElement>(null);
  const isOpen = useOpened(list, id);
  const isCut = useSignal(false);
  useEffect(() => {
    const cap = outer.current;
    const content = cap?.firstElementChild;
    if (!cap || !content) return;
    // The height is cut by the stylesheet at once; here it only is found out whether that hides anything.
    const observer = new ResizeObserver(() => {
      const limit = parseFloat(getComputedStyle(cap).getPropertyValue("--cap"));
      isCut.value = content.scrollHeight > limit + 1;
    });
    observer.observe(content);
    return () => observer.disconnect();
  }, []);
  const classes = ["capped", isRoomy && "roomy", isOpen && "open", isCut.value && "cut-off"];
  return (
    <div ref={outer} class={classes.filter(Boolean).join(" ")}>
      <div class="content">{children}</div>
      {isCut.value && (
        <button type="button" class="more" aria-expanded={isOpen} onClick={() => setFold(list, id, !isOpen)}>
          {isOpen ? "Show less" : "Show more"}
        </button>
      )}
    </div>
  );
}
