import { useComputed } from "@preact/signals";
import type { JSX, Ref } from "preact";

import { visible } from "../content/visible";
import type { Entry, Row, Usage } from "../engine/api";
import type { SessionModel } from "../model/types";
import { Damage, Trouble } from "./damage";
import { EventRow } from "./event";
import { ROLE_NAMES } from "../common/format";
import { Header } from "./header";
import { type InList, useModel } from "./list";
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

/** What is drawn of a row. */
export interface Seen {
  readonly known: Row | undefined;
  readonly entry: Entry | undefined;
  readonly usage: Usage | undefined;
}

/** One row of the list. */
export function RowView(props: RowProps): JSX.Element {
  const { list, row, index, size, isFilled, isTabbable, isAway } = props;
  const seen = useModel(list, (model) => see(model, row, isFilled), isFilled);
  const isCurrent = useComputed(() => list.model.current.value === row).value;
  const { known } = seen;
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
      {known === undefined ? <Unread list={list} row={row} /> : <Content list={list} known={known} seen={seen} isFilled={isFilled} />}
    </article>
  );
}

/** The entry first: where that is read, its row comes with it. */
function see(model: SessionModel, row: number, isFilled: boolean): Seen {
  const entry = isFilled ? model.entry(row) : undefined;
  const known = entry ?? model.row(row);
  const usage = known?.role === "assistant" && isFilled ? model.usageOf(row) : known?.usage;
  return { known, entry, usage };
}

function nameOf(row: number, known: Row | undefined): string {
  if (known === undefined) return `Row ${row}, not read yet`;
  const number = known.seq === undefined ? "" : ` ${known.seq}`;
  const what = known.role === "event" ? known.kind.replaceAll("_", " ") : ROLE_NAMES[known.role];
  const calls = known.calls?.length ? `, calls ${[...new Set(known.calls.map((call) => call.name))].join(", ")}` : "";
  return visible(`${what}${number}${calls}${known.isError ? ", failed" : ""}`);
}

interface ContentProps extends InList {
  readonly known: Row;
  readonly seen: Seen;
  readonly isFilled: boolean;
}

/** A row whose block is not there yet. */
function Unread(where: InList & { readonly row: number }): JSX.Element {
  return <div class="placeholder"><Trouble {...where} /></div>;
}

function Content({ list, known, seen, isFilled }: ContentProps): JSX.Element {
  // Thousands may wait to be filled, out of view: there only has to be something to find.
  if (!isFilled) return <p class="preview">{visible(known.preview)}</p>;
  if (known.role === "event" || known.role === "gap") return <EventRow list={list} known={known} entry={seen.entry} />;
  return (
    <>
      <Header list={list} known={known} usage={seen.usage} />
      {known.problem && <Damage problem={known.problem} />}
      <div class="body">
        {seen.entry === undefined ? <NotYet list={list} known={known} /> : <Parts list={list} entry={seen.entry} />}
      </div>
      <Raw list={list} known={known} entry={seen.entry} />
    </>
  );
}

function NotYet({ list, known }: InList & { readonly known: Row }): JSX.Element {
  return (
    <>
      <p class="preview">{visible(known.preview)}</p>
      <Trouble list={list} row={known.row} />
    </>
  );
}
