// .: ./dist/index.d.ts
// ./slim: ./dist/entry/slim.d.ts
// ./core.wasm: ./dist/wasm/turnkeep_bg.wasm
// ./memory: ./dist/memory.d.ts
// ./fs: ./dist/fs.d.ts
// ./redis: ./dist/redis.d.ts
// ./s3: ./dist/s3.d.ts
// ./zeitlich: ./dist/zeitlich.d.ts
// ./viewer: ./dist/viewer.d.ts
// ./viewer.html: ./dist/viewer.html
// ./package.json: ./package.json

// dist/cache.d.ts
import type { Awaitable } from "./store.js";
export type CacheValue = {
    readonly expiresMs?: number | undefined;
} & ({
    readonly value: unknown;
    readonly json?: undefined;
} | {
    readonly json: string;
    readonly value?: undefined;
});
export interface Cache {
    readonly rawJson?: boolean | undefined;
    list(): Iterable<string> | AsyncIterable<string>;
    get(key: string): Awaitable<CacheValue | undefined>;
    put(key: string, value: CacheValue): Awaitable<void>;
}
export declare function createMemoryCache(options?: Pick<Cache, "rawJson">): MemoryCache;
export declare class MemoryCache implements Cache {
    #private;
    readonly rawJson: boolean | undefined;
    list(): Iterable<string>;
    get(key: string): CacheValue | undefined;
    put(key: string, value: CacheValue): void;
}

// dist/draft.d.ts
export interface Point {
    readonly session: string;
    readonly seq: number;
    readonly hash: string;
}
export interface StartFields {
    readonly system_prompt?: string | RawJson | null | undefined;
    readonly config?: unknown;
    readonly history?: readonly unknown[] | RawJson | null | undefined;
    readonly forked_from?: Point | RawJson | null | undefined;
    readonly compacted_from?: Point | RawJson | null | undefined;
    readonly ts?: number | undefined;
    readonly [field: string]: unknown;
}
export interface ItemDraft {
    readonly kind?: "user_input" | "assistant_item" | "tool_result" | "system_item" | undefined;
    readonly item: unknown;
    readonly id?: string | RawJson | null | undefined;
    readonly parent?: string | RawJson | null | undefined;
}
export interface TurnEndDraft {
    readonly kind: "turn_end";
    readonly turn: number;
}
export interface RunStartedDraft {
    readonly kind: "run_started";
    readonly run?: string | null | undefined;
}
export interface RunCompletedDraft {
    readonly kind: "run_completed";
    readonly result: "finished" | "paused" | "limit_reached" | "yielded";
    readonly run?: string | null | undefined;
}
export interface RunErroredDraft {
    readonly kind: "run_errored";
    readonly message: string | RawJson;
    readonly run?: string | null | undefined;
}
export interface ConfigChangedDraft {
    readonly kind: "config_changed";
    readonly config: unknown;
}
export interface LlmUsageDraft {
    readonly kind: "llm_usage";
    readonly history_len?: number | null | undefined;
    readonly input_total_tokens?: number | null | undefined;
    readonly cache_read_tokens?: number | null | undefined;
    readonly cache_write_tokens?: number | null | undefined;
    readonly output_tokens?: number | null | undefined;
    readonly cost_usd?: number | null | undefined;
}
export interface ExtensionDraft {
    readonly kind: "extension";
    readonly domain: string;
    readonly payload: unknown;
}
export interface StateDraft {
    readonly kind: "state";
    readonly state: unknown;
}
export interface TruncatedDraft {
    readonly kind: "truncated";
    readonly keep: number;
}
export interface ReplacedDraft {
    readonly kind: "replaced";
    readonly history: readonly unknown[] | RawJson;
}
export interface CompactionDraft {
    readonly kind: "compaction";
    readonly summary: readonly unknown[] | RawJson;
    readonly keep_last: number;
}
export type KnownDraft = (ItemDraft | TurnEndDraft | RunStartedDraft | RunCompletedDraft | RunErroredDraft | ConfigChangedDraft | LlmUsageDraft | ExtensionDraft | StateDraft | TruncatedDraft | ReplacedDraft | CompactionDraft) & {
    readonly ts?: number | undefined;
};
export type KnownKind = Exclude<KnownDraft["kind"], undefined> | "session_start" | "fork" | "redacted";
export type Draft<Kind extends string = string> = KnownDraft | {
    readonly kind: Exclude<Kind, KnownKind>;
    readonly [field: string]: unknown;
} | RawJson;
export declare class RawJson {
    #private;
    get text(): string;
}
export declare function rawJson(text: string): RawJson;

// dist/edit.d.ts
import { type RawJson } from "./draft.js";
import { type CreateOptions } from "./options.js";
import { type Session } from "./session.js";
import type { Store } from "./store.js";
export type ItemPlace = {
    readonly seq: number;
} | {
    readonly id: string;
} | {
    readonly index: number;
};
export interface Compaction {
    readonly summary: readonly (RawJson | object | string)[];
    readonly keepLast?: number | undefined;
}
export interface CreateCompactedOptions extends Omit<CreateOptions, "start">, Compaction {
}
export declare function createCompacted(store: Store, source: string, options: CreateCompactedOptions): Promise<Session>;

// dist/entry.d.ts
export type Fields = Readonly<Record<string, unknown>>;
export declare class Entry {
    #private;
    readonly seq: number;
    readonly line: Uint8Array;
    get text(): string;
    get hash(): string;
    get kind(): string;
    get ts(): number | undefined;
    get fields(): Fields;
    get item(): unknown;
    json(name: string): string | undefined;
    toJSON(): unknown;
}

// dist/entry/slim.d.ts
export { init, initSync, type WasmInput, type WasmSource } from "../load.js";
export * from "../index.js";

// dist/errors.d.ts
import type { Head } from "./store.js";
export type ErrorCode = "invalid_id" | "invalid_argument" | "bad_json" | "too_deep" | "too_large" | "duplicate_key" | "bad_entry" | "line_too_long" | "bad_line" | "broken_link" | "bad_hash" | "bad_seq" | "invalid_utf8" | "empty_log" | "torn_tail" | "wrong_session" | "head_mismatch" | "unsupported_version" | "not_gzip" | "gzip_truncated" | "gzip_corrupt" | "gzip_checksum" | "trailing_data" | "bad_index" | "no_index" | "output_limit" | "bad_bundle" | "not_found" | "pruned" | "already_exists" | "conflict" | "locked" | "not_supported" | "poisoned" | "timeout" | "store_failed";
export interface ErrorDetails {
    readonly session?: string | undefined;
    readonly key?: string | undefined;
    readonly seq?: number | undefined;
    readonly line?: number | undefined;
    readonly offset?: number | undefined;
    readonly draft?: number | undefined;
    readonly retryable?: boolean | undefined;
    readonly actual?: Head | undefined;
    readonly hint?: string | undefined;
    readonly cause?: unknown;
}
export declare class TurnkeepError extends Error implements ErrorDetails {
    readonly code: ErrorCode;
    readonly retryable: boolean;
    readonly session?: string;
    readonly key?: string;
    readonly seq?: number;
    readonly line?: number;
    readonly offset?: number;
    readonly draft?: number;
    readonly actual?: Head;
    readonly hint?: string;
    constructor(code: ErrorCode, message: string, details?: ErrorDetails);
}

