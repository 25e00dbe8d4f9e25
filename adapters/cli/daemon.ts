/**
 * `zookernel start`, `stop`, `restart` and `print-cmd`: a server in the background, with the files and words of `zkServer.sh`.
 *
 * The server itself is a `start-foreground` in a process of its own, which writes its number into the pid file once it listens, and removes it when it
 * ends. Not here: serving (start.ts), the log's file (log_file.ts).
 *
 * Invariant: a number in a pid file counts only while a ZooKeeper server runs under it; what a killed server or another program left there keeps
 * nobody from starting, and nobody else's process is stopped.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { basename, dirname, join, resolve } from "@std/path";
import { readSettings } from "./config_file.ts";

const POLL_MS = 50;
/** How long `stop` waits for a server that writes what it has. */
const STOP_MS_MAX = 60_000;
/** How often `start` says that it still waits. */
const STILL_MS = 10_000;
const LOG_LINES_SHOWN = 10;

/** Where a server in the background keeps what belongs to its process. */
interface Place {
  readonly pidFile: string;
  readonly logFile: string;
  /** What the runtime itself says, such as why it crashed. */
  readonly outFile: string;
}

/** @param args as for `start-foreground` @param options further options for it, as on a command line */
export async function start(args: readonly string[], options: readonly string[]): Promise<number> {
  const place = placeOf(args);
  if (typeof place === "string") return refuse(place);
  process.stdout.write("Starting zookeeper ... ");
  const other = runningIn(place.pidFile);
  if (other !== null) {
    process.stdout.write(`already running as process ${other}.\n`);
    return 1;
  }
  rmSync(place.pidFile, { force: true });
  mkdirSync(dirname(place.pidFile), { recursive: true });
  mkdirSync(dirname(place.outFile), { recursive: true });
  const { command, words } = foreground(args, options, place);
  const out = openSync(place.outFile, "w");
  const child = spawn(command, words, { detached: true, stdio: ["ignore", out, out] });
  closeSync(out);
  const ended = await untilStarted(child, place);
  if (ended === null) {
    child.unref();
    process.stdout.write("STARTED\n");
    return 0;
  }
  process.stdout.write("FAILED TO START\n");
  process.stderr.write(
    `It ended with ${ended}. Its last words, in ${place.logFile} and ${place.outFile}:\n${lastWords(place)}`,
  );
  return 1;
}

/** Resolves with null once it listens, with what it ended with if it doesn't. */
async function untilStarted(child: ChildProcess, place: Place): Promise<string | null> {
  let ended: string | null = null;
  child.once("error", (error) => {
    ended = error.message;
  });
  child.once("exit", (code, signal) => {
    ended ??= signal ?? `code ${code}`;
  });
  for (let waited = 0; ended === null; waited += POLL_MS) {
    if (numberIn(place.pidFile) === child.pid) return null;
    if (waited > 0 && waited % STILL_MS === 0) process.stderr.write(`\nstill starting; see ${place.logFile} `);
    await wait(POLL_MS);
  }
  return ended;
}

export async function stop(args: readonly string[]): Promise<number> {
  const place = placeOf(args);
  if (typeof place === "string") return refuse(place);
  process.stdout.write("Stopping zookeeper ... ");
  const pid = runningIn(place.pidFile);
  if (pid === null) {
    const why = existsSync(place.pidFile)
      ? `no server runs under the number in ${place.pidFile}`
      : `could not find file ${place.pidFile}`;
    rmSync(place.pidFile, { force: true });
    process.stdout.write(`no zookeeper to stop (${why})\n`);
    return 0;
  }
  process.kill(pid, "SIGTERM");
  for (let waited = 0; isServer(pid); waited += POLL_MS) {
    if (waited >= STOP_MS_MAX) {
      process.stdout.write(`process ${pid} still runs after ${STOP_MS_MAX / 1000} s\n`);
      return 1;
    }
    await wait(POLL_MS);
  }
  rmSync(place.pidFile, { force: true });
  process.stdout.write("STOPPED\n");
  return 0;
}

export async function restart(args: readonly string[], options: readonly string[]): Promise<number> {
  const code = await stop(args);
  return code === 0 ? await start(args, options) : code;
}

