// The public API. Every entry gives these; the entries differ in where the wasm comes from.

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
export {
  type Appended,
  type Archived,
  type CallOptions,
  type CreateOptions,
  type Cursor,
  type Form,
  type Listed,
  type OpenOptions,
  type Page,
  type ReadRange,
  Session,
  type Summary,
  type VerifyOptions,
  sessions,
} from "./session.js";
export { Archive, type ArchiveSource, type RangeSource, openArchive } from "./source.js";
export type { Extension, HistoryItem, State, Usage } from "./state.js";
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
  Store,
  StoredObject,
  Torn,
} from "./store.js";
