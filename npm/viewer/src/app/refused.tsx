// Files that could not be opened, and what can be done about each.

import type { JSX } from "preact";

import { visible } from "../content/visible";
import type { Refused } from "../engine/api";
import { count } from "../common/format";
import { nextStep, place } from "./problem";

/** A wrong folder may hold thousands; the first ones tell what they are. */
const SHOWN_MAX = 20;

export function RefusedList({ refused }: { readonly refused: readonly Refused[] }): JSX.Element | null {
  if (refused.length === 0) {
    return null;
  }
  return (
    <section class="refused" aria-label="What was not opened">
      <h2>{count(refused.length)} not opened</h2>
      <ul>
        {refused.slice(0, SHOWN_MAX).map(({ name, error }) => (
          <li key={name}>
            <strong>{visible(name)}</strong> <code>{error.code}</code>
            <br />
            {visible(error.message)}
            {place(error) !== "" && ` (${place(error)})`}. {visible(nextStep(error, name) ?? "")}
          </li>
        ))}
      </ul>
      {refused.length > SHOWN_MAX && <p class="muted">And {refused.length - SHOWN_MAX} more.</p>}
    </section>
  );
}
