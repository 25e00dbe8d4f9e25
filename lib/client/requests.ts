/**
 * One request of a handle: from the op to a promise that is settled, with the watch it sets registered on the way.
 *
 * Not here: verbs (zookeeper.ts), connections and order (session.ts).
 *
 * Invariant: every promise is settled, with an outcome that is no error or with a {@link ZkError}.
 */
import { type Applied, type ErrorCode, invariant, ZkError } from "../errors.ts";
import type { Op, Outcome } from "../ops.ts";
import type { AbortSignal } from "../platform_types.ts";
import type { Asked, ClientSession } from "./session.ts";
import type { Watcher, Watchers, WatchSet } from "./watchers.ts";

/** What a request does to the handle's own record of watches when it succeeds. Paths are the server's. */
export type WatchEffect =
  | { readonly kind: "set"; readonly set: WatchSet; readonly path: string; readonly watcher: Watcher }
  | { readonly kind: "removeAll"; readonly path: string };

/** The effect of a verb that may set a watch. */
export function sets(set: WatchSet, path: string, watcher: Watcher | undefined): WatchEffect | undefined {
  return watcher === undefined ? undefined : { kind: "set", set, path, watcher };
}

export class Requests {
  readonly #session: ClientSession;
  readonly #watchers: Watchers;

  constructor(session: ClientSession, watchers: Watchers) {
    this.#session = session;
    this.#watchers = watchers;
  }

  /** `operation` and `path` are for the error's text: the verb and the path as the caller gave it. */
  ask(
    op: Op,
    operation: string,
    path: string | undefined,
    signal: AbortSignal | undefined,
    effect?: WatchEffect,
  ): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const request = new Request(this.#session, op, operation, path, resolve, reject);
      if (effect !== undefined) request.affects(this.#watchers, effect);
      if (signal === undefined || request.endsWith(signal)) this.#session.request(request);
    });
  }
}

class Request implements Asked {
  readonly op: Op;
  readonly #session: ClientSession;
  readonly #operation: string;
  readonly #path: string | undefined;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #reject: (error: unknown) => void;
  /** What there is to do at the answer, beside telling it; null for nothing, as with most requests. */
  #answered: ((succeeded: boolean, absent: boolean) => void) | null = null;
  #offAbort: (() => void) | null = null;

  constructor(
    session: ClientSession,
    op: Op,
    operation: string,
    path: string | undefined,
    resolve: (outcome: Outcome) => void,
    reject: (error: unknown) => void,
  ) {
    this.op = op;
    this.#session = session;
    this.#operation = operation;
    this.#path = path;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** In the same call as the answer, and not once the promise is seen to: an event may follow the reply at once. */
  affects(watchers: Watchers, effect: WatchEffect): void {
    if (effect.kind === "removeAll") {
      this.#answered = (succeeded) => succeeded && watchers.removeAll(effect.path);
      return;
    }
    const { set, path, watcher } = effect;
    const noLongerExpected = watchers.expect(path);
    this.#answered = (succeeded, absent) => {
      noLongerExpected();
      // An exists watch on a znode that is there is a data watch, as in ZooKeeper's clients.
      if (succeeded) watchers.add(set === "exist" && !absent ? "data" : set, path, watcher);
    };
  }

  /** Gives the request up when the signal aborts; false if it has. */
  endsWith(signal: AbortSignal): boolean {
    this.#offAbort = onAbort(signal, this.#reject);
    if (signal.aborted) this.#answered?.(false, false);
    return !signal.aborted;
  }

  settle(outcome: Outcome, applied: Applied, reason?: string): void {
    this.#offAbort?.();
    const code = outcome.kind === "error" || outcome.kind === "multiRefused" ? outcome.code : null;
    const absent = code === "NoNode" && this.op.kind === "exists";
    this.#answered?.(code === null || absent, absent);
    if (code === null || absent) this.#resolve(outcome);
    else this.#reject(this.#failure(code, applied, this.#session.state === "closed" ? "the client is closed" : reason));
  }

  #failure(code: ErrorCode, applied: Applied, reason: string | undefined): ZkError {
    const detail = { operation: this.#operation, path: this.#path, applied: changes(this.op) ? applied : false };
    return new ZkError(code, reason === undefined ? detail : { ...detail, reason });
  }
}

/** The outcome, as the kind that answers what was asked. */
export function expect<K extends Outcome["kind"]>(outcome: Outcome, kind: K): Extract<Outcome, { kind: K }> {
  invariant(outcome.kind === kind, `an answer of kind ${outcome.kind} where ${kind} belongs`);
  return outcome as Extract<Outcome, { kind: K }>;
}

/** Whether an op can leave something behind, so that it matters if it was applied. */
function changes(op: Op): boolean {
  switch (op.kind) {
    case "create":
    case "create2":
    case "createContainer":
    case "createTTL":
    case "delete":
    case "setData":
    case "setACL":
    case "multi":
    case "reconfig":
      return true;
    default:
      return false;
  }
}

/** Calls back with the signal's reason when it aborts, or at once if it has. The returned function stops listening. */
export function onAbort(signal: AbortSignal | undefined, aborted: (reason: unknown) => void): () => void {
  if (signal === undefined) return NOTHING;
  const listener = () => aborted(signal.reason);
  if (signal.aborted) listener();
  else signal.addEventListener("abort", listener, { once: true });
  return () => signal.removeEventListener("abort", listener);
}

const NOTHING = () => {};
