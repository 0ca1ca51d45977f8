const { Session, TurnkeepError } = require("turnkeep");
const { MemoryStore } = require("turnkeep/memory");
const { FileStore } = require("turnkeep/fs");

const error = (() => {
  try {
    return new MemoryStore().get("none");
  } catch (error) {
    return error;
  }
})();
if (!(error instanceof TurnkeepError)) throw new Error("the error is of another class");
Session.create(new MemoryStore(), { id: "s" }).then((session) => console.log(session.head.seq, FileStore.name));