// dist/file/root.d.ts
export declare function defaultRoot(): string;

// dist/fork.d.ts
import { type Draft, type Point } from "./draft.js";
import { type CallOptions, type OpenOptions } from "./options.js";
import { type Session } from "./session.js";
import type { Store } from "./store.js";
export type ForkPoint = {
    readonly seq: number;
} | {
    readonly hash: string;
} | {
    readonly turn: number;
};
export interface ForkOptions extends OpenOptions {
    readonly at?: ForkPoint | undefined;
    readonly id?: string | undefined;
    readonly entries?: readonly Draft[] | undefined;
}
export interface EnsureHeadOptions extends CallOptions {
    readonly id?: string | undefined;
}
export interface Ensured {
    readonly forkedFrom: Point | undefined;
}
export declare function forkSession(store: Store, id: string, options?: ForkOptions): Promise<Session>;

// dist/fs.d.ts
import { type Awaitable, type ByteRange, type Capabilities, type Condition, type Durability, type Holder, type Info, type Listing, type Mark, type Store, type StoredObject } from "./store.js";
export { defaultRoot } from "./file/root.js";
export declare class FileStore implements Store {
    #private;
    readonly capabilities: Capabilities;
    readonly root: string;
    constructor(root: string | URL);
    path(key: string): string;
    get(key: string, range?: ByteRange, room?: Uint8Array): Awaitable<StoredObject>;
    put(key: string, bytes: Uint8Array, condition: Condition): Promise<Info>;
    append(key: string, bytes: Uint8Array, at: number, torn: number, durability: Durability, mark?: Mark, tornStart?: Uint8Array): Awaitable<Info>;
    sync(key: string): Promise<void>;
    holder(key: string): Holder | undefined;
    heartbeat(key: string): void;
    delete(key: string, condition: Condition): Promise<void>;
    list(prefix: string, after: string | undefined, limit: number): Promise<Listing>;
    info(key: string): Info;
    stage(key: string): Promise<string>;
    stagePart(stage: string, number: number, bytes: Uint8Array): Promise<void>;
    getStaged(stage: string, range?: ByteRange, room?: Uint8Array): Promise<StoredObject>;
    commit(stage: string, condition: Condition): Promise<Info>;
    abort(stage: string): Promise<void>;
    release(key: string): Awaitable<void>;
    close(): void;
}
export interface FileStore extends Disposable {
}
export declare function fileBundle(path: string | URL): FileStore;

// dist/import.d.ts
import { TurnkeepError } from "./errors.js";
import { type CallOptions } from "./options.js";
import type { Head, Store } from "./store.js";
export type ImportFormat = "eai" | "session-store" | "opendev" | "zeitlich" | "agentmux";
export type ExportForm = "messages" | "markdown" | "session-store" | "zeitlich";
export interface ImportFile {
    readonly name: string;
    readonly bytes: Uint8Array | (() => Uint8Array | Promise<Uint8Array>);
}
export interface ImportOptions extends CallOptions {
    readonly from?: ImportFormat | undefined;
    readonly as?: string | undefined;
    readonly only?: string | undefined;
    readonly dryRun?: boolean | undefined;
}
export interface ImportReport {
    readonly sessions: readonly ImportedSession[];
    readonly cache: readonly ImportedValue[];
    readonly skipped: readonly {
        readonly file: string;
        readonly error: TurnkeepError;
    }[];
}
export interface ImportedSession {
    readonly id: string;
    readonly from: ImportFormat;
    readonly outcome: "imported" | "already_imported" | "would_import" | "exists" | "failed";
    readonly files: readonly string[];
    readonly entries: number;
    readonly head: Head | undefined;
    readonly chain: {
        readonly held: number;
        readonly fault: TurnkeepError | undefined;
    } | undefined;
    readonly error: TurnkeepError | undefined;
}
export interface ImportedValue {
    readonly key: string;
    readonly json: string | undefined;
    readonly bytes: Uint8Array | undefined;
    readonly expiresMs: number | undefined;
}
export declare function importFiles(store: Store, files: Iterable<ImportFile>, options?: ImportOptions): Promise<ImportReport>;
export declare function exportAs(store: Store, id: string, form: ExportForm, options?: CallOptions): Promise<Uint8Array>;

// dist/index.d.ts
export { type Cache, type CacheValue, type MemoryCache, createMemoryCache } from "./cache.js";
export { type Draft, type KnownDraft, type KnownKind, type Point, type RawJson, type StartFields, rawJson, } from "./draft.js";
export { Entry, type Fields } from "./entry.js";
export { type ErrorCode, type ErrorDetails, TurnkeepError } from "./errors.js";
export { type Bytes, type Report, type VerifyFileOptions, archiveLog, fold, unarchiveLog, verify, } from "./log.js";
export { type Compaction, type CreateCompactedOptions, type ItemPlace, createCompacted } from "./edit.js";
export { type EnsureHeadOptions, type Ensured, type ForkOptions, type ForkPoint, forkSession, } from "./fork.js";
export { type About, type Ancestor, type Descendant, type Lineage, about, ancestors, lineage, setAbout, } from "./lineage.js";
export { type Listed, type Recent, type RecentOptions, recentSessions, sessions } from "./list.js";
export { type LeftOut, type Repair, type RepairOptions, deleteSession, repairSession, } from "./manage.js";
export type { AppendOptions, Appended, Archived, CallOptions, CreateOptions, Form, OpenOptions, RecoveryOptions, StateOptions, Summary, VerifyOptions, WriteOptions, } from "./options.js";
export { type ExportForm, type ImportFile, type ImportFormat, type ImportOptions, type ImportReport, type ImportedSession, type ImportedValue, exportAs, importFiles, } from "./import.js";
export type { Cursor, Page, ReadRange } from "./read.js";
export { type Incomplete, type Incompletes, type LastToolResult, type RecordOwner, type RecoveryRecord, cleanupOldRecords, findIncomplete, markCompleted, rebuildRecord, recoveryRecord, removeRecord, } from "./recovery.js";
export { type KeptReason, type Policy, type Retention, type SessionUsage, type StoreUsage, type Sweep, type Sweeping, type SweepingOptions, type Swept, type UsageOptions, type UsedBytes, prune, startSweeping, sweep, usage, } from "./retention.js";
export type { BundleSource, BundleTarget } from "./place.js";
export type { Probe, Run, WaitOptions } from "./runs.js";
export { type Recovered, type RestoreOptions, type Restored, type RestoredSession, type Runtime, type RuntimeOptions, type SnapshotOptions, type Snapshotted, createRuntime, } from "./runtime.js";
export { type RunExit, type RunMode, type RunOptions, type RunStart, runSession, } from "./run.js";
export { Session } from "./session.js";
export { Archive, type ArchiveSource, type RangeSource, openArchive } from "./source.js";
export type { Extension, HistoryItem, OpenCall, SessionState, State, Usage } from "./state.js";
export type { Awaitable, ByteRange, Capabilities, Condition, Durability, Head, Holder, Info, Listing, Mark, Store, StoredObject, Torn, } from "./store.js";
export { type ColdSession, type ColdSessionsOptions, type CollectOptions, type Collected, type Copied, type FlushOptions, type Flushed, Tier, copySession, } from "./tier.js";

