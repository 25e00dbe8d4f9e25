/**
 * The interfaces that adapters implement: everything the core wants from the world. Small and total: no optional methods.
 *
 * Bytes handed over in either direction belong to the receiver until its call returns; whoever keeps them copies them.
 */
import type { Now, Zxid } from "./types.ts";

/** Time. `systemClock()` is the real one; a test's clock moves when told. */
export interface Clock {
  now(): Now;
  /** Calls `wake` once `now().mono >= mono`. The returned function cancels. A wake-up never keeps the process alive. */
  wakeAt(mono: number, wake: () => void): () => void;
}

/** Where log lines go. A line never holds a secret. */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** A byte stream to somebody, such as a socket. */
export interface Duplex {
  /** Textual IP address of the other end. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Takes the bytes for sending, in order. They must not be written into afterwards. */
  write(bytes: Uint8Array): void;
  /** Bytes taken by `write` that the other end has not accepted yet. */
  bufferedBytes(): number;
  /** Stops and restarts `data` calls: back-pressure. */
  pause(): void;
  resume(): void;
  /** Ends the stream after what was written. */
  end(): void;
  /** Cuts it at once. */
  destroy(): void;
}

/** Who listens to a {@link Duplex}. */
export interface DuplexHandler {
  data(bytes: Uint8Array): void;
  /** Everything written has been accepted by the other end. */
  drained(): void;
  /** The stream is gone; comes exactly once, and nothing comes after it. */
  closed(): void;
}

/** Something that accepts byte streams, such as a TCP port. */
export interface Listener {
  /** Starts accepting; resolves once bound. `accept` says who handles the stream. */
  start(accept: (duplex: Duplex) => DuplexHandler): Promise<ListenAddress>;
  /** Stops accepting and cuts what is open; resolves when everything is released. */
  stop(): Promise<void>;
}

/** Where a listener can be reached. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** One durable transaction: its jute form (header, body, digest), without the log's own framing. */
export interface LogRecord {
  readonly zxid: Zxid;
  readonly bytes: Uint8Array;
}
