// What the types accept and refuse. Nothing here runs.
import {
  type Draft,
  type Head,
  type Policy,
  type Repair,
  type Cache,
  type Probe,
  Session,
  type Store,
  type Sweep,
  Tier,
  TurnkeepError,
  copySession,
  createMemoryCache,
  createRuntime,
  findIncomplete,
  openArchive,
  prune,
  rawJson,
  recentSessions,
  repairSession,
  runSession,
  sessions,
  startSweeping,
  sweep,
  usage,
  verify,
} from "turnkeep";
import { FileStore, fileBundle } from "turnkeep/fs";
import { MemoryStore } from "turnkeep/memory";
import { type RedisClient, RedisStore } from "turnkeep/redis";
import { S3Store } from "turnkeep/s3";

export async function record(root: string): Promise<Head> {
  const stores: Store[] = [new FileStore(root), new MemoryStore()];
  const [store] = stores;
  const session = await Session.create(store!, {
    id: "s",
    start: { system_prompt: "Be brief.", config: { model: "m" }, own_field: 1 },
    entries: [{ kind: "user_input", item: 1 }],
    salted: false,
    durability: "disk",
  });
  await session.append({ kind: "user_input", item: { role: "user" }, id: "m1", ts: 5 });
  await session.append([
    { kind: "assistant_item", item: rawJson("1") },
    { kind: "turn_end", turn: 1 },
    { kind: "a_later_kind", anything: [1, 2] },
    rawJson('{"kind":"turn_end","turn":2}'),
  ]);
  const many: Draft[] = [{ kind: "run_completed", result: "finished" }];
  await session.append(many, { signal: AbortSignal.timeout(1000) });

  // @ts-expect-error a turn has a number
  await session.append({ kind: "turn_end" });
  // @ts-expect-error not one of the results
  await session.append({ kind: "run_completed", result: "done" });
  // @ts-expect-error the fields of one kind are not those of another
  await session.append([{ kind: "user_input", item: 1 }, { kind: "truncated", history: [] }]);
  await session.append({ item: { role: "user" }, id: "m2" }, { once: true, durability: "disk" });
  // @ts-expect-error a draft without a kind is an item
  await session.append({ turn: 1 });
  // @ts-expect-error no such durability
  await Session.open(store!, "s", { durability: "forever" });

  for await (const entry of session.entries({ last: 50, pageBytes: 1 << 20 })) {
    const [seq, ts, item]: [number, number | undefined, unknown] = [entry.seq, entry.ts, entry.item];
    console.log(seq, ts, item, entry.fields["item"], entry.json("item")?.length);
  }
  const page = await session.read({ from: 1, to: 9 });
  if (page.next !== undefined) await session.read({ after: page.next });
  const report = await session.verify({ expected: session.head, deep: true });
  if (report.fault?.code === "bad_hash") console.log(report.fault.line);
  // @ts-expect-error no such code
  if (report.fault?.code === "bad_luck") console.log();
  const { history } = await session.state();
  console.log(history[0]?.item, (await session.summary()).kinds.get("turn_end"));
  for await (const { id, form } of sessions(store!)) console.log(id, form === "live");
  const { openCalls, since } = await session.state({ sinceCompaction: true, closeCalls: true });
  console.log(openCalls[0]?.callId, since);
  for await (const { seq } of session.entries({ kinds: ["turn_end"], newestFirst: true, limit: 5 })) console.log(seq);
  // @ts-expect-error not a kind that this version knows
  await session.read({ kinds: ["a_later_kind"] });
  const fork: Session = await session.fork({ at: { turn: 1 }, recovery: { projectDir: "." } });
  // @ts-expect-error not a point
  await session.fork({ at: { line: 1 } });
  await fork.truncateFrom({ index: 0 });
  await fork.replaceHistory([rawJson("1"), { role: "user" }]);
  await fork.compact({ summary: [{ role: "user" }], keepLast: 1, durability: "os" });
  console.log((await fork.ensureHead()).forkedFrom?.seq, (await fork.trace({ event: 1 })) === true);
  const { sessions: found, damaged } = await findIncomplete(store!);
  console.log(found[0]?.record.lastToolResults[0]?.toolName, found[0]?.status === "crashed", damaged[0]?.error.code);
  for await (const { title, tags } of recentSessions(store!, { limit: 5 })) console.log(title, tags);
  const repair: Repair = await repairSession(store!, "s", { dryRun: true });
  console.log(repair.session?.id);
  await session.close();
  return session.head;
}

export async function keepSmall(store: Store): Promise<Sweep> {
  const policy: Policy = { inactiveMs: null, maxBytes: 1e9, minAgeMs: 0, kinds: ["agent"], keepTags: [], dryRun: true };
  const swept = await sweep(store, policy, { signal: AbortSignal.timeout(1000) });
  // @ts-expect-error no such member
  await sweep(store, { maxbytes: 1 });
  for (const { id, outcome, reason, error } of swept.sessions) {
    if (outcome === "kept" && reason === "held") console.log(id, error?.code === "pruned");
  }
  // @ts-expect-error failures are to be heard
  startSweeping(store, { everyMs: 1 });
  const sweeping = startSweeping(store, { everyMs: 1, onSweep: ({ freedBytes }) => freedBytes, onError: console.error });
  await sweeping.stop();
  const { pruned } = await prune(store, "s", "why");
  const { total, sessions: used } = await usage(store, { inactiveMs: 0 });
  console.log(pruned?.atMs, total.reclaimable, used[0]?.bytes.live, used[0]?.form === "archived");
  return swept;
}