// dist/lineage.d.ts
import type { Point } from "./draft.js";
import type { CallOptions } from "./options.js";
import type { Store } from "./store.js";
export interface Ancestor {
    readonly point: Point;
    readonly isCompacted: boolean;
}
export interface Descendant {
    readonly id: string;
    readonly origin: Ancestor;
}
export interface Lineage {
    readonly ancestors: readonly Ancestor[];
    readonly descendants: readonly Descendant[];
}
export declare function ancestors(store: Store, id: string, options?: CallOptions): Promise<readonly Ancestor[]>;
export declare function lineage(store: Store, id: string, options?: CallOptions): Promise<Lineage>;
export interface About {
    readonly title?: string | undefined;
    readonly kind?: string | undefined;
    readonly tags: readonly string[];
}
export declare function about(store: Store, id: string, options?: CallOptions): Promise<About>;
export declare function setAbout(store: Store, id: string, { title, kind, tags }: Partial<About>, options?: CallOptions): Promise<void>;

// dist/list.d.ts
import { type CallOptions, type Form } from "./options.js";
import type { Store } from "./store.js";
export interface Listed {
    readonly id: string;
    readonly form: Form;
    readonly storedBytes: number;
    readonly modifiedMs: number | undefined;
}
export declare function sessions(store: Store, options?: CallOptions): AsyncGenerator<Listed, void, undefined>;
export interface Recent extends Listed {
    readonly title: string | undefined;
    readonly kind: string | undefined;
    readonly tags: readonly string[];
}
export interface RecentOptions extends CallOptions {
    readonly limit?: number | undefined;
    readonly tag?: string | undefined;
    readonly after?: Pick<Recent, "id" | "modifiedMs"> | undefined;
}
export declare function recentSessions(store: Store, options?: RecentOptions): AsyncGenerator<Recent, void, undefined>;

// dist/load.d.ts
export type WasmSource = BufferSource | WebAssembly.Module;
export type WasmInput = WasmSource | Response | URL | string;
export declare function initSync(wasm: WasmSource): void;
export declare function init(input: WasmInput | PromiseLike<WasmInput>): Promise<void>;

// dist/log.d.ts
import { type TurnkeepError } from "./errors.js";
import { type State } from "./state.js";
import type { Head, Torn } from "./store.js";
export interface Report {
    readonly isWhole: boolean;
    readonly head: Head | undefined;
    readonly session: string | undefined;
    readonly withheld: number;
    readonly torn: Torn | undefined;
    readonly fault: TurnkeepError | undefined;
    readonly entryFault: TurnkeepError | undefined;
}
export interface VerifyFileOptions {
    readonly session?: string | undefined;
    readonly expected?: {
        readonly seq: number;
        readonly hash: string;
    } | undefined;
    readonly deep?: boolean | undefined;
    readonly signal?: AbortSignal | undefined;
}
export type Bytes = Uint8Array | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;
export declare function verify(source: Bytes, options?: VerifyFileOptions): Promise<Report>;
export declare function fold(log: Uint8Array): State;
export declare function archiveLog(log: Uint8Array): Uint8Array;
export declare function unarchiveLog(archive: Uint8Array): Uint8Array;

// dist/manage.d.ts
import { type ErrorCode, type TurnkeepError } from "./errors.js";
import { type CallOptions, type OpenOptions } from "./options.js";
import { type Session } from "./session.js";
import type { Head, Store } from "./store.js";
export declare function deleteSession(store: Store, id: string, options?: CallOptions): Promise<void>;
export interface RepairOptions extends OpenOptions {
    readonly into?: string | undefined;
    readonly dryRun?: boolean | undefined;
}
export interface Repair {
    readonly sound: Head | undefined;
    readonly fault: TurnkeepError | undefined;
    readonly saved: number;
    readonly leftOut: readonly LeftOut[];
    readonly session: Session | undefined;
}
export interface LeftOut {
    readonly line: number;
    readonly offset: number;
    readonly bytes: number;
    readonly code: ErrorCode | (string & {});
}
export declare function repairSession(store: Store, id: string, options?: RepairOptions): Promise<Repair>;

// dist/memory.d.ts
import { type ByteRange, type Capabilities, type Condition, type Durability, type Info, type Listing, type Mark, type Store, type StoredObject } from "./store.js";
export declare class MemoryStore implements Store {
    #private;
    readonly capabilities: Capabilities;
    get(key: string, range?: ByteRange): StoredObject;
    put(key: string, bytes: Uint8Array, condition: Condition): Info;
    append(key: string, bytes: Uint8Array, at: number, torn: number, durability: Durability, mark?: Mark, tornStart?: Uint8Array): Info;
    sync(key: string): void;
    holder(key: string): undefined;
    delete(key: string, condition: Condition): void;
    list(prefix: string, after: string | undefined, limit: number): Listing;
    info(key: string): Info;
    stage(key: string): string;
    stagePart(stage: string, number: number, bytes: Uint8Array): void;
    getStaged(stage: string, range?: ByteRange): StoredObject;
    commit(stage: string, condition: Condition): Info;
    abort(stage: string): void;
}

