/**
 * A disk that does what disks may do: loses what was not synced, by sectors and in any order; forgets which files a folder had; fills up; fails to
 * sync; changes a bit. What it does follows from its random numbers.
 *
 * Invariant: what was synced is there after every crash, as it was.
 */

import { setImmediate } from "node:timers";
import type { DirectoryEntry, Disk, WritableFile } from "../../adapters/storage/disk.ts";
import type { Random } from "../support/random.ts";

const SECTOR_BYTES = 512;

type Change = { readonly position: number; readonly bytes: Uint8Array } | { readonly length: number };

/** What a file holds: as programs see it, as the disk has it, and what lies between. */
class Content {
  seen = new Uint8Array(0);
  kept = new Uint8Array(0);
  unsynced: Change[] = [];

  change(change: Change): void {
    this.seen = changed(this.seen, change);
    this.unsynced.push(change);
  }

  get unsyncedBytes(): number {
    return this.unsynced.reduce((sum, change) => sum + ("bytes" in change ? change.bytes.length : 0), 0);
  }

  sync(): void {
    this.kept = this.seen.slice();
    this.unsynced = [];
  }

  /** Of what was not synced, some sectors have reached the disk. */
  lose(random: Random): void {
    const share = random.of([0, 0.3, 0.7, 1]);
    for (const change of this.unsynced) {
      if ("length" in change) {
        if (random.next() < share) this.kept = changed(this.kept, change);
      } else {
        for (const part of sectors(change)) if (random.next() < share) this.kept = changed(this.kept, part);
      }
    }
    this.unsynced = [];
    this.seen = this.kept.slice();
  }
}

/** Which files there are in a folder: the same three. */
class Folder {
  readonly seen = new Map<string, Content>();
  kept = new Map<string, Content>();
  unsynced: (readonly [name: string, content: Content | null])[] = [];

  set(name: string, content: Content | null): void {
    put(this.seen, name, content);
    this.unsynced.push([name, content]);
  }

  sync(): void {
    this.kept = new Map(this.seen);
    this.unsynced = [];
  }

  /** File systems keep the order of such changes. */
  lose(random: Random): void {
    for (const [name, content] of this.unsynced.slice(0, random.below(this.unsynced.length + 1))) put(this.kept, name, content);
    this.unsynced = [];
    this.seen.clear();
    for (const [name, content] of this.kept) this.seen.set(name, content);
  }
}

/** The machine is off. */
export class PowerFailure extends Error {}

export class SimulatedDisk {
  readonly #random: Random;
  readonly #folders = new Map<string, Folder>();
  /** Programs of an earlier start have handles of an earlier number: they do nothing any more. */
  #start = 0;
  #callsLeft = Number.POSITIVE_INFINITY;
  #syncsLeft = Number.POSITIVE_INFINITY;
  #bytesMax = Number.POSITIVE_INFINITY;

  #refused: RegExp | null = null;
  #held: Promise<void> = Promise.resolve();
  #time = 0;
  #syncMs = 1;

  constructor(random: Random) {
    this.#random = random;
  }

  // ── what a test does to it ──

  /** After so many calls nothing answers any more. */
  stopAfter(calls: number): void {
    this.#callsLeft = calls;
  }

  /** So many syncs are left before one fails, and loses what it was to keep. */
  failSyncAfter(syncs: number): void {
    this.#syncsLeft = syncs;
  }

  /** There is room for so many more bytes. */
  limit(bytes: number): void {
    this.#bytesMax = this.#bytes() + bytes;
  }

  /** No more files of such names can be made. */
  refuse(name: RegExp): void {
    this.#refused = name;
  }

  /** Every sync takes long from now on. */
  slowDown(): void {
    this.#syncMs = 10;
  }

