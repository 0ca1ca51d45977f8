// The host's own DecompressionStream, which refuses a second gzip member, reads every archive.

export async function run(t, host) {
  t.test("DecompressionStream reads archives", async () => {
    const paths = await host.list("archive");
    let read = 0;
    for (const path of paths.filter((path) => path.endsWith(".jsonl.gz"))) {
      const expected = await host.fetchBytes(path.replace(".jsonl.gz", ".expected.json"));
      const { code, index, sha256 } = JSON.parse(new TextDecoder().decode(expected));
      if (code !== null || index?.code !== null) continue;
      const stream = new Blob([await host.fetchBytes(path)]).stream();
      const log = await new Response(stream.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
      const found = await crypto.subtle.digest("SHA-256", log);
      const hex = Array.from(new Uint8Array(found), (byte) => byte.toString(16).padStart(2, "0"));
      t.equal(hex.join(""), sha256, path);
      read += 1;
    }
    t.ok(read > 5, "the number of archives read");
  });
}