// dist/options.d.ts
import type { Draft, StartFields } from "./draft.js";
import { type TurnkeepError } from "./errors.js";
import type { Durability, Head, Torn } from "./store.js";
export type Form = "live" | "archived" | "cold";
export interface CallOptions {
    readonly signal?: AbortSignal | undefined;
}
export interface CreateOptions extends CallOptions {
    readonly id?: string | undefined;
    readonly start?: StartFields | undefined;
    readonly entries?: readonly Draft[] | undefined;
    readonly salted?: boolean | undefined;
    readonly durability?: Durability | undefined;
    readonly recovery?: RecoveryOptions | undefined;
}
export interface RecoveryOptions {
    readonly projectDir: string;
}
export interface OpenOptions extends CallOptions {
    readonly recovery?: RecoveryOptions | undefined;
    readonly durability?: Durability | undefined;
}
export interface WriteOptions extends CallOptions {
    readonly durability?: Durability | undefined;
}
export interface AppendOptions extends WriteOptions {
    readonly expected?: {
        readonly seq: number;
        readonly hash: string;
    } | undefined;
    readonly once?: boolean | undefined;
}
export interface Appended {
    readonly firstSeq: number;
    readonly head: Head;
    readonly alreadyApplied: boolean;
    readonly recovered: Torn | undefined;
    readonly recordFault: TurnkeepError | undefined;
}
export interface StateOptions extends CallOptions {
    readonly sinceCompaction?: boolean | undefined;
    readonly closeCalls?: boolean | undefined;
}
export interface VerifyOptions extends CallOptions {
    readonly expected?: {
        readonly seq: number;
        readonly hash: string;
    } | undefined;
    readonly deep?: boolean | undefined;
}
export interface Archived {
    readonly head: Head;
    readonly rawBytes: number;
    readonly archiveBytes: number;
    readonly torn: Torn | undefined;
}
export interface Summary {
    readonly id: string;
    readonly form: Form;
    readonly head: Head;
    readonly torn: Torn | undefined;
    readonly storedBytes: number;
    readonly from: number | undefined;
    readonly to: number | undefined;
    readonly kinds: ReadonlyMap<string, number>;
    readonly withheld: number;
}

// dist/place.d.ts
import { type Bytes } from "./log.js";
import { type Store } from "./store.js";
export type BundleTarget = string | URL | WritableStream<Uint8Array> | Store;
export type BundleSource = string | URL | Bytes | Store;

// dist/read.d.ts
import type { KnownKind } from "./draft.js";
import { type Entry } from "./entry.js";
import type { Head } from "./store.js";
export interface ReadRange {
    readonly from?: number | undefined;
    readonly to?: number | undefined;
    readonly last?: number | undefined;
    readonly turn?: number | undefined;
    readonly after?: Cursor | undefined;
    readonly pageBytes?: number | undefined;
    readonly kinds?: readonly KnownKind[] | undefined;
    readonly newestFirst?: boolean | undefined;
    readonly limit?: number | undefined;
}
export interface Cursor {
    free(): void;
}
export interface Page {
    readonly entries: readonly Entry[];
    readonly lines: Uint8Array;
    readonly firstSeq: number;
    readonly head: Head;
    readonly next: Cursor | undefined;
}

// dist/recovery.d.ts
import { type TurnkeepError } from "./errors.js";
import type { CallOptions } from "./options.js";
import type { Head, Store } from "./store.js";
export interface RecoveryRecord {
    readonly sessionId: string;
    readonly messageCount: number;
    readonly lastToolResults: readonly LastToolResult[];
    readonly snapshotMs: number;
    readonly completed: boolean;
    readonly projectDir: string;
    readonly costUsd: number;
    readonly run: string | undefined;
    readonly head: Head | undefined;
    readonly owner: RecordOwner | undefined;
}
export interface LastToolResult {
    readonly toolName: string;
    readonly callId: string;
    readonly outputPreview: string;
    readonly success: boolean;
}
export interface RecordOwner {
    readonly pid: number;
    readonly host: string;
    readonly start: string;
}
export interface Incomplete {
    readonly record: RecoveryRecord;
    readonly status: "running" | "crashed" | "abandoned";
}
export interface Incompletes {
    readonly sessions: readonly Incomplete[];
    readonly damaged: readonly {
        readonly key: string;
        readonly error: TurnkeepError;
    }[];
}
export declare function recoveryRecord(store: Store, id: string, options?: CallOptions): Promise<RecoveryRecord>;
export declare function rebuildRecord(store: Store, id: string, options?: CallOptions): Promise<RecoveryRecord>;
export declare function markCompleted(store: Store, id: string, options?: CallOptions): Promise<RecoveryRecord>;
export declare function findIncomplete(store: Store, options?: CallOptions): Promise<Incompletes>;
export declare function removeRecord(store: Store, id: string, options?: CallOptions): Promise<boolean>;
export declare function cleanupOldRecords(store: Store, maxAgeMs: number, options?: CallOptions): Promise<number>;

// dist/redis.d.ts
import { type RedisClient } from "./redis/client.js";
import { type ByteRange, type Capabilities, type Condition, type Durability, type Info, type Listing, type Mark, type Store, type StoredObject } from "./store.js";
export type { IoRedisClient, NodeRedisClient, NodeRedisCluster, NodeRedisOptions, NodeRedisSentinel, RedisArgument, RedisClient, } from "./redis/client.js";
export interface RedisStoreOptions {
    readonly prefix?: string | undefined;
    readonly ttlSeconds?: number | undefined;
}
export declare class RedisStore implements Store {
    #private;
    readonly capabilities: Capabilities;
    constructor(client: RedisClient, options?: RedisStoreOptions);
    get(key: string, range?: ByteRange): Promise<StoredObject>;
    put(key: string, bytes: Uint8Array, condition: Condition): Promise<Info>;
    append(key: string, bytes: Uint8Array, at: number, torn: number, durability: Durability, mark?: Mark, tornStart?: Uint8Array): Promise<Info>;
    sync(key: string): void;
    holder(key: string): undefined;
    delete(key: string, condition: Condition): Promise<void>;
    list(prefix: string, after: string | undefined, limit: number): Promise<Listing>;
    info(key: string): Promise<Info>;
    stage(key: string): Promise<string>;
    stagePart(stage: string, number: number, bytes: Uint8Array): Promise<void>;
    getStaged(stage: string, range?: ByteRange): Promise<StoredObject>;
    commit(stage: string, condition: Condition): Promise<Info>;
    abort(stage: string): Promise<void>;
}

