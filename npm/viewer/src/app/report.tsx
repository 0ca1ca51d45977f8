// The dialog behind the badge: what was checked, what was found, and what no check can show.

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { visible } from "../content/visible";
import type { Problem, Report } from "../engine/api";
import type { Mark, SessionModel } from "../model/types";
import type { App } from "./app";
import { copy } from "./copy";
import { Dialog } from "./dialog";
import { bytes, count } from "../common/format";
import { Icon, type IconName } from "../common/icons";
import { formatHead, parseHead } from "./permalink";
import { nextStep, place } from "./problem";
import { type Check, SOURCE_MEANINGS, checksOf, trustOf } from "./trust";

interface Props {
  readonly app: App;
  readonly model: SessionModel;
}

/** More would be no list to read; the outline has them all. */
const PLACES_MAX = 200;

export function ReportDialog({ app, model }: Props): JSX.Element {
  const job = model.verification.value;
  const trust = trustOf(model);
  return (
    <Dialog title="Verification" onClose={() => (app.dialog.value = undefined)}>
      <div class="report">
        <p class="report-sum" data-tone={trust.tone}>
          <strong>{trust.text}.</strong> {trust.meaning}
        </p>
        {job.state === "running" ? (
          <button type="button" onClick={() => model.stop()}>
            Stop
          </button>
        ) : (
          <button type="button" onClick={() => app.verify()}>
            {job.state === "done" ? "Verify again" : "Verify now"}
          </button>
        )}
        {job.state === "done" && <Found app={app} model={model} report={job.result} />}
        <Places app={app} model={model} report={job.state === "done" ? job.result : undefined} />
        <HeadForm app={app} />
        <Limits />
      </div>
    </Dialog>
  );
}

function Found({ app, model, report }: Props & { readonly report: Report }): JSX.Element {
  return (
    <>
      <section>
        <h3>What was checked</h3>
        <ul class="checks">
          {checksOf(report, model.listed).map((check) => (
            <CheckLine key={check.name} check={check} />
          ))}
        </ul>
        <p class="muted">
          {bytes(report.bytes)} read from {visible(model.listed.files.join(", "))}
        </p>
      </section>
      <section>
        <h3>Head</h3>
        {report.head === undefined ? (
          <p>Not one entry holds.</p>
        ) : (
          <HeadLine
            label={`Entry ${count(report.head.seq)} is the last one that holds`}
            text={formatHead(report.head)}
            app={app}
          />
        )}
        {report.expected !== undefined && (
          <HeadLine
            label={`Entry ${count(report.expected.seq)} is the head that ${SOURCE_MEANINGS[report.expected.by]}`}
            text={formatHead(report.expected)}
            app={app}
          />
        )}
      </section>
    </>
  );
}

const CHECK_STATES: Readonly<Record<Check["state"], { readonly icon: IconName; readonly text: string }>> = {
  holds: { icon: "check", text: "in order" },
  partly: { icon: "check", text: "in order up to the fault" },
  fails: { icon: "error", text: "not in order" },
  open: { icon: "help", text: "nobody said which" },
  left: { icon: "help", text: "not checked: the bundle is large" },
};

function CheckLine({ check }: { readonly check: Check }): JSX.Element {
  const { icon, text } = CHECK_STATES[check.state];
  return (
    <li data-state={check.state}>
      <Icon name={icon} />
      <span>
        <strong>{check.name}</strong> <span class="check-state">{text}</span>
        <br />
        <span class="muted">{check.what}</span>
      </span>
    </li>
  );
}

function HeadLine(props: { readonly label: string; readonly text: string; readonly app: App }): JSX.Element {
  return (
    <div class="head-line">
      <span>{props.label}</span>
      <code>{props.text}</code>
      <button type="button" aria-label="Copy head" onClick={() => void copy(props.app, props.text, "Head copied")}>
        <Icon name="copy" /> Copy
      </button>
    </div>
  );
}

