// What the page asks of the engine: the one seam between what is shown and what reads files. The engine
// runs in a worker where there can be one, and everything here can be posted to it.

/** What is opened: dropped files, bytes, or URLs that answer range requests. */
export type Input =
  | { readonly files: readonly NamedBlob[] }
  | { readonly urls: readonly string[] };

/** Bytes and the name of the file they come from. */
export interface NamedBlob {
  readonly name: string;
  readonly blob: Blob;
}

/** What was found in what was opened. */
export interface Opened {
  /** In the order of their names; those of a bundle in its order. */
  readonly sessions: readonly Listed[];
  readonly bundle?: BundleInfo | undefined;
  /** Files that are nothing of turnkeep's, and what is wrong with them. */
  readonly refused: readonly Refused[];
}

/** A session that can be shown. */
export interface Listed {
  /** Names it in all other calls. */
  readonly key: number;
  /** Its id, by the file's name or the bundle's record. */
  readonly id: string;
  readonly title?: string | undefined;
  readonly form: "log" | "archive" | "gzip" | "bundle";
  /** Names of the files it lies in: an archive and what was appended since may be two. */
  readonly files: readonly string[];
  /** Bytes it takes there. */
  readonly bytes: number;
  /** Entries, where something says so before they are read. */
  readonly entries?: number | undefined;
  /** The head that its container names: the bundle's record, or the archive's index. */
  readonly head?: Head | undefined;
}

export interface BundleInfo {
  /** When it was written, where that can be read. */
  readonly createdMs?: number | undefined;
  readonly values: number;
  readonly bytes: number;
  /** It is damaged: what is listed is what could be found. */
  readonly fault?: Problem | undefined;
}

export interface Refused {
  readonly name: string;
  readonly error: Problem;
}

/** An error as users see it everywhere: a stable code, a text, and the place. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly session?: string | undefined;
  readonly seq?: number | undefined;
  readonly line?: number | undefined;
  readonly offset?: number | undefined;
  readonly key?: string | undefined;
}

export interface Head {
  readonly seq: number;
  readonly hash: string;
  readonly bytes: number;
}

/**
 * Where a session's rows lie. A row is a line of the log, or a gap where some cannot be read; rows are
 * numbered from 0 in the order of the log. Blocks are read, cached and forgotten as a whole.
 */
export interface Layout {
  readonly blocks: readonly Block[];
  /** Rows in all of these blocks. */
  readonly rows: number;
  /** Whether these are all blocks. A log has to be read to be counted: its blocks come with a survey. */
  readonly isComplete: boolean;
  /** So large that nothing reads all of it unasked. */
  readonly isLarge: boolean;
  /** Bytes of the whole log, as far as known. */
  readonly rawBytes: number;
}

