// Calls that are carried out one after another.

/** Runs what it is given in order: at once, if nothing is under way. @internal */
export class Queue {
  /** Settles when the last call does; `undefined` while none is under way. */
  #last: Promise<unknown> | undefined;

  /** Whether a call is under way. */
  get isBusy(): boolean {
    return this.#last !== undefined;
  }

  /** Settles when the calls so far are over; never rejects. */
  async idle(): Promise<void> {
    await this.#last?.catch(() => {});
  }

  /** Runs something after the calls before it, whether or not they succeed. */
  run<T>(run: () => T | Promise<T>): Promise<T> {
    let call: Promise<T>;
    if (this.#last === undefined) {
      try {
        const result = run();
        if (!(result instanceof Promise)) return Promise.resolve(result);
        call = result;
      } catch (error) {
        return Promise.reject(error);
      }
    } else {
      call = this.#last.then(run, run);
    }
    this.#last = call;
    const isOver = () => {
      if (this.#last === call) this.#last = undefined;
    };
    call.then(isOver, isOver);
    return call;
  }
}
