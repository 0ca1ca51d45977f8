// The search band. It searches the whole session, folded texts too; the browser's own find is left alone.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import type { SearchModel, SessionModel } from "../model/types";
import type { App } from "./app";
import { useReturnedFocus } from "./focus";
import { count, counted, percent } from "../common/format";
import { Icon } from "../common/icons";

/** Typing rests so long before a small session is searched; a large one waits for Enter. */
const REST_MS = 250;

export function SearchBand({ app, model }: { readonly app: App; readonly model: SessionModel }): JSX.Element {
  const { search } = model;
  const band = useRef<HTMLElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const rest = useRef<ReturnType<typeof setTimeout>>(undefined);
  const text = useSignal(search.query.value.text);
  const matchCase = useSignal(search.query.value.matchCase);

  useReturnedFocus(band);
  // Before the next key comes, or it would be taken for a command.
  useLayoutEffect(() => input.current?.select(), [app.searchAsked.value]);
  useEffect(() => () => clearTimeout(rest.current), []);

  const start = (): void => {
    clearTimeout(rest.current);
    if (text.value === "") {
      search.clear();
    } else if (text.value !== search.query.value.text || matchCase.value !== search.query.value.matchCase) {
      search.start(text.value, matchCase.value);
    }
  };
  const onInput = (value: string): void => {
    text.value = value;
    clearTimeout(rest.current);
    if (value.length !== 1 && model.layout.value?.isLarge === false) {
      rest.current = setTimeout(start, REST_MS);
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || event.isComposing) {
      return;
    }
    event.preventDefault();
    const isNew = text.value !== search.query.value.text;
    if (isNew) {
      start();
    } else if (event.shiftKey) {
      search.previous();
    } else {
      search.next();
    }
  };

  return (
    <search ref={band} class="search no-print" aria-label="Search in the session">
      <input
        ref={input}
        type="search"
        aria-label="Search in the session"
        placeholder="Search, folded texts too"
        autocomplete="off"
        spellcheck={false}
        enterkeyhint="search"
        value={text.value}
        onInput={(event) => onInput(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <span class="search-count muted">{countText(search)}</span>
      <button
        type="button"
        class="plain"
        aria-pressed={matchCase.value}
        aria-label="Match case"
        title="Match case"
        onClick={() => {
          matchCase.value = !matchCase.value;
          start();
        }}
      >
        Aa
      </button>
      <button type="button" class="plain icon-only" aria-label="Previous match" onClick={() => search.previous()}>
        <Icon name="up" />
      </button>
      <button type="button" class="plain icon-only" aria-label="Next match" onClick={() => search.next()}>
        <Icon name="down" />
      </button>
      <button type="button" class="plain icon-only" aria-label="Close search" onClick={() => app.closeSearch()}>
        <Icon name="close" />
      </button>
    </search>
  );
}

/** `3 of 17`, and how far the search is, where it goes on. */
function countText(search: SearchModel): string {
  const job = search.job.value;
  const found = search.hits.value.length;
  const at = search.at.value < 0 ? "" : `${count(search.at.value + 1)} of `;
  switch (job.state) {
    case "idle":
      return "";
    case "running":
      return `${at}${count(found)} - searching ${percent(job.progress.done, job.progress.total)}`;
    case "failed":
      return job.problem.message;
    case "stopped":
      return `${at}${count(found)} - stopped`;
    case "done":
      return found === 0 ? "Nothing found" : `${at}${count(found)}`;
  }
}

/** For screen readers, once it is known. */
export function searchSummary(search: SearchModel): string {
  const matches = counted(search.matches.value, "match", "matches");
  return `${matches} in ${counted(search.hits.value.length, "entry", "entries")}`;
}
