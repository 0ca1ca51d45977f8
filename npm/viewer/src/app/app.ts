// What the shell knows and does: what is open, which session is shown, which panes are. No DOM but the
// address and the clipboard.

import { type Signal, batch, effect, signal, untracked } from "@preact/signals";

import type { BundleInfo, Engine, Input, Listed, Problem, Refused } from "../engine/api";
import type { Host } from "../list/list";
import { problemOf } from "../common/problem";
import { createSession } from "../model/session";
import type { SessionModel } from "../model/types";
import { copy, copyLink } from "./copy";
import { type ExpectedHead, type Place, formatPlace, parsePlace } from "./permalink";
import { type Theme, createTheme, nextTheme, rememberTheme } from "./theme";

export interface Options {
  /** The viewer is the whole page: it owns the address, the title and the keys. */
  readonly isPage: boolean;
  /** Tells the embedding page what happens. */
  readonly emit: (name: EventName, detail: unknown) => void;
}

export type EventName = "opened" | "session" | "verified" | "failed";

export interface Notice {
  readonly text: string;
  readonly isError: boolean;
}

export type DialogName = "help" | "report";

export class App {
  readonly state: Signal<"empty" | "opening" | "open"> = signal("empty");
  readonly failure: Signal<Problem | undefined> = signal(undefined);
  readonly sessions: Signal<readonly Listed[]> = signal([]);
  readonly bundle: Signal<BundleInfo | undefined> = signal(undefined);
  readonly refused: Signal<readonly Refused[]> = signal([]);
  readonly session: Signal<SessionModel | undefined> = signal(undefined);
  /** The head that somebody said the shown session should have. */
  readonly expected: Signal<ExpectedHead | undefined> = signal(undefined);

  /** The row where the reader is. */
  readonly here: Signal<number> = signal(0);
  readonly isNarrow: Signal<boolean> = signal(false);
  readonly isOutlineOpen: Signal<boolean> = signal(true);
  readonly isFiltersOpen: Signal<boolean> = signal(false);
  readonly isSearchOpen: Signal<boolean> = signal(false);
  /** Counts up when the search's input is to take the focus. */
  readonly searchAsked: Signal<number> = signal(0);
  readonly dialog: Signal<DialogName | undefined> = signal(undefined);
  readonly notice: Signal<Notice | undefined> = signal(undefined);
  /** Told to screen readers, but not shown: what is to be seen elsewhere anyway. */
  readonly announcement: Signal<string> = signal("");
  readonly theme: Signal<Theme> = createTheme();
  /** Where a link leads to, for as long as its session is not open. */
  readonly awaited: Signal<Place | undefined> = signal(undefined);

  /** What the conversation asks of the page around it. */
  readonly host: Host = {
    copyLink: (row) => void copyLink(this, row),
    copy: (text, done) => void copy(this, text, done),
    fail: (message) => this.say(message, "error"),
  };

  /** Lets the reader choose what is opened next; whoever draws the page says how. */
  choose: (what: "files" | "folder") => void = () => {};

  readonly engine: Engine;
  readonly options: Options;
  #opening = 0;
  #stopWatching: () => void = () => {};

  constructor(engine: Engine, options: Options) {
    this.engine = engine;
    this.options = options;
    if (options.isPage) {
      this.#await(parsePlace(location.hash));
    }
  }

  async open(input: Input): Promise<void> {
    const opening = ++this.#opening;
    this.#leaveSession();
    batch(() => {
      this.state.value = "opening";
      this.failure.value = undefined;
      this.notice.value = undefined;
    });
    try {
      const opened = await this.engine.open(input);
      if (opening !== this.#opening) {
        return;
      }
      batch(() => {
        this.sessions.value = opened.sessions;
        this.bundle.value = opened.bundle;
        this.refused.value = opened.refused;
        this.state.value = opened.sessions.length > 0 ? "open" : "empty";
      });
      this.options.emit("opened", opened);
      this.#showFirst();
    } catch (error) {
      if (opening === this.#opening) {
        this.#fail(problemOf(error));
      }
    }
  }

  /** Shows a session. In a page of its own it becomes part of the address, so that "back" leads out again. */
  show(listed: Listed): void {
    if (this.session.value?.listed.key === listed.key) {
      return;
    }
    this.#leaveSession();
    const model = createSession(this.engine, listed);
    batch(() => {
      this.session.value = model;
      this.isSearchOpen.value = false;
      this.isOutlineOpen.value = !this.isNarrow.value;
      this.isFiltersOpen.value = false;
    });
    this.#stopWatching = this.#tellVerification(model);
    if (this.options.isPage && parsePlace(location.hash).session !== listed.id) {
      const hash = formatPlace({ session: listed.id });
      // Where there is no list, there is nothing to go back to.
      this.sessions.value.length > 1 ? history.pushState(null, "", hash) : history.replaceState(null, "", hash);
    }
    this.options.emit("session", listed);
  }