// dist/redis/client.d.ts
import type { Script } from "./scripts.js";
export type RedisArgument = string | Uint8Array;
export interface NodeRedisClient {
    sendCommand(args: readonly RedisArgument[], options?: NodeRedisOptions): PromiseLike<unknown>;
}
export interface NodeRedisCluster {
    readonly masters: readonly unknown[];
    sendCommand(firstKey: RedisArgument | undefined, isReadonly: boolean | undefined, args: readonly RedisArgument[], options?: NodeRedisOptions): PromiseLike<unknown>;
}
export interface NodeRedisSentinel {
    getMasterNode(): unknown;
    sendCommand(isReadonly: boolean | undefined, args: readonly RedisArgument[], options?: NodeRedisOptions): PromiseLike<unknown>;
}
export interface IoRedisClient {
    callBuffer(command: string, args: readonly (RedisArgument | number)[]): PromiseLike<unknown>;
}
export interface NodeRedisOptions {
    readonly typeMapping?: unknown;
}
export type RedisClient = NodeRedisClient | NodeRedisCluster | NodeRedisSentinel | IoRedisClient;
export type Answer = readonly [word: string, ...rest: unknown[]];
export declare class Redis {
    #private;
    constructor(client: RedisClient);
    call(script: Script, keys: readonly string[], args: readonly (string | number | Uint8Array)[]): Promise<Answer>;
    list(command: string, args: readonly string[]): Promise<readonly unknown[]>;
}
export declare function text(value: unknown): string;

// dist/redis/scripts.d.ts
export interface Script {
    readonly text: string;
}
export declare const GET: Script;
export declare const INFO: Script;
export declare const PUT: Script;
export declare const APPEND: Script;
export declare const DELETE: Script;
export declare const STAGE: Script;
export declare const PART: Script;
export declare const STAGED: Script;
export declare const COMMIT: Script;
export declare const ABORT: Script;
export declare const NOTE: Script;
export declare const PRUNE: Script;

// dist/retention.d.ts
import { TurnkeepError } from "./errors.js";
import { type CallOptions, type Form } from "./options.js";
import type { Head, Store } from "./store.js";
export interface Policy {
    readonly inactiveMs?: number | null | undefined;
    readonly maxBytes?: number | null | undefined;
    readonly minAgeMs?: number | undefined;
    readonly kinds?: readonly string[] | undefined;
    readonly keepTags?: readonly string[] | undefined;
    readonly dryRun?: boolean | undefined;
}
export interface Sweep {
    readonly sessions: readonly Swept[];
    readonly archived: number;
    readonly pruned: number;
    readonly freedBytes: number;
    readonly archiveBytes: number;
}
export interface Swept {
    readonly id: string;
    readonly outcome: "archived" | "pruned" | "kept" | "failed";
    readonly reason: KeptReason | undefined;
    readonly error: TurnkeepError | undefined;
    readonly bytes: number;
    readonly freedBytes: number;
}
export type KeptReason = "recent" | "unknown_activity" | "kind" | "tag" | "held" | "running" | "fork_held" | "archived" | "foreign" | "empty" | "tiered" | "live" | "stopped" | (string & {});
export interface Retention {
    readonly archivedMs: number;
    readonly lastActivityMs: number;
    readonly head: Head;
    readonly archiveBytes: number;
    readonly pruned: {
        readonly atMs: number;
        readonly reason: string;
    } | undefined;
}
export interface StoreUsage {
    readonly sessions: readonly SessionUsage[];
    readonly total: UsedBytes;
}
export interface SessionUsage {
    readonly id: string;
    readonly form: Form;
    readonly modifiedMs: number | undefined;
    readonly bytes: UsedBytes;
}
export interface UsedBytes {
    readonly live: number;
    readonly archived: number;
    readonly beside: number;
    readonly reclaimable: number;
}
export interface UsageOptions extends CallOptions {
    readonly inactiveMs?: number | undefined;
}
export declare function sweep(store: Store, policy?: Policy, options?: CallOptions): Promise<Sweep>;
export declare function prune(store: Store, id: string, reason: string, options?: CallOptions): Promise<Retention>;
export declare function usage(store: Store, options?: UsageOptions): Promise<StoreUsage>;
export interface SweepingOptions extends CallOptions {
    readonly policy?: Policy | undefined;
    readonly everyMs: number;
    readonly onSweep?: ((sweep: Sweep) => unknown) | undefined;
    readonly onError: (error: unknown) => unknown;
}
export interface Sweeping {
    stop(): Promise<void>;
}
export declare function startSweeping(store: Store, options: SweepingOptions): Sweeping;

// dist/run.d.ts
import { type ForkOptions } from "./fork.js";
import type { CreateOptions, OpenOptions } from "./options.js";
import { Session } from "./session.js";
import type { Awaitable } from "./store.js";
import type { FlushOptions, Tier } from "./tier.js";
export type RunMode = "new" | "continue" | "fork";
export type RunOptions = RunExit & (({
    readonly mode: "new";
} & CreateOptions) | ({
    readonly mode: "continue";
    readonly id: string;
} & OpenOptions) | ({
    readonly mode: "fork";
    readonly forkFrom: string;
} & ForkOptions));
export interface RunExit extends Omit<FlushOptions, "signal"> {
    readonly saveState?: (() => unknown) | undefined;
    readonly onExitFault?: ((fault: unknown) => unknown) | undefined;
}
export interface RunStart {
    readonly state: unknown;
    readonly mode: RunMode;
}
export declare function runSession<T>(tier: Tier, options: RunOptions, work: (session: Session, start: RunStart) => Awaitable<T>): Promise<T>;

// dist/runs.d.ts
import { type CallOptions } from "./options.js";
import { type Awaitable } from "./store.js";
export interface Probe {
    readonly name?: string | undefined;
    busy(): Awaitable<readonly string[]>;
    onChange?(listener: () => void): (() => void) | void;
}
export interface WaitOptions extends CallOptions {
    readonly timeoutMs?: number | undefined;
    readonly except?: Run | undefined;
}
export declare class Run {
    readonly sessionId: string;
}

