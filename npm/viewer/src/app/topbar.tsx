// One line above the session: what it is, whether it can be trusted, and the tools.

import type { JSX } from "preact";

import { visible } from "../content/visible";
import { isFiltering } from "../model/shown";
import type { SessionModel } from "../model/types";
import type { App } from "./app";
import { Badge } from "./badge";
import { copyLink, copyMarkdown } from "./copy";
import { brief, bytes, cost, counted, duration, moment } from "../common/format";
import { Icon, type IconName } from "../common/icons";
import { isPartlyRead } from "./survey";

interface Props {
  readonly app: App;
  readonly model: SessionModel;
}

export function TopBar({ app, model }: Props): JSX.Element {
  const { listed } = model;
  const names = [listed.title, listed.id].flatMap((name) => (name === undefined ? [] : visible(name)));
  return (
    <div class="bar">
      <div class="bar-title">
        {app.sessions.value.length > 1 && <Tool icon="back" label="All sessions" run={() => app.showList()} />}
        <Tool
          icon="outline"
          label="Outline"
          hint="o"
          isOpen={app.isOutlineOpen.value}
          run={() => app.toggleOutline()}
        />
        <h1 class="cut" title={names.join("\n")}>
          {names[0]}
        </h1>
        <span class="bar-facts muted cut">{facts(model)}</span>
      </div>
      <Badge app={app} model={model} />
      <div class="bar-tools">
        <Tool icon="search" label="Search" hint="/" run={() => app.openSearch()} />
        <Tool
          icon="filters"
          label="Filters"
          hint="f"
          isOpen={app.isFiltersOpen.value}
          isOn={isFiltering(model.filter.value)}
          run={() => app.toggleFilters()}
        />
        <Tool icon="link" label="Copy link" hint="c" run={() => void copyLink(app)} />
        <Tool icon="markdown" label="Copy as Markdown" hint="m" run={() => void copyMarkdown(app)} />
        {!app.isNarrow.value && <Tool icon="print" label="Print" run={() => window.print()} />}
        <OpenTool app={app} />
        <PageTools app={app} />
      </div>
    </div>
  );
}

/** What screens of something that is open have. */
export function OpenTool({ app }: { readonly app: App }): JSX.Element {
  return <Tool icon="file" label="Open files" hint="O" run={() => app.choose("files")} />;
}

/** What every screen has. */
export function PageTools({ app }: { readonly app: App }): JSX.Element {
  const theme = app.theme.value;
  return (
    <>
      <Tool icon={theme} label={`Theme: ${theme}`} hint="t" run={() => app.turnTheme()} />
      <Tool icon="help" label="Keys" hint="?" run={() => (app.dialog.value = "help")} />
    </>
  );
}

interface ToolProps {
  readonly icon: IconName;
  readonly label: string;
  readonly hint?: string;
  readonly isOpen?: boolean;
  /** Something is in force behind it. */
  readonly isOn?: boolean;
  readonly run: () => void;
}

function Tool({ icon, label, hint, isOpen, isOn, run }: ToolProps): JSX.Element {
  return (
    <button
      type="button"
      class="plain icon-only no-print"
      aria-label={isOn === true ? `${label} (in force)` : label}
      aria-expanded={isOpen}
      title={hint === undefined ? label : `${label} (${hint})`}
      data-on={isOn}
      onClick={run}
    >
      <Icon name={icon} />
    </button>
  );
}

function facts(model: SessionModel): string {
  const layout = model.layout.value;
  if (layout !== undefined && isPartlyRead(model)) {
    return `${layout.isComplete ? `${counted(layout.rows, "row")} · ` : ""}${bytes(layout.rawBytes)}`;
  }
  const { entries, usage, fromMs, toMs } = model.totals.value;
  const turns = model.turns.value.length;
  const tokens = (usage.input ?? 0) + (usage.output ?? 0);
  const dollars = usage.cost ?? 0;
  const parts = [
    counted(entries, "entry", "entries"),
    turns > 0 ? counted(turns, "turn") : "",
    tokens > 0 ? `${brief(tokens)} tokens` : "",
    dollars > 0 ? cost(dollars) : "",
    fromMs !== undefined && toMs !== undefined ? duration(toMs - fromMs) : "",
    fromMs === undefined ? "" : moment(fromMs),
  ];
  return parts.filter((part) => part !== "").join(" · ");
}
