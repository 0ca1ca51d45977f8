// Files that earlier versions wrote are read on every host, and what this one writes of the same inputs has the
// same bytes everywhere. tests/tests/frozen.rs does more of it.

import { MemoryStore } from "../../../npm/dist/memory.js";

const FROZEN = "../frozen/";

export async function run(t, host) {
  const { Session, Tier, TurnkeepError, createMemoryCache, createRuntime } = host.turnkeep;
  const versions = await read("frozen.json");
  t.test("something was frozen", () => t.ok(Object.keys(versions).length > 0, "that there is a version"));

  for (const [version, sha256] of Object.entries(versions)) {
    const manifest = await read(`${version}/manifest.json`);
    const files = await filesOf(version, manifest);

    t.test(`${version}: the files are as they were frozen`, async () => {
      t.equal(host.wasm.sha256(await host.fetchBytes(`${FROZEN}${version}/manifest.json`)), sha256, "manifest");
      for (const [path, bytes] of files) t.equal(host.wasm.sha256(bytes), manifest.files[path], path);
    });

    t.test(`${version}: sessions are read`, () => areRead(filled(files, "store"), manifest.reads.store));

    t.test(`${version}: sessions in two stores are read`, async () => {
      await areRead(await Tier.open(filled(files, "hot"), filled(files, "cold")), manifest.reads.tier);
    });

    t.test(`${version}: bundles are restored`, async () => {
      for (const [key, expected] of Object.entries(manifest.reads.bundles)) {
        const { store } = await restored(files.get(`bundles/${key}`));
        await areRead(store, expected.sessions);
      }
    });

    t.test(`${version}: an interrupted restoring is undone or finished`, async () => {
      const store = filled(files, "interrupted");
      const { recovered } = await createRuntime({ store });
      t.ok(manifest.reads.interrupted.recovered.toLowerCase().startsWith(recovered.what), recovered.what);
      await areRead(store, manifest.reads.interrupted.sessions);
    });

    // Only the newest: earlier ones may have been spelled otherwise.
    if (version !== Object.keys(versions).at(-1)) continue;
    t.test(`${version}: archives have the same bytes`, () => {
      const archive = files.get("store/archived.jsonl.gz");
      t.equal(host.wasm.archive_bytes(host.wasm.unarchive_bytes(archive)), archive, "the archive");
    });
    t.test(`${version}: bundles have the same bytes`, async () => {
      const bundle = files.get("bundles/bundles/runtime.bundle");
      t.equal(await bundledAgain(bundle), bundle, "the bundle");
    });
  }

  async function read(path) {
    return JSON.parse(new TextDecoder().decode(await host.fetchBytes(FROZEN + path)));
  }

  async function filesOf(version, manifest) {
    const files = new Map();
    for (const path of Object.keys(manifest.files)) {
      files.set(path, await host.fetchBytes(`${FROZEN}${version}/${path}`));
    }
    return files;
  }

  /** A store with what was frozen of one. */
  function filled(files, folder) {
    const store = new MemoryStore();
    for (const [path, bytes] of files) {
      if (path.startsWith(`${folder}/`)) store.put(path.slice(folder.length + 1), bytes, "any");
    }
    return store;
  }

  async function areRead(store, expected) {
    for (const [id, told] of Object.entries(expected)) {
      const found = await read(store, id);
      const { code, form, head, withheld, state_sha256 } = told;
      t.equal(found, code === undefined ? { form, head, withheld, state_sha256 } : { code }, id);
    }
    t.ok(Object.keys(expected).length > 0, "that there are sessions");

    async function read(store, id) {
      try {
        const session = await Session.open(store, id);
        const { form, head } = session;
        const { fault, entryFault, withheld } = await session.verify({ deep: true });
        t.equal([fault, entryFault], [undefined, undefined], `faults of ${id}`);
        const state = new TextEncoder().encode(await session.stateJson());
        await session.close();
        return { form, head, withheld, state_sha256: host.wasm.sha256(state) };
      } catch (error) {
        if (!(error instanceof TurnkeepError)) throw error;
        return { code: error.code };
      }
    }
  }

  async function restored(bundle) {
    const store = new MemoryStore();
    const cache = createMemoryCache({ rawJson: true });
    const runtime = await createRuntime({ store, cache });
    await runtime.restoreFrom(bundle);
    return { store, runtime };
  }

  /** The bundle of what a bundle restores, written at the same time as it. */
  async function bundledAgain(bundle) {
    const header = new TextDecoder().decode(host.wasm.gunzip(bundle).subarray(0, 100));
    const created = Number(/"created":(\d+)/.exec(header)[1]);
    const { runtime } = await restored(bundle);
    const target = new MemoryStore();
    const { now } = Date;
    Date.now = () => created;
    try {
      await runtime.snapshotTo(target);
    } finally {
      Date.now = now;
    }
    return target.get("bundles/runtime.bundle").bytes;
  }
}
