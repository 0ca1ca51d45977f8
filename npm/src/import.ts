// From and to other systems: importing what they wrote, writing sessions in their forms.

import { drive } from "./drive.js";
import { TurnkeepError, checkBytes, checkMembers, checkText, checked, fromWasm } from "./errors.js";
import { wasm } from "./load.js";
import { CALL, type CallOptions } from "./options.js";
import type { Head, Store } from "./store.js";

/** A system whose files can be imported. */
export type ImportFormat = "eai" | "session-store" | "opendev" | "zeitlich" | "agentmux";

/** A form that a session can be written in. */
export type ExportForm = "messages" | "markdown" | "session-store" | "zeitlich";

/** A file of an earlier system. */
export interface ImportFile {
  /** Its path below the folder that is imported, with `/`: ids come from names where the content has none. */
  readonly name: string;
  /**
   * Its content, or what gives it once it is needed. Where that throws, the file and those that belong
   * together with it are left out ({@link ImportReport.skipped}), and the others go on.
   */
  readonly bytes: Uint8Array | (() => Uint8Array | Promise<Uint8Array>);
}

/** How to import. */
export interface ImportOptions extends CallOptions {
  /** Which system wrote the files; their content tells where it is not given. */
  readonly from?: ImportFormat | undefined;
  /** The id of the session, where there is one only. */
  readonly as?: string | undefined;
  /** Only the session that has this id in the files. */
  readonly only?: string | undefined;
  /** Change nothing, and tell what would be imported. */
  readonly dryRun?: boolean | undefined;
}

/** What was imported. */
export interface ImportReport {
  readonly sessions: readonly ImportedSession[];
  /** Values that lay beside the sessions, which no store of sessions takes. */
  readonly cache: readonly ImportedValue[];
  /** What was left out, and why. */
  readonly skipped: readonly { readonly file: string; readonly error: TurnkeepError }[];
}

/** What became of a session. */
export interface ImportedSession {
  readonly id: string;
  readonly from: ImportFormat;
  /**
   * It was written; it was so before, from the same files; it would be, were this no dry run; there is
   * another session of that id, and nothing was done; or it failed.
   */
  readonly outcome: "imported" | "already_imported" | "would_import" | "exists" | "failed";
  /** The files it was in. */
  readonly files: readonly string[];
  /** How many entries they gave. */
  readonly entries: number;
  /** Its last entry, where it is there. */
  readonly head: Head | undefined;
  /** What its own hash chain shows, where it had one: how many entries hold, and the first that does not. */
  readonly chain: { readonly held: number; readonly fault: TurnkeepError | undefined } | undefined;
  /** Why it failed. */
  readonly error: TurnkeepError | undefined;
}

/** A value of a cache: JSON text, or bytes. */
export interface ImportedValue {
  readonly key: string;
  readonly json: string | undefined;
  readonly bytes: Uint8Array | undefined;
  readonly expiresMs: number | undefined;
}

/** What the wasm gives for files that belong together. */
interface Group {
  readonly sessions: readonly (Omit<ImportedSession, "files"> & { files: number[] })[];
  readonly cache: readonly ImportedValue[];
  readonly skipped: readonly { readonly file: number; readonly error: unknown }[];
}

/**
 * Imports files that earlier systems wrote (Eai.System, session-store, opendev, zeitlich, agentmux):
 * each session whole or not at all, its files kept beside it. Importing again does nothing. What
 * cannot be read is in the report; an error means that the store failed, or the call was wrong.
 *
 * @example
 * ```ts
 * const bytes = await readFile("backup.gz");
 * const { sessions, skipped } = await importFiles(store, [{ name: "backup.gz", bytes }]);
 * ```
 */
export async function importFiles(
  store: Store,
  files: Iterable<ImportFile>,
  options: ImportOptions = {},
): Promise<ImportReport> {
  checkMembers(options, { ...CALL, from: true, as: true, only: true, dryRun: true });
  const all = [...files];
  for (const { name } of all) checkText(name, "a file's name");
  for (const id of [options.as, options.only]) if (id !== undefined) checkText(id, "an id", "invalid_id");
  const sessions: ImportedSession[] = [];
  const cache: ImportedValue[] = [];
  const skipped: { file: string; error: TurnkeepError }[] = [];
  const groups = checked(() => wasm().import_groups(all.map((file) => file.name))) as number[][];
  const { signal } = options;
  for (const group of groups) {
    signal?.throwIfAborted();
    const names = group.map((at) => all[at]?.name ?? "");
    const nameOf = (at: number) => names[at] ?? "";
    const bytes = await contents(group.map((at) => all[at] as ImportFile));
    signal?.throwIfAborted();
    if (bytes instanceof TurnkeepError) {
      // A session is imported whole or not at all.
      skipped.push(...names.map((file) => ({ file, error: bytes })));
      continue;
    }
    try {
      const done = await importGroup(store, names, bytes, options);
      // An aborted import tells a session's failure, and no other.
      signal?.throwIfAborted();
      for (const session of done.sessions) {
        const { files: positions, chain, ...told } = session;
        sessions.push({
          ...told,
          files: positions.map(nameOf),
          chain: chain && { ...chain, fault: errorOf(chain.fault) },
          error: errorOf(told.error),
        });
      }
      cache.push(...done.cache);
      for (const { file, error } of done.skipped) {
        skipped.push({ file: nameOf(file), error: fromWasm(error) as TurnkeepError });
      }
    } catch (error) {
      // Of the files, not of the store: the others go on.
      if (!(error instanceof TurnkeepError) || !names.includes(error.key ?? "")) throw error;
      if (error.code === "invalid_argument" || error.code === "not_found") throw error;
      skipped.push({ file: nameOf(0), error });
    }
  }
  return { sessions, cache, skipped };
}

/**
 * Writes a session in another form: its history's items, one on each line; Markdown for people; the
 * lines of session-store, with a hash chain of its kind; or a snapshot of zeitlich's, gzipped.
 *
 * @example
 * ```ts
 * const markdown = new TextDecoder().decode(await exportAs(store, "run-7", "markdown"));
 * ```
 */
export async function exportAs(
  store: Store,
  id: string,
  form: ExportForm,
  options: CallOptions = {},
): Promise<Uint8Array> {
  checkText(id, "an id", "invalid_id");
  checkText(form, "a form");
  return drive(
    checked(() => wasm().export_session(id, form)),
    store,
    options.signal,
  );
}

function errorOf(error: unknown): TurnkeepError | undefined {
  return error === undefined ? undefined : (fromWasm(error) as TurnkeepError);
}

/** The contents of files, or why one of them cannot be had. */
async function contents(files: readonly ImportFile[]): Promise<Uint8Array[] | TurnkeepError> {
  let failed: TurnkeepError | undefined;
  const read = async ({ name, bytes }: ImportFile) => {
    let content: unknown = bytes;
    try {
      if (typeof bytes === "function") content = await bytes();
    } catch (cause) {
      failed ??= new TurnkeepError("store_failed", `${name} cannot be read: ${String(cause)}`, { key: name, cause });
      return new Uint8Array(0);
    }
    checkBytes(content, `the content of ${name}`);
    return content;
  };
  const all = await Promise.all(files.map(read));
  return failed ?? all;
}

function importGroup(
  store: Store,
  names: string[],
  bytes: Uint8Array[],
  { from, as, only, dryRun, signal }: ImportOptions,
): Promise<Group> | Group {
  const task = checked(() => wasm().import_files(names, bytes, from, as, only, dryRun === true));
  return drive<Group>(task, store, signal);
}
