// Files out of a drop or a file dialog, folders walked.

import type { NamedBlob } from "../engine/api";

/** Beyond this, a folder is hardly the one that was meant. */
const FILES_MAX = 20_000;

/** What turnkeep writes ends so; what else lies in a folder is passed over without a word. */
const OURS = /\.(jsonl|gz|bundle)$/i;

/** A thing that was dropped: a file, or a folder by whichever way the browser lets it be walked. */
interface Dropped {
  readonly entry: FileSystemEntry | null;
  readonly file: File | null;
  readonly handle: Promise<FileSystemHandle | null>;
}

export async function droppedFiles(transfer: DataTransfer): Promise<NamedBlob[]> {
  // The list is emptied as soon as the event is over, so all is taken from it before the first wait.
  const dropped = [...transfer.items].filter((item) => item.kind === "file").map(taken);
  const found: NamedBlob[] = [];
  for (const { entry, file, handle } of dropped) {
    const folder = entry?.isDirectory === true ? await handle : null;
    if (folder !== null && isFolderHandle(folder)) {
      await walkHandle(folder, folder.name, found);
    } else if (entry?.isDirectory === true) {
      await walk(entry, found);
    } else if (file !== null) {
      found.push({ name: file.name, blob: file });
    }
  }
  return found;
}

/** Chromium walks no entries in pages that were opened from a file, but handles; others have no handles. */
function taken(item: DataTransferItem): Dropped {
  const { getAsFileSystemHandle } = item as { getAsFileSystemHandle?: () => Promise<FileSystemHandle | null> };
  const handle = getAsFileSystemHandle?.call(item).catch(() => null) ?? Promise.resolve(null);
  return { entry: item.webkitGetAsEntry(), file: item.getAsFile(), handle };
}

export function chosenFiles(files: Iterable<File>): NamedBlob[] {
  return [...files]
    .filter((file) => file.webkitRelativePath === "" || isWanted(file.name))
    .map((file) => ({ name: file.webkitRelativePath || file.name, blob: file }));
}

async function walk(entry: FileSystemEntry, found: NamedBlob[]): Promise<void> {
  if (found.length >= FILES_MAX) {
    return;
  }
  if (isFolder(entry)) {
    for (const child of await children(entry)) {
      await walk(child, found);
    }
  } else if (isFile(entry) && isWanted(entry.name)) {
    const blob = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    found.push({ name: entry.fullPath.replace(/^\//, ""), blob });
  }
}

async function walkHandle(folder: FileSystemDirectoryHandle, path: string, found: NamedBlob[]): Promise<void> {
  for await (const child of folder.values()) {
    const name = `${path}/${child.name}`;
    if (found.length >= FILES_MAX) {
      return;
    }
    if (isFolderHandle(child)) {
      await walkHandle(child, name, found);
    } else if (isFileHandle(child) && isWanted(child.name)) {
      found.push({ name, blob: await child.getFile() });
    }
  }
}

async function children(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    // A reader gives some at a time, and none at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) {
      return all;
    }
    all.push(...some);
  }
}

function isWanted(name: string): boolean {
  return OURS.test(name) && !name.startsWith(".");
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolderHandle(handle: FileSystemHandle): handle is FileSystemDirectoryHandle {
  return handle.kind === "directory";
}

function isFileHandle(handle: FileSystemHandle): handle is FileSystemFileHandle {
  return handle.kind === "file";
}
