// turnkeep/memory: the store in memory, the reference for what a store does.

import { TurnkeepError } from "./errors.js";
import { checkKey } from "./key.js";
import { checkStart } from "./start.js";
import {
  type ByteRange,
  type Capabilities,
  type Condition,
  type Durability,
  type Info,
  type Listing,
  type Mark,
  type Store,
  type StoredObject,
  everything,
} from "./store.js";

/**
 * Objects in this process's memory, gone with it.
 *
 * @example
 * ```ts
 * import { Session } from "turnkeep";
 * import { MemoryStore } from "turnkeep/memory";
 *
 * const session = await Session.create(new MemoryStore());
 * ```
 */
export class MemoryStore implements Store {
  readonly capabilities: Capabilities = everything("memory");
  readonly #objects = new Map<string, Stored>();
  readonly #stages = new Map<string, Stage>();
  /** Counts writes: every version is another number. */
  #writes = 0;

  get(key: string, range?: ByteRange): StoredObject {
    const stored = this.#find(key);
    return { bytes: stored.bytes.slice(range?.start, range?.end), info: info(stored) };
  }

  put(key: string, bytes: Uint8Array, condition: Condition): Info {
    this.#check(key, condition);
    return this.#write(key, new Uint8Array(bytes));
  }

  append(
    key: string,
    bytes: Uint8Array,
    at: number,
    torn: number,
    durability: Durability,
    mark?: Mark,
    tornStart?: Uint8Array,
  ): Info {
    if (durability === "disk") this.sync(key);
    const stored = this.#objects.get(key);
    if (stored === undefined) checkKey(key);
    const length = stored?.bytes.length ?? 0;
    if (length !== at + torn) {
      const message = `the object has ${length} bytes, not ${at + torn}`;
      throw new TurnkeepError("conflict", message, { key });
    }
    if (mark !== undefined) checkStart(key, stored?.bytes.subarray(mark.at), mark.bytes);
    checkStart(key, stored?.bytes.subarray(at), tornStart);
    // Room grows by doubling, so that appending costs what is appended.
    const end = at + bytes.length;
    let room = stored?.room ?? new Uint8Array(0);
    if (end > room.length) {
      const larger = new Uint8Array(Math.max(end, 2 * room.length));
      larger.set(room.subarray(0, at));
      room = larger;
    }
    room.set(bytes, at);
    return this.#write(key, room.subarray(0, end), room);
  }

  /** Always `not_supported`. */
  sync(key: string): void {
    throw new TurnkeepError("not_supported", "memory cannot be made durable", { key });
  }

  /** Always nobody: there is no other process that could append. */
  holder(key: string): undefined {
    checkKey(key);
  }

  delete(key: string, condition: Condition): void {
    this.#find(key);
    this.#check(key, condition);
    this.#objects.delete(key);
  }

  list(prefix: string, after: string | undefined, limit: number): Listing {
    const follows = (key: string) => key.startsWith(prefix) && (after === undefined || key > after);
    // Keys are ASCII: JavaScript's order is that of their bytes.
    const keys = [...this.#objects.keys()].filter(follows).sort();
    const objects = keys.slice(0, limit).map((key) => ({ key, info: this.info(key) }));
    return { objects, more: keys.length > limit };
  }

  info(key: string): Info {
    return info(this.#find(key));
  }

  stage(key: string): string {
    checkKey(key);
    this.#writes += 1;
    const stage = String(this.#writes);
    this.#stages.set(stage, { key, parts: new Map() });
    return stage;
  }

  stagePart(stage: string, number: number, bytes: Uint8Array): void {
    this.#stage(stage).parts.set(number, new Uint8Array(bytes));
  }

  getStaged(stage: string, range?: ByteRange): StoredObject {
    const { parts } = this.#stage(stage);
    const info = { bytes: lengthOf([...parts.values()]), version: "" };
    return { bytes: joined(parts, range), info };
  }

  commit(stage: string, condition: Condition): Info {
    const { key, parts } = this.#stage(stage);
    this.#stages.delete(stage);
    this.#check(key, condition);
    return this.#write(key, joined(parts));
  }

  abort(stage: string): void {
    this.#stage(stage);
    this.#stages.delete(stage);
  }

  #find(key: string): Stored {
    const stored = this.#objects.get(key);
    if (stored !== undefined) return stored;
    checkKey(key);
    throw new TurnkeepError("not_found", "there is no such object", { key });
  }

  #check(key: string, condition: Condition): void {
    checkKey(key);
    if (condition === "any") return;
    const stored = this.#objects.get(key);
    if (condition === "absent") {
      if (stored === undefined) return;
      throw new TurnkeepError("already_exists", "the object exists", { key });
    }
    if (stored === undefined || info(stored).version !== condition.version) {
      throw new TurnkeepError("conflict", "the object has another version", { key });
    }
  }

  #write(key: string, bytes: Uint8Array, room: Uint8Array = bytes): Info {
    this.#writes += 1;
    const stored = { bytes, room, version: this.#writes };
    this.#objects.set(key, stored);
    return info(stored);
  }

  #stage(stage: string): Stage {
    const found = this.#stages.get(stage);
    if (found === undefined) throw new TurnkeepError("not_found", "there is no such stage");
    return found;
  }
}

interface Stored {
  readonly bytes: Uint8Array;
  /** The memory that `bytes` are the start of. */
  readonly room: Uint8Array;
  readonly version: number;
}

interface Stage {
  readonly key: string;
  readonly parts: Map<number, Uint8Array>;
}

function info({ bytes, version }: Stored): Info {
  return { bytes: bytes.length, version: String(version) };
}

const WHOLE: ByteRange = { start: 0, end: Number.POSITIVE_INFINITY };

/** A range of the parts, joined by number. */
function joined(parts: Stage["parts"], { start, end }: ByteRange = WHOLE): Uint8Array {
  const ordered = [...parts].sort(([a], [b]) => a - b);
  let before = 0;
  const pieces = ordered.map(([, part]) => {
    const piece = part.subarray(Math.max(0, start - before), Math.max(0, end - before));
    before += part.length;
    return piece;
  });
  const bytes = new Uint8Array(lengthOf(pieces));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}
