/**
 * One member of a test's ensemble: a machine on the network, a disk, and a server that runs there or not.
 *
 * Not here: which members there are, and who leads (test_ensemble.ts). Invariant: what runs is a member as it is in production; only its clock, its
 * randomness, its network and its disk are the test's.
 */
import type { EnsembleConfig } from "../broadcast/zab/ensemble.ts";
import type { ConnInput } from "../member/host.ts";
import type { Role, SessionId } from "../model/types.ts";
import { epochOf } from "../model/zxid.ts";
import type { Settings } from "../options/options.ts";
import { znodePath } from "../options/shape.ts";
import type { ListenAddress, Logger } from "../ports.ts";
import { memberSettings, openMember, takeEnsemble } from "../server/ensemble.ts";
import { type Inspected, Server, type ServerWorld } from "../server/server.ts";
import { type ExpectedTree, expectTree } from "./expect.ts";
import type { Fault, Faults } from "./faults.ts";
import type { Machine, Network } from "./network.ts";
import type { Running } from "./observed_world.ts";
import { drawTree } from "./picture.ts";
import { RecordedMember, type Recorder } from "./recorder.ts";
import { TestHost } from "./test_host.ts";
import type { TestWorld } from "./test_server.ts";
import type { VolatileDisk } from "./volatile_storage.ts";

/** What a member is doing: `down` from a crash to a restart, `looking` for a leader, or serving clients as one of the others. */
export type MemberState = "down" | "looking" | "readOnly" | "leading" | "following" | "observing";

const STATES: Readonly<Record<Role, MemberState>> = {
  standalone: "leading",
  leader: "leading",
  follower: "following",
  observer: "observing",
  looking: "looking",
  readOnly: "readOnly",
};

/** What members of one ensemble have in common. */
export interface MemberOptions {
  readonly config: EnsembleConfig;
  readonly settings: Settings;
  readonly world: ServerWorld;
  readonly network: Network;
  readonly faults: Faults;
  readonly recorder: Recorder;
  /** A port of this machine, for programs that need one. */
  readonly listener: TestWorld["listener"];
}

/** Where clients of the ensemble's own network find a member. */
export const CLIENT_PORT = 2181;

/** A member. Made by `testEnsemble()`. */
export class TestMember {
  /** Its number, from 1 on. */
  readonly id: number;
  /** @internal Its address on the ensemble's own network. */
  readonly host: string;
  /** Its disk: `hold()` lets all that is asked of it wait until `letGo()`, and a crash meanwhile loses it. */
  readonly disk: VolatileDisk;
  readonly #options: MemberOptions;
  #life: (Running & { readonly machine: Machine }) | null = null;
  /** Where it serves real sockets, once it was asked to. */
  #port: ListenAddress | null = null;

  /** @internal */
  constructor(id: number, host: string, disk: VolatileDisk, options: MemberOptions) {
    this.id = id;
    this.host = host;
    this.disk = disk;
    this.#options = options;
  }

  get state(): MemberState {
    if (this.#life === null) return "down";
    return STATES[this.#life.host.member.kernel.role];
  }

  /** @internal Of the leader whose history it has. */
  get epoch(): number {
    return epochOf(this.#up().host.member.kernel.database.lastZxid);
  }

  /** @internal null while it is down. */
  get running(): Running | null {
    return this.#life;
  }

  /** @internal Whether that session is connected here. */
  serves(session: SessionId): boolean {
    const connections = this.#life?.host.member.kernel.connections.values() ?? [];
    return [...connections].some((connection) => connection.session?.id === session);
  }

  /** A look at a znode as this member has it, past all permissions; null if there is none. */
  inspect(path: string): Inspected | null {
    return this.#up().server.inspect(path);
  }

  /** Its tree below a path as text. */
  picture(path = "/"): string {
    znodePath(path, "draw the tree", "path");
    return drawTree(this.#up().host.member.kernel.database.tree, path);
  }

  /** Holds its tree against znodes, or against a picture. @throws ExpectationError that says all that differs */
  expectTree(expected: string | ExpectedTree, path = "/"): void {
    znodePath(path, "compare the tree", "path");
    expectTree(this.#up().host.member.kernel.database.tree, path, expected);
  }

  #up(): Running {
    if (this.#life === null) throw new Error(`Member ${this.id} is down: await restart(${this.id}) first`);
    return this.#life;
  }

  // ── for the ensemble ──

  /** @internal */
  async start(): Promise<void> {
    const { config, settings, world, network, faults, recorder } = this.#options;
    const machine = network.plug(this.host);
    const logger = new LivingLogger(world.logger, machine);
    let host: TestHost | null = null;
    const options = takeEnsemble({ id: this.id, config, peers: machine }, settings.extendedTypes);
    const ownWorld = { ...world, logger };
    const parts = await openMember(this.disk.mount(), options, settings, ownWorld, (kernel, broadcast, hostOptions) => {
      const member = new RecordedMember(kernel, broadcast, recorder, `member ${this.id}`);
      const struck = (fault: Fault, input: ConnInput): void => recorder.struck(fault, input, world.clock.now());
      host = new TestHost({ ...hostOptions, member, faults, struck, takeConn: recorder.takeConn });
      return host;
    });
    const server = new Server(memberSettings(options, settings), ownWorld, parts);
    this.#life = { server, host: host!, machine };
    this.#tell("is started");
    await server.listen(machine.listener({ port: CLIENT_PORT }));
    if (this.#port !== null) await this.#openPort(this.#port.port);
  }

  /** @internal Where it serves real sockets: once it does, at the same place in every life. */
  async listen(): Promise<ListenAddress> {
    this.#port ??= await this.#openPort(0);
    return this.#port;
  }

  #openPort(port: number): Promise<ListenAddress> {
    return this.#up().server.listen(this.#options.listener(port));
  }

  /** @internal From one moment to the next: nothing more is said, and what the disk has not synced may be lost. */
  async crash(): Promise<void> {
    const life = this.#life;
    if (life === null) return;
    this.#life = null;
    this.#tell("has crashed");
    life.machine.switchOff();
    void life.host.stop();
    this.disk.crash();
    await life.server.close();
  }

  /** @internal Orderly. */
  async stop(): Promise<void> {
    const life = this.#life;
    if (life === null) return;
    this.#life = null;
    this.#tell("is stopped");
    this.disk.letGo();
    await life.server.close();
    life.machine.switchOff();
  }

  #tell(what: string): void {
    const { recorder, world } = this.#options;
    recorder.tell(`member ${this.id} ${what}`, world.clock.now());
  }
}

/** Of a process that says nothing more once its machine is off. */
class LivingLogger implements Logger {
  readonly #logger: Logger;
  readonly #machine: Machine;

  constructor(logger: Logger, machine: Machine) {
    this.#logger = logger;
    this.#machine = machine;
  }

  debug(message: string): void {
    if (!this.#machine.isOff) this.#logger.debug(message);
  }

  info(message: string): void {
    if (!this.#machine.isOff) this.#logger.info(message);
  }

  warn(message: string): void {
    if (!this.#machine.isOff) this.#logger.warn(message);
  }

  error(message: string): void {
    if (!this.#machine.isOff) this.#logger.error(message);
  }
}