  showList(): void {
    if (this.sessions.value.length < 2) {
      return;
    }
    this.#leaveSession();
    if (this.options.isPage && location.hash !== "") {
      history.pushState(null, "", "#");
    }
  }

  showNeighbour(step: 1 | -1): void {
    const list = this.sessions.value;
    const at = list.findIndex((listed) => listed.key === this.session.value?.listed.key);
    const next = list[at + step];
    if (at >= 0 && next !== undefined) {
      this.show(next);
      this.say(`Session ${next.title ?? next.id}`);
    }
  }

  /** Goes where a link leads to; where that cannot be, says so. */
  async goTo(place: Place): Promise<void> {
    if (this.sessions.value.length === 0) {
      this.#await(place);
      return;
    }
    const listed =
      place.session === undefined
        ? (this.session.value?.listed ?? this.sessions.value[0])
        : this.sessions.value.find((one) => one.id === place.session);
    this.awaited.value = undefined;
    if (listed === undefined) {
      this.say(`The link leads to session ${place.session}, which is not among those that are open.`, "error");
      return;
    }
    this.show(listed);
    if (place.head !== undefined) {
      this.expect(place.head);
    }
    await this.#goToSeq(place.seq);
  }

  goToHash(): void {
    const place = parsePlace(location.hash);
    if (place.session !== undefined || place.seq !== undefined || place.head !== undefined) {
      void this.goTo(place);
    } else if (this.sessions.value.length > 1) {
      this.#leaveSession();
    }
  }

  /** Verifies, against the head that was asked for last. */
  verify(): void {
    this.session.value?.startVerification(this.expected.value);
  }

  expect(head: ExpectedHead): void {
    this.expected.value = head;
    this.verify();
  }

  turnTheme(): void {
    this.theme.value = nextTheme(this.theme.value);
    rememberTheme(this.theme.value);
    this.say(`Theme: ${this.theme.value === "system" ? "as the system has it" : this.theme.value}`);
  }

  toggleOutline(): void {
    this.#togglePane(this.isOutlineOpen, this.isFiltersOpen);
  }

  toggleFilters(): void {
    this.#togglePane(this.isFiltersOpen, this.isOutlineOpen);
  }

  openSearch(): void {
    this.isSearchOpen.value = true;
    this.searchAsked.value += 1;
  }

  closeSearch(): void {
    this.isSearchOpen.value = false;
    this.session.value?.search.clear();
  }

  say(text: string, how: "shown" | "silent" | "error" = "shown"): void {
    if (how === "silent") {
      this.announcement.value = text;
    } else {
      this.notice.value = { text, isError: how === "error" };
    }
  }

  close(): void {
    this.#opening += 1;
    this.#leaveSession();
    this.engine.close();
  }

  #showFirst(): void {
    const only = this.sessions.value.length === 1 ? this.sessions.value[0] : undefined;
    const place = this.awaited.value;
    if (place !== undefined && this.sessions.value.length > 0) {
      void this.goTo(place);
    }
    // Also where the link leads elsewhere: what was opened is shown all the same.
    if (only !== undefined) {
      this.show(only);
    }
  }

  /** Two drawers would lie on each other. */
  #togglePane(pane: Signal<boolean>, other: Signal<boolean>): void {
    batch(() => {
      pane.value = !pane.value;
      other.value = other.value && !this.isNarrow.value;
    });
  }

  async #goToSeq(seq: number | undefined): Promise<void> {
    const model = this.session.value;
    if (model === undefined || seq === undefined) {
      return;
    }
    try {
      const row = await model.rowOfSeq(seq);
      if (model !== this.session.value) {
        return;
      }
      if (row === undefined) {
        this.say(`The link leads to entry ${seq}, which this session does not have.`, "error");
      } else {
        model.goTo(row, { focus: true });
        this.say(`Entry ${seq}`, "silent");
      }
    } catch (error) {
      // Of a session that was left, nobody asks any more.
      if (model === this.session.value) {
        this.say(problemOf(error).message, "error");
      }
    }
  }

  #await(place: Place): void {
    const isSomewhere = place.session !== undefined || place.seq !== undefined || place.head !== undefined;
    this.awaited.value = isSomewhere ? place : undefined;
  }

  #leaveSession(): void {
    this.#stopWatching();
    this.#stopWatching = () => {};
    this.session.value?.close();
    batch(() => {
      this.session.value = undefined;
      this.expected.value = undefined;
      this.here.value = 0;
      this.dialog.value = undefined;
    });
  }

  #tellVerification(model: SessionModel): () => void {
    return effect(() => {
      const job = model.verification.value;
      if (job.state === "done") {
        untracked(() => this.options.emit("verified", job.result));
      }
    });
  }

  #fail(problem: Problem): void {
    batch(() => {
      this.sessions.value = [];
      this.refused.value = [];
      this.bundle.value = undefined;
      this.failure.value = problem;
      this.state.value = "empty";
    });
    this.options.emit("failed", problem);
  }
}
