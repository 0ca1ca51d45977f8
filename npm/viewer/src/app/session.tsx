// The session's screen: outline, conversation, filters, and above them the bar and the chart.

import type { JSX } from "preact";
import { useRef } from "preact/hooks";

import { visible } from "../content/visible";
import { Rows } from "../list/rows";
import type { SessionModel } from "../model/types";
import type { App } from "./app";
import { Chart } from "./chart";
import { Filters } from "./filters";
import { Outline } from "./outline";
import { useHere } from "./here";
import { nextStep, place } from "./problem";
import { SearchBand } from "./search";
import { TopBar } from "./topbar";

export function SessionScreen({ app, model }: { readonly app: App; readonly model: SessionModel }): JSX.Element {
  const failure = model.failure.value;
  const main = useRef<HTMLElement>(null);
  useHere(app, model, main);
  return (
    <>
      <header>
        <TopBar app={app} model={model} />
        {failure === undefined && <Chart app={app} model={model} />}
      </header>
      <div class="panes">
        {app.isOutlineOpen.value && <Outline app={app} model={model} />}
        <main ref={main} id="conversation" class="conversation" tabIndex={-1} aria-label="Conversation">
          {app.isSearchOpen.value && <SearchBand app={app} model={model} />}
          {failure === undefined ? (
            <Rows model={model} host={app.host} />
          ) : (
            <p class="failure">
              <code>{failure.code}</code> {visible(failure.message)} {place(failure)} {nextStep(failure)}
            </p>
          )}
        </main>
        {app.isFiltersOpen.value && <Filters app={app} model={model} />}
      </div>
    </>
  );
}
