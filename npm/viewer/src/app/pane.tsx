// A pane beside the conversation. Where there is no room beside, it is a drawer above it.

import type { Signal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

import type { App } from "./app";
import { Icon } from "./icons";

interface Props {
  readonly app: App;
  readonly as: "nav" | "aside";
  readonly label: string;
  readonly isOpen: Signal<boolean>;
  /** The `data-opens` of the button that opens it: the focus goes back there. */
  readonly opener: string;
  readonly children: ComponentChildren;
}

export function Pane({ app, as: Tag, label, isOpen, opener, children }: Props): JSX.Element {
  const pane = useRef<HTMLElement>(null);
  const close = useRef<HTMLButtonElement>(null);
  const isDrawer = app.isNarrow.value;

  useEffect(() => {
    const node = pane.current;
    if (isDrawer) {
      close.current?.focus();
    }
    return () => {
      const root = node?.getRootNode();
      const isInside = root instanceof ShadowRoot && node?.contains(root.activeElement);
      if (isInside) {
        root.querySelector<HTMLElement>(`[data-opens="${opener}"]`)?.focus();
      }
    };
  }, []);

  const shut = (): void => {
    isOpen.value = false;
  };
  return (
    <>
      {isDrawer && <div class="veil no-print" onClick={shut} />}
      <Tag ref={pane} class="pane no-print" data-pane={opener} aria-label={label}>
        <div class="pane-head">
          <h2>{label}</h2>
          <button ref={close} type="button" class="plain icon-only" aria-label={`Close ${label.toLowerCase()}`} onClick={shut}>
            <Icon name="close" />
          </button>
        </div>
        {children}
      </Tag>
    </>
  );
}