/** Prints the command line that `start` runs. */
export function printCommand(args: readonly string[], options: readonly string[]): number {
  const place = placeOf(args);
  if (typeof place === "string") return refuse(place);
  const { command, words } = foreground(args, options, place);
  process.stdout.write(`${[command, ...words].map(quoted).join(" ")} > ${quoted(place.outFile)} 2>&1 < /dev/null\n`);
  return 0;
}

function refuse(why: string): number {
  process.stderr.write(`zookernel: ${why}\n`);
  return 2;
}

// ── places ──

/** Of a configuration file, of a port and a data directory, or of a server that keeps nothing; a text: why it can't be said. */
function placeOf(args: readonly string[]): Place | string {
  const [first, dataDir] = args;
  if (first === undefined) return placeAt(join(homedir(), ".zookernel"), "2181");
  if (dataDir !== undefined) return placeAt(resolve(dataDir), `zookernel-${first}`);
  process.stderr.write(`Using config: ${first}\n`);
  try {
    const kept = readSettings(first).get("dataDir");
    if (kept === undefined) return `${first}: dataDir is not set`;
    const name = basename(first).replace(/\.cfg$/, "");
    return placeAt(resolve(kept), name, dirname(resolve(first)));
  } catch (error) {
    return `Cannot read ${first}: ${(error as Error).message}`;
  }
}

function placeAt(folder: string, name: string, logs = folder): Place {
  const { ZOOPIDFILE, ZOO_LOG_DIR } = process.env;
  const log = join(ZOO_LOG_DIR || logs, name);
  return { pidFile: ZOOPIDFILE || join(folder, "zookeeper_server.pid"), logFile: `${log}.log`, outFile: `${log}.out` };
}

function lastWords({ logFile, outFile }: Place): string {
  const linesOf = (file: string): string[] => {
    try {
      return readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line !== "");
    } catch {
      return [];
    }
  };
  return [...linesOf(logFile).slice(-LOG_LINES_SHOWN), ...linesOf(outFile).slice(-LOG_LINES_SHOWN)]
    .map((line) => `  ${line}\n`)
    .join("");
}

// ── the process ──

interface CommandLine {
  readonly command: string;
  readonly words: readonly string[];
}

/** This program again, on the same runtime. */
function foreground(args: readonly string[], options: readonly string[], { pidFile, logFile }: Place): CommandLine {
  const told = ["start-foreground", ...args, ...options, "--pid-file", pidFile, "--log-file", logFile];
  return { command: process.execPath, words: [...ownProgram(), ...told] };
}

function ownProgram(): readonly string[] {
  const [, script = ""] = process.argv;
  if (isCompiled()) return [];
  if ("Deno" in globalThis) return ["run", "--quiet", "--allow-all", script];
  return [...process.execArgv, script];
}

/** Whether the runtime and this program are one executable. */
function isCompiled(): boolean {
  return /^(\/\$bunfs\/|B:[\\/]~BUN)/.test(process.argv[1] ?? "");
}

/** The number of the server that runs, as a pid file has it; null for none. */
function runningIn(pidFile: string): number | null {
  const pid = numberIn(pidFile);
  return pid !== null && isServer(pid) ? pid : null;
}

function numberIn(pidFile: string): number | null {
  try {
    const text = readFileSync(pidFile, "latin1").trim();
    return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : null;
  } catch {
    return null;
  }
}

/** Whether a command line is that of a server that `start` has begun, or of Apache's. */
function isServerLine(words: readonly string[]): boolean {
  const isOurs = words.includes("start-foreground") && words.includes("--pid-file");
  return isOurs || words.includes("org.apache.zookeeper.server.quorum.QuorumPeerMain");
}

/** Whether a process runs that is a ZooKeeper server, as far as the system tells. */
function isServer(pid: number): boolean {
  if (process.platform === "linux") {
    try {
      const state = readFileSync(`/proc/${pid}/stat`, "latin1");
      if (/\) [ZXx] /.test(state.slice(state.lastIndexOf(")")))) return false;
      return isServerLine(readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0"));
    } catch {
      return false;
    }
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
