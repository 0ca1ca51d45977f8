// Where sessions come from and what came of them; what people know them by.

import type { Point } from "./draft.js";
import { drive } from "./drive.js";
import { checkText, checked, texts } from "./errors.js";
import { wasm } from "./load.js";
import type { CallOptions } from "./options.js";
import type { Store } from "./store.js";

/** A session's origin. */
export interface Ancestor {
  /** The point that was taken over. */
  readonly point: Point;
  /** Whether the history was compacted on the way; else it was forked. */
  readonly isCompacted: boolean;
}

/** A session that comes from another one. */
export interface Descendant {
  readonly id: string;
  /** Its own nearest origin. */
  readonly origin: Ancestor;
}

/** The sessions around one. */
export interface Lineage {
  /** Where it comes from, the nearest first. */
  readonly ancestors: readonly Ancestor[];
  /** What comes from it, nearer or further. */
  readonly descendants: readonly Descendant[];
}

/**
 * Where a session comes from, the nearest first: its forks, then what it was compacted from, as far
 * as that session is still there to tell of its own.
 *
 * @example
 * ```ts
 * for (const { point } of await ancestors(store, "run-7b")) console.log(point.session, point.seq);
 * ```
 */
export async function ancestors(
  store: Store,
  id: string,
  options: CallOptions = {},
): Promise<readonly Ancestor[]> {
  checkText(id, "an id", "invalid_id");
  return drive(checked(() => wasm().ancestors(id)), store, options.signal);
}

/**
 * The ancestors of a session and its descendants. Looks at every session of the store once.
 *
 * @example
 * ```ts
 * const { descendants } = await lineage(store, "run-7");
 * ```
 */
export async function lineage(
  store: Store,
  id: string,
  options: CallOptions = {},
): Promise<Lineage> {
  checkText(id, "an id", "invalid_id");
  return drive(checked(() => wasm().lineage(id)), store, options.signal);
}

/** A session's title, kind and tags. */
export interface About {
  /** What it is called. */
  readonly title?: string | undefined;
  /** What sort of session it is, in the application's words (`agent`, `subagent`). */
  readonly kind?: string | undefined;
  /** Words to find it by, sorted, each once. */
  readonly tags: readonly string[];
}

/**
 * A session's title, kind and tags, as far as they were set.
 *
 * @example
 * ```ts
 * const { title, kind, tags } = await about(store, "run-7");
 * ```
 */
export async function about(store: Store, id: string, options: CallOptions = {}): Promise<About> {
  checkText(id, "an id", "invalid_id");
  return drive(checked(() => wasm().about(id)), store, options.signal);
}

/**
 * Sets a session's title, kind and tags, in the place of those it had. They are kept beside the log.
 *
 * @example
 * ```ts
 * const title = "The week's report";
 * await setAbout(store, "run-7", { title, kind: "subagent", tags: ["weekly"] });
 * ```
 */
export async function setAbout(
  store: Store,
  id: string,
  { title, kind, tags = [] }: Partial<About>,
  options: CallOptions = {},
): Promise<void> {
  checkText(id, "an id", "invalid_id");
  if (title !== undefined) checkText(title, "a title");
  if (kind !== undefined) checkText(kind, "a kind");
  const words = texts(tags, "a tag");
  await drive(checked(() => wasm().set_about(id, title, kind, words)), store, options.signal);
}
