import { computed, signal } from "@preact/signals";

import type { Engine, Found, Hit } from "../engine/api";
import { Runner } from "./jobs";
import { Publisher } from "./publisher";
import type { SearchModel } from "./types";

/** What a search needs of its session. */
interface Host {
  /** The row that the first hit is looked for from. */
  from(): number;
  goTo(row: number): void;
}

const NO_QUERY = { text: "", matchCase: false };

export function createSearch(engine: Engine, key: number, host: Host): SearchModel & { stop(): void } {
  const runner = new Runner<undefined>();
  const query = signal(NO_QUERY);
  const hits = signal<readonly Hit[]>([]);
  const matches = signal(0);
  const at = signal(-1);
  let found: Hit[] = [];
  let count = 0;
  let from = 0;

  const publisher = new Publisher(() => {
    hits.value = found.slice();
    matches.value = count;
  });

  function start(text: string, matchCase: boolean): void {
    clear();
    if (text === "") return;
    query.value = { text, matchCase };
    from = host.from();
    void run();
  }

  async function run(): Promise<void> {
    const mine = query.value;
    await runner.run(async (aborted) => {
      await engine.search(key, mine, (more) => {
        if (!aborted.aborted) add(more);
      }, aborted);
      return undefined;
    });
    if (query.value !== mine) return;
    publisher.now();
    // There was none further on: the first one from the top.
    if (at.value < 0 && found.length > 0) show(0);
  }

  function add(more: Found): void {
    runner.progress(more.progress);
    for (const hit of more.hits) {
      found.push(hit);
      count += hit.count;
    }
    publisher.soon();
    const last = found.at(-1);
    if (at.value >= 0 || last === undefined || last.row < from) return;
    publisher.now();
    show(found.findIndex((hit) => hit.row >= from));
  }

  function show(index: number): void {
    const hit = found[index];
    if (hit === undefined) return;
    at.value = index;
    host.goTo(hit.row);
  }

  /** Goes round at the ends, but not to an end that is not found yet. */
  function step(by: number): void {
    if (found.length === 0) return;
    const next = at.value + by;
    if (runner.isRunning && next >= found.length) return;
    show((next + found.length) % found.length);
  }

  function clear(): void {
    runner.reset();
    publisher.cancel();
    found = [];
    count = 0;
    query.value = NO_QUERY;
    hits.value = found;
    matches.value = 0;
    at.value = -1;
  }

  return {
    query: computed(() => query.value),
    job: runner.job,
    hits,
    matches,
    at,
    start,
    next: () => step(1),
    previous: () => step(-1),
    clear,
    stop: () => runner.stop(),
  };
}
