// The list of what was opened, where that is more than one session.

import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { visible } from "../content/visible";
import type { BundleInfo, Listed } from "../engine/api";
import type { App } from "./app";
import { bytes, count, counted, moment } from "../common/format";
import { RefusedList } from "./refused";
import { OpenTool, PageTools } from "./topbar";

/** More are drawn when asked for. */
const STEP = 500;

export function SessionList({ app }: { readonly app: App }): JSX.Element {
  const filter = useSignal("");
  const limit = useSignal(STEP);
  const body = useRef<HTMLTableSectionElement>(null);
  const found = useComputed(() => matching(app.sessions.value, filter.value)).value;
  const bundle = bundleOf(app);
  const twice = useComputed(() => idsOfSeveral(app.sessions.value)).value;

  // So that the keys work at once, without a click first.
  useEffect(() => firstButton(body.current)?.focus({ preventScroll: true }), []);

  const onKeyDown = (event: KeyboardEvent): void => {
    const step = ({ ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 } as Readonly<Record<string, number>>)[event.key];
    if (step !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      moveFocus(body.current, step);
    }
  };
  return (
    <>
      <header class="bar sessions-bar no-print">
        <div class="bar-title">
          <h1 class="cut">{bundle === undefined ? "Sessions" : "Sessions of a bundle"}</h1>
          <span class="bar-facts muted cut">{summary(app)}</span>
        </div>
        <div class="bar-tools">
          <OpenTool app={app} />
          <PageTools app={app} />
        </div>
      </header>
      <main id="conversation" class="sessions" tabIndex={-1}>
        {bundle?.fault !== undefined && (
          <p class="failure" role="alert">
            The bundle is damaged: <code>{bundle.fault.code}</code> {visible(bundle.fault.message)}. What could be found in
            it is listed.
          </p>
        )}
        <div class="sessions-filter">
          <input
            type="search"
            aria-label="Filter sessions"
            placeholder="Filter by title, id or file"
            spellcheck={false}
            value={filter.value}
            onInput={(event) => (filter.value = event.currentTarget.value)}
            onKeyDown={(event) => event.key === "ArrowDown" && firstButton(body.current)?.focus()}
          />
          <span class="muted" role="status">
            {filter.value !== "" && `${count(found.length)} found`}
          </span>
        </div>
        <table>
          <thead>
            <tr>
              <th scope="col">Session</th>
              <th scope="col" class="is-form">
                Form
              </th>
              <th scope="col" class="is-number">
                Entries
              </th>
              <th scope="col" class="is-number">
                Size
              </th>
            </tr>
          </thead>
          <tbody ref={body} onKeyDown={onKeyDown}>
            {found.slice(0, limit.value).map((listed) => (
              <Line key={listed.key} listed={listed} isOneOfSeveral={twice.has(listed.id)} open={() => app.show(listed)} />
            ))}
          </tbody>
        </table>
        {found.length > limit.value && (
          <button type="button" onClick={() => (limit.value += STEP)}>
            Show {count(Math.min(STEP, found.length - limit.value))} more of {count(found.length)}
          </button>
        )}
        <RefusedList refused={app.refused.value} />
      </main>
    </>
  );
}

interface LineProps {
  readonly listed: Listed;
  /** Others have the same id: its file tells it from them. */
  readonly isOneOfSeveral: boolean;
  readonly open: () => void;
}

function Line({ listed, isOneOfSeveral, open }: LineProps): JSX.Element {
  return (
    // The button is what keys and screen readers use; the whole line is there for the mouse.
    <tr onClick={open}>
      <td>
        <button type="button" class="session-name" onClick={open}>
          <span class="cut">{visible(listed.title ?? listed.id)}</span>
          {listed.title !== undefined && <span class="cut muted mono">{visible(listed.id)}</span>}
          {isOneOfSeveral && <span class="cut muted">{visible(listed.files.join(", "))}</span>}
        </button>
      </td>
      <td class="is-form muted">{listed.form}</td>
      <td class="is-number">{listed.entries === undefined ? "" : count(listed.entries)}</td>
      <td class="is-number">{bytes(listed.bytes)}</td>
    </tr>
  );
}

function idsOfSeveral(sessions: readonly Listed[]): ReadonlySet<string> {
  const [once, twice] = [new Set<string>(), new Set<string>()];
  for (const { id } of sessions) (once.has(id) ? twice : once).add(id);
  return twice;
}

function matching(sessions: readonly Listed[], filter: string): readonly Listed[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return sessions.filter((listed) => {
    const text = [listed.title ?? "", listed.id, ...listed.files].join("\n").toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** The bundle, where all that is listed is in it. */
function bundleOf(app: App): BundleInfo | undefined {
  const isAll = app.sessions.value.every((listed) => listed.form === "bundle");
  return isAll ? app.bundle.value : undefined;
}

function summary(app: App): string {
  const sessions = app.sessions.value;
  const total = sessions.reduce((sum, listed) => sum + listed.bytes, 0);
  const bundle = bundleOf(app);
  const parts = [counted(sessions.length, "session"), bytes(bundle?.bytes ?? total)];
  if (bundle !== undefined) {
    if (bundle.values > 0) parts.push(counted(bundle.values, "cached value"));
    if (bundle.createdMs !== undefined) parts.push(`written ${moment(bundle.createdMs)}`);
  }
  return parts.join(" · ");
}

function moveFocus(body: HTMLElement | null, step: number): void {
  const buttons = [...(body?.querySelectorAll<HTMLElement>(".session-name") ?? [])];
  const at = buttons.findIndex((button) => button.matches(":focus"));
  buttons[at + step]?.focus();
}

function firstButton(body: HTMLElement | null): HTMLElement | undefined {
  return body?.querySelector<HTMLElement>(".session-name") ?? undefined;
}
