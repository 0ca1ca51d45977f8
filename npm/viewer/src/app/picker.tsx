// The browser's dialogs for choosing files or a folder: always there, so that more can be opened at any time.

import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

import type { App } from "./app";
import { chosenFiles } from "./files";

export function Picker({ app }: { readonly app: App }): JSX.Element {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    folder.current?.toggleAttribute("webkitdirectory", true);
    app.choose = (what) => (what === "folder" ? folder : files).current?.click();
  }, []);
  const open = (input: HTMLInputElement): void => {
    const chosen = chosenFiles(input.files ?? []);
    // So that choosing the same file again counts as a change.
    input.value = "";
    if (chosen.length > 0) {
      void app.open({ files: chosen });
    } else {
      app.say("There is no file ending in .jsonl, .gz or .bundle in that folder.", "error");
    }
  };
  return (
    <>
      <input ref={files} type="file" multiple hidden onChange={(event) => open(event.currentTarget)} />
      <input ref={folder} type="file" hidden onChange={(event) => open(event.currentTarget)} />
    </>
  );
}
