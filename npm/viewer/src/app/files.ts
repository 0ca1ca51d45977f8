// Files out of a drop or a file dialog, folders walked.

import type { NamedBlob } from "../engine/api";

/** Beyond this, a folder is hardly the one that was meant. */
const FILES_MAX = 20_000;

/** What turnkeep writes ends so; what else lies in a folder is passed over without a word. */
const OURS = /\.(jsonl|gz|bundle)$/i;

export async function droppedFiles(transfer: DataTransfer): Promise<NamedBlob[]> {
  // The list is emptied as soon as the event is over, so all entries are taken before the first wait.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) {
    return chosenFiles(transfer.files);
  }
  const found: NamedBlob[] = [];
  for (const entry of entries) {
    await walk(entry, entry.isDirectory, found);
  }
  return found;
}

export function chosenFiles(files: Iterable<File>): NamedBlob[] {
  return [...files]
    .filter((file) => file.webkitRelativePath === "" || isWanted(file.name))
    .map((file) => ({ name: file.webkitRelativePath || file.name, blob: file }));
}

async function walk(entry: FileSystemEntry, isInFolder: boolean, found: NamedBlob[]): Promise<void> {
  if (found.length >= FILES_MAX) {
    return;
  }
  if (isFolder(entry)) {
    for (const child of await children(entry)) {
      await walk(child, true, found);
    }
  } else if (isFile(entry) && (!isInFolder || isWanted(entry.name))) {
    const blob = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    found.push({ name: entry.fullPath.replace(/^\//, ""), blob });
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
