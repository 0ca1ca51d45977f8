// Icons drawn on a grid of 16; they are decoration beside a text or a label.

import type { JSX } from "preact";

const PATHS = {
  outline: "M2.5 4h1M6 4h7.5M2.5 8h1M6 8h7.5M2.5 12h1M6 12h7.5",
  filters: "M2 3.5h12l-4.5 5V13l-3-1.5v-3z",
  search: "M7 2.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 0 1 0-9M10.4 10.4l3.1 3.1",
  light: "M8 5.2a2.8 2.8 0 1 1 0 5.6a2.8 2.8 0 0 1 0-5.6M8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7",
  dark: "M13.3 9.8A5.7 5.7 0 0 1 6.2 2.7a5.7 5.7 0 1 0 7.1 7.1z",
  system: "M2 3h12v8H2zM5.5 13.5h5M8 11v2.5",
  help: "M8 1.8a6.2 6.2 0 1 1 0 12.4a6.2 6.2 0 0 1 0-12.4M6.2 6.3a1.8 1.8 0 1 1 2.6 1.6c-.6.3-.8.6-.8 1.2M8 11.4v.1",
  close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  link: "M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2.2-2.2a2.6 2.6 0 0 0-3.7-3.7l-.8.8M9.2 6.8a2.6 2.6 0 0 0-3.7 0L3.3 9a2.6 2.6 0 0 0 3.7 3.7l.8-.8",
  print: "M4.5 6V2.5h7V6M4.5 11.5h-2V6h11v5.5h-2M4.5 9.5h7v4h-7z",
  markdown: "M1.8 3.8h12.4v8.4H1.8zM4 10V6.2l1.8 2L7.6 6.2V10M11 6.2V10M9.5 8.6L11 10.1l1.5-1.5",
  fold: "M6 3.5L10.5 8L6 12.5",
  unfold: "M4.5 6.5L8 3l3.5 3.5M4.5 9.5L8 13l3.5-3.5",
  raw: "M6 2.5c-3 0-1 5-3.5 5.5C5 8.5 3 13.5 6 13.5M10 2.5c3 0 1 5 3.5 5.5c-2.5.5-.5 5.5-3.5 5.5",
  back: "M9.5 3.5L5 8l4.5 4.5",
  next: "M6.5 3.5L11 8l-4.5 4.5",
  up: "M3.5 9.5L8 5l4.5 4.5",
  down: "M3.5 6.5L8 11l4.5-4.5",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  verified: "M8 1.8l5.2 1.8v4c0 3-2 5.4-5.2 6.6c-3.2-1.2-5.2-3.6-5.2-6.6v-4zM5.7 7.9l1.7 1.7l3-3.3",
  shield: "M8 1.8l5.2 1.8v4c0 3-2 5.4-5.2 6.6c-3.2-1.2-5.2-3.6-5.2-6.6v-4z",
  damaged: "M8 1.8l5.2 1.8v4c0 3-2 5.4-5.2 6.6c-3.2-1.2-5.2-3.6-5.2-6.6v-4zM8 5v3.5M8 10.8v.1",
  check: "M3 8.5l3.2 3.2L13 5",
  error: "M8 2l6.5 11.5h-13zM8 6.5v3M8 11.5v.1",
  compaction: "M8 1.5v4M5.8 3.8L8 6l2.2-2.2M8 14.5v-4M5.8 12.2L8 10l2.2 2.2M2.5 8h11",
  fork: "M4.5 2.5v11M4.5 10.5c0-3.5 7-2.5 7-6M9.5 5.5l2-2l2 2",
  truncated: "M2.5 4h11M2.5 8h6M11 6.5l3 3M14 6.5l-3 3",
  gap: "M2.5 5h11M2.5 11h11M4 8h.01M8 8h.01M12 8h.01",
  withheld: "M2 8c1.5-2.7 3.5-4 6-4s4.5 1.3 6 4c-1.5 2.7-3.5 4-6 4s-4.5-1.3-6-4zM3 13L13 3",
  file: "M4 1.8h5l3.5 3.5v9H4zM9 1.8v3.5h3.5",
  folder: "M1.8 3.5h4.5l1.5 1.8h6.4v7.7H1.8z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
