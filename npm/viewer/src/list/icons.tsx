import type { JSX } from "preact";

const PATHS = {
  fold: "M6 3.5L10.5 8L6 12.5",
  unfold: "M4.5 6.5L8 3l3.5 3.5M4.5 9.5L8 13l3.5-3.5",
  link: "M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2.2-2.2a2.6 2.6 0 0 0-3.7-3.7l-.8.8M9.2 6.8a2.6 2.6 0 0 0-3.7 0L3.3 9a2.6 2.6 0 0 0 3.7 3.7l.8-.8",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  raw: "M6 2.5c-3 0-1 5-3.5 5.5C5 8.5 3 13.5 6 13.5M10 2.5c3 0 1 5 3.5 5.5c-2.5.5-.5 5.5-3.5 5.5",
  error: "M8 2l6.5 11.5h-13zM8 6.5v3M8 11.5v.1",
  withheld: "M2 8c1.5-2.7 3.5-4 6-4s4.5 1.3 6 4c-1.5 2.7-3.5 4-6 4s-4.5-1.3-6-4zM3 13L13 3",
} as const;

export type IconName = keyof typeof PATHS;

/** Drawn on a grid of 16; decoration beside a text or a label. */
export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
