// What crosses from the worker: rows and entries as the core writes them, JSON texts. They are parsed where
// they are used; cloning objects would take longer, and hold them twice.

import type { Engine, Entry, Row, Surveyed } from "./api";

export type Json = string;

/** What a survey gives of a block. */
export type SurveyedJson = Omit<Surveyed, "rows"> & { readonly rows: Json };

/** An engine whose rows and entries are texts. */
export interface Wire extends Omit<Engine, "rows" | "entries" | "survey"> {
  rows(key: number, block: number): Promise<Json>;
  entries(key: number, first: number, count: number): Promise<Json>;
  survey(key: number, each: (found: SurveyedJson) => void, signal: AbortSignal): Promise<void>;
}

/** The engine that callers see. */
export function parsed(wire: Wire): Engine {
  const { open, layout, part, raw, verify, search, markdown, bytesRead, close } = wire;
  return {
    open,
    layout,
    part,
    raw,
    verify,
    search,
    markdown,
    bytesRead,
    close,
    rows: async (key, block) => JSON.parse(await wire.rows(key, block)) as Row[],
    entries: async (key, first, count) => JSON.parse(await wire.entries(key, first, count)) as Entry[],
    survey: (key, each, signal) =>
      wire.survey(key, (found) => each({ ...found, rows: JSON.parse(found.rows) as Row[] }), signal),
  };
}
