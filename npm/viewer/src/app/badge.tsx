// The badge that always says how far the session can be trusted; a click shows the report.

import type { JSX } from "preact";

import type { SessionModel } from "../model/types";
import type { App } from "./app";
import { Icon, type IconName } from "../common/icons";
import { type Tone, isAwaited, trustOf } from "./trust";

const ICONS: Readonly<Record<Tone, IconName>> = {
  ok: "verified",
  neutral: "shield",
  busy: "shield",
  warn: "shield",
  error: "damaged",
};

export function Badge({ app, model }: { readonly app: App; readonly model: SessionModel }): JSX.Element {
  const job = model.verification.value;
  const trust = trustOf(model);
  const isOver = job.state === "running" || job.state === "done" || isAwaited(model);
  return (
    <div class="badge" data-tone={trust.tone}>
      <button
        type="button"
        class="badge-text"
        title={trust.meaning}
        aria-haspopup="dialog"
        onClick={() => (app.dialog.value = "report")}
      >
        <Icon name={ICONS[trust.tone]} />
        <span class="cut">{trust.text}</span>
      </button>
      {!isOver && (
        <button type="button" class="badge-action no-print" onClick={() => app.verify()}>
          Verify
        </button>
      )}
      {job.state === "running" && (
        <button type="button" class="badge-action no-print" onClick={() => model.stop()}>
          Stop
        </button>
      )}
      {job.state === "running" && (
        <progress class="badge-progress no-print" aria-label="Verifying" max={job.progress.total} value={job.progress.done} />
      )}
    </div>
  );
}
