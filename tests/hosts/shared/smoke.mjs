// The package loads and its wasm answers.

export async function run(t, host) {
  t.test("an empty log is told from a log", async () => {
    const report = await host.turnkeep.verify(new Uint8Array());
    t.equal(report.fault.code, "empty_log");
  });
}
