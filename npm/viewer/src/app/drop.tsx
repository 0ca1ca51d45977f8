// The first screen: choose files, or drop them anywhere in the window.

import type { JSX } from "preact";

import { visible } from "../content/visible";
import type { App } from "./app";
import { Icon } from "../common/icons";
import { nextStep } from "./problem";
import { RefusedList } from "./refused";
import { PageTools } from "./topbar";

/** Put in by the build. */
declare const TURNKEEP_VERSION: string;

export function DropPage({ app }: { readonly app: App }): JSX.Element {
  const failure = app.failure.value;
  const awaited = app.awaited.value;
  return (
    <main id="conversation" class="drop" tabIndex={-1}>
      <div class="drop-tools no-print">
        <PageTools app={app} />
      </div>
      <div class="drop-box">
        <h1>turnkeep</h1>
        <p class="drop-lead">Read and verify sessions of AI agents.</p>
        {awaited?.session !== undefined && (
          <p class="note">
            This link leads to {awaited.seq === undefined ? "" : `entry ${awaited.seq} of `}session{" "}
            <code>{visible(awaited.session)}</code>. Open the file that it is in.
          </p>
        )}
        <div class="drop-buttons">
          <button type="button" class="primary" onClick={() => app.choose("files")}>
            <Icon name="file" /> Choose files
          </button>
          <button type="button" onClick={() => app.choose("folder")}>
            <Icon name="folder" /> Choose a folder
          </button>
        </div>
        <p class="muted">Or drop them anywhere here: logs (.jsonl), archives (.jsonl.gz), bundles (.bundle).</p>
        {failure !== undefined && (
          <p class="failure" role="alert">
            <code>{failure.code}</code> {visible(failure.message)}. {nextStep(failure)}
          </p>
        )}
        <RefusedList refused={app.refused.value} />
        <p class="drop-foot muted">
          Nothing leaves this machine: the page opens files locally and sends them nowhere.
          <br />
          Version {TURNKEEP_VERSION}
        </p>
      </div>
    </main>
  );
}
