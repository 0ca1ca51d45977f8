// What the store needs of a client of Redis: that a command is sent, and that bytes come back as
// bytes. The clients are told apart by what they have.

import { TurnkeepError } from "../errors.js";
import type { Script } from "./scripts.js";

/** An argument of a command: text, or bytes as a `Buffer`. */
export type RedisArgument = string | Uint8Array;

/** A client of node-redis (5 and later): of one server, or a pool of such. */
export interface NodeRedisClient {
  sendCommand(args: readonly RedisArgument[], options?: NodeRedisOptions): PromiseLike<unknown>;
}

/** A client of node-redis for a cluster. */
export interface NodeRedisCluster {
  readonly masters: readonly unknown[];
  sendCommand(
    firstKey: RedisArgument | undefined,
    isReadonly: boolean | undefined,
    args: readonly RedisArgument[],
    options?: NodeRedisOptions,
  ): PromiseLike<unknown>;
}

/** A client of node-redis for what Sentinel watches. */
export interface NodeRedisSentinel {
  getMasterNode(): unknown;
  sendCommand(
    isReadonly: boolean | undefined,
    args: readonly RedisArgument[],
    options?: NodeRedisOptions,
  ): PromiseLike<unknown>;
}

/** A client of ioredis: of one server, or of a cluster. */
export interface IoRedisClient {
  callBuffer(command: string, args: readonly (RedisArgument | number)[]): PromiseLike<unknown>;
}

/** What is said to node-redis about a command's answer. */
export interface NodeRedisOptions {
  readonly typeMapping?: unknown;
}

/** The clients that the store works with. */
export type RedisClient =
  | NodeRedisClient
  | NodeRedisCluster
  | NodeRedisSentinel
  | IoRedisClient;

/** Sends a command; bytes in its answer are a `Uint8Array`. */
type Send = (firstKey: string, args: RedisArgument[]) => PromiseLike<unknown>;

/** An answer of a script: a word, then what belongs to it. */
export type Answer = readonly [word: string, ...rest: unknown[]];

/** RESP's sign of a bulk string, which node-redis turns into text unless told otherwise. */
const BULK_STRING = 36;

/** Calls scripts, and what else there is to call. */
export class Redis {
  readonly #send: Send;

  constructor(client: RedisClient) {
    this.#send = sender(client);
  }

  /** What a script says; what went wrong becomes `store_failed`. */
  async call(
    script: Script,
    keys: readonly string[],
    args: readonly (string | number | Uint8Array)[],
  ): Promise<Answer> {
    const rest = [String(keys.length), ...keys, ...args.map(argument)];
    try {
      return checked(await this.#run(script, keys[0] ?? "", rest));
    } catch (error) {
      throw failed(error);
    }
  }

  /** What a command answers with a list. */
  async list(command: string, args: readonly string[]): Promise<readonly unknown[]> {
    try {
      return listOf(await this.#send(args[0] ?? "", [command, ...args]));
    } catch (error) {
      throw failed(error);
    }
  }

  async #run(script: Script, firstKey: string, rest: RedisArgument[]): Promise<unknown> {
    try {
      return await this.#send(firstKey, ["EVALSHA", await sha1(script), ...rest]);
    } catch (error) {
      if (!said(error).includes("NOSCRIPT")) throw error;
      return await this.#send(firstKey, ["EVAL", script.text, ...rest]);
    }
  }
}

function sender(client: RedisClient): Send {
  // A client of ioredis has a sendCommand too, another one.
  if ("callBuffer" in client) {
    return (_, [command, ...args]) => client.callBuffer(String(command), args);
  }
  if (!("sendCommand" in client)) {
    const message = "the client must be one of node-redis (5 or later) or of ioredis";
    throw new TurnkeepError("invalid_argument", message);
  }
  const options = { typeMapping: { [BULK_STRING]: Buffer } };
  if ("masters" in client) {
    return (firstKey, args) => client.sendCommand(firstKey, false, args, options);
  }
  if ("getMasterNode" in client) {
    return (_, args) => client.sendCommand(false, args, options);
  }
  return (_, args) => client.sendCommand(args, options);
}

/** The clients take bytes only as a `Buffer`. */
function argument(value: string | number | Uint8Array): RedisArgument {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

const hashes = new WeakMap<Script, Promise<string>>();

/** The name that Redis has for a script. */
function sha1(script: Script): Promise<string> {
  const known = hashes.get(script);
  if (known !== undefined) return known;
  const text = new TextEncoder().encode(script.text);
  const hash = crypto.subtle.digest("SHA-1", text).then((digest) => {
    const digits = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0"));
    return digits.join("");
  });
  hashes.set(script, hash);
  return hash;
}

function checked(answer: unknown): Answer {
  const [word, ...rest] = listOf(answer);
  return [text(word), ...rest];
}

function listOf(answer: unknown): readonly unknown[] {
  if (Array.isArray(answer)) return answer;
  throw new TypeError("the answer is no list");
}

const utf8 = new TextDecoder();

/** Text of an answer. */
export function text(value: unknown): string {
  return value instanceof Uint8Array ? utf8.decode(value) : String(value);
}

/** Errors that Redis answers with and that pass: it starts, changes its master, is full, or busy. */
const PASSING = new Set([
  "BUSY",
  "CLUSTERDOWN",
  "LOADING",
  "MASTERDOWN",
  "NOREPLICAS",
  "OOM",
  "READONLY",
  "TRYAGAIN",
  "UNBLOCKED",
]);

/** What to do about those that do not. */
const HINTS: Readonly<Record<string, string>> = {
  NOAUTH: "give the client the password, or the user and the password",
  WRONGPASS: "give the client the right user and password",
  NOPERM: "allow the user the commands EVAL and EVALSHA, and the store's prefix",
  CROSSSLOT: "give the store a prefix without braces",
  WRONGTYPE: "something else uses the store's prefix: give the store another one",
};

/** What went wrong, as the store's own failure. */
function failed(error: unknown): TurnkeepError {
  const message = said(error);
  const code = codeIn(message);
  const hint = HINTS[code ?? ""];
  const retryable = code === undefined ? isPassing(error) : PASSING.has(code);
  return new TurnkeepError("store_failed", `Redis: ${message}`, { retryable, hint, cause: error });
}

/** The word that an error of Redis starts with, if it is one; within a script it comes later. */
function codeIn(message: string): string | undefined {
  const inScript = /@user_script: ?\d+: -?([A-Z]{2,}) /.exec(message);
  return (inScript ?? /^-?([A-Z]{2,}) /.exec(message))?.[1];
}

/** What is not Redis's answer is the connection's trouble, unless it is ours or was closed here. */
function isPassing(error: unknown): boolean {
  return !(error instanceof TypeError) && said(error) !== "The client is closed";
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
