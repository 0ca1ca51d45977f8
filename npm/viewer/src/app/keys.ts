// All keys: what they do, and what the help says of them.

import {
  first,
  foldAll,
  last,
  nextFailure,
  nextRow,
  nextTurn,
  previousFailure,
  previousRow,
  previousTurn,
  toggleFold,
  toggleRaw,
} from "../list/keys";
import type { SessionModel } from "../model/types";
import type { App } from "./app";
import { copyLink, copyMarkdown } from "./copy";

export interface Command {
  readonly keys: readonly string[];
  readonly help: string;
  readonly group: "Move" | "Read" | "Find" | "Page";
  /** Gets the session; commands that need none are `always`. */
  readonly run?: (app: App, model: SessionModel) => void;
  readonly always?: (app: App) => void;
}

export const COMMANDS: readonly Command[] = [
  { keys: ["j"], help: "Next row", group: "Move", run: (_, model) => nextRow(model) },
  { keys: ["k"], help: "Previous row", group: "Move", run: (_, model) => previousRow(model) },
  { keys: ["J"], help: "Next turn of the user", group: "Move", run: (_, model) => nextTurn(model) },
  { keys: ["K"], help: "Previous turn of the user", group: "Move", run: (_, model) => previousTurn(model) },
  { keys: ["e"], help: "Next failure or damage", group: "Move", run: goToFailure(1) },
  { keys: ["E"], help: "Previous failure or damage", group: "Move", run: goToFailure(-1) },
  { keys: ["g", "Home"], help: "First row", group: "Move", run: (_, model) => first(model) },
  { keys: ["G", "End"], help: "Last row", group: "Move", run: (_, model) => last(model) },
  { keys: ["]"], help: "Next session", group: "Move", run: (app) => app.showNeighbour(1) },
  { keys: ["["], help: "Previous session", group: "Move", run: (app) => app.showNeighbour(-1) },

  { keys: ["x"], help: "Fold or unfold the row", group: "Read", run: (_, model) => toggleFold(model) },
  { keys: ["X"], help: "Fold or unfold all", group: "Read", run: (_, model) => foldAll(model, !model.isUnfolded.value) },
  { keys: ["r"], help: "Raw line of the row", group: "Read", run: (_, model) => toggleRaw(model) },
  { keys: ["c"], help: "Copy a link to the row", group: "Read", run: (app) => void copyLink(app) },
  { keys: ["m"], help: "Copy what is shown as Markdown", group: "Read", run: (app) => void copyMarkdown(app) },

  { keys: ["/"], help: "Search", group: "Find", run: (app) => app.openSearch() },
  { keys: ["n"], help: "Next match", group: "Find", run: (_, model) => model.search.next() },
  { keys: ["N"], help: "Previous match", group: "Find", run: (_, model) => model.search.previous() },
  { keys: ["f"], help: "Filters", group: "Find", run: (app) => app.toggleFilters() },
  { keys: ["o"], help: "Outline", group: "Find", run: (app) => app.toggleOutline() },

  { keys: ["v"], help: "Verification report", group: "Page", run: (app) => (app.dialog.value = "report") },
  { keys: ["O"], help: "Open other files", group: "Page", always: (app) => app.choose("files") },
  { keys: ["t"], help: "Theme: system, light, dark", group: "Page", always: (app) => app.turnTheme() },
  { keys: ["?"], help: "These keys", group: "Page", always: (app) => (app.dialog.value = "help") },
  { keys: ["Escape"], help: "Close search, drawer or dialog", group: "Page", always: closeTopmost },
];

const BY_KEY: ReadonlyMap<string, Command> = new Map(
  COMMANDS.flatMap((command) => command.keys.map((key) => [key, command] as const)),
);

/** Runs what a key stands for, unless it is typed text, belongs to the browser, or a dialog is open. */
export function onKey(app: App, event: KeyboardEvent): void {
  const isForOthers = event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing;
  if (isForOthers || app.dialog.value !== undefined || (isTyping(event) && event.key !== "Escape")) {
    return;
  }
  const command = BY_KEY.get(event.key);
  const model = app.session.value;
  if (command?.always !== undefined) {
    event.preventDefault();
    command.always(app);
  } else if (command?.run !== undefined && model !== undefined) {
    event.preventDefault();
    command.run(app, model);
  }
}

function goToFailure(step: 1 | -1): (app: App, model: SessionModel) => void {
  return (app, model) => {
    const isFound = (step > 0 ? nextFailure : previousFailure)(model);
    if (!isFound) app.say(`Nothing failed ${step > 0 ? "after" : "before"} this row`);
  };
}

function isTyping(event: KeyboardEvent): boolean {
  // Seen from the document, what happens in a shadow tree has its host as target.
  const target = event.composedPath()[0];
  if (!(target instanceof HTMLElement)) {
    return false;
  }
  const isTextInput = target instanceof HTMLInputElement && !["checkbox", "radio", "file"].includes(target.type);
  return isTextInput || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable;
}

function closeTopmost(app: App): void {
  if (app.isNarrow.value && (app.isFiltersOpen.value || app.isOutlineOpen.value)) {
    app.isFiltersOpen.value = false;
    app.isOutlineOpen.value = false;
  } else if (app.isSearchOpen.value) {
    app.closeSearch();
  } else if (app.isFiltersOpen.value) {
    app.isFiltersOpen.value = false;
  } else {
    app.notice.value = undefined;
  }
}