  /** Syncs wait until the returned function is called. */
  holdSyncs(): () => void {
    let letGo = (): void => {};
    this.#held = new Promise((resolve) => {
      letGo = resolve;
    });
    return () => letGo();
  }

  /** The most bytes of a file that were written and not synced at a time. */
  unsyncedBytesMax = 0;

  /** The process is gone, and with `power` the machine's memory, too. */
  restart(power: boolean): void {
    this.#start++;
    this.#callsLeft = Number.POSITIVE_INFINITY;
    this.#syncsLeft = Number.POSITIVE_INFINITY;
    this.#bytesMax = Number.POSITIVE_INFINITY;
    if (!power) return;
    const contents = new Set([...this.#folders.values()].flatMap(({ seen, kept }) => [...seen.values(), ...kept.values()]));
    for (const content of contents) content.lose(this.#random);
    for (const folder of this.#folders.values()) folder.lose(this.#random);
  }

  /** Changes a bit of a file whose name fits, and gives a way to change it back; null if there is none. */
  flipBit(name: RegExp): (() => void) | null {
    const files = [...this.#folders.values()].flatMap(({ seen }) => [...seen].filter(([file]) => name.test(file)));
    const full = files.filter(([, content]) => content.seen.length > 0);
    if (full.length === 0) return null;
    const [, content] = this.#random.of(full);
    const used = content.seen.findLastIndex((byte) => byte !== 0) + 1;
    const at = this.#random.below(Math.max(1, used));
    const bit = 1 << this.#random.below(8);
    const flip = (): void => {
      if (at < content.seen.length) content.seen[at]! ^= bit;
      if (at < content.kept.length) content.kept[at]! ^= bit;
    };
    flip();
    return flip;
  }

  /** The disk as a program sees it that starts now, and only until the next restart. */
  mount(): Disk {
    const start = this.#start;
    const guarded = <Args extends unknown[], Result>(call: (...args: Args) => Result): ((...args: Args) => Result) => {
      return (...args) => {
        if (start !== this.#start || this.#callsLeft-- <= 0) throw new PowerFailure("the machine is off");
        return call.apply(this, args);
      };
    };
    return {
      makeFolder: guarded(this.#makeFolder),
      list: guarded(this.#list),
      create: guarded(this.#create),
      identify: (path) => ({ path, inode: path }),
      openToWrite: guarded((path) => this.#file(this.#content(path))),
      read: guarded(this.#read),
      readText: guarded(this.#readText),
      rename: guarded(this.#rename),
      remove: guarded(this.#remove),
      syncFolder: guarded(this.#syncFolder),
      touch: () => {},
      changedAt: () => 0,
      soon: (callback) => void setImmediate(callback),
      wait: async () => {},
      // A disk that is slow now and then.
      now: () => (this.#time += this.#random.next() * 3 * this.#syncMs),
    };
  }

  // ── what a program does with it ──

  #makeFolder(path: string): void {
    if (!this.#folders.has(path)) this.#folders.set(path, new Folder());
  }

  #list(path: string): readonly DirectoryEntry[] | null {
    const folder = this.#folders.get(path);
    return folder === undefined ? null : Array.from(folder.seen, ([name, { seen }]) => ({ name, bytes: seen.length }));
  }

  #create(path: string, exclusive = false): WritableFile {
    const { folder, name } = this.#at(path);
    if (this.#refused?.test(name)) throw systemError("EIO");
    if (exclusive && folder.seen.has(name)) throw systemError("EEXIST");
    const content = new Content();
    folder.set(name, content);
    return this.#file(content);
  }

  async *#read(path: string): AsyncGenerator<Uint8Array, void, void> {
    const bytes = this.#content(path).seen.slice();
    for (let at = 0; at < bytes.length; ) {
      const length = 1 + this.#random.below(5000);
      yield bytes.subarray(at, at + length);
      at += length;
    }
  }

  #readText(path: string): string | null {
    const { folder, name } = this.#at(path);
    const content = folder.seen.get(name);
    return content === undefined ? null : new TextDecoder().decode(content.seen);
  }

  #rename(from: string, to: string): void {
    const content = this.#content(from);
    const source = this.#at(from);
    const target = this.#at(to);
    target.folder.set(target.name, content);
    source.folder.set(source.name, null);
  }

  #remove(path: string): void {
    const { folder, name } = this.#at(path);
    if (folder.seen.has(name)) folder.set(name, null);
  }

  async #syncFolder(path: string): Promise<void> {
    this.#countSync();
    this.#folders.get(path)!.sync();
  }

  #file(content: Content): WritableFile {
    const start = this.#start;
    const call = (): void => {
      if (start !== this.#start || this.#callsLeft-- <= 0) throw new PowerFailure("the machine is off");
    };
    const write = (bytes: Uint8Array, position: number): void => {
      call();
      const room = this.#bytesMax - this.#bytes() + content.seen.length - position;
      if (bytes.length > room) {
        if (room > 0) content.change({ position, bytes: bytes.slice(0, room) });
        throw systemError("ENOSPC");
      }
      content.change({ position, bytes: bytes.slice() });
      this.unsyncedBytesMax = Math.max(this.unsyncedBytesMax, content.unsyncedBytes);
    };
    const sync = (): void => {
      call();
      try {
        this.#countSync();
      } catch (error) {
        content.lose(this.#random);
        throw error;
      }
      content.sync();
    };
    const aside = async (work: () => void): Promise<void> => {
      call();
      await new Promise((resolve) => void setImmediate(resolve));
      work();
    };
    return {
      write,
      sync,
      writeAside: (bytes, position) => aside(() => write(bytes, position)),
      syncAside: async () => {
        await this.#held;
        await aside(sync);
      },
      resize: (length) => {
        call();
        content.change({ length });
      },
      close: () => {},
    };
  }

  #countSync(): void {
    if (this.#syncsLeft-- <= 0) throw systemError("EIO");
  }

  #bytes(): number {
    let bytes = 0;
    for (const { seen } of this.#folders.values()) for (const content of seen.values()) bytes += content.seen.length;
    return bytes;
  }

  #content(path: string): Content {
    const { folder, name } = this.#at(path);
    const content = folder.seen.get(name);
    if (content === undefined) throw systemError("ENOENT");
    return content;
  }

  #at(path: string): { readonly folder: Folder; readonly name: string } {
    const cut = path.lastIndexOf("/");
    return { folder: this.#folders.get(path.slice(0, cut))!, name: path.slice(cut + 1) };
  }
}

function put(files: Map<string, Content>, name: string, content: Content | null): void {
  if (content === null) files.delete(name);
  else files.set(name, content);
}

function changed(bytes: Uint8Array, change: Change): Uint8Array<ArrayBuffer> {
  const length = "length" in change ? change.length : Math.max(bytes.length, change.position + change.bytes.length);
  const next = new Uint8Array(length);
  next.set(bytes.subarray(0, length));
  if ("bytes" in change) next.set(change.bytes, change.position);
  return next;
}

function* sectors({ position, bytes }: { readonly position: number; readonly bytes: Uint8Array }): Generator<Change> {
  for (let at = 0; at < bytes.length; ) {
    const length = SECTOR_BYTES - ((position + at) % SECTOR_BYTES);
    yield { position: position + at, bytes: bytes.subarray(at, at + length) };
    at += length;
  }
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}
