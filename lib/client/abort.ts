/**
 * Listeners of abort signals: however much waits for one signal, it has one listener of ours.
 *
 * Runtimes warn of a leak where there are many, and look through all of them to remove one. Invariants: a callback is called at most once, and not
 * after its end; a signal nobody waits for any more has no listener.
 */
import type { AbortSignal } from "../base/platform_types.ts";

/** Those that wait for one signal. */
interface Waiting {
  readonly callbacks: Set<(reason: unknown) => void>;
  readonly listener: () => void;
}

const waitingFor = new WeakMap<AbortSignal, Waiting>();

/** Calls back with the signal's reason when it aborts, or at once if it has. The returned function stops listening. */
export function onAbort(signal: AbortSignal | undefined, aborted: (reason: unknown) => void): () => void {
  if (signal === undefined) return NOTHING;
  if (signal.aborted) {
    aborted(signal.reason);
    return NOTHING;
  }
  const { callbacks } = waitingFor.get(signal) ?? listenTo(signal);
  const callback = (reason: unknown): void => aborted(reason); // one of its own for each call
  callbacks.add(callback);
  return () => {
    if (callbacks.delete(callback) && callbacks.size === 0) stopListening(signal);
  };
}

const NOTHING = (): void => {};

function listenTo(signal: AbortSignal): Waiting {
  const callbacks = new Set<(reason: unknown) => void>();
  const listener = (): void => {
    stopListening(signal);
    const { reason } = signal;
    for (const callback of callbacks) {
      callbacks.delete(callback);
      callback(reason);
    }
  };
  const waiting = { callbacks, listener };
  signal.addEventListener("abort", listener);
  waitingFor.set(signal, waiting);
  return waiting;
}

function stopListening(signal: AbortSignal): void {
  const waiting = waitingFor.get(signal);
  waitingFor.delete(signal);
  try {
    if (waiting !== undefined) signal.removeEventListener("abort", waiting.listener);
  } catch {
    // A signal that somebody made himself must not break the answer that no longer needs it.
  }
}
