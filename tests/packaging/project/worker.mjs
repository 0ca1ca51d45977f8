import { Session, TurnkeepError } from "turnkeep";
import { MemoryStore } from "turnkeep/memory";

export default {
  async fetch() {
    const session = await Session.create(new MemoryStore(), { id: "s" });
    await session.append({ kind: "user_input", item: "Hi" });
    const error = await Session.open(new MemoryStore(), "none").catch((error) => error);
    return new Response(`${session.head.seq} ${error.code} ${error instanceof TurnkeepError}`);
  },
};
