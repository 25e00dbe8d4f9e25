/**
 * One request of a handle: from the op to a promise that is settled, with the watch it sets registered on the way.
 *
 * Not here: verbs (zookeeper.ts), connections and order (session.ts).
 *
 * Invariants: every promise is settled, unless a signal ends it with an answer: an outcome or a {@link Failure}. Nothing throws where an answer comes.
 */

import type { AbortSignal } from "../base/platform_types.ts";
import { type Applied, type ErrorCode, invariant, ZkError, type ZkErrorDetail } from "../model/errors.ts";
import type { Op, Outcome } from "../model/ops.ts";
import { onAbort } from "./abort.ts";
import type { Asked, ClientSession } from "./session.ts";
import type { Watcher, Watchers, WatchSet } from "./watchers.ts";

/** What a request does to the handle's own record of watches when it succeeds. Paths are the server's. */
export type WatchEffect =
  | { readonly kind: "set"; readonly set: WatchSet; readonly path: string; readonly watcher: Watcher }
  | { readonly kind: "answered"; readonly succeeded: () => void };

/**
 * Why a request failed, before it is an error. The verb makes that where it goes on: engines then put whoever awaits the verb into its stack, which
 * they can't where the answer comes in. A success costs nothing.
 */
export interface Failure {
  readonly kind: "failure";
  readonly code: ErrorCode;
  readonly detail: ZkErrorDetail;
}

export function failed(code: ErrorCode, detail: ZkErrorDetail): Failure {
  return { kind: "failure", code, detail };
}

export type Answer = Outcome | Failure;

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

  /** `operation` and `path` are for the error's text: the verb and the path as the caller gave it. Rejects with the signal's reason alone. */
  ask(
    op: Op,
    operation: string,
    path: string | undefined,
    signal: AbortSignal | undefined,
    effect?: WatchEffect,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = new Request(this.#session, op, operation, path, resolve);
      if (signal !== undefined) {
        request.offAbort = onAbort(signal, reject);
        if (signal.aborted) return;
      }
      if (effect !== undefined) request.affects(this.#watchers, effect);
      this.#session.request(request);
    });
  }
}

class Request implements Asked {
  readonly op: Op;
  readonly #session: ClientSession;
  readonly #operation: string;
  readonly #path: string | undefined;
  readonly #resolve: (answer: Answer) => void;
  /** What there is to do at the answer, beside passing it on; null for nothing, as with most requests. */
  #answered: ((succeeded: boolean, absent: boolean) => void) | null = null;
  offAbort: (() => void) | null = null;

  constructor(session: ClientSession, op: Op, operation: string, path: string | undefined, resolve: (answer: Answer) => void) {
    this.op = op;
    this.#session = session;
    this.#operation = operation;
    this.#path = path;
    this.#resolve = resolve;
  }

  /** In the same call as the answer, and not once the promise is seen to: an event may follow the reply at once. */
  affects(watchers: Watchers, effect: WatchEffect): void {
    if (effect.kind === "answered") {
      this.#answered = (succeeded) => succeeded && effect.succeeded();
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

  settle(outcome: Outcome, applied: Applied, reason?: string): void {
    this.offAbort?.();
    const code = outcome.kind === "error" || outcome.kind === "multiRefused" ? outcome.code : null;
    const absent = code === "NoNode" && this.op.kind === "exists";
    this.#answered?.(code === null || absent, absent);
    this.#resolve(code === null || absent ? outcome : this.#failure(code, applied, reason));
  }

  #failure(code: ErrorCode, applied: Applied, given: string | undefined): Failure {
    const detail = { operation: this.#operation, path: this.#path, applied: changes(this.op) ? applied : false };
    const reason = this.#session.state === "closed" ? "the client is closed" : given;
    return failed(code, reason === undefined ? detail : { ...detail, reason });
  }
}

/**
 * The outcome, as the kind that answers what was asked.
 *
 * @throws ZkError for a request that failed
 */
export function expect<K extends Outcome["kind"]>(answer: Answer, kind: K): Extract<Outcome, { kind: K }> {
  if (answer.kind === "failure") throw new ZkError(answer.code, answer.detail);
  if (answer.kind !== kind) invariant(false, `an answer of kind ${answer.kind} where ${kind} belongs`);
  return answer as Extract<Outcome, { kind: K }>;
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
