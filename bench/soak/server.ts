/**
 * A server under soak: our command on one runtime, with everything switched on that a hostile client could misuse.
 *
 * It keeps its folder over a restart. Invariant: it listens on loopback addresses alone, and is gone, folder and all, after `remove`.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectPath } from "../../test/support/root.ts";
import { fourLetterWord, freePort, zooCfg } from "../../test/support/server_process.ts";
import { sleep } from "../load/meter.ts";
import { programOn, type RuntimeName } from "../runtimes.ts";

const START_SECONDS_MAX = 120;
const LOG_CHARS_SHOWN = 3_000;
/** Few enough that refusals are part of the soak; each kind of hostile client comes from an address of its own. */
const CONNECTIONS_PER_ADDRESS_MAX = 400;
const JAAS = 'Server { org.apache.zookeeper.server.auth.DigestLoginModule required user_bob="bobsecret"; };\n';

export class SoakServer {
  readonly runtime: RuntimeName;
  readonly port: number;
  readonly tlsPort: number;
  readonly #folder: string;
  #process: ChildProcess | null = null;
  #exited: Promise<void> = Promise.resolve();

  private constructor(runtime: RuntimeName, port: number, tlsPort: number) {
    this.runtime = runtime;
    this.port = port;
    this.tlsPort = tlsPort;
    this.#folder = mkdtempSync(join(tmpdir(), `zookernel-soak-${runtime}-`));
    const dataDir = join(this.#folder, "data");
    mkdirSync(dataDir);
    const pem = (name: string): string => projectPath("test", "support", "tls", `${name}.pem`);
    const config = {
      ...{ dataDir, clientPort: port, clientPortAddress: "127.0.0.1", maxClientCnxns: CONNECTIONS_PER_ADDRESS_MAX },
      ...{ secureClientPort: tlsPort, secureClientPortAddress: "127.0.0.1", "ssl.clientAuth": "none" },
      ...{ "ssl.keyStore.location": pem("server"), "ssl.trustStore.location": pem("ca") },
      "authProvider.1": "org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
      ...{ tickTime: 2000, reconfigEnabled: true, extendedTypesEnabled: true, "admin.enableServer": false },
    };
    writeFileSync(join(this.#folder, "zoo.cfg"), zooCfg(config));
    writeFileSync(join(this.#folder, "jaas.conf"), JAAS);
  }

  static async start(runtime: RuntimeName): Promise<SoakServer> {
    const server = new SoakServer(runtime, await freePort(), await freePort());
    await server.start();
    return server;
  }

  get pid(): number {
    return this.#process!.pid!;
  }

  get isAlive(): boolean {
    return this.#process !== null && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Starts it, on what it kept; resolves with the seconds until it answers, and rejects if it ends before that. */
  async start(): Promise<number> {
    const files = [join(this.#folder, "zoo.cfg"), "--jaas", join(this.#folder, "jaas.conf")];
    const program = programOn(this.runtime, "adapters/cli/main.ts", "start-foreground", ...files);
    if (typeof program === "string") throw new Error(program);
    const log = openSync(join(this.#folder, "server.log"), "a");
    const before = performance.now();
    const child = spawn(program.command, program.args, { cwd: this.#folder, stdio: ["ignore", log, log] });
    closeSync(log);
    this.#process = child;
    this.#exited = new Promise((resolve) => child.once("exit", () => resolve()).once("error", () => resolve()));
    const end = (): void => void child.kill("SIGKILL");
    process.once("exit", end);
    void this.#exited.then(() => process.off("exit", end));
    const elapsed = (): number => (performance.now() - before) / 1000;
    while (elapsed() < START_SECONDS_MAX && this.isAlive) {
      if (/^Mode: /m.test(await fourLetterWord(this.port, "srvr", 500).catch(() => ""))) return elapsed();
      await sleep(0.05);
    }
    throw new Error(`the server on ${this.runtime} did not start in ${START_SECONDS_MAX} s:\n${this.log()}`);
  }

  /** The end of what it wrote. */
  log(): string {
    return readFileSync(join(this.#folder, "server.log"), "utf8").slice(-LOG_CHARS_SHOWN);
  }

  /** Ends it without a farewell, as a power cut would. */
  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#exited;
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
