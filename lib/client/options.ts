/**
 * Options of clients and of their verbs, whichever way they reach their server. A key whose value is undefined counts as absent.
 */
import type { AbortSignal } from "../base/platform_types.ts";
import type { AddWatchMode } from "../model/types.ts";
import { flag, type Shape, signal, text, wholeNumber } from "../options/shape.ts";
import type { OverflowPolicy } from "./event_stream.ts";
import type { Watcher, WatchKind } from "./watchers.ts";

/** What `server.connect()` may be told. */
export interface ConnectOptions {
  /** How long the session outlives silence, milliseconds; the server keeps it within its limits. Default 30,000. */
  readonly sessionTimeoutMs?: number | undefined;
  /** Path under which everything happens. It is not created. */
  readonly chroot?: string | undefined;
  /** Whether a read-only server will do. */
  readonly canBeReadOnly?: boolean | undefined;
  /** Gives up waiting for the first connection. */
  readonly signal?: AbortSignal | undefined;
  /** Gives up waiting for the first connection after so many milliseconds, with `OperationTimeout`. Default: never. */
  readonly connectTimeoutMs?: number | undefined;
}

/** What `close` of a handle may be told. */
export interface CloseOptions {
  /** How long to wait for a server that doesn't answer, milliseconds. Default 3,000. */
  readonly timeoutMs?: number | undefined;
  /** Waits no longer when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

export const DEFAULT_SESSION_TIMEOUT_MS = 30_000;

/** Timeouts are Java's ints on the wire. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

export const CONNECT_SHAPE: Shape<ConnectOptions> = {
  sessionTimeoutMs: wholeNumber(1, TIMEOUT_MS_MAX),
  chroot: text('"/app"'),
  canBeReadOnly: flag,
  signal,
  connectTimeoutMs: wholeNumber(1, TIMEOUT_MS_MAX),
};

/** What every verb takes. */
export interface RequestOptions {
  /**
   * Gives the request up. The promise rejects with the signal's reason; a change that was sent may happen all the same.
   */
  readonly signal?: AbortSignal | undefined;
}

/** What verbs that change a znode may be told. */
export interface VersionOptions extends RequestOptions {
  /** The version the znode must have, else `BadVersion`; default any. */
  readonly version?: number | undefined;
}

/** What verbs that can watch may be told. */
export interface WatchOptions extends RequestOptions {
  /** Called once, when what was read changes. */
  readonly watch?: Watcher | undefined;
}

/** What `removeWatches` may be told. */
export interface RemoveWatchesOptions extends RequestOptions {
  /**
   * `data`: those that `getData` and `exists` set; `children`: those of `getChildren`; `persistent` and `persistent_recursive`: those of `addWatch`,
   * alone only on servers of 3.9 or newer. Default `any`.
   */
  readonly kind?: WatchKind | undefined;
  /** Whether they count as removed where no server can be asked, too. Default false: `ConnectionLoss`, and they stay. */
  readonly local?: boolean | undefined;
}

/** What `watch` may be told. */
export interface WatchStreamOptions {
  /** `persistent`: this znode and its list of children; `persistent_recursive`: this znode and all below it. Default `persistent`. */
  readonly mode?: AddWatchMode | undefined;
  /** Ends the stream. */
  readonly signal?: AbortSignal | undefined;
  /** Events that may wait for the reader; default 1,024. */
  readonly capacity?: number | undefined;
  /** What to do when more wait; default `dropOldest`, which the stream tells with a `Missed` event. */
  readonly overflow?: OverflowPolicy | undefined;
}
