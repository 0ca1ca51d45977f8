import { useComputed, useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";

import { Json } from "../content/code";
import { Image } from "../content/image";
import { Markdown } from "../content/markdown";
import { Output } from "../content/output";
import { visible } from "../content/visible";
import type { Entry, Part } from "../engine/api";
import { Capped } from "./capped";
import { CallCard } from "./card";
import { firstLine } from "../common/format";
import { Icon } from "../common/icons";
import { type InList, type List, setFold, useFold } from "./list";

interface PartsProps extends InList {
  readonly entry: Entry;
  readonly only?: Part["type"] | undefined;
}

/** What an entry says, part by part. */
export function Parts({ list, entry, only }: PartsProps): JSX.Element {
  const limit = useSignal(PARTS_STEP);
  const shown = Math.max(limit.value, useLastOpened(list, entry) + 1);
  const left = entry.parts.length - shown;
  return (
    <>
      {entry.parts.slice(0, shown).map((part, at) =>
        only === undefined || only === part.type ? <PartView key={at} list={list} entry={entry} part={part} at={at} /> : null,
      )}
      {entry.parts.length === 0 && entry.role !== "event" && <p class="preview">{visible(entry.preview) || "Nothing"}</p>}
      {left > 0 && (
        <button type="button" class="show-all" onClick={() => (limit.value = shown + PARTS_STEP)}>
          Show {Math.min(PARTS_STEP, left).toLocaleString("en")} more of {left.toLocaleString("en")}
        </button>
      )}
    </>
  );
}

/** More parts of one entry are drawn when asked for; or where one of them is gone to. */
const PARTS_STEP = 200;

/** The place of the last part that somebody opened, or a search or a link did; -1: none. */
function useLastOpened({ model }: List, entry: Entry): number {
  return useComputed(() => {
    if (entry.parts.length <= PARTS_STEP) return -1;
    return entry.parts.findLastIndex((_, at) => model.folds.value.get(`${entry.row}:${at}`) === true);
  }).value;
}

export interface PartProps<P extends Part = Part> extends InList {
  readonly entry: Entry;
  readonly part: P;
  /** Its place among the entry's parts. */
  readonly at: number;
}

type Of<T extends Part["type"]> = Extract<Part, { readonly type: T }>;

export function PartView({ list, entry, part, at }: PartProps): JSX.Element {
  const where = { list, entry, at };
  switch (part.type) {
    case "text":
      return <Text {...where} part={part} />;
    case "reasoning":
      return (
        <Folded list={list} id={`${entry.row}:${at}`} title="Reasoning" preview={part.text}>
          <Whole {...where} text={part.text} full={part.full} draw={(text) => <Markdown text={text} />} />
        </Folded>
      );
    case "call":
      return <CallCard {...where} part={part} />;
    case "result":
      return <Result {...where} part={part} />;
    case "image":
      return <Image {...part} />;
    case "lineage":
      return <Lineage part={part} />;
    case "json":
      return (
        <Section list={list} id={`${entry.row}:${at}`} title={part.title}>
          <Whole {...where} text={part.json} full={part.full} draw={(text) => <Json text={text} />} />
        </Section>
      );
  }
}

/** What was said is open; what stands behind it, like a system prompt, is folded. */
function Text({ list, entry, part, at }: PartProps<Of<"text">>): JSX.Element {
  const id = `${entry.row}:${at}`;
  const text = <Whole list={list} entry={entry} at={at} text={part.text} full={part.full} draw={(text) => <Markdown text={text} />} />;
  if (part.title !== undefined) {
    return <Folded list={list} id={id} title={part.title} preview={part.text}>{text}</Folded>;
  }
  return <Capped list={list} id={`${id}:more`} isRoomy={entry.role === "assistant"}>{text}</Capped>;
}

/** A result whose call is not drawn with it. */
function Result({ list, entry, part, at }: PartProps<Of<"result">>): JSX.Element {
  return (
    <div class={`result ${part.isError ? "failed" : ""}`}>
      <p class="result-of">
        {part.isError ? "Failed" : "Result"}
        {part.name !== undefined && <> of <code>{visible(part.name)}</code></>}
      </p>
      <ResultOutput list={list} entry={entry} part={part} at={at} />
    </div>
  );
}

export function ResultOutput({ list, entry, part, at }: PartProps<Of<"result">>): JSX.Element {
  if (part.output === "") return <p class="preview">No output</p>;
  return (
    <Capped list={list} id={`${entry.row}:${at}:more`}>
      <Whole list={list} entry={entry} at={at} text={part.output} full={part.full} draw={(text) => <Output text={text} />} />
    </Capped>
  );
}

function Lineage({ part }: { readonly part: Of<"lineage"> }): JSX.Element {
  return (
    <p class="lineage">
      {part.how === "forked" ? "Forked from" : "Compacted from"} <code>{visible(part.session)}</code> at entry {part.seq}
      <span class="mono hash">{part.hash}</span>
    </p>
  );
}

interface SectionProps extends InList {
  readonly id: string;
  readonly title?: string | undefined;
  readonly children: ComponentChildren;
}

function Section({ list, id, title, children }: SectionProps): JSX.Element {
  if (title !== undefined) return <Folded list={list} id={id} title={title}>{children}</Folded>;
  return <Capped list={list} id={`${id}:more`}>{children}</Capped>;
}

interface FoldedProps extends SectionProps {
  readonly title: string;
  /** Its first line is shown beside the title while it is folded. */
  readonly preview?: string;
}

function Folded({ list, id, title, preview, children }: FoldedProps): JSX.Element {
  const isOpen = useFold(list, id);
  return (
    <section class="folded">
      <button type="button" class="fold" aria-expanded={isOpen} onClick={() => setFold(list, id, !isOpen)}>
        <Icon name="fold" />
        <span class="title">{visible(title)}</span>
        {!isOpen && preview !== undefined && <span class="summary">{visible(firstLine(preview))}</span>}
      </button>
      {isOpen && <div class="folded-body"><Capped list={list} id={`${id}:more`}>{children}</Capped></div>}
    </section>
  );
}

interface WholeProps extends InList {
  readonly entry: Entry;
  readonly at: number;
  readonly text: string;
  readonly full: number | undefined;
  readonly draw: (text: string) => JSX.Element;
}

/** A text that may have been cut, and the way to all of it. */
export function Whole({ list, entry, at, text, full, draw }: WholeProps): JSX.Element {
  const whole = useSignal<string | undefined>(undefined);
  const showAll = (): void => {
    list.model.part(entry.row, at).then(
      (text) => (whole.value = text),
      () => list.host.fail("The whole text could not be read."),
    );
  };
  return (
    <>
      {draw(whole.value ?? text)}
      {full !== undefined && whole.value === undefined && (
        <button type="button" class="show-all" onClick={showAll}>Show all {full.toLocaleString("en")} characters</button>
      )}
    </>
  );
}
