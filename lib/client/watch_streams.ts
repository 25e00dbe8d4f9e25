/**
 * The watches of a handle that are iterators: each a persistent watch that pushes what it hears into a stream.
 *
 * Not here: whose watch is whose, and setting it again (watchers.ts). Invariant: a stream that has ended leaves no registration behind, neither here,
 * nor on the server, nor with its signal.
 */

import { checkOneOf, checkOptions, checkWholeNumber } from "../base/validate.ts";
import { ZkError } from "../model/errors.ts";
import type { AddWatchMode, WatchedEvent, Zxid } from "../model/types.ts";
import { onAbort } from "./abort.ts";
import { takeSignal, takeWatchMode } from "./arguments.ts";
import { EventStream, OVERFLOW_POLICIES } from "./event_stream.ts";
import type { WatchStreamOptions } from "./options.ts";
import { type ConnectionState, isTerminal } from "./session.ts";
import type { Watcher, Watchers } from "./watchers.ts";

/** An event of a stream; `Missed` where some may be missing: look again at what you watch. */
export type StreamEvent = WatchedEvent | { readonly type: "Missed"; readonly path: string; readonly zxid: Zxid };

/** What is needed of the handle. */
interface Handle {
  readonly state: ConnectionState;
  addWatch(path: string, watcher: Watcher, options: { readonly mode: AddWatchMode }): Promise<void>;
  removeWatch(path: string, watcher: Watcher, options: { readonly mode: AddWatchMode }): Promise<void>;
}

const CAPACITY = 1024;

export class WatchStreams {
  readonly #handle: Handle;
  readonly #watchers: Watchers;
  readonly #open = new Map<EventStream<StreamEvent>, string>();

  constructor(handle: Handle, watchers: Watchers) {
    this.#handle = handle;
    this.#watchers = watchers;
  }

  /** @param full the server's path */
  open(path: string, full: string, options: WatchStreamOptions): EventStream<StreamEvent> {
    const { mode, signal, capacity, overflow } = checked(path, options);
    const watcher: Watcher = (event) => stream.push(event);
    const stream = new EventStream<StreamEvent>({
      capacity,
      overflow,
      gap: () => missed(path),
      released: () => {
        offAbort();
        this.#open.delete(stream);
        this.#handle.removeWatch(path, watcher, { mode }).catch(() => {});
      },
    });
    this.#open.set(stream, path);
    // At once, so that it is among those to be set again if the connection is lost before the answer.
    this.#watchers.add(mode, full, watcher);
    this.#handle.addWatch(path, watcher, { mode }).catch((error: unknown) => {
      const isLost = error instanceof ZkError && error.code === "ConnectionLoss";
      if (this.#handle.state === "closed") stream.end();
      else if (!isLost || isTerminal(this.#handle.state)) stream.end(error);
    });
    let offAbort = (): void => {};
    offAbort = onAbort(signal, (reason) => stream.end(reason));
    return stream;
  }

  /** Nobody can say what happened meanwhile. */
  missed(): void {
    for (const [stream, path] of this.#open) stream.push(missed(path));
  }

  /** With an error, unless it is null. */
  endAll(error: ZkError | null): void {
    for (const stream of [...this.#open.keys()]) stream.end(error);
  }
}

const KEYS = ["mode", "signal", "capacity", "overflow"] as const;

function checked(path: string, options: WatchStreamOptions) {
  checkOptions("watch", options, KEYS, '{ mode: "persistent_recursive" }');
  const { mode, signal, capacity = CAPACITY, overflow = "dropOldest" } = options;
  checkWholeNumber("watch", "capacity", capacity, 1, Number.MAX_SAFE_INTEGER);
  checkOneOf("watch", "overflow", overflow, OVERFLOW_POLICIES);
  return { mode: takeWatchMode("watch", path, mode), signal: takeSignal("watch", signal), capacity, overflow };
}

function missed(path: string): StreamEvent {
  return { type: "Missed", path, zxid: -1n };
}
