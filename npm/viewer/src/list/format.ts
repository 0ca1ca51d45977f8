// Roles, times, tokens and durations as rows show them.

import type { Role, Usage } from "../engine/api";

export const ROLE_NAMES: Readonly<Record<Role, string>> = {
  user: "User",
  assistant: "Assistant",
  tool: "Tool",
  system: "System",
  event: "Event",
  gap: "Gap",
};

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** What an integer of the format can be far beyond is no date. */
function isDate(ms: number): boolean {
  return Math.abs(ms) <= 8.64e15;
}

export function time(ms: number): { readonly text: string; readonly iso: string; readonly title: string } | undefined {
  if (!isDate(ms)) return undefined;
  const iso = new Date(ms).toISOString();
  return { text: clock.format(ms), iso, title: `${full.format(ms)} (${iso})` };
}

export function tokens(usage: Usage): string {
  const parts: string[] = [];
  if (usage.input !== undefined) parts.push(`${short.format(usage.input)} in`);
  if (usage.output !== undefined) parts.push(`${short.format(usage.output)} out`);
  return parts.join(" · ");
}

export function tokensInFull(usage: Usage): string {
  const parts: string[] = [];
  if (usage.input !== undefined) parts.push(`${usage.input} tokens in`);
  if (usage.cacheRead !== undefined) parts.push(`${usage.cacheRead} read from the cache`);
  if (usage.cacheWrite !== undefined) parts.push(`${usage.cacheWrite} written to it`);
  if (usage.output !== undefined) parts.push(`${usage.output} tokens out`);
  return parts.join(", ");
}

export function cost(dollars: number): string {
  return `$${dollars.toFixed(dollars < 0.1 ? 4 : 2)}`;
}

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** The first line that says something. */
export function firstLine(text: string): string {
  return text.slice(0, 400).trimStart().split("\n", 1)[0]?.slice(0, 160) ?? "";
}
