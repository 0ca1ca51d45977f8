// The trace: events beside the log, for whoever looks for what happened. Best effort.

import { jsonOf } from "./draft.js";
import { drive } from "./drive.js";
import { checkText } from "./errors.js";
import type { Handle } from "./handle.js";
import { wasm } from "./load.js";

/** Adds an event to a session's trace, after the ones before it, but beside other calls. @internal */
export function trace(handle: Handle, event: unknown, signal?: AbortSignal): Promise<boolean> {
  const json = jsonOf(event);
  checkText(json, "an event of the trace");
  return handle.tracing(async () => {
    try {
      handle.hold(handle.opened.traceKey);
      await drive(wasm().trace(handle.opened.handle, json), handle.store, signal);
      return true;
    } catch {
      return false;
    }
  });
}
