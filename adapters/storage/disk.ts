/**
 * The few things the file storage asks of a file system. `node_disk.ts` is the real one; tests have one that loses, tears and fails.
 *
 * Not here: which files there are, and what is in them. Invariant: nothing counts as durable before `sync` has come back: of a file its bytes,
 * of a folder which files are in it.
 */

/** A file in a folder. */
export interface DirectoryEntry {
  readonly name: string;
  readonly bytes: number;
}

/** A file open for writing; one call at a time. */
export interface WritableFile {
  /** Hands bytes to the system, which may keep them in memory. They may be used again once it returns. */
  write(bytes: Uint8Array, position: number): void;
  /** The same away from the event loop. */
  writeAside(bytes: Uint8Array, position: number): Promise<void>;
  /** Returns once everything written is on the disk. Holds up everything else for that long. */
  sync(): void;
  /** The same away from the event loop. */
  syncAside(): Promise<void>;
  /** Cuts or lengthens the file. */
  resize(bytes: number): void;
  close(): void;
}

export interface Disk {
  /** Makes a folder and those above it. */
  makeFolder(path: string): void;
  /** The files of a folder; null if there is no such folder. */
  list(path: string): readonly DirectoryEntry[] | null;
  /** Makes a file, or empties the one that is there. `exclusive`: fails with EEXIST where one is. */
  create(path: string, exclusive?: boolean): WritableFile;
  /** Opens a file that is there. */
  openToWrite(path: string): WritableFile;
  /** The bytes of a file in pieces; each is valid until the next is asked for. */
  read(path: string): AsyncIterable<Uint8Array>;
  /** A whole small file as text; null if there is none. */
  readText(path: string): string | null;
  rename(from: string, to: string): void;
  remove(path: string): void;
  /** Makes durable which files a folder has. */
  syncFolder(path: string): Promise<void>;
  /** Sets a file's time of change to now. */
  touch(path: string): void;
  /** A file's time of change; null if there is none. */
  changedAt(path: string): number | null;
  /** Calls back once the events that wait already have been handled. */
  soon(callback: () => void): void;
  wait(milliseconds: number): Promise<void>;
  /** Milliseconds that never go back. */
  now(): number;
}
