// Where the focus goes when what has it disappears.

import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";

/** When a part of the page closes that has the focus, it goes back to where it was before. */
export function useReturnedFocus(part: RefObject<HTMLElement | null>): void {
  useLayoutEffect(() => {
    const node = part.current;
    const root = node?.getRootNode();
    if (node === null || !(root instanceof ShadowRoot)) {
      return undefined;
    }
    const before = root.activeElement;
    return () => {
      if (!node.contains(root.activeElement)) {
        return;
      }
      const isThere = before instanceof HTMLElement && before.isConnected && !node.contains(before);
      const next = isThere ? before : root.querySelector<HTMLElement>("#conversation");
      next?.focus({ preventScroll: true });
    };
  }, []);
}
