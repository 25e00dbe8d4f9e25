/**
 * Data directories that hold many znodes, made once in a run and copied for each start.
 *
 * The znodes are created by clients of the first server that is present, so that the log is one that a real load has left. Every server,
 * Apache included, starts on the same bytes.
 */

import { spawnSync } from "node:child_process";
import { cpSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runLoad } from "./programs.ts";
import { loadRuntime, programOn } from "./runtimes.ts";
import { type ServerKind, startServer } from "./servers.ts";

/** `log`: a log of their creations, and the snapshot of nothing. `snapshot`: a snapshot of them, and no log. */
export type Content = "log" | "snapshot";

/** Large enough for a log that no snapshot interrupts. */
const NO_SNAPSHOT = 1_000_000_000;
const DATA_BYTES = 16;

export class Directories {
  readonly #folder: string;
  readonly #maker: ServerKind;
  readonly #znodes: number;
  readonly #made: Map<Content, string> = new Map();

  /** @param maker the kind of server that writes the log */
  constructor(folder: string, maker: ServerKind, znodes: number) {
    this.#folder = folder;
    this.#maker = maker;
    this.#znodes = znodes;
  }

  /** A directory with this content. It must be left as it is. */
  async of(content: Content): Promise<string> {
    const known = this.#made.get(content);
    if (known !== undefined) return known;
    const made = content === "log" ? await this.#writeLog() : await this.#takeSnapshot();
    this.#made.set(content, made);
    return made;
  }

  async #writeLog(): Promise<string> {
    const directory = join(this.#folder, "znodes-log");
    const server = await startServer(this.#maker, this.#folder, { config: { snapCount: NO_SNAPSHOT } });
    try {
      const job = { kind: "znodes", znodes: this.#znodes, dataBytes: DATA_BYTES } as const;
      await runLoad(job, { port: server.port, ports: server.ports, pids: server.pids, warmUpSeconds: 0, seconds: 0 });
      cpSync(server.dataDir, directory, { recursive: true }); // its writer is idle, and all of it is on the disk
    } finally {
      await server.stop();
    }
    rmSync(join(directory, "version-2", "zookernel.lock"), { force: true });
    return directory;
  }

  async #takeSnapshot(): Promise<string> {
    const directory = join(this.#folder, "znodes-snapshot");
    cpSync(await this.of("log"), directory, { recursive: true });
    const program = programOn(loadRuntime(), "adapters/cli/main.ts", "snapshot", "take", directory);
    if (typeof program === "string") throw new Error(program);
    const { status, stderr } = spawnSync(program.command, program.args, { encoding: "utf8" });
    if (status !== 0) throw new Error(`no snapshot could be taken: ${stderr}`);
    const files = join(directory, "version-2");
    for (const file of readdirSync(files)) if (/^log\.|^snapshot\.0$/.test(file)) rmSync(join(files, file));
    return directory;
  }
}
