// The public API. Every entry gives these; the entries differ in where the wasm comes from.

export { type Cache, type CacheValue, type MemoryCache, createMemoryCache } from "./cache.js";
export {
  type Draft,
  type KnownDraft,
  type KnownKind,
  type Point,
  type RawJson,
  type StartFields,
  rawJson,
} from "./draft.js";
export { Entry, type Fields } from "./entry.js";
export { type ErrorCode, type ErrorDetails, TurnkeepError } from "./errors.js";
export {
  type Bytes,
  type Report,
  type VerifyFileOptions,
  archiveLog,
  fold,
  unarchiveLog,
  verify,
} from "./log.js";
export { type Compaction, type CreateCompactedOptions, type ItemPlace, createCompacted } from "./edit.js";
export {
  type EnsureHeadOptions,
  type Ensured,
  type ForkOptions,
  type ForkPoint,
  forkSession,
} from "./fork.js";
export {
  type About,
  type Ancestor,
  type Descendant,
  type Lineage,
  about,
  ancestors,
  lineage,
  setAbout,
} from "./lineage.js";
export { type Listed, type Recent, type RecentOptions, recentSessions, sessions } from "./list.js";
export {
  type LeftOut,
  type Repair,
  type RepairOptions,
  deleteSession,
  repairSession,
} from "./manage.js";
export type {
  AppendOptions,
  Appended,
  Archived,
  CallOptions,
  CreateOptions,
  Form,
  OpenOptions,
  RecoveryOptions,
  StateOptions,
  Summary,
  VerifyOptions,
  WriteOptions,
} from "./options.js";
export {
  type ExportForm,
  type ImportFile,
  type ImportFormat,
  type ImportOptions,
  type ImportReport,
  type ImportedSession,
  type ImportedValue,
  exportAs,
  importFiles,
} from "./import.js";
export type { Cursor, Page, ReadRange } from "./read.js";
export {
  type Incomplete,
  type Incompletes,
  type LastToolResult,
  type RecordOwner,
  type RecoveryRecord,
  cleanupOldRecords,
  findIncomplete,
  markCompleted,
  rebuildRecord,
  recoveryRecord,
  removeRecord,
} from "./recovery.js";
export {
  type KeptReason,
  type Policy,
  type Retention,
  type SessionUsage,
  type StoreUsage,
  type Sweep,
  type Sweeping,
  type SweepingOptions,
  type Swept,
  type UsageOptions,
  type UsedBytes,
  prune,
  startSweeping,
  sweep,
  usage,
} from "./retention.js";
export type { BundleSource, BundleTarget } from "./place.js";
export type { Probe, Run, WaitOptions } from "./runs.js";
export {
  type Recovered,
  type RestoreOptions,
  type Restored,
  type RestoredSession,
  type Runtime,
  type RuntimeOptions,
  type SnapshotOptions,
  type Snapshotted,
  createRuntime,
} from "./runtime.js";
export {
  type RunExit,
  type RunMode,
  type RunOptions,
  type RunStart,
  runSession,
} from "./run.js";
export { Session } from "./session.js";
export { Archive, type ArchiveSource, type RangeSource, openArchive } from "./source.js";
export type { Extension, HistoryItem, OpenCall, SessionState, State, Usage } from "./state.js";
export type {
  Awaitable,
  ByteRange,
  Capabilities,
  Condition,
  Durability,
  Head,
  Holder,
  Info,
  Listing,
  Mark,
  Store,
  StoredObject,
  Torn,
} from "./store.js";
export {
  type ColdSession,
  type ColdSessionsOptions,
  type CollectOptions,
  type Collected,
  type Copied,
  type FlushOptions,
  type Flushed,
  Tier,
  copySession,
} from "./tier.js";
