/**
 * A server that is a member of an ensemble: its storage, its kernel, Zab, and the streams to the other members, put together.
 *
 * Not here: how members agree (broadcast/zab), what is said in which bytes (wire). Invariant: whatever the member asks of the disk is answered
 * when it is done, or the server stops.
 */
import { AclInterner } from "../acl/intern.ts";
import type { Broadcast, ToHost } from "../broadcast/contract.ts";
import { Ensemble, type EnsembleConfig } from "../broadcast/zab/ensemble.ts";
import { History, RECENT_TXNS } from "../broadcast/zab/history.ts";
import type { Image, MemberId } from "../broadcast/zab/messages.ts";
import { Zab } from "../broadcast/zab/zab.ts";
import { Host, type HostOptions } from "../host.ts";
import { Database } from "../kernel/database.ts";
import { Kernel } from "../kernel/kernel.ts";
import { Member } from "../member.ts";
import { kernelOptions, type Settings, treeOptions } from "../options.ts";
import type { Dialer, Listener, Storage, StoredEpochs } from "../ports.ts";
import type { ConfigurationReport } from "../report.ts";
import { Server, type ServerWorld } from "../server.ts";
import { firstSessionId } from "../session/identity.ts";
import { Journal } from "../store/journal.ts";
import { recover } from "../store/recovery.ts";
import { readDatabase } from "../store/snapshot_reader.ts";
import { databaseChunks } from "../store/snapshot_records.ts";
import { restoreQuotas } from "../tree/quota.ts";
import { CONFIG_NODE } from "../tree/tree.ts";
import type { Proposal } from "../txns.ts";
import type { Zxid } from "../types.ts";
import { epochOf, formatZxid } from "../zxid.ts";
import { ElectionLinks } from "./election_links.ts";
import { QuorumLinks } from "./quorum_links.ts";

/** How members reach one another, such as by TCP: `tcpPeers()` of `zookernel/tcp`. */
export interface PeerNetwork {
  /** A listener at an address of this member. */
  listener(address: { readonly host: string; readonly port: number }): Listener;
  readonly dialer: Dialer;
}

/** What makes a server a member of an ensemble. */
export interface EnsembleOptions {
  /** This member's number, 1 to 255, as in `myid`. */
  readonly id: number;
  /** All members, this one included. */
  readonly config: EnsembleConfig;
  /** Ticks for finding and following a leader. Default 10. */
  readonly initLimit?: number;
  /** Ticks between two signs of life. Default 5. */
  readonly syncLimit?: number;
  /** Accept other members on every interface, not only on the address in the configuration. Default false. */
  readonly listenOnAllInterfaces?: boolean;
  readonly peers: PeerNetwork;
}

/** Joins the kernel and the broadcast of a member to whatever pumps them. */
export type MakeMemberHost = (kernel: Kernel, broadcast: Broadcast, options: Omit<HostOptions, "member">) => Host;

const DIAL_TIMEOUT_MS = 5000;

/**
 * Starts a member.
 *
 * @param makeHost what runs it, where that is not the usual
 * @throws TypeError for members that can't be an ensemble; StorageError where what is kept can't be used
 */
export async function openMember(
  storage: Storage,
  options: EnsembleOptions,
  settings: Settings,
  world: ServerWorld,
  makeHost: MakeMemberHost = usualHost,
): Promise<Server> {
  const ensemble = new Ensemble(options.config);
  judge(ensemble, options);
  const stored = await storage.open(world.logger);
  try {
    const recent: Proposal[] = [];
    const recovered = await recover(storage.name, stored, {
      tree: treeOptions(settings),
      trustEmptySnapshot: settings.snapshots.trustEmpty,
      logger: world.logger,
      replayed: (proposal, bytes) => {
        recent.push({ ...proposal, bytes: bytes.slice() });
        if (recent.length >= 2 * RECENT_TXNS) recent.splice(0, RECENT_TXNS);
      },
    });
    const running = new RunningMember(storage, options, ensemble, settings, world, recovered.database, {
      recent,
      epochs: stored.epochs,
      replayed: recovered.replayed,
    });
    if (recovered.snapshotZxid === null) await running.journal.saveSnapshot();
    return await running.start(makeHost);
  } catch (error) {
    await storage.close();
    throw error;
  }
}

const usualHost: MakeMemberHost = (kernel, broadcast, options) =>
  new Host({ ...options, member: new Member(kernel, broadcast) });

