/**
 * Servers as processes: Apache ZooKeeper, and the project's own command on each runtime, from the same zoo.cfg.
 *
 * Unlike the servers of the tests these get their runtime's default options: what is measured is what a user would get. A start is
 * timed as a side effect, from the moment before the process exists to the first answer to a client.
 *
 * Invariant: a server listens on 127.0.0.1 alone, keeps everything in a folder of its own, and is gone, folder and all, after
 * `stop` or when this process ends.
 */

import { type ChildProcess, spawn } from "node:child_process";
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { findJavaZooKeeper } from "../test/support/peers.ts";
import { freePort, zooCfg } from "../test/support/server_process.ts";
import { sleep } from "./load/meter.ts";
import { Session } from "./load/session.ts";
import type { Metrics } from "./metrics.ts";
import { cpuSeconds, residentBytes } from "./process_stat.ts";
import { type Command, programOn, type RuntimeName } from "./runtimes.ts";

export type ServerKind = "apache" | RuntimeName;

export interface Server {
  readonly kind: ServerKind;
  readonly port: number;
  /** Of an ensemble all members', the leader's first. */
  readonly ports: readonly number[];
  readonly pids: readonly number[];
  /** Time and CPU time up to the first answer, and memory at that moment. */
  readonly start: Metrics;
  readonly dataDir: string;
  /** Whether the server has written a transaction log so far. */
  isDurable(): boolean;
  /** How many snapshots it keeps. */
  snapshotCount(): number;
  stop(): Promise<void>;
}

/** What a server starts with, where it is not an empty directory and the usual settings. */
export interface StartOptions {
  /** A data directory whose copy it is given. */
  readonly data?: string;
  /** Lines of zoo.cfg besides the usual ones. */
  readonly config?: Readonly<Record<string, number | string>>;
  /** Which member of an ensemble it is. */
  readonly myid?: number;
}

const START_SECONDS_MAX = 120;
const STOP_SECONDS_MAX = 15;
const ASK_AGAIN_SECONDS = 0.001;
const ANSWER_MS_MAX = 500;

export function serverName(kind: ServerKind): string {
  return kind === "apache" ? "Apache" : `zookernel ${kind}`;
}

/** Why this server cannot be started here; null when it can. */
export function whyNot(kind: ServerKind): string | null {
  const command = startCommand(kind, "zoo.cfg");
  return typeof command === "string" ? command : null;
}

/** @param parent the folder below which the server's own is made. */
export async function startServer(
  kind: ServerKind,
  parent: string,
  { data, config, myid }: StartOptions = {},
): Promise<Server> {
  const folder = mkdtempSync(join(parent, `${kind}-`));
  const dataDir = join(folder, "data");
  if (data === undefined) mkdirSync(dataDir);
  else cpSync(data, dataDir, { recursive: true });
  if (myid !== undefined) writeFileSync(join(dataDir, "myid"), `${myid}\n`);
  const port = await freePort();
  const { command, args } = orThrow(startCommand(kind, writeConfig(folder, { ...config, dataDir, clientPort: port })));
  const log = openSync(join(folder, "server.log"), "w");
  const before = performance.now();
  const child = spawn(command, args, { cwd: folder, stdio: ["ignore", log, log] });
  closeSync(log);
  running.add(child);
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()).once("error", () => resolve()));
  exited.then(() => running.delete(child));
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await Promise.race([exited, sleep(STOP_SECONDS_MAX)]);
    child.kill("SIGKILL");
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const session = await firstSession(port, child);
    const wallMs = performance.now() - before;
    const pids = [child.pid!];
    const start = { wallMs, cpuMs: cpuSeconds(pids) * 1000, residentBytes: residentBytes(pids) };
    await session.close();
    const count = (prefix: string): number => filesOf(dataDir).filter((file) => file.startsWith(prefix)).length;
    return {
      ...{ kind, port, ports: [port], pids, start, dataDir, stop },
      isDurable: () => count("log.") > 0,
      snapshotCount: () => count("snapshot."),
    };
  } catch (error) {
    const said = readFileSync(join(folder, "server.log"), "utf8").slice(-4000);
    await stop();
    throw new Error(`${serverName(kind)} did not start: ${(error as Error).message}\n${said}`);
  }
}

function startCommand(kind: ServerKind, config: string): Command | string {
  if (kind !== "apache") return programOn(kind, "adapters/cli/main.ts", "start-foreground", config);
  const apache = findJavaZooKeeper();
  if (apache.skip !== false) return apache.skip;
  return { command: apache.java, args: ["-cp", apache.classpath, "org.apache.zookeeper.server.quorum.QuorumPeerMain", config] };
}

function writeConfig(folder: string, own: Readonly<Record<string, string | number>>): string {
  const config = {
    tickTime: 2000,
    clientPortAddress: "127.0.0.1",
    maxClientCnxns: 0,
    "admin.enableServer": false,
    ...own,
  };
  const file = join(folder, "zoo.cfg");
  writeFileSync(file, zooCfg(config));
  return file;
}

function orThrow(command: Command | string): Command {
  if (typeof command === "string") throw new Error(command);
  return command;
}

/** Asks for a session until one is given. */
async function firstSession(port: number, child: ChildProcess): Promise<Session> {
  const deadline = performance.now() + START_SECONDS_MAX * 1000;
  for (;;) {
    try {
      return await Session.open(port, ANSWER_MS_MAX);
    } catch (error) {
      if (child.pid === undefined) throw new Error(`${child.spawnfile} cannot be run`);
      if (child.exitCode !== null || child.signalCode !== null) throw new Error("the process ended");
      if (performance.now() > deadline) throw error;
      await sleep(ASK_AGAIN_SECONDS);
    }
  }
}

function filesOf(dataDir: string): string[] {
  const version2 = join(dataDir, "version-2");
  return existsSync(version2) ? readdirSync(version2) : [];
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
