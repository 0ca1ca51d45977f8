// The whole of it: the screen that fits what is open, dialogs, notices, drops and keys.

import { useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { problemOf } from "../common/problem";
import { visible } from "../content/visible";
import type { App } from "./app";
import { DropPage } from "./drop";
import { droppedFiles } from "./files";
import { HelpDialog } from "./help";
import { Icon } from "../common/icons";
import { Picker } from "./picker";
import { ReportDialog } from "./report";
import { searchSummary } from "./search";
import { SessionScreen } from "./session";
import { SessionList } from "./sessions";
import { trustOf } from "./trust";

/** Narrower than that, panes lie above the conversation. */
const NARROW_PX = 860;

const NOTICE_MS = 5_000;

export function Viewer({ app }: { readonly app: App }): JSX.Element {
  const root = useRef<HTMLDivElement>(null);
  const isDragging = useSignal(false);
  useWidth(app, root);
  useDrops(app, root, isDragging);
  useAnnouncements(app);

  const model = app.session.value;
  const skip = (): void => root.current?.querySelector<HTMLElement>("#conversation")?.focus();
  return (
    <div ref={root} class="app" data-narrow={app.isNarrow.value} data-dragging={isDragging.value}>
      <button type="button" class="skip no-print" onClick={skip}>
        Skip to the content
      </button>
      {model !== undefined ? (
        <SessionScreen key={model.listed.key} app={app} model={model} />
      ) : app.state.value === "open" ? (
        <SessionList app={app} />
      ) : app.state.value === "opening" ? (
        <main id="conversation" class="opening" tabIndex={-1}>
          <h1>Opening…</h1>
        </main>
      ) : (
        <DropPage app={app} />
      )}
      {app.dialog.value === "help" && <HelpDialog app={app} />}
      {app.dialog.value === "report" && model !== undefined && <ReportDialog app={app} model={model} />}
      <Picker app={app} />
      {isDragging.value && <div class="drop-veil">Drop to open</div>}
      <NoticeLine app={app} />
    </div>
  );
}

/** The live regions: always there, so that screen readers hear what is put into them. */
function NoticeLine({ app }: { readonly app: App }): JSX.Element {
  const notice = app.notice.value;
  const close = (): void => {
    app.notice.value = undefined;
  };
  useEffect(() => {
    const timer = setTimeout(close, notice?.isError === true ? 3 * NOTICE_MS : NOTICE_MS);
    return () => clearTimeout(timer);
  }, [notice]);
  return (
    <>
      <div class={notice === undefined ? "notice hidden" : "notice no-print"} data-error={notice?.isError === true}>
        <span role="status">{visible(notice?.text ?? "")}</span>
        {notice !== undefined && (
          <button type="button" class="plain icon-only" aria-label="Close message" onClick={close}>
            <Icon name="close" />
          </button>
        )}
      </div>
      <span class="hidden" role="status">
        {app.announcement.value}
      </span>
    </>
  );
}

function useWidth(app: App, root: { readonly current: HTMLElement | null }): void {
  useLayoutEffect(() => {
    const node = root.current;
    if (node === null) {
      return undefined;
    }
    const look = (): void => {
      const isNarrow = node.clientWidth < NARROW_PX;
      if (isNarrow !== app.isNarrow.value) {
        app.isNarrow.value = isNarrow;
        // A drawer over the conversation is nothing to begin with.
        app.isOutlineOpen.value = !isNarrow;
        app.isFiltersOpen.value = false;
      }
    };
    look();
    const observer = new ResizeObserver(look);
    observer.observe(node);
    return () => observer.disconnect();
  }, []);
}

/** In a page of its own the whole window takes drops, else the element only. */
function useDrops(
  app: App,
  root: { readonly current: HTMLElement | null },
  isDragging: { value: boolean },
): void {
  useEffect(() => {
    const target: EventTarget | null = app.options.isPage ? window : root.current;
    const listening = new AbortController();
    const on = (type: string, act: (event: DragEvent) => void): void =>
      target?.addEventListener(type, (event) => event instanceof DragEvent && act(event), { signal: listening.signal });
    on("dragover", (event) => {
      if (event.dataTransfer?.types.includes("Files") === true) {
        event.preventDefault();
        event.dataTransfer.dropEffect = "copy";
        isDragging.value = true;
      }
    });
    on("dragleave", (event) => {
      // Between the parts of the page it leaves one and enters another.
      if (event.relatedTarget === null) {
        isDragging.value = false;
      }
    });
    on("drop", (event) => {
      isDragging.value = false;
      if (event.dataTransfer?.types.includes("Files") === true) {
        event.preventDefault();
        void openDropped(app, event.dataTransfer);
      }
    });
    return () => listening.abort();
  }, []);
}

async function openDropped(app: App, transfer: DataTransfer): Promise<void> {
  try {
    const files = await droppedFiles(transfer);
    if (files.length > 0) {
      await app.open({ files });
    } else {
      app.say("There is no file ending in .jsonl, .gz or .bundle in that.", "error");
    }
  } catch (error) {
    app.say(problemOf(error).message, "error");
  }
}

/** Tells screen readers what came to an end. */
function useAnnouncements(app: App): void {
  useSignalEffect(() => {
    const model = app.session.value;
    const state = model?.verification.value.state;
    if (model !== undefined && (state === "done" || state === "failed")) {
      app.say(trustOf(model).text, "silent");
    }
  });
  useSignalEffect(() => {
    const search = app.session.value?.search;
    if (search?.job.value.state === "done") {
      app.say(searchSummary(search), "silent");
    }
  });
}
