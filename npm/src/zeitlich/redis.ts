// zeitlich's hot tier in Redis: a list of messages, a marker that the thread is there, its state.

import { Redis, type RedisClient, text } from "../redis/client.js";
import type { Thread, ThreadSnapshot } from "../zeitlich.js";

/** Which of zeitlich's threads in Redis are meant. */
export interface RedisThreadsOptions {
  /** zeitlich's thread key: `"messages"` unless it was told otherwise. */
  readonly threadKey?: string | undefined;
  /**
   * The id of a message, as the adapter has it. Unless given: `id`, and of LangChain's messages
   * `data.tool_call_id` or `data.id`.
   */
  readonly idOf?: ((message: string) => string | undefined) | undefined;
}

/** Messages that are asked for at once. */
const PAGE = 1000;

/**
 * The threads that zeitlich has in Redis (of one server, or of one node of a cluster). No workflow should
 * be running on them.
 *
 * @example
 * ```ts
 * import { createClient } from "redis";
 * import { threadsInRedis } from "turnkeep/zeitlich";
 *
 * const client = await createClient().connect();
 * const threads = threadsInRedis(client);
 * ```
 */
export async function* threadsInRedis(
  client: RedisClient,
  { threadKey = "messages", idOf = idIn }: RedisThreadsOptions = {},
): AsyncGenerator<Thread, void, undefined> {
  const redis = new Redis(client);
  const start = `${threadKey}:meta:thread:`;
  const seen = new Set<string>();
  let cursor = "0";
  do {
    const pattern = `${start.replace(/[\\*?[\]]/g, "\\$&")}*`;
    const [next, keys] = await redis.list("SCAN", [cursor, "MATCH", pattern, "COUNT", "1000"]);
    cursor = text(next);
    for (const key of (keys as readonly unknown[]).map(text)) {
      const threadId = key.slice(start.length);
      // A scan may name a key twice.
      if (seen.has(threadId)) continue;
      seen.add(threadId);
      yield { threadKey, threadId, snapshot: () => snapshotOf(redis, threadKey, threadId, idOf) };
    }
  } while (cursor !== "0");
}

async function snapshotOf(
  redis: Redis,
  threadKey: string,
  threadId: string,
  idOf: (message: string) => string | undefined,
): Promise<ThreadSnapshot> {
  const list = `${threadKey}:thread:${threadId}`;
  const messages: string[] = [];
  for (;;) {
    const from = messages.length;
    const page = await redis.list("LRANGE", [list, String(from), String(from + PAGE - 1)]);
    for (const message of page) messages.push(text(message));
    if (page.length < PAGE) break;
  }
  const [state] = await redis.list("MGET", [`${threadKey}:state:thread:${threadId}`]);
  const ids = messages.map(idOf);
  const dedupIds = ids.every((id) => id !== undefined) ? (ids as string[]) : [];
  return { v: 1, messages, state: state == null ? null : JSON.parse(text(state)), dedupIds };
}

/** The id of a message as zeitlich's adapters keep it. */
function idIn(message: string): string | undefined {
  try {
    const { id, data } = JSON.parse(message);
    const found = id ?? data?.tool_call_id ?? data?.id;
    return typeof found === "string" ? found : undefined;
  } catch {
    return undefined;
  }
}
