// What the wasm tells of an open session.

import { drive } from "./drive.js";
import { checkText, checked } from "./errors.js";
import { wasm } from "./load.js";
import type { Form } from "./options.js";
import type { Head, Store, Torn } from "./store.js";
import type * as glue from "./wasm/turnkeep.js";

/** What the wasm tells of an open session. @internal */
export interface Opened {
  readonly id: string;
  readonly key: string;
  readonly traceKey: string;
  readonly head: Head;
  readonly torn: Torn | undefined;
  readonly form: Form;
  readonly handle: glue.Session;
}

/** What the wasm tells of a session at its head. @internal */
export function open(
  store: Store,
  id: string,
  signal?: AbortSignal,
): Opened | Promise<Opened> {
  checkText(id, "an id", "invalid_id");
  return drive<Opened>(checked(() => wasm().open(id)), store, signal);
}
