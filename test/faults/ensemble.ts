/** Three servers, Apache ZooKeeper's or ours, as one ensemble, each of which can be killed and started again with what it has on disk. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  fourLetterWord,
  freePort,
  type ServerKind,
  type ServerProcess,
  spawnServer,
  type ZooConfig,
} from "../support/server_process.ts";

export class Ensemble implements AsyncDisposable {
  readonly #kind: ServerKind;
  readonly #folder: string;
  readonly #config: ZooConfig;
  readonly #ports: readonly number[];
  readonly #running = new Map<number, ServerProcess>();

  private constructor(kind: ServerKind, folder: string, config: ZooConfig, ports: readonly number[]) {
    this.#kind = kind;
    this.#folder = folder;
    this.#config = config;
    this.#ports = ports;
  }

  static async start(kind: ServerKind, config: ZooConfig = {}): Promise<Ensemble> {
    const ports = await Promise.all(Array.from({ length: 9 }, () => freePort()));
    const members = [1, 2, 3].map((id) => [`server.${id}`, `127.0.0.1:${ports[id + 2]}:${ports[id + 5]}`]);
    const all = { tickTime: 500, "4lw.commands.whitelist": "*", maxClientCnxns: 0, ...config, ...Object.fromEntries(members) };
    const ensemble = new Ensemble(kind, mkdtempSync(join(tmpdir(), "zookernel-ensemble-")), all, ports.slice(0, 3));
    for (const id of [1, 2, 3]) await ensemble.spawn(id);
    await Promise.all([...ensemble.#running.values()].map((server) => server.serving()));
    return ensemble;
  }

  /** As clients want it. */
  get connectString(): string {
    return this.#ports.map((port) => `127.0.0.1:${port}`).join();
  }

  /** Starts a member; it serves once it has joined the others. */
  async spawn(id: number): Promise<void> {
    const folder = join(this.#folder, String(id));
    const config = { ...this.#config, clientPort: this.#ports[id - 1]! };
    this.#running.set(id, await spawnServer({ kind: this.#kind, config, folder, myid: id }));
  }

  serving(id: number): Promise<void> {
    return this.#running.get(id)!.serving();
  }

  /** The member that a session is connected to; null if none says so. */
  async memberOf(sessionId: bigint): Promise<number | null> {
    for (const id of this.#running.keys()) {
      if ((await this.ask(id, "cons")).includes(`sid=0x${sessionId.toString(16)},`)) return id;
    }
    return null;
  }

  /** A member's answer to a four-letter word; nothing if it doesn't answer. */
  ask(id: number, word: string): Promise<string> {
    return fourLetterWord(this.#ports[id - 1]!, word).catch(() => "");
  }

  /** Ends a member without a warning. */
  async kill(id: number): Promise<void> {
    const server = this.#running.get(id)!;
    this.#running.delete(id);
    await server.stop("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running.keys()].map((id) => this.kill(id)));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
