// What goes to the clipboard.

import { problemOf } from "../common/problem";
import type { SessionModel } from "../model/types";
import type { App } from "./app";
import { counted } from "../common/format";
import { formatPlace } from "./permalink";

/** Copying more is a matter for the command line. */
const ROWS_MAX = 20_000;

export async function copy(app: App, text: string, done: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    app.say(done);
  } catch {
    app.say("The browser does not let this page copy.", "error");
  }
}

/** A link to a row; without one, to the current row, or to where the reader is. */
export async function copyLink(app: App, asked?: number): Promise<void> {
  const model = app.session.value;
  if (model === undefined) {
    return;
  }
  const seq = model.row(asked ?? model.current.value ?? app.here.value)?.seq;
  const hash = formatPlace({ session: model.listed.id, seq });
  if (app.options.isPage) {
    history.replaceState(history.state, "", hash);
  }
  const link = app.options.isPage ? location.href : hash;
  await copy(app, link, seq === undefined ? "Link to the session copied" : `Link to entry ${seq} copied`);
}

/** All that is shown; the model adds what is folded into it. */
export async function copyMarkdown(app: App): Promise<void> {
  const model = app.session.value;
  if (model === undefined) {
    return;
  }
  if (model.shown.value.length > ROWS_MAX) {
    app.say("Too long to copy. Filter it first, or: turnkeep export --to markdown ID", "error");
    return;
  }
  const rows = shownRows(model);
  try {
    await copy(app, await model.markdown(rows), `${counted(rows.length, "row")} copied as Markdown`);
  } catch (error) {
    app.say(problemOf(error).message, "error");
  }
}

function shownRows({ shown }: SessionModel): number[] {
  return Array.from({ length: shown.value.length }, (_, index) => shown.value.rowAt(index));
}
