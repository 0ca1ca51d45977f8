// How much of the session was read, for those panes that know only what was.

import type { JSX } from "preact";

import type { SessionModel } from "../model/types";
import { percent } from "../common/format";

export function SurveyNote({ model }: { readonly model: SessionModel }): JSX.Element | null {
  const job = model.survey.value;
  switch (job.state) {
    case "done":
      return null;
    case "running":
      return (
        <p class="pane-note muted">
          Reading {percent(job.progress.done, job.progress.total)}
          <button type="button" class="link" onClick={() => model.stop()}>
            Stop
          </button>
        </p>
      );
    default:
      return (
        <p class="pane-note muted">
          {job.state === "failed" ? `${job.problem.message}. ` : "Only what was looked at is listed. "}
          <button type="button" class="link" onClick={() => model.startSurvey()}>
            {job.state === "failed" ? "Try again" : "Read all"}
          </button>
        </p>
      );
  }
}

/** A large session, of which sums would only be those of what was looked at so far. */
export function isPartlyRead(model: SessionModel): boolean {
  return model.layout.value?.isLarge === true && model.survey.value.state !== "done";
}
