// What may be said of a session's integrity, and no more than that.

import type { HeadSource, Listed, Problem, Report } from "../engine/api";
import type { SessionModel } from "../model/types";
import { counted, percent } from "../common/format";

export type Tone = "ok" | "neutral" | "warn" | "error" | "busy";

export interface Trust {
  readonly tone: Tone;
  readonly text: string;
  /** What the badge's words mean, in a sentence. */
  readonly meaning: string;
}

export function trustOf(model: SessionModel): Trust {
  const job = model.verification.value;
  switch (job.state) {
    case "idle":
      return isAwaited(model)
        ? { tone: "busy", text: "Verifying", meaning: "It is verified as soon as it was read." }
        : { tone: "neutral", text: "Not verified", meaning: "Nothing was checked yet." };
    case "running": {
      const done = percent(job.progress.done, job.progress.total);
      return { tone: "busy", text: `Verifying ${done}`, meaning: "Every line is being read and hashed." };
    }
    case "stopped": {
      const done = percent(job.progress.done, job.progress.total);
      return { tone: "neutral", text: "Not verified", meaning: `Verifying was stopped at ${done}.` };
    }
    case "failed":
      return { tone: "warn", text: "Not verified", meaning: `It could not be read: ${job.problem.message}` };
    case "done":
      return trustOfReport(job.result);
  }
}

/** Verifying begins unasked, but it waits until the rows are there. */
export function isAwaited(model: SessionModel): boolean {
  const layout = model.layout.value;
  const isReading = layout === undefined || model.survey.value.state === "running";
  return model.verification.value.state === "idle" && isReading && layout?.isLarge !== true;
}

function trustOfReport(report: Report): Trust {
  const fault = report.fault ?? report.entryFault;
  const asides = [
    report.withheld > 0 ? `${counted(report.withheld, "entry", "entries")} withheld` : "",
    report.torn === undefined ? "" : "torn tail",
  ].filter((aside) => aside !== "");
  const withAsides = (text: string): string => [text, ...asides].join(" · ");
  if (fault !== undefined) {
    return { tone: "error", text: withAsides(faultText(fault)), meaning: fault.message };
  }
  if (report.expected?.by === "asked") {
    return { tone: "ok", text: withAsides("Verified"), meaning: "All lines hold, and they lead to the head that was given here." };
  }
  // What a file says of its own head proves nothing: who cuts off its end can say it anew.
  return {
    tone: asides.length > 0 ? "warn" : "neutral",
    text: withAsides("Intact, head unknown"),
    meaning: "All lines hold, but nobody else said which head the session should have: its end may be cut off.",
  };
}

export const SOURCE_MEANINGS: Readonly<Record<HeadSource, string>> = {
  asked: "was given here",
  index: "the archive's own index names",
  bundle: "the bundle's own record names",
};

function faultText(fault: Problem): string {
  if (fault.code === "head_mismatch") {
    return "Not the expected head";
  }
  if (fault.code === "unsupported_version") {
    return "Newer format";
  }
  return fault.seq === undefined ? "Damaged" : `Damaged at entry ${fault.seq}`;
}

/** One of the things that a verification looks at. */
export interface Check {
  readonly name: string;
  readonly what: string;
  /** `partly`: up to the fault that another check found. `left`: it was not made. */
  readonly state: "holds" | "partly" | "fails" | "open" | "left";
}

export function checksOf(report: Report, listed: Listed): readonly Check[] {
  const kinds = CHECKS.filter((kind) => kind.forms === undefined || kind.forms.includes(listed.form));
  const codes = [report.fault?.code, report.entryFault?.code].filter((code) => code !== undefined);
  const head: Check = {
    name: "Head",
    what: "The entry that the head names is there, with that hash",
    state: codes.includes("head_mismatch") ? "fails" : headState(report),
  };
  const others = kinds.map(({ name, what, codes: own }): Check => {
    const fails = own.some((code) => codes.includes(code));
    if (name === CONTAINER && report.isContainerLeft === true) return { name, what, state: "left" };
    return { name, what, state: fails ? "fails" : report.fault === undefined ? "holds" : "partly" };
  });
  return [...others, head];
}

function headState(report: Report): Check["state"] {
  if (report.expected === undefined) {
    return "open";
  }
  return report.fault === undefined ? "holds" : "partly";
}

interface CheckKind {
  readonly name: string;
  readonly what: string;
  readonly codes: readonly string[];
  readonly forms?: readonly Listed["form"][];
}

const CONTAINER = "Container";

const CHECKS: readonly CheckKind[] = [
  {
    name: CONTAINER,
    what: "The gzip stream is whole and its checksums are right",
    codes: ["gzip_truncated", "gzip_corrupt", "gzip_checksum", "trailing_data", "bad_bundle", "output_limit"],
    forms: ["archive", "gzip", "bundle"],
  },
  {
    name: "Index",
    what: "The archive's index is that of its content",
    codes: ["bad_index", "no_index"],
    forms: ["archive"],
  },
  {
    name: "Lines",
    what: "Every line has the shape of an entry",
    codes: ["bad_line", "line_too_long", "invalid_utf8", "unsupported_version", "empty_log"],
  },
  { name: "Hashes", what: "Every line's SHA-256, computed anew, is the one it bears", codes: ["bad_hash"] },
  {
    name: "Chain",
    what: "Every line names the hash before it; none is missing, moved or another session's",
    codes: ["broken_link", "bad_seq", "wrong_session"],
  },
  {
    name: "Entries",
    what: "Every entry is valid JSON with the fields of its kind",
    codes: ["bad_json", "too_deep", "bad_entry", "duplicate_key"],
  },
];
