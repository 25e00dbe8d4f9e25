/**
 * What clients and their verbs may be told, whichever way they reach their server.
 */
import type { AbortSignal } from "../platform_types.ts";
import { flag, type Shape, signal, text, wholeNumber } from "../shape.ts";
import type { AddWatchMode } from "../types.ts";
import type { OverflowPolicy } from "./event_stream.ts";
import type { Watcher } from "./watchers.ts";

/** What `server.connect()` may be told. */
export interface ConnectOptions {
  /** How long the session outlives silence, milliseconds; the server keeps it within its limits. Default 30,000. */
  readonly sessionTimeoutMs?: number;
  /** Path under which everything happens. It is not created. */
  readonly chroot?: string;
  /** Whether a read-only server will do. */
  readonly canBeReadOnly?: boolean;
  /** Gives up waiting for the first connection. */
  readonly signal?: AbortSignal;
}

export const DEFAULT_SESSION_TIMEOUT_MS = 30_000;

/** Timeouts are Java's ints on the wire. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

export const CONNECT_SHAPE: Shape<ConnectOptions> = {
  sessionTimeoutMs: wholeNumber(1, TIMEOUT_MS_MAX),
  chroot: text('"/app"'),
  canBeReadOnly: flag,
  signal,
};

/** What every verb takes. */
export interface RequestOptions {
  /**
   * Gives the request up. The promise rejects with the signal's reason; a change that was sent may happen all the same.
   */
  readonly signal?: AbortSignal;
}
export interface VersionOptions extends RequestOptions {
  /** The version the znode must have, else `BadVersion`; default any. */
  readonly version?: number;
}
export interface WatchOptions extends RequestOptions {
  /** Called once, when what was read changes. */
  readonly watch?: Watcher;
}
export interface WatchStreamOptions {
  /** `persistent`: this znode and its list of children; `persistent_recursive`: this znode and all below it. Default `persistent`. */
  readonly mode?: AddWatchMode;
  /** Ends the stream. */
  readonly signal?: AbortSignal;
  /** Events that may wait for the reader; default 1,024. */
  readonly capacity?: number;
  /** What to do when more wait; default `dropOldest`, which the stream tells with a `Missed` event. */
  readonly overflow?: OverflowPolicy;
}
