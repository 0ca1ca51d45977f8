import type { JSX } from "preact";

import { visible } from "../content/visible";
import type { Entry, Row } from "../engine/api";
import { Damage } from "./damage";
import { cost, tokens } from "../common/format";
import { Actions, EntryNumber, Time } from "./header";
import { Icon } from "../common/icons";
import { type InList, setFold, useFold, useModel } from "./list";
import { Parts } from "./parts";
import { Raw } from "./raw";

interface Props extends InList {
  readonly known: Row;
  readonly entry: Entry | undefined;
}

/** Boundaries in the conversation; all else that happens is one quiet line. */
const BOUNDARIES: Readonly<Record<string, string>> = {
  compaction: "Compaction",
  fork: "Fork",
  truncated: "History cut",
  replaced: "History replaced",
};

/** A gap, a boundary, what is withheld, or an event: one line, that opens where there is more to it. */
export function EventRow(props: Props): JSX.Element {
  const { list, known } = props;
  const kind = known.role === "gap" ? "is-gap" : known.kind === "redacted" ? "is-withheld" : isBoundary(known) ? "boundary" : "";
  return (
    <>
      <div class={`event-line ${kind}`}>
        <Line {...props} />
        <Actions list={list} known={known} />
        <Time ms={known.ts} />
      </div>
      {known.problem && <Damage problem={known.problem} />}
      <Details {...props} />
      <Raw {...props} />
    </>
  );
}

function isBoundary(known: Row): boolean {
  return Object.hasOwn(BOUNDARIES, known.kind);
}

function Line({ list, known, entry }: Props): JSX.Element {
  const repeats = useModel(list, (model) => model.repeatsOf(known.row));
  if (known.role === "gap") return <Text known={known} icon="error" title="Gap" text={known.preview} />;
  if (known.kind === "redacted") {
    return <Text known={known} icon="withheld" title="Withheld" text="What it said was taken out. Its hash still counts." />;
  }
  const title = titleOf(known.kind);
  const text = known.usage === undefined ? known.preview : usageText(known);
  return (
    <>
      {hasMore(entry) ? <FoldButton list={list} known={known} title={title} /> : <span class="title">{title}</span>}
      <EntryNumber known={known} />
      <span class="event-text">{text === known.kind ? "" : visible(text)}</span>
      {repeats > 0 && <span class="repeats" title={`${repeats} more like it, one after the other`}>&times; {repeats + 1}</span>}
    </>
  );
}

function titleOf(kind: string): string {
  const words = kind.replaceAll("_", " ");
  return Object.hasOwn(BOUNDARIES, kind) ? (BOUNDARIES[kind] ?? words) : words.slice(0, 1).toUpperCase() + words.slice(1);
}

function usageText(known: Row): string {
  const usage = known.usage ?? {};
  return usage.cost === undefined ? tokens(usage) : `${tokens(usage)} · ${cost(usage.cost)}`;
}

function Text({ known, icon, title, text }: { known: Row; icon: "error" | "withheld"; title: string; text: string }): JSX.Element {
  return (
    <>
      <Icon name={icon} />
      <span class="title">{title}</span>
      <EntryNumber known={known} />
      <span class="event-text">{visible(text)}</span>
    </>
  );
}

/** Where a session comes from is always to be seen, in the line itself. */
function hasMore(entry: Entry | undefined): boolean {
  return entry?.parts.some((part) => part.type !== "lineage") ?? false;
}

function FoldButton({ list, known, title }: InList & { known: Row; title: string }): JSX.Element {
  const key = String(known.row);
  const isOpen = useFold(list, key);
  return (
    <button type="button" class="fold title" aria-expanded={isOpen} onClick={() => setFold(list, key, !isOpen)}>
      <Icon name="fold" />
      {title}
    </button>
  );
}

function Details({ list, known, entry }: Props): JSX.Element | null {
  const isOpen = useFold(list, String(known.row));
  if (entry === undefined) return null;
  const isAlways = entry.parts.some((part) => part.type === "lineage");
  if (!isAlways && !isOpen) return null;
  const parts = isOpen ? undefined : "lineage";
  return <div class="body"><Parts list={list} entry={entry} only={parts} /></div>;
}