function judge(ensemble: Ensemble, { id, config }: EnsembleOptions): void {
  const problems: string[] = [];
  const me = BigInt(id);
  if (!(Number.isInteger(id) && id >= 0 && id <= 255)) problems.push(`id: ${id} is no whole number from 0 to 255`);
  if (!ensemble.members.has(me)) problems.push(`id: ${id} is not among the members ${[...ensemble.members.keys()].join(", ")}`);
  if (ensemble.members.size !== config.members.length) problems.push("members: two have the same number");
  if (ensemble.voters.size === 0) problems.push("members: none of them votes");
  if (problems.length > 0) throw new TypeError(`Cannot open a member of an ensemble: ${problems.join("; ")}`);
}

interface Known {
  readonly recent: readonly Proposal[];
  readonly epochs: StoredEpochs;
  readonly replayed: number;
}

class RunningMember {
  readonly journal: Journal;
  readonly #storage: Storage;
  readonly #options: EnsembleOptions;
  readonly #ensemble: Ensemble;
  readonly #settings: Settings;
  readonly #world: ServerWorld;
  readonly #kernel: Kernel;
  readonly #zab: Zab;
  readonly #links: QuorumLinks;
  readonly #votes: ElectionLinks;
  readonly #interner = new AclInterner();
  #host: Host | null = null;

