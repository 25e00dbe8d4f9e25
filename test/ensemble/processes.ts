/**
 * An ensemble of processes, ours and Apache's in any mixture, each with a folder that outlives it.
 *
 * Invariant: what was started is ended by its own pid.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { CutProxy } from "../support/cut_proxy.ts";
import {
  fourLetterWord,
  freePort,
  type ServerKind,
  type ServerProcess,
  spawnServer,
  type ZooConfig,
} from "../support/server_process.ts";
import { until } from "../support/until.ts";

/** A Java server alone may take a good part of it to start, on a machine that is busy. */
const SERVING_MS_MAX = 60_000;
const LOG_CHARS_SHOWN = 4000;
/** What Apache's servers log of being asked, again and again. */
const ASKED = /^.*Processing srvr command.*\n/gm;

export interface MemberPlan {
  readonly kind: ServerKind;
  readonly observer?: boolean;
}

interface Place {
  readonly plan: MemberPlan;
  readonly folder: string;
  readonly quorumPort: number;
  readonly electionPort: number;
  readonly clientPort: number;
  server: ServerProcess | null;
}

/** What a member says it is; null while it does not serve. */
export type Mode = "leader" | "follower" | "observer" | null;

export class EnsembleProcesses implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "zookernel-ensemble-"));
  readonly #places = new Map<number, Place>();
  readonly #config: ZooConfig;
  /** Whose way to whom goes through which proxies: `1 to 2`. */
  readonly #ways = new Map<string, readonly [quorum: CutProxy, election: CutProxy]>();

  private constructor(config: ZooConfig) {
    // Small log files: tests look into them again and again, and 64 MiB take Deno a second each time on a busy machine.
    this.#config = { tickTime: 1000, "4lw.commands.whitelist": "*", preAllocSize: 1024, ...config };
  }

  /** Finds places for the members; none is started. `config` is what all have in common. */
  static async of(plans: Readonly<Record<number, MemberPlan>>, config: ZooConfig = {}): Promise<EnsembleProcesses> {
    const ensemble = new EnsembleProcesses(config);
    for (const [id, plan] of Object.entries(plans)) {
      const [quorumPort, electionPort, clientPort] = [await freePort(), await freePort(), await freePort()];
      const folder = join(ensemble.#folder, id);
      ensemble.#places.set(Number(id), { plan, folder, quorumPort, electionPort, clientPort, server: null });
    }
    return ensemble;
  }

  /**
   * From their start on, members go through proxies to one another, which `cutOff` cuts. Only a stream of votes that is dialled back, as the caller's
   * number is the lower one, goes straight.
   */
  async layWays(): Promise<void> {
    for (const from of this.ids)
      for (const to of this.ids.filter((id) => id !== from)) {
        const { quorumPort, electionPort } = this.#place(to);
        this.#ways.set(`${from} to ${to}`, [await CutProxy.to(quorumPort), await CutProxy.to(electionPort)]);
      }
  }

  /** Nothing goes from that member to the others or comes from them any more. */
  cutOff(id: number): void {
    for (const way of this.#waysOf(id)) way.cut();
  }

  rejoin(id: number): void {
    for (const way of this.#waysOf(id)) way.mend();
  }

  #waysOf(id: number): CutProxy[] {
    return [...this.#ways].filter(([name]) => name.split(" to ").includes(String(id))).flatMap(([, ways]) => ways);
  }

  /** The members as one of them finds them. */
  #linesOf(me: number): Record<string, string> {
    const lines: Record<string, string> = {};
    for (const [id, { plan, quorumPort, electionPort }] of this.#places) {
      const [quorum, election] = this.#ways.get(`${me} to ${id}`)?.map(({ port }) => port) ?? [quorumPort, electionPort];
      lines[`server.${id}`] = `127.0.0.1:${quorum}:${election}${plan.observer ? ":observer" : ""}`;
    }
    return lines;
  }

  get ids(): readonly number[] {
    return [...this.#places.keys()];
  }

  /** Where clients find the members, all of them unless told. */
  connectString(...ids: readonly number[]): string {
    return (ids.length === 0 ? this.ids : ids).map((id) => `127.0.0.1:${this.#place(id).clientPort}`).join(",");
  }

  async start(...ids: readonly number[]): Promise<void> {
    for (const id of ids) {
      const place = this.#place(id);
      const { kind, observer = false } = place.plan;
      const role = observer ? { peerType: "observer" } : {};
      const config = { ...this.#config, ...this.#linesOf(id), ...role, clientPort: place.clientPort };
      place.server = await spawnServer({ kind, config, folder: place.folder, myid: id });
    }
  }

  /** Ends a member's process, at once and without a word. */
  async kill(id: number): Promise<void> {
    const place = this.#place(id);
    const { server } = place;
    place.server = null;
    await server?.stop("SIGKILL");
  }

  /** Resolves once a member's process has ended by itself, with its exit code and the last that it logged. */
  async ended(id: number): Promise<{ readonly code: number | null; readonly log: string }> {
    const server = this.#running(id);
    const { code } = await server.exited;
    this.#places.get(id)!.server = null;
    return { code, log: server.logs() };
  }

  /** Where a member keeps its data. */
  dataFolder(id: number): string {
    return join(this.#place(id).folder, "data");
  }

  /** Holds a member's process up: what is sent to it is neither read nor refused. Only `kill` and `letGo` help it on. */
  holdUp(id: number): void {
    process.kill(this.#running(id).pid, "SIGSTOP");
  }

  letGo(id: number): void {
    process.kill(this.#running(id).pid, "SIGCONT");
  }

  /** Whether the member's log holds that text, committed or not. */
  hasLogged(id: number, text: string): boolean {
    const folder = join(this.#running(id).dataDir, "version-2");
    const logs = readdirSync(folder).filter((name) => name.startsWith("log."));
    return logs.some((name) => readFileSync(join(folder, name)).includes(text));
  }

  /** The file that the member was started with. */
  configFile(id: number): string {
    return join(this.#place(id).folder, "zoo.cfg");
  }

  /** Another server takes the member's place, and its data. */
  replace(id: number, kind: ServerKind): void {
    const place = this.#place(id);
    this.#places.set(id, { ...place, plan: { ...place.plan, kind } });
  }

  /** Its data is lost. */
  wipe(id: number): void {
    rmSync(join(this.#place(id).folder, "data"), { recursive: true, force: true });
  }

  async mode(id: number): Promise<Mode> {
    const answer = await fourLetterWord(this.#place(id).clientPort, "srvr", 1000).catch(() => "");
    return (/^Mode: (\w+)$/m.exec(answer)?.[1] ?? null) as Mode;
  }

  async zxid(id: number): Promise<string> {
    const answer = await fourLetterWord(this.#place(id).clientPort, "srvr", 1000).catch(() => "");
    return /^Zxid: (\w+)$/m.exec(answer)?.[1] ?? "";
  }

  /** Resolves once all of them serve, with the leader's number. */
  async serving(...ids: readonly number[]): Promise<number> {
    const wanted = ids.length === 0 ? this.ids : ids;
    let leader = 0;
    await until(
      async () => {
        const modes = await Promise.all(wanted.map((id) => this.mode(id)));
        leader = wanted[modes.indexOf("leader")] ?? 0;
        return leader !== 0 && modes.every((mode) => mode !== null);
      },
      () => `members ${wanted.join(", ")} to serve:\n${this.logs()}`,
      SERVING_MS_MAX,
    );
    return leader;
  }

  logs(): string {
    const last = (server: ServerProcess): string => server.logs().replaceAll(ASKED, "").slice(-LOG_CHARS_SHOWN);
    return [...this.#places].map(([id, { server }]) => `member ${id}: ${server ? last(server) : "is down"}`).join("\n");
  }

  log(id: number): string {
    return this.#running(id).logs();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { server } of this.#places.values()) {
      await server?.stop("SIGKILL");
    }
    for (const proxy of [...this.#ways.values()].flat()) await proxy.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #place(id: number): Place {
    const place = this.#places.get(id);
    if (place === undefined) throw new Error(`the ensemble has no member ${id}`);
    return place;
  }

  #running(id: number): ServerProcess {
    const { server } = this.#place(id);
    if (server === null) throw new Error(`member ${id} is not running`);
    return server;
  }
}
