/**
 * One request of a handle: from the op to a promise that is settled, with the watch it sets registered on the way.
 *
 * Not here: verbs (zookeeper.ts), connections and order (session.ts).
 *
 * Invariant: every promise is settled, with an outcome that is no error or with a {@link ZkError}.
 */
import { type Applied, type ErrorCode, invariant, ZkError } from "../errors.ts";
import type { Op, Outcome } from "../ops.ts";
import type { ClientSession } from "./session.ts";
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
      const offAbort = onAbort(signal, reject);
      if (signal?.aborted) return;
      const watchAnswered = effect?.kind === "set" ? this.#watchers.expect(effect.path) : null;
      this.#session.request(op, (outcome, applied) => {
        offAbort();
        watchAnswered?.();
        const refused = outcome.kind === "error" || outcome.kind === "multiRefused";
        const absent = refused && outcome.code === "NoNode" && op.kind === "exists";
        // Here and not once the promise is seen to: an event may follow the reply at once.
        if (effect !== undefined && (!refused || absent)) this.#carryOut(effect, absent);
        if (refused && !absent) reject(this.#failure(outcome.code, op, operation, path, applied));
        else resolve(outcome);
      });
    });
  }

  #failure(code: ErrorCode, op: Op, operation: string, path: string | undefined, applied: Applied): ZkError {
    const detail = { operation, path, applied: changes(op) ? applied : false };
    return new ZkError(code, this.#session.state === "closed" ? { ...detail, reason: "the client is closed" } : detail);
  }

  #carryOut(effect: WatchEffect, absent: boolean): void {
    if (effect.kind === "removeAll") this.#watchers.removeAll(effect.path);
    // An exists watch on a znode that is there is a data watch, as in ZooKeeper's clients.
    else this.#watchers.add(effect.set === "exist" && !absent ? "data" : effect.set, effect.path, effect.watcher);
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
