/**
 * Calls a function soon after something changed, but seldom enough that it takes at most a tenth of the
 * time however long it takes: so what is computed of all rows may be computed anew while they come in.
 */
export class Publisher {
  readonly #publish: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #next = 0;

  constructor(publish: () => void) {
    this.#publish = publish;
  }

  soon(): void {
    this.#timer ??= setTimeout(() => this.now(), Math.max(0, this.#next - performance.now()));
  }

  now(): void {
    this.cancel();
    const start = performance.now();
    this.#publish();
    const end = performance.now();
    this.#next = end + Math.max(LEAST_MS, 9 * (end - start));
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

const LEAST_MS = 100;