export async function twoStores(hot: Store, cold: Store): Promise<number> {
  const tier: Tier = await Tier.open(hot, cold, { signal: AbortSignal.timeout(1000) });
  const session = await tier.hydrate("s", { durability: "os" });
  console.log(session.form === "cold", await tier.slice("s"), (await tier.sliceJson("s"))?.length);
  const { head, cleared, mergeFault } = await tier.flush("s", { hot: "keep", merge: false });
  // @ts-expect-error no such fate
  await tier.flush("s", { hot: "freeze" });
  for await (const { id, flushedMs } of tier.coldSessions({ after: "a", limit: 5 })) console.log(id, flushedMs);
  const { deleted } = await tier.collect({ graceMs: 7_200_000, dryRun: true });
  console.log(head?.seq, cleared, mergeFault?.code, deleted.length, (await tier.pull("s")).entries);
  await copySession(hot, cold, "s", "objects");
  await tier.deleteSession("s");
  const turns: number = await runSession(
    tier,
    { mode: "fork", forkFrom: "s", at: { turn: 1 }, saveState: () => ({ n: 1 }), onExitFault: console.error },
    async (fork, { state, mode }) => (console.log(state, mode), (await fork.state()).turns),
  );
  // @ts-expect-error what is continued has an id
  await runSession(tier, { mode: "continue" }, () => 1);
  // @ts-expect-error what is continued is not begun anew
  await runSession(tier, { mode: "continue", id: "s", start: {} }, () => 1);
  return turns + (await runSession(tier, { mode: "new", start: { system_prompt: "x" } }, () => 1));
}

export async function look(blob: Blob): Promise<number> {
  await verify(blob.stream(), { deep: true });
  const archive = await openArchive(new URL("https://example.com/s.jsonl.gz"));
  await openArchive({ size: 5, read: (start, end) => new Uint8Array(end - start) });
  try {
    await archive.read({ last: 1 });
  } catch (error) {
    if (error instanceof TurnkeepError && error.retryable) return error.actual?.seq ?? 0;
  }
  return archive.bytesFetched;
}

/** A store of one's own. */
export class Counting extends MemoryStore {
  reads = 0;
  override get(...args: Parameters<MemoryStore["get"]>): ReturnType<MemoryStore["get"]> {
    this.reads += 1;
    return super.get(...args);
  }
}

export async function dispose(store: Store): Promise<void> {
  await using session = await Session.open(store, "s", { durability: "os" });
  using files = new FileStore("sessions");
  console.log(session.id, files.root);
  // @ts-expect-error what only looks like raw JSON is no draft
  await session.append({ text: "1" });
}

/** Clients are known by what they have. */
export function elsewhere(client: RedisClient, send: typeof fetch): Store[] {
  // @ts-expect-error no client
  new RedisStore({});
  // @ts-expect-error a time to live is a number
  new RedisStore(client, { ttlSeconds: "1h" });
  // @ts-expect-error nobody signs
  S3Store.fetching({ url: "https://bucket.s3.eu-central-1.amazonaws.com" });
  return [
    new RedisStore(client, { prefix: "agents", ttlSeconds: 3600 }),
    S3Store.fetching({
      url: "https://bucket.s3.eu-central-1.amazonaws.com/sessions",
      fetch: (url, init) => send(url, { ...init, signal: AbortSignal.timeout(30_000) }),
    }),
  ];
}

export async function backup(root: string, terminals: Probe): Promise<string[]> {
  const own: Cache = {
    async *list() {
      yield "result:1";
    },
    get: async (key) => (key === "" ? undefined : { value: { any: ["JSON", 1] }, expiresMs: Date.now() }),
    put(key, { value, json }) {
      console.log(key, value instanceof Uint8Array ? value.length : json);
    },
  };
  const jobs: Probe = { busy: () => ["job 1"], onChange: (listener) => void setTimeout(listener, 5) };
  const runtime = await createRuntime({ store: new FileStore(root), cache: own, probes: [terminals, jobs] });
  if (runtime.recovered.what === "undone") console.log(runtime.recovered.kept.length);
  const answer: number = await runtime.run("s", async (run) => {
    await runtime.snapshotTo(new URL("file:///tmp/agents.bundle"), { except: run, timeoutMs: Infinity });
    return 42;
  });
  await runtime.quiesce(() => answer, { signal: AbortSignal.timeout(1000) });
  await runtime.snapshotTo(new WritableStream<Uint8Array>(), { skippedPrefixes: [] });
  await runtime.replaceSession("s", fileBundle("one.bundle"), { dryRun: true });
  createMemoryCache({ rawJson: true }).put("a", { json: "1" });
  // @ts-expect-error a value is JSON's text, or what is made of it
  createMemoryCache().put("a", { value: 1, json: "1" });
  // @ts-expect-error a run is told by its id
  await runtime.run({ id: "s" }, () => {});
  const restored = await runtime.restoreFrom(new Blob([]), { sessions: ["s"] });
  return restored.sessions.filter(({ change }) => change !== "unchanged").map(({ id }) => id);
}
