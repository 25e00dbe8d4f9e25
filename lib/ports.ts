/**
 * The interfaces that adapters implement: everything the core wants from the world. Small and total: no optional methods.
 *
 * Bytes handed over in either direction belong to the receiver until its call returns; whoever keeps them copies them.
 */
import type { AuthId, Now, Zxid } from "./model/types.ts";

/** Time. `systemClock()` is the real one; a test's clock moves when told. */
export interface Clock {
  now(): Now;
  /** Calls `wake` once `now().mono >= mono`. The returned function cancels. A wake-up never keeps the process alive. */
  wakeAt(mono: number, wake: () => void): () => void;
}

/** The facts of a log line, by their names, for those who keep logs as data. */
export type LogData = Readonly<Record<string, string | number | boolean | null>>;

/** Where log lines go. A line never holds a secret. The message alone says everything; some come with their facts as `data`, too. */
export interface Logger {
  debug(message: string, data?: LogData): void;
  info(message: string, data?: LogData): void;
  warn(message: string, data?: LogData): void;
  error(message: string, data?: LogData): void;
}

/** A byte stream to somebody, such as a socket. */
export interface Duplex {
  /** Textual IP address of the other end. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Identities that the transport has proved the other end to have, such as the subject of its TLS certificate. */
  readonly authIds: readonly AuthId[];
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

/**
 * Counts a connection whose stream is not ready yet: what it returns is called once, when the stream is about to be accepted, or when the connection
 * has ended. null: it is one too many, and to be cut.
 */
export type Reserve = (remoteAddress: string) => (() => void) | null;

/** Something that accepts byte streams, such as a TCP port. */
export interface Listener {
  /**
   * Starts accepting; resolves once bound. `accept` says who handles the stream. Where a connection takes a while until its stream is ready, as with
   * TLS, `reserve` is asked for it first.
   */
  start(accept: (duplex: Duplex) => DuplexHandler, reserve?: Reserve): Promise<ListenAddress>;
  /** Stops accepting and frees the address; what is open goes on until `stop`. */
  release(): Promise<void>;
  /** Stops accepting and cuts what is open; resolves when everything is released. */
  stop(): Promise<void>;
}

/** Where a listener can be reached. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** Whether it serves TLS, and nobody in the clear. */
  readonly secure: boolean;
}

/** Where a client looks for a server: a name or an address, and a port. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** Opens byte streams to servers, such as TCP. */
export interface Dialer {
  /**
   * Tries to reach a server. `opened` says who handles the stream, `failed` why there is none, in words; one of them is called, once, and never
   * from within this call. The returned function gives the attempt up: then neither is called.
   */
  dial(server: ServerAddress, opened: (duplex: Duplex) => DuplexHandler, failed: (reason: string) => void): () => void;
  /** Calls back once when the turn that is going on has ended, so that all it has to say goes out in one piece. */
  atTurnEnd(run: () => void): void;
}

// ── what outlives the process ──

/** One durable transaction: its jute form (header, body, digest), without the log's own framing. */
export interface LogRecord {
  readonly zxid: Zxid;
  readonly bytes: Uint8Array;
}

/**
 * What a server keeps beyond its own life: a log of txns, snapshots, and epochs. `fileStorage()` and `memoryStorage()` make one; a server
 * uses it alone.
 *
 * Once a call has failed, what is kept is only what was durable before: the server stops, and whoever opens the storage next finds out.
 */
export interface Storage {
  /** What to call it in messages, such as the folder's path. */
  readonly name: string;
  /** Takes the storage for one server, and says what it holds. Rejects while another server has it. */
  open(logger: Logger): Promise<Stored>;
  /**
   * Adds records to the log, in zxid order. Calls may overlap: what comes while the disk works is written together, and gets the same promise.
   * A promise resolves once the records are durable; without one they are when the call returns.
   */
  append(records: readonly LogRecord[]): Promise<void> | undefined;
  /**
   * Keeps a snapshot of the database as it was after `zxid`: whole, or not at all. Between two chunks, an empty one included, other work runs.
   * A chunk's bytes are valid until the next one is asked for. Later records go to a new piece of the log.
   */
  saveSnapshot(zxid: Zxid, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void>;
  /** Keeps both epochs, each whole or not at all; null leaves one as it is. */
  saveEpochs(epochs: Epochs): Promise<void>;
  /**
   * Drops every record and every snapshot behind `last`, and says what is left. Rejects with a `NothingCutError`, and drops nothing, where `last`
   * itself is neither a record nor a snapshot (the first zxid of an epoch need not be one, since it is no txn: what stands before it will do), where
   * there are snapshots and none would be left, or where `check` rejects: it is given what would be left before anything is dropped.
   */
  truncate(last: Zxid, check?: (left: Stored) => Promise<void>): Promise<Stored>;
  /**
   * The log's records from `zxid` on that are durable, while others may be appended; they may end before the newest. Rejects where the log is
   * damaged, or is removed meanwhile.
   */
  readLog(zxid: Zxid): AsyncIterable<LogChunk>;
  /** Where the data is and how much of it, for reports. */
  usage(): StorageUsage;
  /** Writes what was appended, and lets go. May be called again. */
  close(): Promise<void>;
}

/** Folders are "" where a storage has none. */
export interface StorageUsage {
  readonly dataDir: string;
  readonly dataLogDir: string;
  /** Bytes of all files in each; twice the same if it is one folder. */
  readonly dataDirBytes: number;
  readonly logDirBytes: number;
}

/** What a storage holds. Valid until the storage is written to. */
export interface Stored {
  readonly epochs: StoredEpochs;
  /** Newest first. Whether one is whole shows when it is read. */
  readonly snapshots: readonly StoredSnapshot[];
  /** Whether there is a log at all, be it without a record. */
  readonly hasLog: boolean;
  /**
   * The log's records from `zxid` on, in the order in which they stand. Rejects where the log is damaged. A torn end, as a crash leaves it, is
   * cut off.
   */
  readLog(zxid: Zxid): AsyncIterable<LogChunk>;
}

/** A snapshot in storage. */
export interface StoredSnapshot {
  readonly zxid: Zxid;
  readonly name: string;
  /** The bytes as ZooKeeper lays them out, uncompressed. Chunks are valid until the next one is asked for. */
  read(): AsyncIterable<Uint8Array>;
}

/** A record that is part of a chunk's bytes. */
export interface LogSpan {
  readonly zxid: Zxid;
  /** Where it starts in the chunk's bytes, and where it ends. */
  readonly start: number;
  readonly end: number;
}

/** Some of the log's records, at least one; their bytes are valid until the next chunk is asked for. */
export interface LogChunk {
  /** What holds them. Between two records of one file there has never been another. */
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly records: readonly LogSpan[];
  /** Where a record of this chunk stands, for messages: `log.1 at offset 1234`. */
  placeOf(index: number): string;
}

/** What a member of an ensemble has promised and followed; null: never kept. */
export interface Epochs {
  /** Highest epoch it has promised to a leader. */
  readonly accepted: number | null;
  /** Epoch of the last leader whose history it took over. */
  readonly current: number | null;
}

/** Epochs as they are found. */
export interface StoredEpochs extends Epochs {
  /** A current epoch that was being kept when the process ended. It counts where the log is ahead of the one that was kept. */
  readonly unfinished: number | null;
}
