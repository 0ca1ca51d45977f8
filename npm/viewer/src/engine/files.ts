// What was opened: which sessions are in it, and how each can be read.

import type { BundleInfo, Head, Input, Listed, Opened, Refused } from "./api";
import { decoded } from "../common/names";
import { problem, problemOf } from "../common/problem";
import { type Meter, type Source, ofBlob, ofUrl } from "./bytes";
import { ArchiveContent, type Content, JoinedContent, LogContent } from "./content";
import { Inflated } from "./gzip";
import { type Bundle, type Bundled, endsAsBundle, openBundle, startsAsBundle } from "./bundle";

/** A session that was found. */
export interface Found {
  readonly listed: Listed;
  /** The files it lies in, an archive first; of a bundle the bundle. */
  readonly sources: readonly Source[];
  readonly bundled?: Bundled | undefined;
  /** How its log is read. */
  content(): Promise<Content>;
}

/** Finds the sessions in what was opened. */
export async function findSessions(
  input: Input,
  meter: Meter,
): Promise<{ readonly opened: Opened; readonly found: readonly Found[] }> {
  const refused: Refused[] = [];
  const pieces: Piece[] = [];
  let bundle: BundleInfo | undefined;
  for (const source of await sourcesOf(input, meter)) {
    try {
      const piece = await look(source);
      if (piece.form === "bundle") {
        bundle ??= piece.bundle.info;
        refused.push(...piece.bundle.refused);
      }
      pieces.push(piece);
    } catch (error) {
      refused.push({ name: source.name, error: problemOf(error) });
    }
  }
  const found = joined(pieces).map((find, key) => find(key));
  const sessions = found.map((session) => session.listed);
  return { opened: { sessions, bundle, refused }, found };
}

async function sourcesOf(input: Input, meter: Meter): Promise<readonly Source[]> {
  if ("urls" in input) return Promise.all(input.urls.map((url) => ofUrl(url, meter)));
  // Folders are walked in whatever order the disk has.
  const files = input.files.filter(({ name }) => !isBeside(name)).sort((one, other) => byName.compare(one.name, other.name));
  return files.map(({ name, blob }) => ofBlob(name, blob, meter));
}

const byName = new Intl.Collator("en", { numeric: true });

/** Whether a file only lies beside a session. */
function isBeside(name: string): boolean {
  return /\.(trace\.jsonl|recovery\.json|retention\.json|about\.json|lock)$|(^|\/)\./.test(name);
}

/** What a file is. */
type Piece =
  /** `follows`: its first line follows another one, which is not in it. */
  | { readonly form: "log"; readonly source: Source; readonly follows: boolean }
  | { readonly form: "archive"; readonly source: Source; readonly content: ArchiveContent }
  | { readonly form: "gzip"; readonly source: Source }
  | { readonly form: "bundle"; readonly source: Source; readonly bundle: Bundle };

async function look(source: Source): Promise<Piece> {
  const start = await source.read(0, START_BYTES);
  if (start.length === 0) throw problem("empty_log", "the file is empty");
  if (start[0] !== GZIP) {
    return { form: "log", source, follows: followsAnother(start) };
  }
  const bundleOf = async (): Promise<Piece> => ({ form: "bundle", source, bundle: await openBundle(source) });
  if (startsAsBundle(start)) return bundleOf();
  try {
    return { form: "archive", source, content: new ArchiveContent(source, start) };
  } catch (error) {
    const { code } = problemOf(error);
    // Without an index that can be believed it is still gzip.
    if (code !== "no_index" && code !== "bad_index") throw problemOf(error);
    return (await endsAsBundle(source)) ? bundleOf() : { form: "gzip", source };
  }
}

function foreign() {
  return problem("bad_line", "no log, archive or bundle of turnkeep's");
}

function followsAnother(start: Uint8Array): boolean {
  const text = new TextDecoder().decode(start);
  // One whose first line is damaged is a log all the same, even where its very first bytes are.
  if (!/^\{"hash":"/m.test(text)) throw foreign();
  return /^\{"hash":"[0-9a-f]{64}","prev_hash":"[0-9a-f]{64}",/.test(text);
}

/** Sessions of pieces: an archive and what was appended after it are one. */
function joined(pieces: readonly Piece[]): ((key: number) => Found)[] {
  const logs = new Map<string, Piece & { readonly form: "log" }>();
  for (const piece of pieces) {
    if (piece.form === "log" && piece.follows) logs.set(stem(piece.source.name), piece);
  }
  const taken = new Set<Piece>();
  for (const piece of pieces) {
    const log = logs.get(stem(piece.source.name));
    if (piece.form === "archive" && log !== undefined) taken.add(log);
  }
  return pieces
    .filter((piece) => !taken.has(piece))
    .flatMap((piece): ((key: number) => Found)[] => {
      if (piece.form !== "bundle") {
        const log = piece.form === "archive" ? logs.get(stem(piece.source.name)) : undefined;
        return [(key) => ofFile(key, piece, log?.source)];
      }
      return piece.bundle.sessions.map((bundled) => (key) => ofBundle(key, piece.source, bundled));
    });
}

function stem(name: string): string {
  return name.replace(/\.jsonl(\.gz)?$/, "");
}

function ofFile(key: number, piece: Piece & { form: "log" | "archive" | "gzip" }, log?: Source): Found {
  const { source, form } = piece;
  const sources = log === undefined ? [source] : [source, log];
  const head: Head | undefined = form === "archive" ? piece.content.head : undefined;
  const listed: Listed = {
    key,
    // Its first line may be that of the session it was forked from.
    id: idOf(source.name),
    form,
    files: sources.map(({ name }) => name),
    bytes: sources.reduce((sum, { size }) => sum + size, 0),
    entries: head === undefined || log !== undefined ? undefined : head.seq + 1,
    head: log === undefined ? head : undefined,
  };
  const content = async (): Promise<Content> => {
    if (form === "log") return new LogContent(source);
    if (form === "gzip") return new LogContent(new Inflated(source));
    return log === undefined ? piece.content : new JoinedContent(piece.content, new LogContent(log));
  };
  return { listed, sources, content };
}

function ofBundle(key: number, source: Source, bundled: Bundled): Found {
  const { id, title, head } = bundled;
  const listed: Listed = {
    key,
    id,
    title,
    form: "bundle",
    files: [source.name],
    bytes: head.bytes,
    entries: head.seq + 1,
    head,
  };
  return { listed, sources: [source], bundled, content: async () => new LogContent(bundled.log) };
}

/** The id in a file's name, whose bytes other than a few are percent-encoded. */
function idOf(name: string): string {
  return decoded(stem(name).split("/").pop() ?? name);
}

const GZIP = 0x1f;
/** Enough for an archive's whole header. */
const START_BYTES = 66 << 10;
