/**
 * What a client may be told, whichever way it reaches its server.
 */

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
