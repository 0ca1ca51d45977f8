// Where sessions lie unless told.

import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/**
 * The folder of this user's sessions, which every program may share: `turnkeep/sessions` below
 * `$XDG_DATA_HOME`, or else `~/.local/share` (on Windows `%LOCALAPPDATA%`).
 *
 * @example
 * ```ts
 * const store = new FileStore(defaultRoot());
 * ```
 */
export function defaultRoot(): string {
  const { XDG_DATA_HOME, LOCALAPPDATA } = process.env;
  const named = [XDG_DATA_HOME, process.platform === "win32" ? LOCALAPPDATA : undefined];
  // A relative one has to be ignored.
  const data = named.find((path) => path !== undefined && isAbsolute(path));
  return join(data ?? join(homedir(), ".local", "share"), "turnkeep", "sessions");
}
