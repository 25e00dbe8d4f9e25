/**
 * The machine's file system through `node:fs`, the same on Node, Bun and Deno.
 */
import * as fs from "node:fs";
import { open } from "node:fs/promises";
import process from "node:process";
import { setImmediate, setTimeout } from "node:timers";
import type { DirectoryEntry, Disk, FolderIdentity, WritableFile } from "./disk.ts";

const READ_BYTES = 1 << 20;
/** What is kept is nobody's but the owner's: data, hashes of passwords, addresses. */
const OWNER_FILE = 0o600;
const OWNER_FOLDER = 0o700;

export const nodeDisk: Disk = {
  makeFolder: (path) => void fs.mkdirSync(path, { recursive: true, mode: OWNER_FOLDER }),
  list,
  identify,
  create: (path, exclusive = false) => new NodeFile(fs.openSync(path, exclusive ? "wx" : "w", OWNER_FILE)),
  openToWrite: (path) => new NodeFile(fs.openSync(path, "r+")),
  read,
  readText: (path) => ifThere(() => fs.readFileSync(path, "utf8")),
  rename: (from, to) => fs.renameSync(from, to),
  remove: (path) => fs.rmSync(path, { force: true }),
  syncFolder,
  touch: (path) => {
    const now = new Date();
    fs.utimesSync(path, now, now);
  },
  changedAt: (path) => ifThere(() => fs.statSync(path).mtimeMs),
  soon: (callback) => void setImmediate(callback),
  wait: (milliseconds) => new Promise((resolve) => void setTimeout(resolve, milliseconds)),
  now: () => performance.now(),
};

function list(path: string): readonly DirectoryEntry[] | null {
  const names = ifThere(() => fs.readdirSync(path));
  if (names === null) return null;
  return names.flatMap((name) => {
    const found = ifThere(() => fs.statSync(`${path}/${name}`));
    if (found !== null) return [{ name, bytes: found.isFile() ? found.size : null }];
    // A link that leads nowhere is there, and a file may be gone by now.
    return ifThere(() => fs.lstatSync(`${path}/${name}`)) === null ? [] : [{ name, bytes: null }];
  });
}

function identify(folder: string): FolderIdentity {
  const { dev, ino } = fs.statSync(folder, { bigint: true });
  return { path: fs.realpathSync(folder), inode: `${dev}:${ino}` };
}

async function* read(path: string): AsyncGenerator<Uint8Array, void, void> {
  const file = await open(path, "r");
  try {
    const buffer = new Uint8Array(READ_BYTES);
    for (let position = 0; ; ) {
      const { bytesRead } = await file.read(buffer, 0, READ_BYTES, position);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
      position += bytesRead;
    }
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  // Windows opens no folders, and keeps their entries safe by itself.
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

class NodeFile implements WritableFile {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length; ) done += fs.writeSync(this.#fd, bytes, done, bytes.length - done, position + done);
  }

  async writeAside(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      done += await new Promise<number>((resolve, reject) => {
        fs.write(this.#fd, bytes, done, bytes.length - done, position + done, (error, written) =>
          error === null ? resolve(written) : reject(error),
        );
      });
    }
  }

  sync(): void {
    fs.fdatasyncSync(this.#fd);
  }

  syncAside(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#fd, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  resize(bytes: number): void {
    fs.ftruncateSync(this.#fd, bytes);
  }

  close(): void {
    fs.closeSync(this.#fd);
  }
}

/** What a call gives; null where the file it is about is not there. */
function ifThere<T>(call: () => T): T | null {
  try {
    return call();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
