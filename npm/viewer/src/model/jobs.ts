import { signal, type ReadonlySignal } from "@preact/signals";

import type { Progress } from "../engine/api";
import { problemOf } from "../common/problem";
import type { Job } from "./types";

const NOTHING_DONE: Progress = { done: 0, total: 0 };

/** Runs one thing at a time and tells how it goes. */
export class Runner<T> {
  readonly #job = signal<Job<T>>({ state: "idle" });
  #abort: AbortController | undefined;
  #progress = NOTHING_DONE;

  get job(): ReadonlySignal<Job<T>> {
    return this.#job;
  }

  get isRunning(): boolean {
    return this.#abort !== undefined;
  }

  /** Says whether it was done to its end. */
  async run(work: (signal: AbortSignal) => Promise<T>): Promise<boolean> {
    this.stop();
    const abort = new AbortController();
    this.#abort = abort;
    this.progress(NOTHING_DONE);
    try {
      const result = await work(abort.signal);
      return this.#end(abort, { state: "done", result });
    } catch (error) {
      this.#end(abort, { state: "failed", problem: problemOf(error) });
      return false;
    }
  }

  progress(progress: Progress): void {
    this.#progress = progress;
    this.#job.value = { state: "running", progress };
  }

  stop(): void {
    if (this.#abort === undefined) return;
    this.#abort.abort();
    this.#abort = undefined;
    this.#job.value = { state: "stopped", progress: this.#progress };
  }

  reset(): void {
    this.stop();
    this.#job.value = { state: "idle" };
  }

  /** What was stopped meanwhile has nothing to say any more. */
  #end(abort: AbortController, job: Job<T>): boolean {
    if (this.#abort !== abort) return false;
    this.#abort = undefined;
    this.#job.value = job;
    return true;
  }
}