// dist/runtime.d.ts
import { type Cache } from "./cache.js";
import { TurnkeepError } from "./errors.js";
import { type CallOptions } from "./options.js";
import { type BundleSource, type BundleTarget } from "./place.js";
import { type Probe, type Run, type WaitOptions } from "./runs.js";
import { type Awaitable, type Head, type Store } from "./store.js";
export interface RuntimeOptions extends CallOptions {
    readonly store: Store;
    readonly cache?: Cache | undefined;
    readonly givesUpCache?: boolean | undefined;
    readonly probes?: readonly Probe[] | undefined;
}
export interface SnapshotOptions extends WaitOptions {
    readonly sessions?: readonly string[] | undefined;
    readonly skippedPrefixes?: readonly string[] | undefined;
    readonly replacesFuller?: boolean | undefined;
    readonly key?: string | undefined;
}
export interface Snapshotted {
    readonly sessions: number;
    readonly entries: number;
    readonly cached: number;
    readonly rawBytes: number;
    readonly bytes: number;
    readonly digest: string;
    readonly leftOut: readonly {
        readonly id: string;
        readonly error: TurnkeepError;
    }[];
    readonly cacheSkipped: number;
}
export interface RestoreOptions extends WaitOptions {
    readonly sessions?: readonly string[] | undefined;
    readonly dryRun?: boolean | undefined;
    readonly key?: string | undefined;
}
export interface Restored {
    readonly sessions: readonly RestoredSession[];
    readonly cache: {
        readonly put: number;
        readonly expired: number;
        readonly leftOut: number;
    };
    readonly recovered: Recovered;
}
export interface RestoredSession {
    readonly id: string;
    readonly head: Head;
    readonly change: "new" | "replaced" | "unchanged";
}
export type Recovered = {
    readonly what: "nothing";
} | {
    readonly what: "undone";
    readonly kept: readonly string[];
} | {
    readonly what: "finished";
    readonly cached: number;
};
export declare function createRuntime(options: RuntimeOptions): Promise<Runtime>;
export declare class Runtime {
    #private;
    readonly store: Store;
    readonly recovered: Recovered;
    run<T>(sessionId: string, work: (run: Run) => Awaitable<T>): Promise<T>;
    watch(probe: Probe): () => void;
    awaitIdle(options?: WaitOptions): Promise<void>;
    quiesce<T>(work: () => Awaitable<T>, options?: WaitOptions): Promise<T>;
    snapshotTo(target: BundleTarget, options?: SnapshotOptions): Promise<Snapshotted>;
    restoreFrom(source: BundleSource, options?: RestoreOptions): Promise<Restored>;
    exportSession(id: string, target: BundleTarget, options?: Pick<SnapshotOptions, "key" | "signal">): Promise<Snapshotted>;
    replaceSession(id: string, source: BundleSource, options?: Omit<RestoreOptions, "sessions">): Promise<Restored>;
}

// dist/s3.d.ts
import { type S3FetchOptions } from "./s3/http.js";
import { type S3ClientOptions } from "./s3/sdk.js";
import type { ByteRange, Capabilities, Condition, Info, Listing, Store, StoredObject } from "./store.js";
export type { S3FetchOptions } from "./s3/http.js";
export type { S3ClientOptions, S3SdkClient, S3SdkCommand, S3SdkCommands } from "./s3/sdk.js";
export declare class S3Store implements Store {
    #private;
    readonly capabilities: Capabilities;
    private constructor();
    static fetching(options: S3FetchOptions): S3Store;
    static withClient(options: S3ClientOptions): S3Store;
    get(key: string, range?: ByteRange): Promise<StoredObject>;
    put(key: string, bytes: Uint8Array, condition: Condition): Promise<Info>;
    append(key: string): never;
    sync(key: string): Promise<void>;
    holder(key: string): undefined;
    delete(key: string, condition: Condition): Promise<void>;
    list(prefix: string, after: string | undefined, limit: number): Promise<Listing>;
    info(key: string): Promise<Info>;
    stage(key: string): never;
    stagePart(): never;
    getStaged(): never;
    commit(): never;
    abort(): never;
}

// dist/s3/bucket.d.ts
import { TurnkeepError } from "../errors.js";
export interface Found {
    readonly bytes: number;
    readonly etag: string;
    readonly modifiedMs?: number | undefined;
    readonly writer?: string | undefined;
}
export interface Write {
    readonly ifNoneMatch?: "*" | undefined;
    readonly ifMatch?: string | undefined;
    readonly writer?: string | undefined;
}
export interface Page {
    readonly objects: readonly {
        readonly name: string;
        readonly found: Found;
    }[];
    readonly isTruncated: boolean;
}
export interface Bucket {
    get(name: string, range?: {
        start: number;
        end: number;
    }): Promise<Got>;
    head(name: string): Promise<Found>;
    put(name: string, bytes: Uint8Array, write: Write): Promise<string | undefined>;
    delete(name: string): Promise<void>;
    list(prefix: string, after: string | undefined, count: number): Promise<Page>;
}
export interface Got {
    readonly bytes: Uint8Array;
    readonly found: Found;
}
export declare const WRITER = "turnkeep-write";
export declare class Refusal extends Error {
    readonly status: number;
    readonly code: string;
    constructor(status: number, code: string, message: string, options?: ErrorOptions);
    get isMissing(): boolean;
}
export declare function failed(what: string, key: string | undefined, error: unknown): TurnkeepError;
export declare class Strange extends Refusal {
    constructor(message: string);
}

// dist/s3/http.d.ts
import { type Bucket } from "./bucket.js";
export interface S3FetchOptions {
    readonly url: string | URL;
    readonly addressing?: "host" | "path" | undefined;
    fetch(url: string, init: RequestInit): PromiseLike<Response>;
}
export declare function overHttp(options: S3FetchOptions): {
    bucket: Bucket;
    prefix: string;
};
export declare function contentType(name: string): string;
export declare function checkLength(found: number, expected: number): void;

// dist/s3/sdk.d.ts
import { type Bucket, type Found, type Got, type Page, type Write } from "./bucket.js";
export interface S3SdkClient {
    send(command: never): PromiseLike<unknown>;
}
export interface S3SdkCommands {
    readonly GetObjectCommand: S3SdkCommand;
    readonly PutObjectCommand: S3SdkCommand;
    readonly HeadObjectCommand: S3SdkCommand;
    readonly DeleteObjectCommand: S3SdkCommand;
    readonly ListObjectsV2Command: S3SdkCommand;
}
export type S3SdkCommand = new (input: never) => unknown;
export interface S3ClientOptions {
    readonly client: S3SdkClient;
    readonly commands: S3SdkCommands;
    readonly bucket: string;
    readonly prefix?: string | undefined;
}
export declare class SdkBucket implements Bucket {
    #private;
    constructor(options: S3ClientOptions);
    get(name: string, range?: {
        start: number;
        end: number;
    }): Promise<Got>;
    head(name: string): Promise<Found>;
    put(name: string, bytes: Uint8Array, write: Write): Promise<string | undefined>;
    delete(name: string): Promise<void>;
    list(prefix: string, after: string | undefined, count: number): Promise<Page>;
}

