/**
 * Keeps a second server out of a data directory: a lock file that says which process has it.
 *
 * Whether that process lives is asked of the system where it can be: by its number and the moment it began, since numbers are used again.
 * Where the file comes from another machine, container or boot, it is watched: who has the lock touches it all the time.
 *
 * Invariant: whoever loses its lock, by being stopped for long, writes nothing more once it finds out.
 */
import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";
import { clearInterval, setInterval } from "node:timers";
import { StorageError } from "../../lib/store/storage_error.ts";
import type { Disk } from "./disk.ts";

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
    const holder = ownHolder();
    const text = JSON.stringify(holder);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if (create(disk, path, text)) return new Lock(disk, path, holder.token, lost);
      const found = disk.readText(path);
      if (found !== null) await checkAbandoned(disk, path, found);
      if (found !== null) remove(disk, path, found, holder.token);
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

/** Rejects if whoever wrote the lock lives. */
async function checkAbandoned(disk: Disk, path: string, text: string): Promise<void> {
  const holder = holderOf(text);
  const state = holder === null ? "unknown" : stateOf(holder);
  if (state === "dead") return;
  if (state === "lives")
    throw inUse(path, `process ${holder!.pid} has it open${own.has(holder!.token) ? ", which is this one" : ""}`);
  const before = disk.changedAt(path);
  for (let waited = 0; waited < WATCH_MS; waited += WATCH_STEP_MS) {
    await disk.wait(WATCH_STEP_MS);
    if (disk.changedAt(path) === before) continue;
    throw inUse(
      path,
      holder === null ? "another process has it open" : `process ${holder.pid} of ${holder.system} has it open`,
    );
  }
}

function stateOf(holder: Holder): "lives" | "dead" | "unknown" {
  if (own.has(holder.token)) return "lives";
  if (holder.system !== systemName()) return "unknown";
  if (holder.pid === process.pid) return "dead"; // else it would be one of ours
  const began = beganAt(holder.pid);
  if (began !== null && holder.began !== null) return began === holder.began ? "lives" : "dead";
  try {
    process.kill(holder.pid, 0);
    return "unknown"; // its number may have been given to another
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH" ? "dead" : "unknown";
  }
}

function ownHolder(): Holder {
  return { pid: process.pid, began: beganAt(process.pid), system: systemName(), token: randomBytes(8).toString("hex") };
}

function holderOf(text: string): Holder | null {
  try {
    const { pid, began, system, token } = JSON.parse(text) as Partial<Holder>;
    if (typeof pid !== "number" || typeof system !== "string" || typeof token !== "string") return null;
    return { pid, began: typeof began === "string" ? began : null, system, token };
  } catch {
    return null;
  }
}

/** When a process began, in the system's own count; null where that can't be read. */
function beganAt(pid: number): string | null {
  try {
    // The second field is a name in parentheses that may hold anything; the 22nd is the time.
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

function systemName(): string {
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
