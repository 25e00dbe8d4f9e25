/**
 * ZooKeeper servers as processes of their own: Apache ZooKeeper, or ours on the runtime that this test runs on.
 *
 * Both are given the same zoo.cfg keys in a temporary folder, wait until they serve, and are ended by their own pid. Nothing
 * here speaks the client protocol: a server is asked by four-letter word, which makes no session and so takes no zxid.
 *
 *     await using server = await startServer({ config: { tickTime: 200 } });
 *     const client = zookeeper.createClient(server.address);
 *
 * Tests of clients run against ours; `ZOOKERNEL_TEST_SERVER=apache` turns the same tests on the real server, which is how one
 * learns whether the test itself is right.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findJavaZooKeeper } from "./peers.ts";
import { programCommand, runtimeName } from "./runtime.ts";

export type ServerKind = "apache" | "ours";

/** zoo.cfg, key by key. `dataDir`, `clientPort` and what every test server needs are filled in where they are absent. */
export type ZooConfig = Readonly<Record<string, string | number | boolean>>;

export interface ServerOptions {
  /** Default: the server under test. */
  readonly kind?: ServerKind;
  readonly config?: ZooConfig;
  /** A JAAS file: as a system property for Apache's, as an option for ours. */
  readonly jaas?: string;
  /** A folder to keep: it is made if need be, and not removed. Default: a temporary one, removed by `stop()`. */
  readonly folder?: string;
  /** This member's number, written to the data directory: needed as soon as `config` has `server.N` keys. */
  readonly myid?: number;
}

export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServerProcess extends AsyncDisposable {
  readonly kind: ServerKind;
  readonly host: "127.0.0.1";
  readonly port: number;
  /** `host:port`, as clients want it. */
  readonly address: string;
  readonly pid: number;
  readonly folder: string;
  readonly dataDir: string;
  /** What the process has written so far, the newest part of it. */
  logs(): string;
  /** Resolves once the server says that it serves clients; rejects, with the logs, if it ends or takes too long. */
  serving(): Promise<void>;
  /** Settles when the process has ended, by itself or not. */
  readonly exited: Promise<ServerExit>;
  /**
   * Ends the process and resolves when it has ended. Rejects, with the logs, if SIGTERM was not enough or if the process had ended
   * before it was asked to. Stopping twice is once.
   */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<ServerExit>;
}

const START_MS_MAX = 60_000;
const STOP_MS_MAX = 15_000;
const POLL_MS = 20;
const PROBE_MS_MAX = 500;
const LOG_CHARS_KEPT = 64 * 1024;

/** The server that tests of clients run against. */
export const serverUnderTest: ServerKind = process.env.ZOOKERNEL_TEST_SERVER === "apache" ? "apache" : "ours";

/** What to call a kind of server in a test's name: `Apache ZooKeeper`, `zookernel on bun`. */
export function serverName(kind: ServerKind = serverUnderTest): string {
  return kind === "apache" ? "Apache ZooKeeper" : `zookernel on ${runtimeName}`;
}

/** Starts a server and waits until it serves. */
export async function startServer(options: ServerOptions = {}): Promise<ServerProcess> {
  const server = await spawnServer(options);
  try {
    await server.serving();
  } catch (error) {
    await server.stop("SIGKILL").catch(() => {}); // `error` already says what happened.
    throw error;
  }
  return server;
}

/** Starts a server and returns at once: for members that serve only when enough of them have met. */
export async function spawnServer(options: ServerOptions = {}): Promise<ServerProcess> {
  const kind = options.kind ?? serverUnderTest;
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), "zookernel-server-"));
  const dataDir = String(options.config?.dataDir ?? join(folder, "data"));
  const port = Number(options.config?.clientPort ?? (await freePort()));
  const config: ZooConfig = {
    tickTime: 2000,
    initLimit: 10,
    syncLimit: 5,
    clientPortAddress: "127.0.0.1",
    "admin.enableServer": false,
    ...options.config,
    dataDir,
    clientPort: port,
  };
  mkdirSync(dataDir, { recursive: true });
  if (options.myid !== undefined) writeFileSync(join(dataDir, "myid"), `${options.myid}\n`);
  const file = join(folder, "zoo.cfg");
  writeFileSync(file, zooCfg(config));
  const { jaas } = options;
  const { command, args } =
    kind === "apache"
      ? apacheCommand(config, file, jaas)
      : programCommand(OUR_MAIN, "start-foreground", file, ...(jaas === undefined ? [] : ["--jaas", jaas]));
  const child = spawn(command, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  return watch(child, { kind, port, folder, dataDir, removeFolder: options.folder === undefined });
}

/** A zoo.cfg as text. */
export function zooCfg(config: ZooConfig): string {
  // A backslash escapes in Java properties, and folders of Windows are full of them.
  return Object.entries(config)
    .map(([key, value]) => `${key}=${String(value).replaceAll("\\", "\\\\")}\n`)
    .join("");
}