// dist/session.d.ts
import { type Draft } from "./draft.js";
import { type Compaction, type ItemPlace } from "./edit.js";
import type { Entry } from "./entry.js";
import { type EnsureHeadOptions, type Ensured, type ForkOptions } from "./fork.js";
import { type Report } from "./log.js";
import { type AppendOptions, type Appended, type Archived, type CallOptions, type CreateOptions, type Form, type OpenOptions, type StateOptions, type Summary, type VerifyOptions, type WriteOptions } from "./options.js";
import { type Page, type ReadRange } from "./read.js";
import { type RecoveryRecord } from "./recovery.js";
import { type SessionState } from "./state.js";
import type { Head, Store, Torn } from "./store.js";
export interface Session extends AsyncDisposable {
}
export declare class Session {
    #private;
    private constructor();
    static create(store: Store, options?: CreateOptions): Promise<Session>;
    static open(store: Store, id: string, options?: OpenOptions): Promise<Session>;
    get id(): string;
    get head(): Head;
    get form(): Form;
    get torn(): Torn | undefined;
    append<const Kind extends string>(drafts: Draft<Kind> | readonly Draft<Kind>[], options?: AppendOptions): Promise<Appended>;
    truncateFrom(place: ItemPlace, options?: WriteOptions): Promise<Appended>;
    replaceHistory(items: readonly unknown[], options?: WriteOptions): Promise<Appended>;
    compact(options: Compaction & WriteOptions): Promise<Appended>;
    fork(options?: ForkOptions): Promise<Session>;
    ensureHead(options?: EnsureHeadOptions): Promise<Ensured>;
    trace(event: unknown, options?: CallOptions): Promise<boolean>;
    markCompleted(options?: CallOptions): Promise<RecoveryRecord>;
    read(range?: ReadRange & CallOptions): Promise<Page>;
    entries(range?: ReadRange & CallOptions): AsyncGenerator<Entry, void, undefined>;
    verify(options?: VerifyOptions): Promise<Report>;
    state(options?: StateOptions): Promise<SessionState>;
    stateJson(options?: StateOptions): Promise<string>;
    summary(options?: CallOptions): Promise<Summary>;
    archive(options?: CallOptions): Promise<Archived>;
    restore(options?: CallOptions): Promise<Archived>;
    close(): Promise<void>;
    delete(options?: CallOptions): Promise<void>;
}

// dist/source.d.ts
import type { Entry } from "./entry.js";
import type { CallOptions } from "./options.js";
import { type Page, type ReadRange } from "./read.js";
import { type Awaitable, type Head } from "./store.js";
export interface RangeSource {
    readonly size: number;
    read(start: number, end: number): Awaitable<Uint8Array>;
}
export type ArchiveSource = Uint8Array | Blob | URL | RangeSource;
export declare function openArchive(source: ArchiveSource, options?: CallOptions): Promise<Archive>;
export declare class Archive {
    #private;
    readonly head: Head;
    get bytesFetched(): number;
    read(range?: ReadRange & CallOptions): Promise<Page>;
    entries(range?: ReadRange & CallOptions): AsyncGenerator<Entry, void, undefined>;
}

// dist/state.d.ts
import type { Point } from "./draft.js";
import type { Head } from "./store.js";
export interface State {
    readonly session: string;
    readonly head: Head;
    readonly system_prompt: string | null;
    readonly config: unknown;
    readonly history: readonly HistoryItem[];
    readonly turns: number;
    readonly run: string | null;
    readonly usage: readonly Usage[];
    readonly extensions: readonly Extension[];
    readonly slice: unknown;
    readonly forked_from: Point | null;
    readonly compacted_from: Point | null;
    readonly withheld: number;
}
export interface HistoryItem {
    readonly kind: string;
    readonly seq: number;
    readonly id: string | null;
    readonly parent: string | null;
    readonly item: unknown;
}
export interface Usage {
    readonly seq: number;
    readonly history_len: number | null;
    readonly input_total_tokens: number | null;
    readonly cache_read_tokens: number | null;
    readonly cache_write_tokens: number | null;
    readonly output_tokens: number | null;
}
export interface Extension {
    readonly seq: number;
    readonly domain: string;
    readonly payload: unknown;
}
export interface OpenCall {
    readonly index: number;
    readonly seq: number;
    readonly callId: string;
    readonly name: string;
}
export interface SessionState extends State {
    readonly since: number;
    readonly openCalls: readonly OpenCall[];
}

// dist/store.d.ts
export interface Head {
    readonly seq: number;
    readonly hash: string;
    readonly bytes: number;
}
export interface Torn {
    readonly offset: number;
    readonly bytes: number;
}
export type Durability = "memory" | "os" | "disk";
export type Condition = "any" | "absent" | {
    readonly version: string;
};
export interface Info {
    readonly bytes: number;
    readonly version: string;
    readonly modifiedMs?: number | undefined;
}
export interface Holder {
    readonly pid: number;
    readonly host: string;
    readonly start: string;
    readonly heartbeatMs?: number | undefined;
    readonly isAlive: boolean;
    readonly isSelf: boolean;
}
export interface StoredObject {
    readonly bytes: Uint8Array;
    readonly info: Info;
}
export interface Listing {
    readonly objects: readonly {
        readonly key: string;
        readonly info: Info;
    }[];
    readonly more: boolean;
}
export interface ByteRange {
    readonly start: number;
    readonly end: number;
}
export interface Mark {
    readonly at: number;
    readonly bytes: Uint8Array;
}
export interface Capabilities {
    readonly append: boolean;
    readonly staging: boolean;
    readonly createIfAbsent: boolean;
    readonly replaceIfVersion: boolean;
    readonly range: boolean;
    readonly ttl: boolean;
    readonly durability: Durability;
}
export type Awaitable<T> = T | PromiseLike<T>;
export interface Store {
    readonly capabilities: Capabilities;
    get(key: string, range?: ByteRange, room?: Uint8Array): Awaitable<StoredObject>;
    put(key: string, bytes: Uint8Array, condition: Condition): Awaitable<Info>;
    append(key: string, bytes: Uint8Array, at: number, torn: number, durability: Durability, mark?: Mark, tornStart?: Uint8Array): Awaitable<Info>;
    sync?(key: string): Awaitable<void>;
    holder?(key: string): Awaitable<Holder | undefined>;
    delete(key: string, condition: Condition): Awaitable<void>;
    list(prefix: string, after: string | undefined, limit: number): Awaitable<Listing>;
    info(key: string): Awaitable<Info>;
    stage(key: string): Awaitable<string>;
    stagePart(stage: string, number: number, bytes: Uint8Array): Awaitable<void>;
    getStaged(stage: string, range?: ByteRange, room?: Uint8Array): Awaitable<StoredObject>;
    commit(stage: string, condition: Condition): Awaitable<Info>;
    abort(stage: string): Awaitable<void>;
    release?(key: string): Awaitable<void>;
    readonly cold?: Store | undefined;
}

