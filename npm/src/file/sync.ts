// Syncs that several writers share, and those of files that nobody holds.

import { statSync } from "node:fs";
import { open } from "node:fs/promises";

import { missingOrFailed, notFound, poisoned } from "./failure.js";
import { syncFolder } from "./publish.js";

/**
 * The syncs of one file. Whoever comes first runs one, which covers all that was written before it
 * started; those who come while it runs share the next one.
 */
export class Syncs {
  readonly #sync: () => Promise<void>;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(sync: () => Promise<void>) {
    this.#sync = sync;
  }

  /** Settles with the first sync that starts from now on. */
  join(): Promise<void> {
    if (this.#next !== undefined) return this.#next;
    if (this.#running === undefined) return this.#start();
    const start = () => this.#start();
    return (this.#next = this.#running.then(start, start));
  }

  /** Settles when nothing runs that was asked for until now; never rejects. */
  get busy(): Promise<void> | undefined {
    const last = this.#next ?? this.#running;
    return last?.catch(() => {});
  }

  #start(): Promise<void> {
    this.#next = undefined;
    const end = () => {
      if (this.#running === running) this.#running = undefined;
    };
    const running = this.#sync();
    this.#running = running;
    running.then(end, end);
    return running;
  }
}

/** Syncs a file that its store does not hold: whatever was appended before it was let go. */
export async function syncUnheld(path: string, key: string): Promise<void> {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) throw notFound(key);
  // Windows syncs only what is open for writing.
  const file = await open(path, process.platform === "win32" ? "r+" : "r").catch((error) => {
    throw missingOrFailed(key, "cannot open", path, error);
  });
  try {
    await file.datasync();
    await syncFolder(path);
  } catch (error) {
    throw poisoned("cannot sync", path, error, key);
  } finally {
    await file.close();
  }
}
