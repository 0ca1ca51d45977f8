// Syncs that several writers share.

/**
 * The syncs of one file. Whoever comes first runs one, which covers all that was written before it
 * started; those who come while it runs share the next one.
 */
export class Syncs {
  readonly #sync: () => Promise<void>;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(sync: () => Promise<void>) {
    this.#sync = sync;
  }

  /** Settles with the first sync that starts from now on. */
  join(): Promise<void> {
    if (this.#next !== undefined) return this.#next;
    if (this.#running === undefined) return this.#start();
    const start = () => this.#start();
    return (this.#next = this.#running.then(start, start));
  }

  /** Settles when nothing runs that was asked for until now; never rejects. */
  get busy(): Promise<void> | undefined {
    const last = this.#next ?? this.#running;
    return last?.catch(() => {});
  }

  #start(): Promise<void> {
    this.#next = undefined;
    const end = () => {
      if (this.#running === running) this.#running = undefined;
    };
    const running = this.#sync();
    this.#running = running;
    running.then(end, end);
    return running;
  }
}
