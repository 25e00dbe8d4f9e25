/**
 * Keeps a second server out of a data directory: a lock file that says which process has it.
 *
 * Whether that process lives is asked of the system where it can be: by its number and the moment it began, since numbers are used again.
 * Where the file comes from another machine, container or boot, it is watched: who has the lock touches it all the time. A lock that was copied
 * with its folder says which folder it was made in, and counts for nothing in another.
 *
 * Invariant: whoever loses its lock, by being stopped for long, writes nothing more once it finds out.
 */
import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";
import { clearInterval, setInterval } from "node:timers";
import { dirname } from "@std/path";
import { StorageError } from "../../lib/store/storage_error.ts";
import { isGranted } from "../permissions.ts";
import type { Disk, FolderIdentity } from "./disk.ts";

export const LOCK_FILE = "zookernel.lock";
const TOUCH_MS = 2_000;
/** How long a lock is watched for a sign of life. */
const WATCH_MS = 3 * TOUCH_MS;
const WATCH_STEP_MS = 250;
const ATTEMPTS_MAX = 5;

/** Who has a lock, as the lock file says. */
interface Holder {
  readonly pid: number;
  /** Names the process among all that have ever had its number; null where the system does not tell. */
  readonly began: string | null;
  /** Names the system that its number belongs to: machine, boot and container. */
  readonly system: string;
  /** Where the lock was made; null where its maker did not say. */
  readonly folder: FolderIdentity | null;
  /** A word of its own. */
  readonly token: string;
}

/** Tokens of the locks that this process has. */
const own = new Set<string>();

/** Somebody else has the directory. */
export class InUseError extends StorageError {}

export class Lock {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #token: string;
  readonly #timer: NodeJS.Timeout;
  #touched: number;

  private constructor(disk: Disk, path: string, token: string, lost: (error: StorageError) => void) {
    this.#disk = disk;
    this.#path = path;
    this.#token = token;
    this.#touched = disk.now();
    own.add(token);
    this.#timer = setInterval(() => this.#touch(lost), TOUCH_MS);
    this.#timer.unref();
  }

