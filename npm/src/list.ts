// Which sessions there are.

import { drive } from "./drive.js";
import { checkMembers, checkText, checked } from "./errors.js";
import { wasm } from "./load.js";
import { CALL, type CallOptions, type Form } from "./options.js";
import type { Store } from "./store.js";

/** What a listing tells of a session, without opening it. */
export interface Listed {
  readonly id: string;
  readonly form: Form;
  /** Bytes it takes in the store. */
  readonly storedBytes: number;
  /** When it was last written, in milliseconds since 1970, where the store knows. */
  readonly modifiedMs: number | undefined;
}

/**
 * Every session of a store, in order of their encoded ids.
 *
 * @example
 * ```ts
 * for await (const { id, form } of sessions(store)) console.log(id, form);
 * ```
 */
export async function* sessions(
  store: Store,
  options: CallOptions = {},
): AsyncGenerator<Listed, void, undefined> {
  let after: string | undefined;
  do {
    const task = checked(() => wasm().list("", after, LIST_LIMIT));
    const listed = await drive<Sessions>(task, store, options.signal);
    yield* listed.sessions;
    after = listed.next;
  } while (after !== undefined);
}

interface Sessions {
  readonly sessions: readonly Listed[];
  readonly next: string | undefined;
}

/** Objects a listing asks for at once. */
const LIST_LIMIT = 1000;

/** What is told of a session in a list for people. */
export interface Recent extends Listed {
  /** Its title: the one that was set, or the start of what the user said first. */
  readonly title: string | undefined;
  /** What sort of session it is, where that was set. */
  readonly kind: string | undefined;
  /** Its tags, sorted. */
  readonly tags: readonly string[];
}

/** Which sessions to list, the last written first. */
export interface RecentOptions extends CallOptions {
  /** At most that many. */
  readonly limit?: number | undefined;
  /** Only those with this tag. */
  readonly tag?: string | undefined;
  /** From after this session on, such as the last one of the page before. */
  readonly after?: Pick<Recent, "id" | "modifiedMs"> | undefined;
}

/**
 * The sessions of a store, the last written first, with what people know them by. Asks the store
 * for every object's name, and looks into the sessions it gives only (with a tag: at every
 * session's tags).
 *
 * @example
 * ```ts
 * for await (const { id, title } of recentSessions(store, { limit: 20 })) console.log(id, title);
 * ```
 */
export async function* recentSessions(
  store: Store,
  options: RecentOptions = {},
): AsyncGenerator<Recent, void, undefined> {
  checkMembers(options, { ...CALL, limit: true, tag: true, after: true });
  const { tag, signal } = options;
  if (tag !== undefined) checkText(tag, "a tag");
  if (options.after !== undefined) checkText(options.after.id, "an id", "invalid_id");
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  let after: RecentOptions["after"] = options.after;
  while (left > 0) {
    const limit = Math.min(left, RECENT_LIMIT);
    const ms = after === undefined ? undefined : (after.modifiedMs ?? 0);
    const task = checked(() => wasm().recent(ms, after?.id, limit, tag));
    const page = await drive<RecentPage>(task, store, signal);
    yield* page.sessions;
    left -= page.sessions.length;
    after = page.next;
    if (after === undefined) return;
  }
}

interface RecentPage {
  readonly sessions: readonly Recent[];
  readonly next: { readonly modifiedMs: number; readonly id: string } | undefined;
}

/** Sessions that are looked into at once. */
const RECENT_LIMIT = 50;