/** Asks a four-letter word and resolves with all that is answered before the server closes; rejects if nobody listens. */
export function fourLetterWord(port: number, word: string, timeoutMs = 10_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ port, host: "127.0.0.1" }, () => socket.write(word));
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer to ${word} on port ${port} in ${timeoutMs} ms`)));
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("utf8")));
  });
}

/** Below those that systems give to port 0 and to outgoing connections: such a one may be taken before the server that it is for has started. */
const FREE_PORTS = { first: 10_000, count: 20_000 } as const;
/** Test files that run at the same time have a part of the ports each, or one would take what another has just found free. */
const [PORT_SLOT = 0, PORT_SLOTS = 1] = (process.env.ZOOKERNEL_PORT_SLOT ?? "0/1").split("/").map(Number);
const PORTS_OF_SLOT = Math.floor(FREE_PORTS.count / PORT_SLOTS);
/** Processes with numbers close to one another start far enough apart. */
let portsGiven = process.pid * 101;

/** A port that nobody listens on, and that nobody is given by accident; never the same twice. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FREE_PORTS.first + PORT_SLOT * PORTS_OF_SLOT + (portsGiven++ % PORTS_OF_SLOT);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer().on("error", () => resolve(false));
    probe.listen({ port, host: "127.0.0.1", exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

const OUR_MAIN = "adapters/cli/main.ts";

// Apache reads these as Java system properties only; ours takes them from zoo.cfg.
const JVM_ONLY = /^(jute\.maxbuffer|java\.security\.auth\.login\.config|readonlymode\.enabled|znode\.container\..*)$/;

function apacheCommand(config: ZooConfig, file: string, jaas: string | undefined): { command: string; args: string[] } {
  const apache = findJavaZooKeeper();
  if (apache.skip !== false) throw new Error(apache.skip);
  const properties = Object.entries(config).filter(([key]) => JVM_ONLY.test(key));
  return {
    command: apache.java,
    args: [
      // One of several processes on a small machine, and short-lived.
      ...["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"],
      // Debian's build decodes credentials with the platform's charset, clients encode them as UTF-8.
      "-Dfile.encoding=UTF-8",
      ...properties.map(([key, value]) => `-D${key}=${value}`),
      ...(jaas === undefined ? [] : [`-Djava.security.auth.login.config=${jaas}`]),
      // The others are for TLS and the admin server, and missing from the class path that Debian wrote into ZooKeeper's jar.
      ...["-cp", [apache.classpath, ...["slf4j-simple", "netty-codec", "netty-resolver", "servlet-api"].map(jar)].join(":")],
      ...["org.apache.zookeeper.server.quorum.QuorumPeerMain", file],
    ],
  };
}

function jar(name: string): string {
  return `/usr/share/java/${name}.jar`;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

interface Started {
  readonly kind: ServerKind;
  readonly port: number;
  readonly folder: string;
  readonly dataDir: string;
  readonly removeFolder: boolean;
}

function watch(child: ChildProcess, started: Started): ServerProcess {
  const { kind, port, folder, dataDir } = started;
  let log = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => {
      log = (log + text).slice(-LOG_CHARS_KEPT);
    });
  running.add(child);
  let ended: ServerExit | null = null;
  let stopping = false;
  const exited = new Promise<ServerExit>((resolve) => {
    const end = (exit: ServerExit): void => {
      running.delete(child);
      ended = exit;
      resolve(exit);
    };
    child.once("error", (error) => {
      log += `${error}\n`;
      end({ code: null, signal: null });
    });
    child.once("exit", (code, signal) => end({ code, signal }));
  });
  const failure = (what: string): Error => new Error(`${serverName(kind)} ${what}\n${log || "(it wrote nothing)"}`);

  async function serving(): Promise<void> {
    for (const start = performance.now(); performance.now() - start < START_MS_MAX; ) {
      if (ended !== null) throw failure(`ended before it served: ${JSON.stringify(ended)}`);
      // Now and then Apache leaves a connection from the moment of its start without an answer: the next one gets it.
      const answer = await fourLetterWord(port, "srvr", PROBE_MS_MAX).catch(() => "");
      if (/^Mode: /m.test(answer) || answer.includes("not in the whitelist")) return;
      await Promise.race([exited, pause(POLL_MS, null)]);
    }
    throw failure(`does not serve on port ${port} after ${START_MS_MAX} ms`);
  }

  async function stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<ServerExit> {
    const endedByItself = ended !== null && !stopping;
    stopping = true;
    child.kill(signal);
    const exit = await Promise.race([exited, pause(STOP_MS_MAX, null)]);
    if (exit === null) child.kill("SIGKILL");
    await exited;
    if (started.removeFolder) rmSync(folder, { recursive: true, force: true });
    if (exit === null) throw failure(`did not end within ${STOP_MS_MAX} ms of ${signal}`);
    if (endedByItself) throw failure(`had ended before it was stopped: ${JSON.stringify(exit)}`);
    return exit;
  }

  return {
    ...{ kind, host: "127.0.0.1", port, address: `127.0.0.1:${port}`, pid: child.pid ?? 0, folder, dataDir },
    ...{ exited, serving, stop, logs: () => log },
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}

function pause<T>(milliseconds: number, value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, value).unref());
}
