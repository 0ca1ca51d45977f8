// Light, dark, or as the system has it; remembered where the browser allows that.

import { type Signal, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

const KEY = "turnkeep-theme";

export function createTheme(): Signal<Theme> {
  return signal(remembered());
}

/** Light and dark first, whichever is not there now; then as the system has it. */
export function nextTheme(theme: Theme): Theme {
  const isSystemDark = globalThis.matchMedia("(prefers-color-scheme: dark)").matches;
  const order: readonly Theme[] = isSystemDark ? ["system", "light", "dark"] : ["system", "dark", "light"];
  return order[(order.indexOf(theme) + 1) % order.length] ?? "system";
}

export function rememberTheme(theme: Theme): void {
  try {
    globalThis.localStorage.setItem(KEY, theme);
  } catch {
    // Storage is refused here: then it lasts as long as the page.
  }
}

export function asTheme(text: string | null): Theme {
  return text === "light" || text === "dark" ? text : "system";
}

function remembered(): Theme {
  try {
    return asTheme(globalThis.localStorage.getItem(KEY));
  } catch {
    return "system";
  }
}
