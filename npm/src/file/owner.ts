// Who holds a lock: a process, told apart from every other one.

import { closeSync, readFileSync } from "node:fs";
import { hostname } from "node:os";

import { TurnkeepError } from "../errors.js";
import type { Holder } from "../store.js";
import { codeOf } from "./failure.js";
import { type Opened, openFile } from "./look.js";

/**
 * After that long without a sign of life, another machine's lock is abandoned. Long beside the
 * differences between machines' clocks.
 */
const SILENCE_MAX_MS = 60 * 60 * 1000;

/** Who holds a lock, as its file tells. */
export interface Owner {
  readonly pid: number;
  /** When that process started, so that a later one with the same number is not taken for it. */
  readonly start: string;
  readonly host: string;
  /** When it took the lock. Older locks do not say. */
  readonly sinceMs: number | undefined;
  /** When the file was last written or touched. */
  readonly heartbeatMs: number;
}

let ownStart: string | undefined;

/** When this process started. */
export function thisStart(): string {
  try {
    return (ownStart ??= startOf(process.pid));
  } catch {
    return "";
  }
}

/** What the lock's file says of this process. */
export function thisProcessAsJson(): string {
  const { pid } = process;
  return JSON.stringify({ pid, start: thisStart(), host: host(), since_ms: Date.now() });
}

/** `undefined`: there is no lock. One that cannot be read is nobody's. */
export function readOwner(path: string): Owner | undefined {
  let opened: Opened | undefined;
  try {
    opened = openFile(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
  if (opened === undefined) throw new Error("its lock is no file");
  const { fd, stats } = opened;
  try {
    const said = parse(readFileSync(fd, "utf8"));
    const word = (value: unknown) => (typeof value === "string" ? value : "");
    const whole = (value: unknown) => (Number.isInteger(value) ? (value as number) : undefined);
    return {
      pid: whole(said["pid"]) ?? 0,
      start: word(said["start"]),
      host: word(said["host"]),
      sinceMs: whole(said["since_ms"]),
      heartbeatMs: Number(stats.mtimeNs / 1_000_000n),
    };
  } finally {
    closeSync(fd);
  }
}

function parse(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/** Whether both are the same lock, and its owner showed no sign of life in between. */
export function isSame(one: Owner, other: Owner | undefined): boolean {
  return (
    one.pid === other?.pid &&
    one.start === other.start &&
    one.host === other.host &&
    one.sinceMs === other.sinceMs &&
    one.heartbeatMs === other.heartbeatMs
  );
}

/** Whether it is alive, as far as can be told from here. */
export function isAlive(owner: Owner): boolean {
  if (owner.host !== host()) {
    // Of another machine's processes nothing is known but their signs of life.
    return owner.host !== "" && !isSilent(owner.heartbeatMs);
  }
  return owner.pid > 0 && isRunning(owner.pid, owner.start);
}

/** Whether a sign of life is too long ago. One as far ahead tells nothing either: it would hold until then. */
function isSilent(thenMs: number): boolean {
  return Math.abs(Date.now() - thenMs) > SILENCE_MAX_MS;
}

function isThisProcess(owner: Owner): boolean {
  return owner.pid === process.pid && owner.host === host() && owner.start === thisStart();
}

/** What a store tells of it; `undefined` for a lock that is nobody's. */
export function holderOf(owner: Owner): Holder | undefined {
  const { pid, host, start, heartbeatMs } = owner;
  if (host === "") return undefined;
  return { pid, host, start, heartbeatMs, isAlive: isAlive(owner), isSelf: isThisProcess(owner) };
}

/** The error of those who want what it holds. */
export function lockedBy(owner: Owner, key: string): TurnkeepError {
  const who = isThisProcess(owner)
    ? "another handle of this process"
    : `process ${owner.pid} on ${owner.host}`;
  const held = owner.sinceMs === undefined ? "" : `held for ${span(owner.sinceMs)}, `;
  const times = `${held}last sign of life ${span(owner.heartbeatMs)} ago`;
  return new TurnkeepError("locked", `${who} is writing to it (${times})`, { key });
}

/** How long ago a time was, in one unit that says enough. */
function span(thenMs: number): string {
  const seconds = Math.max(0, Math.floor((Date.now() - thenMs) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}

/** What says that there is no such process; the last, that no process can have the number. */
const MISSING = ["ENOENT", "ESRCH", "ERR_INVALID_ARG_TYPE"];

/** Whether a process is there, and none that has its number since. One that cannot be looked at is. */
export function isRunning(pid: number, start: string): boolean {
  try {
    return startOf(pid) === start;
  } catch (error) {
    return !MISSING.includes(codeOf(error) ?? "");
  }
}

/** When a process started, in a form only good for comparing. */
function startOf(pid: number): string {
  if (process.platform !== "linux") {
    process.kill(pid, 0);
    return "";
  }
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // Field 22; the name in field 2 may hold anything, so count from its closing parenthesis.
  const start = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  if (start === undefined) throw new Error(`process ${pid} does not say when it started`);
  return start;
}

export function host(): string {
  return process.platform === "win32" ? (process.env["COMPUTERNAME"] ?? "") : hostname();
}
