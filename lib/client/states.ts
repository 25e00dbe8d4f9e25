/**
 * Listeners to a handle's changes of state: callbacks, and streams made of them.
 *
 * Not here: the states and what they mean (session.ts).
 */
import type { AbortSignal } from "../base/platform_types.ts";
import { onAbort } from "./abort.ts";
import { EventStream } from "./event_stream.ts";
import { type ConnectionState, isTerminal } from "./session.ts";

/** A change of the connection's state, and why. */
export interface StateChange {
  readonly state: ConnectionState;
  readonly reason: string;
}

export type StateListener = (change: StateChange) => void;

const CAPACITY = 1024;

export class StateListeners {
  readonly #listeners = new Set<StateListener>();

  /** The returned function ends it. */
  add(listener: StateListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Those that hear of the next change. */
  all(): StateListener[] {
    return [...this.#listeners];
  }

  /** The changes from now on; the last one ends the stream. */
  stream(stateNow: () => ConnectionState, signal: AbortSignal | undefined): EventStream<StateChange> {
    const off = this.add((change) => {
      stream.push(change);
      if (isTerminal(change.state)) stream.end();
    });
    const stream = new EventStream<StateChange>({
      capacity: CAPACITY,
      overflow: "dropOldest",
      gap: () => ({ state: stateNow(), reason: "states were left out" }),
      released: () => {
        offAbort();
        off();
      },
    });
    let offAbort = (): void => {};
    offAbort = onAbort(signal, (reason) => stream.end(reason));
    return stream;
  }
}
