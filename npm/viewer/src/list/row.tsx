import type { JSX, Ref } from "preact";

import type { Role, Row } from "../engine/api";
import { EventRow } from "./event";
import { Header } from "./header";
import { type InList, useModel } from "./list";
import { Damage, Unread } from "./damage";
import { Parts } from "./parts";
import { Raw } from "./raw";

export interface RowProps extends InList {
  readonly row: number;
  /** Its place among those that are shown, and how many there are. */
  readonly index: number;
  readonly size: number;
  /** Its content is drawn too; else only what is known without. */
  readonly isFilled: boolean;
  readonly isTabbable: boolean;
  /** Out of view, and only there because it has the focus. */
  readonly isAway?: boolean;
  readonly element?: Ref<HTMLElement>;
}

export const ROLE_NAMES: Readonly<Record<Role, string>> = {
  user: "User",
  assistant: "Assistant",
  tool: "Tool",
  system: "System",
  event: "Event",
  gap: "Gap",
};

/** One row of the list. */
export function RowView(props: RowProps): JSX.Element {
  const { list, row, index, size, isTabbable, isAway } = props;
  const known = useModel(list, (model) => model.row(row));
  const isCurrent = useModel(list, (model) => model.current.value === row);
  const classes = ["row", known?.role ?? "unread", isCurrent && "current", isAway && "away", known?.isError && "failed"];
  return (
    <article
      ref={props.element ?? null}
      class={classes.filter(Boolean).join(" ")}
      data-row={row}
      tabindex={isTabbable ? 0 : -1}
      aria-posinset={index + 1}
      aria-setsize={size}
      aria-label={nameOf(row, known)}
    >
      {known === undefined ? <Unread list={list} row={row} /> : <Content {...props} known={known} />}
    </article>
  );
}

function nameOf(row: number, known: Row | undefined): string {
  if (known === undefined) return `Row ${row}, not read yet`;
  const number = known.seq === undefined ? "" : ` ${known.seq}`;
  const what = known.role === "event" ? known.kind.replaceAll("_", " ") : ROLE_NAMES[known.role];
  const calls = known.calls?.length ? `, calls ${[...new Set(known.calls.map((call) => call.name))].join(", ")}` : "";
  return `${what}${number}${calls}${known.isError ? ", failed" : ""}`;
}

function Content({ list, row, isFilled, known }: RowProps & { readonly known: Row }): JSX.Element {
  const entry = useModel(list, (model) => (isFilled ? model.entry(row) : undefined), isFilled);
  if (known.role === "event" || known.role === "gap") return <EventRow list={list} known={known} entry={entry} />;
  return (
    <>
      <Header list={list} known={known} />
      {known.problem && <Damage problem={known.problem} />}
      <div class="body">
        {entry === undefined ? <p class="preview">{known.preview}</p> : <Parts list={list} entry={entry} />}
      </div>
      <Raw list={list} known={known} entry={entry} />
    </>
  );
}
