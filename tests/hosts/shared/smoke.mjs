// The package loads and its wasm answers.

export async function run(t, host) {
  t.test("hashes bytes", () => {
    const bytes = new TextEncoder().encode("abc");
    const expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    t.equal(host.turnkeep.sha256Hex(bytes), expected);
  });
}
