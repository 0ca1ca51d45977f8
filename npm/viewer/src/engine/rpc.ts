// The engine in a worker: every call is a message, and so is every answer.

import { problemOf } from "../common/problem";
import type { Wire } from "./wire";

type Method = Exclude<keyof Wire, "close">;

/** What the page sends. */
type Asked =
  | { readonly id: number; readonly method: Method; readonly args: readonly unknown[] }
  | { readonly abort: number }
  | { readonly close: true };

/** What the worker sends. */
type Answer =
  | { readonly id: number; readonly event: unknown }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: unknown; readonly isAborted: boolean };

/** In place of what cannot be posted. */
const EACH = "\u0000each";
const SIGNAL = "\u0000signal";

interface Port {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
}

/** An engine that lives behind a port. */
export function remoteEngine(port: Port & { terminate?(): void }): Wire {
  let last = 0;
  const calls = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void; each?: (event: never) => void }>();
  port.onmessage = ({ data }: MessageEvent<Answer>) => {
    const call = calls.get(data.id);
    if (call === undefined) return;
    if ("event" in data) return call.each?.(data.event as never);
    calls.delete(data.id);
    if ("result" in data) return call.resolve(data.result);
    call.reject(data.isAborted ? new DOMException("it was stopped", "AbortError") : data.error);
  };
  const ask = (method: Method, args: readonly unknown[]): Promise<never> => {
    const id = (last += 1);
    return new Promise((resolve, reject) => {
      let each: ((event: never) => void) | undefined;
      const posted = args.map((arg) => {
        if (typeof arg === "function") {
          each = arg as (event: never) => void;
          return EACH;
        }
        if (!(arg instanceof AbortSignal)) return arg;
        arg.addEventListener("abort", () => port.postMessage({ abort: id }), { once: true });
        return SIGNAL;
      });
      calls.set(id, { resolve: resolve as (value: unknown) => void, reject, ...(each && { each }) });
      port.postMessage({ id, method, args: posted });
    });
  };
  const asks = <M extends Method>(method: M) =>
    ((...args: unknown[]) => ask(method, args)) as unknown as Wire[M];
  return {
    open: asks("open"),
    layout: asks("layout"),
    rows: asks("rows"),
    entries: asks("entries"),
    part: asks("part"),
    raw: asks("raw"),
    survey: asks("survey"),
    verify: asks("verify"),
    search: asks("search"),
    markdown: asks("markdown"),
    bytesRead: asks("bytesRead"),
    close() {
      port.postMessage({ close: true });
      port.terminate?.();
    },
  };
}

/** Answers from a worker's side. */
export function serve(engine: Wire, port: Port): void {
  const aborts = new Map<number, AbortController>();
  port.onmessage = ({ data }: MessageEvent<Asked>) => {
    if ("close" in data) return engine.close();
    if ("abort" in data) return aborts.get(data.abort)?.abort();
    const { id, method, args } = data;
    const abort = new AbortController();
    aborts.set(id, abort);
    const given = args.map((arg) => {
      if (arg === EACH) return (event: unknown) => port.postMessage({ id, event });
      return arg === SIGNAL ? abort.signal : arg;
    });
    const call = engine[method] as (...args: unknown[]) => Promise<unknown>;
    call(...given)
      .then(
        (result) => port.postMessage({ id, result }),
        (error: unknown) => {
          const { aborted: isAborted } = abort.signal;
          port.postMessage({ id, error: isAborted ? undefined : problemOf(error), isAborted });
        },
      )
      .finally(() => aborts.delete(id));
  };
}
