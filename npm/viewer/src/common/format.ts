// Numbers, sizes, times and names as people read them.

import type { Role, Usage } from "../engine/api";

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

export const ROLE_NAMES: Readonly<Record<Role, string>> = {
  user: "User",
  assistant: "Assistant",
  tool: "Tool",
  system: "System",
  event: "Event",
  gap: "Gap",
};

export function count(value: number): string {
  return whole.format(value);
}

/** `1.2M`: where there is little room. */
export function brief(value: number): string {
  return value < 10_000 ? whole.format(value) : short.format(value);
}

/** `1 entry`, `1,204 entries`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${whole.format(value)} ${value === 1 ? one : many}`;
}

export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let size = value;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

export function cost(dollars: number): string {
  // Nobody pays that; but a file can say it, and all its digits would push everything else aside.
  if (!(dollars < 1e9)) return `$${dollars.toExponential(1)}`;
  const digits = dollars < 0.1 ? 4 : 2;
  return `$${dollars.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
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

/** `850 ms`, `7.0 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  if (ms < 1_000) {
    return `${Math.round(ms)} ms`;
  }
  const seconds = Math.round(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes === 0) {
    return ms < 9_950 ? `${(ms / 1_000).toFixed(1)} s` : `${seconds} s`;
  }
  if (hours === 0) {
    return twoUnits(minutes, "min", seconds % 60, "s");
  }
  const days = Math.floor(hours / 24);
  return days === 0 ? twoUnits(hours, "h", minutes % 60, "min") : twoUnits(days, "d", hours % 24, "h");
}

/** What an integer of the format can be far beyond is no date. */
function isDate(ms: number): boolean {
  return Math.abs(ms) <= 8.64e15;
}

export function time(ms: number): { readonly text: string; readonly iso: string; readonly title: string } | undefined {
  if (!isDate(ms)) return undefined;
  const iso = new Date(ms).toISOString();
  return { text: clock.format(ms), iso, title: `${full.format(ms)} (${iso})` };
}

/** A time of the log; one that is beyond what dates can be is told as it is written. */
export function moment(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime())
    ? `${ms} ms`
    : date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

function twoUnits(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}

export function percent(done: number, total: number): string {
  // Never 100 % of what is still going on.
  return total === 0 ? "0 %" : `${Math.min(99, Math.floor((100 * done) / total))} %`;
}

/** The first line that says something. */
export function firstLine(text: string): string {
  return text.slice(0, 400).trimStart().split("\n", 1)[0]?.slice(0, 160) ?? "";
}
