// Asks the package something that only its wasm can answer.

export function probe(turnkeep) {
  const notALog = new TextEncoder().encode("abc\n");
  try {
    turnkeep.fold(notALog);
  } catch (error) {
    if (error.code !== "bad_line" || error.line !== 1) throw error;
    console.log("the wasm answers");
    return;
  }
  throw new Error("the wasm took three letters for a log");
}