  constructor(
    storage: Storage,
    options: EnsembleOptions,
    ensemble: Ensemble,
    settings: Settings,
    world: ServerWorld,
    database: Database,
    known: Known,
  ) {
    const { clock, logger, random } = world;
    const { everyTxns, everyBytes, lastZxid } = settings.snapshots;
    const kernelSettings = kernelOptions({ ...settings, serverId: options.id });
    const now = clock.now();
    this.#storage = storage;
    this.#options = options;
    this.#ensemble = ensemble;
    this.#settings = settings;
    this.#world = world;
    this.#tellConfig(database);
    this.#kernel = new Kernel(database, kernelSettings, firstSessionId(options.id, now.wall), now, "looking");
    this.journal = new Journal(storage, () => this.#host?.member.kernel.database ?? database, {
      snapshotTxns: everyTxns,
      snapshotBytes: everyBytes,
      sections: { digest: settings.digest, lastZxid },
      logger,
      random,
      txnsBehind: known.replayed,
    });
    this.#zab = this.#newZab(database.lastZxid, known);
    this.#links = this.#newLinks();
    this.#votes = this.#newVotes();
  }

  async start(makeHost: MakeMemberHost): Promise<Server> {
    const { initLimit = 10, syncLimit = 5 } = this.#options;
    const me = this.#me;
    const [address] = me.addresses;
    const report: NonNullable<ConfigurationReport["ensemble"]> = {
      initLimit,
      syncLimit,
      electionPort: address!.electionPort,
      quorumPort: address!.quorumPort,
      observer: me.role === "observer",
      membership: this.#ensemble.text,
    };
    await this.#votes.start();
    const server = new Server({ ...this.#settings, serverId: this.#options.id }, this.#world, {
      kernel: this.#kernel,
      journal: this.journal,
      ensemble: { report, stop: () => this.#stop() },
      makeHost: (kernel, options) => {
        this.#host = makeHost(kernel, this.#zab, { ...options, carryOut: (effect) => this.#carryOut(effect) });
        return this.#host;
      },
    });
    return server;
  }

  async #stop(): Promise<void> {
    await Promise.all([this.#votes.stop(), this.#links.stop()]);
  }

  get #me(): EnsembleConfig["members"][number] {
    return this.#ensemble.members.get(this.#id)!;
  }

  get #id(): MemberId {
    return BigInt(this.#options.id);
  }

  // ── parts ──

  #newZab(lastZxid: Zxid, { recent, epochs }: Known): Zab {
    const { initLimit = 10, syncLimit = 5 } = this.#options;
    const ofLog = epochOf(lastZxid);
    const kept = epochs.current ?? ofLog;
    // A crash came between the log of a new epoch and the file that tells it.
    const currentEpoch = kept < ofLog && epochs.unfinished === ofLog ? ofLog : kept;
    if (currentEpoch < ofLog) {
      throw new Error(
        `${this.#storage.name}: the log goes on to epoch ${ofLog}, and currentEpoch says ${currentEpoch}. Restore the file, or empty the folder`,
      );
    }
    return new Zab({
      me: this.#id,
      ensemble: this.#ensemble,
      limits: { tickMs: this.#settings.tickTimeMs, initLimit, syncLimit },
      history: new History(lastZxid, recent),
      acceptedEpoch: Math.max(epochs.accepted ?? ofLog, currentEpoch),
      currentEpoch,
    });
  }

  #newLinks(): QuorumLinks {
    const { clock, logger } = this.#world;
    const [address] = this.#me.addresses;
    return new QuorumLinks({
      clock,
      logger,
      dialer: this.#options.peers.dialer,
      listener: () => this.#options.peers.listener({ host: this.#listenHost, port: address!.quorumPort }),
      dialTimeoutMs: DIAL_TIMEOUT_MS,
      hear: (input) => this.#host?.hear(input),
      turn: (run) => (this.#host === null ? run() : this.#host.turn(run)),
      atTurnEnd: (run) => this.#host?.atTurnEnd(run),
      readDatabase: async (zxid, chunks) => await this.#readDatabase(zxid, chunks),
    });
  }

  #newVotes(): ElectionLinks {
    const { clock, logger } = this.#world;
    const { syncLimit = 5 } = this.#options;
    const [address] = this.#me.addresses;
    return new ElectionLinks({
      me: this.#me,
      members: this.#ensemble.members,
      clock,
      logger,
      dialer: this.#options.peers.dialer,
      listener: this.#options.peers.listener({ host: this.#listenHost, port: address!.electionPort }),
      dialTimeoutMs: DIAL_TIMEOUT_MS,
      initialTimeoutMs: syncLimit * this.#settings.tickTimeMs,
      hear: (from, notification) => this.#host?.hear({ kind: "notified", from, notification }),
    });
  }

  get #listenHost(): string {
    return this.#options.listenOnAllInterfaces ? "0.0.0.0" : this.#me.addresses[0]!.host;
  }

  // ── effects ──

  #carryOut(effect: ToHost): void {
    switch (effect.kind) {
      case "append":
        return; // the host's own
      case "notify":
        return this.#votes.notify(effect.to, effect.notification);
      case "accept":
        return this.#links.accept(effect.accepting);
      case "dial":
        return this.#links.dial(effect.link, this.#ensemble.members.get(effect.leader)!);
      case "send":
        return this.#links.send(effect.link, effect.packet);
      case "sendDatabase":
        return this.#sendDatabase(effect.link, effect.zxid);
      case "cut":
        return this.#links.cut(effect.link);
      case "saveEpochs": {
        const { accepted, current } = effect;
        return this.#onDisk(async () => {
          await this.#storage.saveEpochs({ accepted, current });
          this.#host!.hear({ kind: "epochsSaved" });
        });
      }
      case "restore":
        return this.#onDisk(async () => {
          await this.journal.saveSnapshot();
          this.#host!.hear({ kind: "restored" });
        });
      case "truncate":
        return this.#onDisk(async () => this.#host!.hear({ kind: "truncated", image: await this.#truncate(effect.zxid) }));
      case "tell":
        return this.#world.logger.info(effect.message);
    }
  }

  /** What can't be done means that the member does not know what is on its disk: it stops. */
  #onDisk(work: () => Promise<void>): void {
    work().catch((error: unknown) => this.#host!.fail(error));
  }

  #sendDatabase(link: number, zxid: Zxid): void {
    const { tree, sessions, lastZxid } = this.#host!.member.kernel.database;
    const frozen = tree.freeze();
    const chunks = databaseChunks({ tree: frozen, sessions: new Map(sessions), lastZxid });
    const release = (): void => {
      frozen.nodes.release();
      frozen.children.release();
    };
    this.#links.sendDatabase(link, zxid, { chunks, release });
  }

  async #readDatabase(
    zxid: Zxid,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<{ readonly image: Image; readonly rest: Uint8Array }> {
    const { tree, sessions, rest } = await readDatabase(chunks, treeOptions(this.#settings), this.#interner);
    const image = new Database(tree, sessions, zxid);
    tree.ensureConfigNode();
    restoreQuotas(tree);
    this.#tellConfig(image);
    return { image, rest };
  }

  async #truncate(zxid: Zxid): Promise<Database> {
    const stored = await this.journal.truncate(zxid);
    const { database } = await recover(this.#storage.name, stored, {
      tree: treeOptions(this.#settings),
      trustEmptySnapshot: this.#settings.snapshots.trustEmpty,
      logger: this.#world.logger,
    });
    if (database.lastZxid !== zxid) {
      throw new Error(`${this.#storage.name}: cut at ${formatZxid(zxid)}, it goes on to ${formatZxid(database.lastZxid)}`);
    }
    this.#tellConfig(database);
    return database;
  }

  /** Each member writes the ensemble's configuration into its own tree. */
  #tellConfig(database: Database): void {
    if (database.tree.get(CONFIG_NODE) === undefined) return;
    database.tree.editQuietly(CONFIG_NODE, new TextEncoder().encode(this.#ensemble.text));
  }
}
