import { useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";

import { Code, Json } from "../content/code";
import type { Entry, Row } from "../engine/api";
import { Capped } from "./capped";
import { type InList, rawKey, useOpened } from "./list";

interface Props extends InList {
  readonly known: Row;
  readonly entry: Entry | undefined;
}

/** The line as it is written, once it is asked for. */
export function Raw(props: Props): JSX.Element | null {
  const { list, known } = props;
  const isOpen = useOpened(list, rawKey(known.row));
  return isOpen ? <RawLine {...props} /> : null;
}

function RawLine({ list, known, entry }: Props): JSX.Element {
  const line = useSignal<string | undefined>(undefined);
  const failure = useSignal<string | undefined>(undefined);
  const isWritten = useSignal(false);
  useSignalEffect(() => {
    list.model.raw(known.row).then(
      (text) => (line.value = text),
      (error: unknown) => (failure.value = error instanceof Error ? error.message : "It cannot be read."),
    );
  });
  return (
    <section class="raw" aria-label="Raw line">
      <dl>
        {entry?.hash !== undefined && <Hash name="hash" hash={entry.hash} />}
        {entry?.prevHash !== undefined && <Hash name="previous" hash={entry.prevHash} />}
        <div><dt>bytes</dt><dd>{known.bytes}</dd></div>
      </dl>
      <div class="buttons">
        <button type="button" aria-pressed={isWritten.value} onClick={() => (isWritten.value = !isWritten.value)}>
          As written
        </button>
        <button type="button" disabled={line.value === undefined}
          onClick={() => list.host.copy(line.value ?? "", "Line copied")}>
          Copy the line
        </button>
      </div>
      {failure.value !== undefined && <p class="damage">{failure.value}</p>}
      {line.value !== undefined && (
        <Capped list={list} id={`${known.row}:raw-more`}>
          {isWritten.value ? <Code text={line.value} /> : <Json text={line.value} />}
        </Capped>
      )}
    </section>
  );
}

function Hash({ name, hash }: { readonly name: string; readonly hash: string }): JSX.Element {
  return <div><dt>{name}</dt><dd class="mono">{hash}</dd></div>;
}
