// A modal dialog. The browser keeps the focus in it; when it closes, the focus goes back to where it was.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { Icon } from "./icons";

interface Props {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function Dialog({ title, onClose, children }: Props): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);

  useEffect(() => {
    const shown = dialog.current;
    const before = focused(shown);
    shown?.showModal();
    return () => {
      shown?.close();
      before?.focus({ preventScroll: true });
    };
  }, []);

  const closeOnBackdrop = (event: MouseEvent): void => {
    // What lies within the dialog is the target of its own clicks.
    if (event.target === dialog.current) {
      onClose();
    }
  };

  return (
    <dialog ref={dialog} class="no-print" aria-labelledby="dialog-title" onClose={onClose} onClick={closeOnBackdrop}>
      <div class="dialog-head">
        <h2 id="dialog-title">{title}</h2>
        <button type="button" class="plain icon-only" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}

/** What has the focus, in the tree that the node stands in. */
function focused(node: Node | null): HTMLElement | undefined {
  const root = node?.getRootNode();
  const active = root instanceof ShadowRoot || root instanceof Document ? root.activeElement : null;
  return active instanceof HTMLElement ? active : undefined;
}