export interface Block {
  /** Number of its first row. */
  readonly first: number;
  readonly rows: number;
  /** Bytes of its lines. */
  readonly bytes: number;
  /** Times of its entries in milliseconds, and the kinds in it, where an index tells. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  readonly kinds?: readonly string[] | undefined;
}

export type Role = "user" | "assistant" | "tool" | "system" | "event" | "gap";

/** What is known of a row without its content: enough to list, filter, fold and chart it. */
export interface Row {
  /** Its number. */
  readonly row: number;
  /** The entry's number; a gap has that of the first entry that is missing, if known. */
  readonly seq?: number | undefined;
  /** The entry's kind; `gap`. */
  readonly kind: string;
  readonly role: Role;
  readonly ts?: number | undefined;
  readonly model?: string | undefined;
  readonly usage?: Usage | undefined;
  /** The start of its text on one line, at most 160 characters. */
  readonly preview: string;
  /** Tools that it calls, and results that it brings. */
  readonly calls?: readonly { readonly id: string; readonly name: string }[] | undefined;
  readonly results?: readonly RowResult[] | undefined;
  /** It says that something failed, or is damaged. */
  readonly isError?: true | undefined;
  /** Bytes of its line. */
  readonly bytes: number;
  /** Why it cannot be read or believed. A gap always has one. */
  readonly problem?: Problem | undefined;
}

export interface RowResult {
  readonly call: string;
  readonly name?: string | undefined;
  readonly isError?: true | undefined;
}

/** Tokens, and what they cost in US dollars where the entry says so. */
export interface Usage {
  readonly input?: number | undefined;
  readonly output?: number | undefined;
  readonly cacheRead?: number | undefined;
  readonly cacheWrite?: number | undefined;
  readonly cost?: number | undefined;
}

/** A row with its content. */
export interface Entry extends Row {
  readonly hash?: string | undefined;
  readonly prevHash?: string | undefined;
  readonly parts: readonly Part[];
}

/**
 * What an entry says, whichever framework wrote it. Texts longer than {@link PART_CHARS} are cut; `full`
 * is then their whole length in characters, and {@link Engine.part} gives them whole.
 */
export type Part =
  /** Markdown. `title`: what it is, where it is not what was said (`System prompt`, `Summary`). */
  | { readonly type: "text"; readonly text: string; readonly title?: string; readonly full?: number }
  | { readonly type: "reasoning"; readonly text: string; readonly full?: number }
  /** A tool's call. `arguments` is JSON, or whatever text it was. */
  | {
      readonly type: "call";
      readonly id: string;
      readonly name: string;
      readonly arguments: string;
      readonly full?: number;
    }
  | {
      readonly type: "result";
      readonly call: string;
      readonly name?: string;
      readonly output: string;
      readonly isError?: true;
      readonly full?: number;
    }
  /** An image of the file: base64 and its type; or only where it would be, which is never loaded. */
  | {
      readonly type: "image";
      readonly mediaType?: string;
      readonly data?: string;
      readonly url?: string;
    }
  /** Where the session comes from: another one, and its entry. */
  | {
      readonly type: "lineage";
      readonly how: "forked" | "compacted";
      readonly session: string;
      readonly seq: number;
      readonly hash: string;
    }
  /** Any other JSON. */
  | { readonly type: "json"; readonly json: string; readonly title?: string; readonly full?: number };

/** Where texts of parts are cut. */
export const PART_CHARS = 65_536;

/** What a verification found: the same as `turnkeep verify` tells. */
export interface Report {
  /** The last entry up to which everything holds. */
  readonly head?: Head | undefined;
  readonly session?: string | undefined;
  readonly withheld: number;
  /** An unfinished write after the head. Not damage. */
  readonly torn?: { readonly offset: number; readonly bytes: number } | undefined;
  /** The first thing that does not hold. */
  readonly fault?: Problem | undefined;
  /** The first entry whose content is not as it should be, though the chain holds. */
  readonly entryFault?: Problem | undefined;
  /** The head that was expected, and who said so: the caller, the index of an archive, a bundle. */
  readonly expected?: { readonly seq: number; readonly hash: string; readonly by: HeadSource };
  /** Only the session's lines were checked, not the large bundle around them. */
  readonly isContainerLeft?: true | undefined;
  /** Bytes that were read. */
  readonly bytes: number;
}

export type HeadSource = "asked" | "index" | "bundle";

export interface Progress {
  /** Bytes done, and of how many. */
  readonly done: number;
  readonly total: number;
}

export interface Query {
  readonly text: string;
  readonly matchCase: boolean;
}

/** A row in whose texts something was found, and how often. */
export interface Hit {
  readonly row: number;
  readonly count: number;
}

/**
 * Reads what was opened. Every call can fail with a {@link Problem}; damage within a session never is a
 * failure: it comes as rows. A call whose signal is aborted ends with an `AbortError`.
 */
export interface Engine {
  open(input: Input): Promise<Opened>;
  /** The session's rows, as far as they are known without reading all of it. */
  layout(key: number): Promise<Layout>;
  /** The rows of a block. */
  rows(key: number, block: number): Promise<readonly Row[]>;
  /** The entries of some rows: so many from the first one on, or as many as there are. */
  entries(key: number, first: number, count: number): Promise<readonly Entry[]>;
  /** A part's whole text (a call's arguments, a result's output). */
  part(key: number, row: number, part: number): Promise<string>;
  /** A row's line as it is written, without its line break; damaged bytes as U+FFFD. */
  raw(key: number, row: number): Promise<string>;
  /** Reads all blocks, in order, and gives the rows of each. */
  survey(key: number, each: (found: Surveyed) => void, signal: AbortSignal): Promise<void>;
  /** Verifies all of it; of a bundle's session, its lines only. */
  verify(
    key: number,
    options: { readonly head?: { readonly seq: number; readonly hash: string } | undefined },
    each: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<Report>;
  /** Finds a text in whatever the page can show of the rows, folded or not; hits in the log's order. */
  search(key: number, query: Query, each: (found: Found) => void, signal: AbortSignal): Promise<void>;
  /** Those rows as Markdown. */
  markdown(key: number, rows: readonly number[]): Promise<string>;
  /** How much was read so far, of files or over the network. */
  bytesRead(): Promise<number>;
  /** Lets go of everything. */
  close(): void;
}

export interface Surveyed {
  readonly block: number;
  readonly rows: readonly Row[];
  /** The block, where the layout that was told does not have it: it goes after the last one. */
  readonly added?: Block | undefined;
  /** Whether there are no more. */
  readonly isComplete: boolean;
  readonly progress: Progress;
}

export interface Found {
  readonly hits: readonly Hit[];
  readonly progress: Progress;
}
