// A modal dialog. The browser keeps the focus in it; when it closes, the focus goes back to where it was.

import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

import { useReturnedFocus } from "./focus";
import { Icon } from "../common/icons";

interface Props {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function Dialog({ title, onClose, children }: Props): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);

  useReturnedFocus(dialog);
  useLayoutEffect(() => dialog.current?.showModal(), []);

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
