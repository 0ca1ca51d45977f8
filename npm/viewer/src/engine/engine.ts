// The engine itself, wherever it runs.

import type { Input, Opened } from "./api";
import { problem } from "../common/problem";
import type { Meter } from "./bytes";
import { type Found, findSessions } from "./files";
import { OpenSession } from "./session";
import type { Wire } from "./wire";

/** An engine over the core, which is instantiated by then. */
export function createEngine(): Wire {
  const meter: Meter = { bytes: 0 };
  let found: readonly Found[] = [];
  let open = new Map<number, Promise<OpenSession>>();
  const session = (key: number): Promise<OpenSession> => {
    const known = open.get(key);
    if (known !== undefined) return known;
    const wanted = found[key];
    if (wanted === undefined) return Promise.reject(problem("not_found", "no such session is open"));
    const opening = OpenSession.open(wanted);
    open.set(key, opening);
    return opening;
  };
  const forget = () => {
    for (const opening of open.values()) void opening.then((session) => session.close(), () => {});
    [found, open] = [[], new Map()];
  };
  return {
    async open(input: Input): Promise<Opened> {
      forget();
      const result = await findSessions(input, meter);
      found = result.found;
      return result.opened;
    },
    layout: async (key) => (await session(key)).layout(),
    rows: async (key, block) => (await session(key)).rows(block),
    entries: async (key, first, count) => (await session(key)).entries(first, count),
    part: async (key, row, part) => (await session(key)).part(row, part),
    raw: async (key, row) => (await session(key)).raw(row),
    survey: async (key, each, signal) => (await session(key)).survey(each, signal),
    verify: async (key, { head }, each, signal) => (await session(key)).verify(head, each, signal),
    search: async (key, query, each, signal) => (await session(key)).search(query, each, signal),
    markdown: async (key, rows) => (await session(key)).markdown(rows),
    bytesRead: async () => meter.bytes,
    close: forget,
  };
}
