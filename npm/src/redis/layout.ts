// Under which names the store's objects lie in Redis. Hosts in other languages use the same.

import { wasm } from "../load.js";

/** What a session's objects end with; longer ones before those that they end with. */
const SUFFIXES = [
  ".trace.jsonl",
  ".jsonl",
  ".jsonl.gz",
  ".recovery.json",
  ".about.json",
  ".retention.json",
] as const;

/** How Redis keys are made of the store's keys, all of them starting with `prefix`. */
export class Layout {
  /** The sorted set of all keys. No key holds its sign, so it is no object's. */
  readonly index: string;
  /** When they were last about to be created. */
  readonly seen: string;
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.index = `${prefix}{#index}`;
    this.seen = `${this.index}:seen`;
  }

  /** The bytes and the version of an object. */
  object(key: string): [bytes: string, version: string] {
    const { tag, rest } = split(key);
    return this.#pair(tag, rest);
  }

  /**
   * The same, and then those of all objects of its session, which expire together. What stands in
   * braces decides where a cluster keeps a key: all of these lie in one place.
   */
  written(key: string): [bytes: string, version: string, ...session: string[]] {
    const { tag, rest } = split(key);
    const session = rest === "" ? [] : SUFFIXES.flatMap((suffix) => this.#pair(tag, suffix));
    return [...this.#pair(tag, rest), ...session];
  }

  /** Where the parts of an object to be are kept. */
  stage(key: string, nonce: string): string {
    return `${this.object(key)[0]}:stage:${nonce}`;
  }

  #pair(tag: string, rest: string): [string, string] {
    const name = `${this.#prefix}{${tag}}${rest}`;
    return [name, `${name}:v`];
  }
}

/** A session's encoded id and what comes after it; any other key as a whole. */
function split(key: string): { tag: string; rest: string } {
  const rest = SUFFIXES.find((suffix) => key.endsWith(suffix));
  const tag = key.slice(0, key.length - (rest?.length ?? 0));
  return rest !== undefined && isEncodedId(tag) ? { tag, rest } : { tag: key, rest: "" };
}

function isEncodedId(text: string): boolean {
  try {
    wasm().decode_id(text);
    return true;
  } catch {
    return false;
  }
}
