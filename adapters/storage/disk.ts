/**
 * The few things the file storage asks of a file system. `node_disk.ts` is the real one; tests have one that loses, tears and fails.
 *
 * Not here: which files there are, and what is in them. Invariant: nothing counts as durable before `sync` has come back: of a file its bytes,
 * of a folder which files are in it.
 */

/** What stands in a folder under a name. */
export interface DirectoryEntry {
  readonly name: string;
  /** Of a file, or of the file that a link leads to; null: it is no file, or a link that leads nowhere. */
  readonly bytes: number | null;
}

/** Which folder it is, whatever path leads to it. */
export interface FolderIdentity {
  /** Without links. */
  readonly path: string;
  /** Device and number on it, as long as the system runs. */
  readonly inode: string;
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
  /** What is in a folder; null if there is no such folder. */
  list(path: string): readonly DirectoryEntry[] | null;
  /** Makes a file, or empties the one that is there. `exclusive`: fails with EEXIST where one is. */
  create(path: string, exclusive?: boolean): WritableFile;
  /** Opens a file that is there. */
  openToWrite(path: string): WritableFile;
  /** Which folder it is that a path leads to. */
  identify(folder: string): FolderIdentity;
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