  /** Takes the lock, from whoever had it and is no more. `lost` hears if somebody else has taken it later. */
  static async take(disk: Disk, path: string, lost: (error: StorageError) => void): Promise<Lock> {
    const folder = disk.identify(dirname(path));
    const holder = ownHolder(folder);
    const text = JSON.stringify(holder);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if (create(disk, path, text)) return new Lock(disk, path, holder.token, lost);
      const found = disk.readText(path);
      if (found !== null && (await isAbandoned(disk, path, found, folder))) remove(disk, path, found, holder.token);
    }
    throw inUse(path, "other servers try to start in it at the same time");
  }

  /** Lets go. */
  release(): void {
    clearInterval(this.#timer);
    own.delete(this.#token);
    try {
      if (this.#isOurs()) this.#disk.remove(this.#path);
    } catch {
      // Whoever comes next finds out that this process has no lock any more.
    }
  }

  /** Says that the process lives. One that was stopped for longer than others wait must first see whether the lock is still its own. */
  #touch(lost: (error: StorageError) => void): void {
    const stoppedMs = this.#disk.now() - this.#touched;
    try {
      if (stoppedMs > WATCH_MS && !this.#isOurs())
        return lost(inUse(this.#path, "another server took it while this one did not run"));
      this.#disk.touch(this.#path);
      this.#touched = this.#disk.now();
    } catch {
      // A disk that fails shows when the log is written.
    }
  }

  #isOurs(): boolean {
    return holderOf(this.#disk.readText(this.#path) ?? "")?.token === this.#token;
  }
}

function create(disk: Disk, path: string, text: string): boolean {
  try {
    const file = disk.create(path, true);
    try {
      file.write(new TextEncoder().encode(text), 0);
      file.sync(); // or nobody could be asked for after a power failure
    } finally {
      file.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Removes an abandoned lock. Another starting server may be ahead and have its own there already: that one is put back. */
function remove(disk: Disk, path: string, text: string, token: string): void {
  const aside = `${path}.${token}`;
  try {
    disk.rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if (disk.readText(aside) === text) disk.remove(aside);
  else disk.rename(aside, path);
}

/** Whether nobody has the lock any more; false: it has changed meanwhile. Rejects if whoever wrote it lives. */
async function isAbandoned(disk: Disk, path: string, text: string, folder: FolderIdentity): Promise<boolean> {
  const holder = holderOf(text);
  const state = holder === null ? "unknown" : stateOf(holder, folder);
  if (state === "dead") return true;
  if (state === "lives")
    throw inUse(path, `process ${holder!.pid} has it open${own.has(holder!.token) ? ", which is this one" : ""}`);
  const before = disk.changedAt(path);
  for (let waited = 0; waited < WATCH_MS; waited += WATCH_STEP_MS) {
    await disk.wait(WATCH_STEP_MS);
    // It was still being written, or is another's now.
    if (disk.readText(path) !== text) return false;
    if (disk.changedAt(path) === before) continue;
    throw inUse(
      path,
      holder === null ? "another process has it open" : `process ${holder.pid} of ${holder.system} has it open`,
    );
  }
  return true;
}

function stateOf(holder: Holder, folder: FolderIdentity): "lives" | "dead" | "unknown" {
  if (holder.system === systemName() && isCopy(holder, folder)) return "dead";
  if (own.has(holder.token)) return "lives";
  if (holder.system !== systemName()) return "unknown";
  const found = processOf(holder.pid);
  if (found?.isOver) return "dead";
  if (found !== null && holder.began !== null && found.began !== holder.began) return "dead";
  if (holder.pid === process.pid) return "unknown"; // a thread of this process may have it
  if (found !== null && holder.began !== null) return "lives";
  try {
    process.kill(holder.pid, 0);
    return "unknown"; // its number may have been given to another
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH" ? "dead" : "unknown";
  }
}

/** A folder may be moved, or reached by another path, and some systems number it anew; a copy has both another path and another number. */
function isCopy({ folder: made }: Holder, folder: FolderIdentity): boolean {
  return made !== null && made.path !== folder.path && made.inode !== folder.inode;
}

function ownHolder(folder: FolderIdentity): Holder {
  const began = processOf(process.pid)?.began ?? null;
  return { pid: process.pid, began, system: systemName(), folder, token: randomBytes(8).toString("hex") };
}

function holderOf(text: string): Holder | null {
  try {
    const { pid, began, system, folder, token } = JSON.parse(text) as Partial<Holder>;
    if (typeof pid !== "number" || typeof system !== "string" || typeof token !== "string") return null;
    const isKnown = typeof folder?.path === "string" && typeof folder.inode === "string";
    return { pid, began: typeof began === "string" ? began : null, system, folder: isKnown ? folder : null, token };
  } catch {
    return null;
  }
}

/** When a process began, in the system's own count, and whether it is dead and only not reaped yet; null where that can't be read. */
function processOf(pid: number): { readonly began: string; readonly isOver: boolean } | null {
  if (!isGranted({ name: "read", path: "/proc" })) return null;
  try {
    // The second field is a name in parentheses that may hold anything; the third is the state, the 22nd the time.
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, began] = [fields[0], fields[19]];
    return began === undefined ? null : { began, isOver: state === "Z" || state === "X" || state === "x" };
  } catch {
    return null;
  }
}

/** For a process that may not know where it is: nobody else's, so other locks are watched, and others watch its own. */
const NO_SYSTEM = `unknown ${randomBytes(8).toString("hex")}`;

function systemName(): string {
  if (!isGranted({ name: "sys", kind: "hostname" })) return NO_SYSTEM;
  if (!isGranted({ name: "read", path: "/proc" })) return hostname();
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return `${hostname()} ${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}

function inUse(path: string, why: string): InUseError {
  return new InUseError({ place: path, problem: `the data directory is in use: ${why}` });
}
