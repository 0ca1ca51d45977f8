// What a shared module gets as `t`, whatever the host: `t.test(name, fn)` and a few checks.
//
// A shared module is a file in shared/ that exports `async function run(t, host)`, where `host` is
//   turnkeep            the package
//   wasm                what the package itself calls, for what it does not show
//   fetchBytes(path)    the bytes of a file below tests/vectors
//   list(area)          the paths of all files below tests/vectors/AREA, sorted, as fetchBytes
//                       takes them; "" lists every file
//   storeCases          the parsed tests/store-cases.json
//   stores              the stores of this host: { name, durability, make() } where make gives
//                       { store, remove() } for a new one, alone in its place
// It imports nothing that one of the hosts lacks.

/** The checks; each throws an Error that says what was found and what was expected. */
export const checks = {
  ok(value, what = "value") {
    if (!value) throw new Error(`${what} is ${show(value)}`);
  },
  equal(found, expected, what = "value") {
    if (!same(found, expected)) {
      throw new Error(`${what}\n  found    ${show(found)}\n  expected ${show(expected)}`);
    }
  },
  /** `fn` throws or rejects; returns the error, whose `code` is checked when one is given. */
  async throws(fn, code) {
    let value;
    try {
      value = await fn();
    } catch (error) {
      if (code !== undefined) checks.equal(error.code, code, `code of "${error.message}"`);
      return error;
    }
    throw new Error(`nothing was thrown; the answer was ${show(value)}`);
  },
};

/** A harness that runs tests one after another, as they are registered, and tells of each. */
export function harness(report) {
  let last = Promise.resolve();
  let registered = 0;
  const test = (name, fn) => {
    registered += 1;
    last = last.then(async () => {
      let outcome = { name };
      try {
        await fn();
      } catch (error) {
        outcome = { name, error: String(error?.stack ?? error) };
      }
      await report(outcome);
    });
    return last;
  };
  return { t: { ...checks, test }, finish: () => last.then(() => registered) };
}

function same(a, b) {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Uint8Array) {
    return a.length === b.length && a.every((byte, index) => byte === b[index]);
  }
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length
    && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}

function show(value) {
  if (value instanceof Uint8Array) {
    const hex = Array.from(value.subarray(0, 64), (byte) => byte.toString(16).padStart(2, "0"));
    return `${value.length} bytes ${hex.join("")}${value.length > 64 ? "…" : ""}`;
  }
  return (typeof value === "object" && JSON.stringify(value)) || String(value);
}

/**
 * For each store of the host, gives what makes a test of it: a title and a body, which takes a fresh
 * store and turnkeep.
 */
export function inStores(t, host, tests) {
  for (const { name, durability, make } of host.stores) {
    const inStore = (title, body) =>
      t.test(`${name}: ${title}`, async () => {
        const { store, remove } = await make();
        try {
          await body(store, host.turnkeep);
        } finally {
          await remove();
        }
      });
    tests(inStore, durability);
  }
}