// dist/tier.d.ts
import { type TurnkeepError } from "./errors.js";
import { type CallOptions, type OpenOptions } from "./options.js";
import { type Session } from "./session.js";
import { type Awaitable, type ByteRange, type Capabilities, type Condition, type Durability, type Head, type Holder, type Info, type Listing, type Mark, type Store, type StoredObject } from "./store.js";
export interface FlushOptions extends CallOptions {
    readonly hot?: "clear" | "keep" | "leave" | undefined;
    readonly merge?: boolean | undefined;
}
export interface Flushed {
    readonly head: Head | undefined;
    readonly entries: number;
    readonly segments: number;
    readonly cleared: boolean;
    readonly mergeFault: TurnkeepError | undefined;
}
export interface Copied {
    readonly head: Head;
    readonly entries: number;
}
export interface CollectOptions extends CallOptions {
    readonly graceMs?: number | undefined;
    readonly dryRun?: boolean | undefined;
}
export interface Collected {
    readonly sessions: number;
    readonly used: number;
    readonly usedBytes: number;
    readonly unused: readonly string[];
    readonly unusedBytes: number;
    readonly deleted: readonly string[];
    readonly deletedBytes: number;
}
export interface ColdSession {
    readonly id: string;
    readonly head: Head;
    readonly storedBytes: number;
    readonly flushedMs: number;
}
export interface ColdSessionsOptions extends CallOptions {
    readonly after?: string | undefined;
    readonly limit?: number | undefined;
}
export declare class Tier implements Store {
    #private;
    readonly cold: Store;
    readonly sync?: (key: string) => Awaitable<void>;
    readonly holder?: (key: string) => Awaitable<Holder | undefined>;
    readonly release?: (key: string) => Awaitable<void>;
    private constructor();
    static open(hot: Store, cold: Store, options?: CallOptions): Promise<Tier>;
    static openReading(hot: Store, cold: Store): Tier;
    hydrate(id: string, options?: OpenOptions): Promise<Session>;
    flush(id: string, options?: FlushOptions): Promise<Flushed>;
    slice(id: string, options?: CallOptions): Promise<unknown>;
    sliceJson(id: string, options?: CallOptions): Promise<string | undefined>;
    pull(id: string, options?: CallOptions): Promise<Copied>;
    collect(options?: CollectOptions): Promise<Collected>;
    coldSessions(options?: ColdSessionsOptions): AsyncGenerator<ColdSession, void, undefined>;
    deleteSession(id: string, options?: CallOptions): Promise<void>;
    get capabilities(): Capabilities;
    get(key: string, range?: ByteRange): Awaitable<StoredObject>;
    put(key: string, bytes: Uint8Array, condition: Condition): Awaitable<Info>;
    append(key: string, bytes: Uint8Array, at: number, torn: number, durability: Durability, mark?: Mark, tornStart?: Uint8Array): Awaitable<Info>;
    delete(key: string, condition: Condition): Awaitable<void>;
    list(prefix: string, after: string | undefined, limit: number): Awaitable<Listing>;
    info(key: string): Awaitable<Info>;
    stage(key: string): Awaitable<string>;
    stagePart(stage: string, number: number, bytes: Uint8Array): Awaitable<void>;
    getStaged(stage: string, range?: ByteRange): Awaitable<StoredObject>;
    commit(stage: string, condition: Condition): Awaitable<Info>;
    abort(stage: string): Awaitable<void>;
}
export declare function copySession(from: Store, to: Store, id: string, layout: "files" | "objects", options?: CallOptions): Promise<Copied>;

// dist/viewer.d.ts
export declare class TurnkeepViewer extends HTMLElement {
  get files(): readonly NamedBlob[];
  set files(files: Iterable<File | NamedBlob>);
  open(files: Iterable<File | NamedBlob>): Promise<void>;
  goTo(hash: string): Promise<void>;
}
export interface NamedBlob {
  readonly name: string;
  readonly blob: Blob;
}
declare global {
  interface HTMLElementTagNameMap {
    "turnkeep-viewer": TurnkeepViewer;
  }
}

// dist/zeitlich.d.ts
import type { CallOptions } from "./options.js";
import { Tier } from "./tier.js";
export { type BucketOptions, threadsInBucket } from "./zeitlich/bucket.js";
export { type RedisThreadsOptions, threadsInRedis } from "./zeitlich/redis.js";
export interface ThreadState {
    tasks: [string, never][];
    custom: Record<string, never>;
}
export interface ThreadSnapshot {
    v: 1;
    messages: string[];
    state: ThreadState | null;
    dedupIds: string[];
}
export interface ColdThreadStore {
    read(threadKey: string, threadId: string): Promise<ThreadSnapshot | null>;
    write(threadKey: string, threadId: string, snapshot: ThreadSnapshot): Promise<void>;
    delete(threadKey: string, threadId: string): Promise<void>;
}
export declare function createColdThreadStore(tier: Tier): ColdThreadStore;
export declare function threadSession(threadKey: string, threadId: string): string;
export declare function readThreadSnapshot(object: Uint8Array): ThreadSnapshot;
export declare function writeThreadSnapshot(snapshot: ThreadSnapshot, options?: {
    gzip?: boolean;
}): Uint8Array;
export interface Thread {
    readonly threadKey: string;
    readonly threadId: string;
    snapshot(): Promise<ThreadSnapshot | Uint8Array>;
}
export interface Migrated {
    readonly threadKey: string;
    readonly threadId: string;
    readonly session: string | undefined;
    readonly entries: number;
    readonly fault: unknown;
}
export declare function migrateThreads(tier: Tier, threads: AsyncIterable<Thread> | Iterable<Thread>, options?: CallOptions): AsyncGenerator<Migrated, void, undefined>;

// dist/zeitlich/bucket.d.ts
import { type S3FetchOptions } from "../s3/http.js";
import { type S3ClientOptions } from "../s3/sdk.js";
import type { Thread } from "../zeitlich.js";
export type BucketOptions = S3FetchOptions | S3ClientOptions;
export declare function threadsInBucket(options: BucketOptions): AsyncGenerator<Thread, void, undefined>;

// dist/zeitlich/redis.d.ts
import { type RedisClient } from "../redis/client.js";
import type { Thread } from "../zeitlich.js";
export interface RedisThreadsOptions {
    readonly threadKey?: string | undefined;
    readonly idOf?: ((message: string) => string | undefined) | undefined;
}
export declare function threadsInRedis(client: RedisClient, { threadKey, idOf }?: RedisThreadsOptions): AsyncGenerator<Thread, void, undefined>;
