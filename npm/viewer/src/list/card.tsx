import type { JSX } from "preact";

import { terminalText } from "../content/ansi";
import { Arguments } from "../content/call";
import { summaryOf } from "../content/summary";
import { visible } from "../content/visible";
import type { Entry, Part } from "../engine/api";
import { duration, firstLine } from "../common/format";
import { Actions } from "./header";
import { Icon } from "../common/icons";
import { type InList, setFold, useFold, useModel } from "./list";
import { Capped } from "./capped";
import { type PartProps, PartView, ResultOutput, Whole } from "./parts";
import { Raw } from "./raw";

/** Enough of an output to find its first line in. */
const LOOKED_AT = 2000;

type Call = Extract<Part, { readonly type: "call" }>;
type Result = Extract<Part, { readonly type: "result" }>;

/** A call and its result: one line while it is folded. */
export function CallCard({ list, entry, part, at }: PartProps<Call>): JSX.Element {
  const id = `${entry.row}:${at}`;
  const isOpen = useFold(list, id);
  const found = useModel(list, (model) => model.resultOf(entry.row, part.id));
  const result = resultPart(found?.part);
  return (
    <section class={`card ${result?.isError ? "failed" : ""} ${isOpen ? "open" : ""}`}>
      <button type="button" class="fold" aria-expanded={isOpen} onClick={() => setFold(list, id, !isOpen)}>
        <Icon name="fold" />
        <span class="name">{visible(part.name)}</span>
        <span class="summary">{summaryOf(part.name, part.arguments)}</span>
        {result?.isError && <span class="outcome"><Icon name="error" />failed</span>}
        <Took list={list} from={entry} to={found?.row} />
      </button>
      {!isOpen && result?.isError && <p class="error-line" data-row-of={found?.row}>{visible(firstLine(terminalText(result.output.slice(0, LOOKED_AT))))}</p>}
      {isOpen && (
        <div class="card-body">
          <Capped list={list} id={`${id}:more`}>
            <Whole list={list} entry={entry} at={at} text={part.arguments} full={part.full}
              draw={(text) => <Arguments name={part.name} json={text} />} />
          </Capped>
          {found !== undefined && <ResultOfCall list={list} row={found.row} call={part.id} />}
        </div>
      )}
    </section>
  );
}

function resultPart(part: Part | undefined): Result | undefined {
  return part?.type === "result" ? part : undefined;
}

function Took({ list, from, to }: InList & { readonly from: Entry; readonly to: number | undefined }): JSX.Element | null {
  const ms = useModel(list, (model) => (to === undefined ? undefined : model.row(to)?.ts), to);
  return ms === undefined || from.ts === undefined || ms < from.ts ? null : <span class="took">{duration(ms - from.ts)}</span>;
}

interface ResultProps extends InList {
  readonly row: number;
  readonly call: string;
}

/** The result, and what its entry brings with it up to the next one, like images. */
function ResultOfCall({ list, row, call }: ResultProps): JSX.Element | null {
  const entry = useModel(list, (model) => model.entry(row), row);
  const first = entry?.parts.findIndex((part) => part.type === "result" && part.call === call) ?? -1;
  const part = resultPart(entry?.parts[first]);
  if (entry === undefined || part === undefined) return null;
  const rest = entry.parts.slice(first + 1);
  const next = rest.findIndex((part) => part.type === "result");
  const more = next < 0 ? rest : rest.slice(0, next);
  return (
    <div class="card-result" data-row-of={row}>
      <p class="result-of">
        {part.isError ? "Failed" : "Result"} <span class="number">#{entry.seq}</span>
        <Actions list={list} known={entry} />
      </p>
      <ResultOutput list={list} entry={entry} part={part} at={first} />
      {more.map((part, at) => <PartView key={at} list={list} entry={entry} part={part} at={first + 1 + at} />)}
      <Raw list={list} known={entry} entry={entry} />
    </div>
  );
}