function Places({ app, model, report }: Props & { readonly report: Report | undefined }): JSX.Element | null {
  const faults = [report?.fault, report?.entryFault].filter((fault) => fault !== undefined);
  const told = new Set(faults.flatMap((fault) => fault.line ?? []));
  const marks = model.marks.value.filter(
    ({ row, what }) => what === "withheld" || (what === "gap" && !told.has(model.row(row)?.problem?.line ?? 0)),
  );
  const torn = report?.torn;
  if (faults.length === 0 && marks.length === 0 && torn === undefined) {
    return null;
  }
  const leave = (): void => {
    app.dialog.value = undefined;
  };
  return (
    <section>
      <h3>Places</h3>
      <ul class="places">
        {faults.map((fault) => (
          <FaultLine key={fault.code} model={model} fault={fault} leave={leave} />
        ))}
        {torn !== undefined && (
          <li>
            <code>torn_tail</code> An unfinished write of {bytes(torn.bytes)} follows the head, at byte{" "}
            {count(torn.offset)}. It is no damage: everything up to the head is whole.
          </li>
        )}
        {marks.slice(0, PLACES_MAX).map((mark) => (
          <MarkLine key={mark.row} model={model} mark={mark} leave={leave} />
        ))}
      </ul>
      {marks.length > PLACES_MAX && <p class="muted">And {count(marks.length - PLACES_MAX)} more: see the outline.</p>}
    </section>
  );
}

interface PlaceProps {
  readonly model: SessionModel;
  /** Closes the dialog: the place is behind it. */
  readonly leave: () => void;
}

function FaultLine({ model, fault, leave }: PlaceProps & { readonly fault: Problem }): JSX.Element {
  const jump = async (seq: number): Promise<void> => {
    // The entry itself may be the one that is missing.
    const row = rowOfFault(model, fault) ?? (await model.rowOfSeq(seq));
    leave();
    if (row !== undefined) {
      model.goTo(row, { focus: true });
    }
  };
  const { seq } = fault;
  return (
    <li class="fault">
      <code>{fault.code}</code>{" "}
      {seq !== undefined && (
        <button type="button" class="link" onClick={() => void jump(seq)}>
          Entry {count(seq)}
        </button>
      )}{" "}
      <ProblemText problem={fault} />
    </li>
  );
}

/** The row that stands in the line of a fault, where it was read. */
function rowOfFault(model: SessionModel, { line }: Problem): number | undefined {
  return line === undefined ? undefined : model.marks.value.find(({ row }) => model.row(row)?.problem?.line === line)?.row;
}

function MarkLine({ model, mark, leave }: PlaceProps & { readonly mark: Mark }): JSX.Element {
  const row = model.row(mark.row);
  const jump = (): void => {
    leave();
    model.goTo(mark.row, { focus: true });
  };
  return (
    <li>
      <code>{row?.problem?.code ?? mark.what}</code>{" "}
      <button type="button" class="link" onClick={jump}>
        {row?.seq === undefined ? `Row ${count(mark.row + 1)}` : `Entry ${count(row.seq)}`}
      </button>{" "}
      {row?.problem === undefined ? visible(mark.text) : <ProblemText problem={row.problem} text={mark.text} />}
    </li>
  );
}

function ProblemText({ problem, text = problem.message }: { readonly problem: Problem; readonly text?: string }): JSX.Element {
  const where = place(problem);
  return (
    <>
      {visible(text)}
      {where !== "" && ` (${where})`}
      {`. ${nextStep(problem) ?? ""}`}
    </>
  );
}

function HeadForm({ app }: { readonly app: App }): JSX.Element {
  const expected = app.expected.value;
  const [text, setText] = useState(expected === undefined ? "" : formatHead(expected));
  const [isWrong, setWrong] = useState(false);
  const check = (event: SubmitEvent): void => {
    event.preventDefault();
    const head = parseHead(text);
    setWrong(head === undefined);
    if (head !== undefined) {
      app.expect(head);
    }
  };
  return (
    <section>
      <h3>
        <label for="expected-head">Expected head</label>
      </h3>
      <form class="head-form" onSubmit={check}>
        <input
          id="expected-head"
          class="mono"
          type="text"
          autocomplete="off"
          spellcheck={false}
          placeholder="1204:3f9a… from whoever sent the session"
          aria-describedby="expected-head-help"
          aria-invalid={isWrong}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit">Check</button>
      </form>
      <p id="expected-head-help" class={isWrong ? "is-wrong" : "muted"}>
        {isWrong && "That is no head. "}A number, a colon and 64 hex digits, as <code>turnkeep show</code> prints it.
      </p>
    </section>
  );
}

function Limits(): JSX.Element {
  return (
    <section>
      <h3>What no check of the file alone can show</h3>
      <ul class="limits">
        <li>That its end was cut off. Only a head that was noted elsewhere shows that.</li>
        <li>
          That somebody who had the file wrote all of it anew: the hashes have no key. An index or a bundle is written by
          the same hand as the log within it.
        </li>
        <li>Who wrote it, and whether what it says is true.</li>
      </ul>
    </section>
  );
}

