// A pane beside the conversation. Where there is no room beside, it is a drawer above it.

import type { Signal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

import type { App } from "./app";
import { useReturnedFocus } from "./focus";
import { Icon } from "../common/icons";

interface Props {
  readonly app: App;
  readonly as: "nav" | "aside";
  readonly label: string;
  readonly isOpen: Signal<boolean>;
  readonly name: string;
  readonly children: ComponentChildren;
}

export function Pane({ app, as: Tag, name, label, isOpen, children }: Props): JSX.Element {
  const pane = useRef<HTMLElement>(null);
  const close = useRef<HTMLButtonElement>(null);
  const isDrawer = app.isNarrow.value;

  useReturnedFocus(pane);
  useLayoutEffect(() => {
    if (isDrawer) {
      close.current?.focus();
    }
  }, []);

  const shut = (): void => {
    isOpen.value = false;
  };
  return (
    <>
      {isDrawer && <div class="veil no-print" onClick={shut} />}
      <Tag ref={pane} class="pane no-print" data-pane={name} aria-label={label}>
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
