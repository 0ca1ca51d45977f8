import { Session, TurnkeepError } from "turnkeep";
import { MemoryStore } from "turnkeep/memory";

export async function recordIn(store, Session, TurnkeepError) {
  const session = await Session.create(store, { id: "s" });
  await session.append([{ kind: "user_input", item: "Hi" }, { kind: "turn_end", turn: 1 }]);
  const { history, turns } = await session.state();
  if (history[0].item !== "Hi" || turns !== 1) throw new Error("the state is another");
  await session.close();
  const error = await Session.open(store, "none").catch((error) => error);
  if (!(error instanceof TurnkeepError)) throw new Error("the error is of another class");
  console.log("recorded");
}

await recordIn(new MemoryStore(), Session, TurnkeepError);
