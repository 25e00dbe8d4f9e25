/**
 * An ensemble of processes that changes while it runs: each member with its own zoo.cfg, which lists those it knew when it was first started.
 *
 * Invariant: what was started is ended by its own pid.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "../../adapters/tcp/mod.ts";
import { fourLetterWord, freePort, type ServerKind, type ServerProcess, spawnServer } from "../support/server_process.ts";
import { until } from "../support/until.ts";

const SERVING_MS_MAX = 60_000;

interface Place {
  readonly kind: ServerKind;
  readonly folder: string;
  quorumPort: number;
  electionPort: number;
  clientPort: number;
  server: ServerProcess | null;
}

type Role = "participant" | "observer";

/** A list of members and its version, in hexadecimal. */
export interface MemberList {
  readonly lines: readonly string[];
  readonly version: string;
}

export class ChangingProcesses implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "zookernel-changing-"));
  readonly #places = new Map<number, Place>();
  readonly #standaloneEnabled: boolean;

  private constructor(standaloneEnabled: boolean) {
    this.#standaloneEnabled = standaloneEnabled;
  }

  /** Finds places for members; none is started. */
  static async of(kinds: Readonly<Record<number, ServerKind>>, standaloneEnabled = true): Promise<ChangingProcesses> {
    const ensemble = new ChangingProcesses(standaloneEnabled);
    for (const [id, kind] of Object.entries(kinds)) {
      const [quorumPort, electionPort, clientPort] = [await freePort(), await freePort(), await freePort()];
      const folder = join(ensemble.#folder, id);
      ensemble.#places.set(Number(id), { kind, folder, quorumPort, electionPort, clientPort, server: null });
    }
    return ensemble;
  }

  /** A member's line as zoo.cfg has it. */
  line(id: number, role: Role = "participant"): string {
    const { quorumPort, electionPort, clientPort } = this.#place(id);
    return `server.${id}=127.0.0.1:${quorumPort}:${electionPort}:${role};127.0.0.1:${clientPort}`;
  }

  /** From now on the member has other ports for the others, and for clients if that is said: those of the reconfiguration to come. */
  async move(id: number, movesClients = false): Promise<void> {
    const place = this.#place(id);
    place.quorumPort = await freePort();
    place.electionPort = await freePort();
    if (movesClients) place.clientPort = await freePort();
  }

  /** Starts a member for the first time, with what it knows of the ensemble. */
  async start(id: number, ...lines: readonly string[]): Promise<void> {
    await this.#spawn(id, {
      ...Object.fromEntries(lines.map((line) => line.split("=") as [string, string])),
      ...this.#common,
    });
  }

  /** Starts a member that has kept a list, and has seen another one proposed before it went down. */
  async startWith(id: number, kept: MemberList, next: MemberList | null = null): Promise<void> {
    const dynamicConfigFile = `${this.zooCfg(id)}.dynamic.${kept.version}`;
    mkdirSync(this.#place(id).folder, { recursive: true });
    writeFileSync(dynamicConfigFile, kept.lines.join("\n"));
    if (next !== null) writeFileSync(`${this.zooCfg(id)}.dynamic.next`, [...next.lines, `version=${next.version}`].join("\n"));
    const own = kept.lines.find((line) => line.startsWith(`server.${id}=`));
    await this.#spawn(id, { ...this.#common, dynamicConfigFile }, Number(/\d+$/.exec(own ?? "")?.[0]));
  }

  get #common(): Readonly<Record<string, string | number | boolean>> {
    return {
      tickTime: 1000,
      reconfigEnabled: true,
      skipACL: "yes",
      standaloneEnabled: this.#standaloneEnabled,
      "4lw.commands.whitelist": "*",
    };
  }

  /** Starts a member again, with the zoo.cfg that it has left behind. */
  async restart(id: number): Promise<void> {
    const text = readFileSync(this.zooCfg(id), "utf8");
    const entries = text.split("\n").filter((line) => line.includes("=") && !line.startsWith("#"));
    await this.#spawn(
      id,
      Object.fromEntries(entries.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)])),
    );
  }

  async #spawn(
    id: number,
    config: Readonly<Record<string, string | number | boolean>>,
    clientPort = this.#place(id).clientPort,
  ): Promise<void> {
    const place = this.#place(id);
    const { kind, folder } = place;
    place.server = await spawnServer({ kind, config: { ...config, clientPort }, folder, myid: id });
  }

  async kill(id: number): Promise<void> {
    const place = this.#place(id);
    const { server } = place;
    place.server = null;
    await server?.stop("SIGKILL");
  }

  address(id: number): string {
    return `127.0.0.1:${this.#place(id).clientPort}`;
  }

  connectString(...ids: readonly number[]): string {
    return ids.map((id) => this.address(id)).join(",");
  }

  zooCfg(id: number): string {
    return join(this.#place(id).folder, "zoo.cfg");
  }

  /** The members as a member keeps them, where its zoo.cfg says. */
  dynamicFile(id: number): { readonly name: string; readonly text: string } {
    const [, path = ""] = /^dynamicConfigFile=(.*)$/m.exec(readFileSync(this.zooCfg(id), "utf8")) ?? [];
    return { name: path.slice(path.lastIndexOf("/") + 1), text: path === "" ? "" : readFileSync(path, "utf8") };
  }

  async mode(id: number): Promise<string | null> {
    const answer = await fourLetterWord(this.#place(id).clientPort, "srvr", 1000).catch(() => "");
    return /^Mode: (\S+)$/m.exec(answer)?.[1] ?? null;
  }

  async zxid(id: number): Promise<string> {
    const answer = await fourLetterWord(this.#place(id).clientPort, "srvr", 1000).catch(() => "");
    return /^Zxid: (\w+)$/m.exec(answer)?.[1] ?? "";
  }

  async reaches(id: number, mode: string): Promise<void> {
    await until(
      async () => (await this.mode(id)) === mode,
      () => `member ${id} to be ${mode}:\n${this.logs()}`,
      SERVING_MS_MAX,
    );
  }

  /** Resolves once they all serve, with the one that leads. */
  async serving(...ids: readonly number[]): Promise<number> {
    let leader = 0;
    await until(
      async () => {
        const modes = await Promise.all(ids.map((id) => this.mode(id)));
        leader = ids[modes.indexOf("leader")] ?? 0;
        return leader !== 0 && modes.every((mode) => mode !== null);
      },
      () => `members ${ids.join(", ")} to serve:\n${this.logs()}`,
      SERVING_MS_MAX,
    );
    return leader;
  }

  /** The configuration as the member tells it to clients. */
  async configOf(id: number): Promise<string> {
    await using zk = await connect(this.address(id), { sessionTimeoutMs: 15_000 });
    return new TextDecoder().decode((await zk.getConfig()).data!);
  }

  log(id: number): string {
    return this.#place(id).server?.logs() ?? "";
  }

  logs(): string {
    return [...this.#places].map(([id, { server }]) => `member ${id}: ${server?.logs().slice(-4000) ?? "is down"}`).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { server } of this.#places.values()) await server?.stop("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #place(id: number): Place {
    const place = this.#places.get(id);
    if (place === undefined) throw new Error(`the ensemble has no member ${id}`);
    return place;
  }
}
