import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/**
 * An element whose children are made by hand, as nodes and never as HTML: texts of sessions have thousands
 * of them, and none changes. They are made anew when one of `of` changes.
 */
export function Nodes(props: {
  readonly tag?: "div" | "pre" | "code" | "span";
  readonly class: string;
  readonly of: readonly unknown[];
  readonly make: () => Node;
}): JSX.Element {
  const at = useRef<HTMLElement>(null);
  useLayoutEffect(() => at.current?.replaceChildren(props.make()), props.of);
  const Tag = (props.tag ?? "div") as "div";
  return <Tag ref={at as { current: HTMLDivElement | null }} class={props.class} dir={props.tag === undefined ? undefined : "ltr"} />;
}

/** A span of that class. */
export function span(className: string, ...children: readonly (Node | string)[]): HTMLSpanElement {
  const made = document.createElement("span");
  made.className = className;
  made.append(...children);
  return made;
}
