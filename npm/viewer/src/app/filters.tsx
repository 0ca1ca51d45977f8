// The filter panel: roles, tools and kinds with their counts. Where nothing is ticked, all is shown.

import type { JSX } from "preact";

import { visible } from "../content/visible";
import type { Role } from "../engine/api";
import { NO_FILTER, isFiltering } from "../model/shown";
import type { Filter, SessionModel } from "../model/types";
import type { App } from "./app";
import { count } from "../common/format";
import { Pane } from "./pane";
import { SurveyNote } from "./survey";

interface Props {
  readonly app: App;
  readonly model: SessionModel;
}

const ROLE_NAMES: Readonly<Record<Role, string>> = {
  user: "User",
  assistant: "Assistant",
  tool: "Tool",
  system: "System",
  event: "Events",
  gap: "Gaps",
};

export function Filters({ app, model }: Props): JSX.Element {
  const filter = model.filter.value;
  const counts = model.counts.value;
  const change = (changed: Partial<Filter>): void => {
    model.filter.value = { ...filter, ...changed };
  };
  return (
    <Pane app={app} as="aside" name="filters" label="Filters" isOpen={app.isFiltersOpen}>
      <SurveyNote model={model} />
      <div class="filters">
        <p class="filters-sum">
          <span class="muted">{count(model.shown.value.length)} rows shown</span>
          <button
            type="button"
            disabled={!isFiltering(filter)}
            onClick={() => {
              model.filter.value = NO_FILTER;
              app.say("Filters cleared", "silent");
            }}
          >
            Clear
          </button>
        </p>
        <label class="choice">
          <input
            type="checkbox"
            checked={filter.errorsOnly}
            onChange={(event) => change({ errorsOnly: event.currentTarget.checked })}
          />
          <span class="cut">Errors only</span>
          <span class="choice-count">{count(counts.errors)}</span>
        </label>
        <Choices
          legend="Roles"
          counts={counts.roles}
          chosen={filter.roles}
          nameOf={(role) => ROLE_NAMES[role]}
          choose={(roles) => change({ roles })}
        />
        <Choices legend="Tools" counts={counts.tools} chosen={filter.tools} choose={(tools) => change({ tools })} />
        <Choices legend="Kinds" counts={counts.kinds} chosen={filter.kinds} choose={(kinds) => change({ kinds })} />
      </div>
    </Pane>
  );
}

interface ChoicesProps<T extends string> {
  readonly legend: string;
  readonly counts: ReadonlyMap<T, number>;
  readonly chosen: ReadonlySet<T>;
  readonly nameOf?: (value: T) => string;
  readonly choose: (chosen: ReadonlySet<T>) => void;
}

function Choices<T extends string>(props: ChoicesProps<T>): JSX.Element | null {
  const { legend, counts, chosen, nameOf = (value) => value, choose } = props;
  // The frequent ones first; those that are chosen stay even where nothing is counted of them.
  const values = [...new Set([...counts.keys(), ...chosen])];
  values.sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0) || a.localeCompare(b));
  if (values.length === 0) {
    return null;
  }
  const toggle = (value: T, isChosen: boolean): void => {
    const next = new Set(chosen);
    isChosen ? next.add(value) : next.delete(value);
    choose(next);
  };
  return (
    <fieldset>
      <legend>{legend}</legend>
      {values.map((value) => (
        <label class="choice" key={value} data-role={value}>
          <input
            type="checkbox"
            checked={chosen.has(value)}
            onChange={(event) => toggle(value, event.currentTarget.checked)}
          />
          <span class="cut" title={visible(nameOf(value))}>
            {visible(nameOf(value))}
          </span>
          <span class="choice-count">{count(counts.get(value) ?? 0)}</span>
        </label>
      ))}
    </fieldset>
  );
}
