// <turnkeep-viewer>: the viewer as an element, for any page.
//
//   <turnkeep-viewer src="session.jsonl.gz" theme="dark"></turnkeep-viewer>
//
// `src` is opened by range requests; `open(files)` and the property `files` take files. With the attribute
// `page` it fills the window and owns address, title and keys. What happens is told by the events
// `turnkeep-opened`, `turnkeep-session`, `turnkeep-verified` and `turnkeep-failed`.

import { effect } from "@preact/signals";
import { render } from "preact";

import { App, type EventName } from "./app/app";
import { onKey } from "./app/keys";
import { parsePlace } from "./app/permalink";
import { asTheme } from "./app/theme";
import { Viewer } from "./app/viewer";
import { visible } from "./content/visible";
import type { NamedBlob } from "./engine/api";
import { startEngine } from "./engine/start";
import { SHEETS } from "./style/sheets";

/** Where there is no document (a server that renders pages) the module can be imported all the same. */
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

export class TurnkeepViewer extends Base {
  static readonly observedAttributes: readonly string[] = ["src", "theme"];

  #app: App | undefined;
  #files: readonly NamedBlob[] = [];
  #cleanUp: (() => void)[] = [];

  connectedCallback(): void {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = styleSheets();
    const isPage = this.hasAttribute("page");
    const app = new App(startEngine(), { isPage, emit: (name, detail) => this.#emit(name, detail) });
    this.#app = app;
    this.#applyTheme();
    this.#listen(app, isPage);
    render(<Viewer app={app} />, root);
    this.#openGiven();
  }

  disconnectedCallback(): void {
    this.#cleanUp.forEach((clean) => clean());
    this.#cleanUp = [];
    if (this.shadowRoot !== null) {
      render(null, this.shadowRoot);
    }
    this.#app?.close();
    this.#app = undefined;
  }

  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (this.#app === undefined || before === now) {
      return;
    }
    if (name === "theme") {
      this.#applyTheme();
    } else {
      this.#files = [];
      this.#openGiven();
    }
  }

  get files(): readonly NamedBlob[] {
    return this.#files;
  }

  set files(files: Iterable<File | NamedBlob>) {
    void this.open(files);
  }

  /** Opens files in place of what was open. Ends when they are listed; see the events for what came of it. */
  async open(files: Iterable<File | NamedBlob>): Promise<void> {
    this.#files = [...files].map((file) => (file instanceof File ? { name: file.name, blob: file } : file));
    await this.#app?.open({ files: this.#files });
  }

  /** Goes to a place as links name it: `#s=<session id>&e=<seq>`. */
  async goTo(hash: string): Promise<void> {
    await this.#app?.goTo(parsePlace(hash));
  }

  #openGiven(): void {
    const src = this.getAttribute("src");
    if (this.#files.length > 0) {
      void this.#app?.open({ files: this.#files });
    } else if (src !== null && src !== "") {
      void this.#app?.open({ urls: src.trim().split(/\s+/).map((one) => new URL(one, document.baseURI).href) });
    }
  }

  #applyTheme(): void {
    const theme = this.getAttribute("theme");
    if (this.#app !== undefined && theme !== null) {
      this.#app.theme.value = asTheme(theme);
    }
  }

  #listen(app: App, isPage: boolean): void {
    const listening = new AbortController();
    const { signal } = listening;
    const keysOf: HTMLElement | Document = isPage ? document : this;
    keysOf.addEventListener("keydown", (event) => event instanceof KeyboardEvent && onKey(app, event), { signal });
    if (isPage) {
      // Both come of a change by hand; of "back", where only the fragment differs, too.
      addEventListener("hashchange", () => app.goToHash(), { signal });
    }
    this.#cleanUp.push(
      () => listening.abort(),
      effect(() => {
        this.dataset["theme"] = app.theme.value;
      }),
      effect(() => {
        const listed = app.session.value?.listed;
        if (isPage) {
          document.title = listed === undefined ? "turnkeep" : `${visible(listed.title ?? listed.id)} - turnkeep`;
        }
      }),
    );
  }

  #emit(name: EventName, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(`turnkeep-${name}`, { detail }));
  }
}

/** Made once for all elements of the page. */
let sheets: CSSStyleSheet[] | undefined;

function styleSheets(): CSSStyleSheet[] {
  sheets ??= SHEETS.map((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return sheet;
  });
  return sheets;
}

// Twice where two copies of the script meet in one page: the first one stays.
if (globalThis.customElements?.get("turnkeep-viewer") === undefined) {
  globalThis.customElements?.define("turnkeep-viewer", TurnkeepViewer);
}
