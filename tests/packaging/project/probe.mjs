// Asks the package something that only its wasm can answer.

export function probe(turnkeep) {
  const found = turnkeep.sha256Hex(new TextEncoder().encode("abc"));
  const expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  if (found !== expected) throw new Error(`the wasm answered ${found}`);
  console.log("the wasm answers");
}
