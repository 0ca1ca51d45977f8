// An engine without files: rows given as plain objects, in blocks of a chosen size.

/** Rows from what differs between them: their numbers, times and roles follow. */
export function rowsOf(specs) {
  return specs.map((spec, row) => ({
    row,
    seq: row,
    role: ROLES[spec.kind] ?? "event",
    ts: 1_760_000_000_000 + row * 1000,
    preview: spec.kind,
    bytes: 300,
    ...spec,
  }));
}

const ROLES = {
  user_input: "user",
  assistant_item: "assistant",
  tool_result: "tool",
  system_item: "system",
  gap: "gap",
};

export const user = (preview = "Hi") => ({ kind: "user_input", preview });
export const answer = (usage) => ({ kind: "assistant_item", ...(usage && { usage }) });
export const call = (...ids) => ({ kind: "assistant_item", calls: ids.map((id) => ({ id, name: "read_file" })) });
export const result = (id, more) => ({ kind: "tool_result", results: [{ call: id }], ...more });
export const usage = (input, output) => ({ kind: "llm_usage", usage: { input, output } });

export function fakeEngine(rows, { perBlock = 4, isLarge = false, bytesPerBlock = 1000, partsOf = defaultParts } = {}) {
  const blocks = [];
  for (let first = 0; first < rows.length; first += perBlock) {
    blocks.push({ first, rows: Math.min(perBlock, rows.length - first), bytes: bytesPerBlock });
  }
  const layout = { blocks, rows: rows.length, isComplete: true, isLarge, rawBytes: blocks.length * bytesPerBlock };
  const of = (block) => rows.slice(blocks[block].first, blocks[block].first + blocks[block].rows);
  /** What was asked, for tests to look at. */
  const asked = [];
  return {
    asked,
    failing: new Set(),
    async layout() {
      return layout;
    },
    async rows(_, block) {
      asked.push(`rows ${block}`);
      if (this.failing.has(block)) throw { code: "network", message: "no answer" };
      return of(block);
    },
    async entries(_, first, count) {
      asked.push(`entries ${first}`);
      const blockOf = (row) => blocks.findLastIndex((block) => block.first <= row);
      if (this.failing.has(blockOf(first))) throw { code: "network", message: "no answer" };
      return rows.slice(first, first + count).map((row) => ({ ...row, hash: "ab".repeat(32), prevHash: "cd".repeat(32), parts: partsOf(row) }));
    },
    async survey(_, each, signal) {
      asked.push("survey");
      for (let block = 0; block < blocks.length; block++) {
        if (block % 50 === 0) await new Promise((resolve) => setTimeout(resolve));
        if (signal.aborted) throw new DOMException("stopped", "AbortError");
        const added = block < (this.told ?? blocks.length) ? undefined : blocks[block];
        each({ block, rows: of(block), added, isComplete: block === blocks.length - 1, progress: { done: block + 1, total: blocks.length } });
      }
    },
    async verify(_, __, each) {
      asked.push("verify");
      each({ done: 1, total: 1 });
      return { head: { seq: rows.length - 1, hash: "ab".repeat(32), bytes: 1 }, withheld: 0, bytes: 1 };
    },
    async search(_, query, each) {
      asked.push(`search ${query.text}`);
      for (const row of rows) {
        if (!row.preview.includes(query.text)) continue;
        each({ hits: [{ row: row.row, count: 1 }], progress: { done: row.row, total: rows.length } });
      }
    },
    async part(_, row, part) {
      return `whole part ${part} of row ${row}`;
    },
    async raw(_, row) {
      return JSON.stringify({ hash: "ab".repeat(32), prev_hash: "cd".repeat(32), kind: rows[row].kind, seq: row });
    },
    async markdown(_, wanted) {
      return wanted.join(" ");
    },
    async bytesRead() {
      return 0;
    },
    async open() {
      return { sessions: [], refused: [] };
    },
    close() {},
  };
}

function defaultParts(row) {
  return [
    ...(row.calls ?? []).map(({ id, name }) => ({ type: "call", id, name, arguments: "{}" })),
    ...(row.results ?? []).map(({ call }) => ({ type: "result", call, output: `output of ${call}` })),
  ];
}
