/**
 * A server that is a member of an ensemble: its storage, its kernel, Zab, and the streams to the other members, put together.
 *
 * Not here: how members agree (broadcast/zab), what is said in which bytes (wire). Invariant: whatever the member asks of the disk is answered
 * when it is done, or the server stops.
 */
import { AclInterner } from "../acl/intern.ts";
import type { Broadcast, FromHost, ToHost } from "../broadcast/contract.ts";
import type { EnsembleConfig, EnsembleMember } from "../broadcast/zab/ensemble.ts";
import { ensembleText } from "../broadcast/zab/ensemble_text.ts";
import { startingEpochs } from "../broadcast/zab/epochs.ts";
import { History, RecentTxns } from "../broadcast/zab/history.ts";
import { Leader } from "../broadcast/zab/leader.ts";
import type { Membership } from "../broadcast/zab/membership.ts";
import type { Image, MemberId } from "../broadcast/zab/messages.ts";
import { bracketed, clientPlace } from "../broadcast/zab/server_line.ts";
import { Zab } from "../broadcast/zab/zab.ts";
import { Database } from "../kernel/database.ts";
import { Kernel } from "../kernel/kernel.ts";
import { Host, type HostOptions } from "../member/host.ts";
import { Member } from "../member/member.ts";
import type { Proposal } from "../model/txns.ts";
import type { Zxid } from "../model/types.ts";
import { endsAt, formatZxid } from "../model/zxid.ts";
import { kernelOptions, type Settings, treeOptions, txnBytesMax } from "../options/options.ts";
import { ElectionLinks } from "../peers/election_links.ts";
import { diffBytesMax, missedTxns, SNAPSHOT_SIZE_FACTOR } from "../peers/missed_txns.ts";
import { NO_PEER_AUTH, type PeerAuth } from "../peers/peer_auth.ts";
import { ProposalSizes } from "../peers/proposal_sizes.ts";
import { QuorumLinks } from "../peers/quorum_links.ts";
import type { Dialer, Listener, Storage, Stored, StoredEpochs } from "../ports.ts";
import type { ConfigurationReport, LeaderReport, MemberReport } from "../report/report.ts";
import { firstSessionId, serverIdMax } from "../session/identity.ts";
import { Journal } from "../store/journal.ts";
import { recover } from "../store/recovery.ts";
import { readDatabase } from "../store/snapshot_reader.ts";
import { databaseChunks } from "../store/snapshot_records.ts";
import { NothingCutError } from "../store/storage_error.ts";
import { restoreQuotas } from "../tree/quota.ts";
import { type ConfigStore, OwnConfig } from "./own_config.ts";
import type { ServerParts, ServerWorld } from "./server.ts";

export { takeEnsemble } from "./ensemble_options.ts";

/** The names and addresses of those who may come from an IP address: the members', and its own where members join that are not listed yet. */
export type PeerHosts = (remoteAddress: string) => readonly string[];

/** How members reach one another, such as by TCP: `tcpPeers()` of `zookernel/tcp`. */
export interface PeerNetwork {
  /** A listener at an address of this member. `hosts` tells whose certificates may prove who comes from an IP address. */
  listener(address: { readonly host: string; readonly port: number }, hosts: PeerHosts): Listener;
  readonly dialer: Dialer;
  /** How members prove who they are; none: they don't. */
  readonly auth?: PeerAuth;
  /**
   * Calls back once when all that has arrived by now has had its turn, so that what many clients have asked goes to a member in one piece. Default:
   * at the end of each turn.
   */
  readonly gather?: (run: () => void) => void;
}

/** What makes a server a member of an ensemble. */
export interface EnsembleOptions {
  /**
   * This member's number, 0 to 255, as in `myid`. With `extendedTypes`, the default, no member's is above 254, with `"3.5.3"` above 127: the
   * ephemerals of its sessions could not be told from TTL znodes.
   */
  readonly id: number;
  /** All members, this one included. Who is to join an ensemble lists itself as an observer, among members that are already in it. */
  readonly config: EnsembleConfig;
  /** A later configuration that was last seen proposed, and may not count yet: whoever leads completes it, if its quorum is there. Default: none. */
  readonly lastSeen?: EnsembleConfig;
  /** Where the configuration is kept when it changes, to be the `config` of the next start. Default: nowhere. */
  readonly configStore?: ConfigStore;
  /** Whether a reconfiguration may leave a single voter: as ZooKeeper's `standaloneEnabled=false`. Default false: two at least must be left. */
  readonly mayVoteAlone?: boolean;
  /** Called when the configuration says that clients find this member elsewhere. */
  readonly clientAddressChanged?: (client: NonNullable<EnsembleMember["client"]>) => void;
  /** Ticks for finding and following a leader. Default 10. */
  readonly initLimit?: number;
  /** Ticks between two signs of life. Default 5. */
  readonly syncLimit?: number;
  /**
   * How much of the log is read for a learner that lacks more than the last 500 txns: up to this share of the database, which is sent otherwise. 0:
   * however small that is; negative: none. Never more than 64 MiB. Default 0.33, as ZooKeeper's `snapshotSizeFactor`.
   */
  readonly snapshotSizeFactor?: number;
  /** Accept other members on every interface, not only on the address in the configuration. Default false. */
  readonly listenOnAllInterfaces?: boolean;
  readonly peers: PeerNetwork;
}

/** Joins the kernel and the broadcast of a member to whatever pumps them. */
export type MakeMemberHost = (kernel: Kernel, broadcast: Broadcast, options: Omit<HostOptions, "member">) => Host;

const DIAL_TIMEOUT_MS = 5000;

/** The settings of the server that a member is: its session ids begin with its number. */
export function memberSettings({ id }: EnsembleOptions, settings: Settings): Settings {
  return { ...settings, serverId: id };
}

/**
 * Starts a member: what a server is made of to be one. It serves as soon as there is a leader.
 *
 * @param options as {@link takeEnsemble} gives them
 * @param makeHost what runs it, where that is not the usual
 * @throws StorageError where what is kept can't be used
 */
export async function openMember(
  storage: Storage,
  options: EnsembleOptions,
  settings: Settings,
  world: ServerWorld,
  makeHost: MakeMemberHost = usualHost,
): Promise<ServerParts> {
  const stored = await storage.open(world.logger);
  try {
    const recent = new RecentTxns();
    const recovered = await recover(storage.name, stored, {
      tree: treeOptions(settings),
      trustEmptySnapshot: settings.snapshots.trustEmpty,
      logger: world.logger,
      replayed: (proposal, bytes) => {
        recent.push({ ...proposal, bytes: bytes.slice() });
      },
    });
    const running = new RunningMember(storage, options, settings, world, recovered.database, {
      recent: recent.list,
      epochs: stored.epochs,
      replayed: recovered.replayed,
      loggedFrom: recovered.snapshotZxid ?? 0n,
    });
    if (recovered.snapshotZxid === null) await running.journal.saveSnapshot();
    return await running.start(makeHost);
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/** Puts a database into an open storage that has nothing of its own. */
export async function keepWhole(storage: Storage, database: Database, settings: Settings, world: ServerWorld): Promise<void> {
  const { everyTxns, everyBytes, lastZxid } = settings.snapshots;
  const journal = new Journal(storage, () => database, {
    snapshotTxns: everyTxns,
    snapshotBytes: everyBytes,
    sections: { digest: false, lastZxid },
    logger: world.logger,
    clock: world.clock,
    random: world.random,
    txnsBehind: 0,
  });
  await journal.saveSnapshot();
}

function memberReport({ id, addresses, role, client }: EnsembleMember): MemberReport {
  return {
    id,
    observer: role === "observer",
    hosts: addresses.map(({ host }) => host),
    quorumAddresses: addresses.map(({ host, quorumPort }) => `${bracketed(host)}:${quorumPort}`),
    electionAddresses: addresses.map(({ host, electionPort }) => `${bracketed(host)}:${electionPort}`),
    clientAddress: clientPlace(client),
  };
}

const usualHost: MakeMemberHost = (kernel, broadcast, options) =>
  new Host({ ...options, member: new Member(kernel, broadcast) });

interface Known {
  readonly recent: readonly Proposal[];
  readonly epochs: StoredEpochs;
  readonly replayed: number;
  /** The snapshot that it was read behind. */
  readonly loggedFrom: Zxid;
}

class RunningMember {
  readonly journal: Journal;
  readonly #storage: Storage;
  readonly #options: EnsembleOptions;
  readonly #config: OwnConfig;
  readonly #settings: Settings;
  readonly #world: ServerWorld;
  readonly #kernel: Kernel;
  readonly #zab: Zab;
  readonly #links: QuorumLinks;
  readonly #votes: ElectionLinks;
  readonly #interner = new AclInterner();
  /** Of the term as leader that goes on. */
  #proposalSizes = new ProposalSizes();
  #host: Host | null = null;

  constructor(
    storage: Storage,
    options: EnsembleOptions,
    settings: Settings,
    world: ServerWorld,
    database: Database,
    known: Known,
  ) {
    const { clock, logger, random } = world;
    const { everyTxns, everyBytes, lastZxid } = settings.snapshots;
    const kernelSettings = kernelOptions(memberSettings(options, settings));
    const now = clock.now();
    this.#storage = storage;
    this.#options = options;
    this.#settings = settings;
    this.#world = world;
    const { config, lastSeen = null, configStore: store = null } = options;
    const { reconfigEnabled } = settings;
    this.#config = new OwnConfig({ id: this.#id, config, lastSeen, reconfigEnabled, store, clock, logger }, database);
    this.#kernel = new Kernel(database, kernelSettings, firstSessionId(options.id, now.wall), now, "looking");
    this.journal = new Journal(storage, () => this.#host?.member.kernel.database ?? database, {
      snapshotTxns: everyTxns,
      snapshotBytes: everyBytes,
      sections: { digest: settings.digest, lastZxid },
      logger,
      clock,
      random,
      txnsBehind: known.replayed,
    });
    this.#zab = this.#newZab(database.lastZxid, known);
    this.#links = this.#newLinks();
    this.#votes = this.#newVotes();
  }

  async start(makeHost: MakeMemberHost): Promise<ServerParts> {
    await this.#votes.start();
    return {
      kernel: this.#kernel,
      journal: this.journal,
      ensemble: { report: () => this.#report, stop: () => this.#stop() },
      makeHost: (kernel, options) => {
        this.#host = makeHost(kernel, this.#zab, { ...options, carryOut: (effect) => this.#carryOut(effect) });
        return this.#host;
      },
    };
  }

  async #stop(): Promise<void> {
    await Promise.all([this.#votes.stop(), this.#links.stop()]);
    await this.#config.kept;
  }

  get #report(): NonNullable<ConfigurationReport["ensemble"]> {
    const { initLimit = 10, syncLimit = 5 } = this.#options;
    const { electionPort, quorumPort } = this.#config.me.addresses[0]!;
    const { committed } = this.#config.membership;
    const { term } = this.#zab;
    return {
      leaderId: term === null ? null : term instanceof Leader ? this.#id : term.leader,
      members: committed.config.members.map(memberReport),
      initLimit,
      syncLimit,
      electionPort,
      quorumPort,
      observer: committed.roleOf(this.#id) === "observer",
      quorumSize: committed.voters.size,
      leading: this.#leading,
      membership: ensembleText(committed),
    };
  }

  get #leading(): LeaderReport | null {
    const { term } = this.#zab;
    if (!(term instanceof Leader) || !term.isEstablished) return null;
    return { ...term.report(this.#world.clock.now().mono), proposalBytes: this.#proposalSizes };
  }

  get #id(): MemberId {
    return BigInt(this.#options.id);
  }

  // ── parts ──

  #newZab(lastZxid: Zxid, { recent, epochs, loggedFrom }: Known): Zab {
    const { initLimit = 10, syncLimit = 5 } = this.#options;
    const starting = startingEpochs(lastZxid, epochs);
    if (starting === null) {
      const { name } = this.#storage;
      throw new Error(
        `${name}: the log goes on to ${formatZxid(lastZxid)}, and currentEpoch says ${epochs.current}. Restore the file, or empty the folder`,
      );
    }
    const { committed, lastSeen } = this.#config.membership;
    return new Zab({
      me: this.#id,
      ensemble: committed,
      lastSeen,
      readOnlyMode: this.#settings.readOnlyMode,
      reconfiguration: this.#settings.reconfigEnabled
        ? {
            votersMin: this.#options.mayVoteAlone ? 1 : 2,
            ...(this.#settings.extendedTypes && { memberIdMax: serverIdMax(this.#settings.extendedTypes) }),
          }
        : null,
      limits: { tickMs: this.#settings.tickTimeMs, initLimit, syncLimit, txnBytesMax: txnBytesMax(this.#settings) },
      history: new History(lastZxid, recent, loggedFrom),
      ...starting,
    });
  }

  #newLinks(): QuorumLinks {
    const { clock, logger } = this.#world;
    return new QuorumLinks({
      clock,
      logger,
      dialer: this.#options.peers.dialer,
      auth: this.#options.peers.auth ?? NO_PEER_AUTH,
      listener: () => this.#listener("quorumPort"),
      dialTimeoutMs: DIAL_TIMEOUT_MS,
      memberOf: (id) => this.#config.membership.memberOf(id),
      hear: (input) => this.#host?.hear(input),
      turn: (run) => (this.#host === null ? run() : this.#host.turn(run)),
      atTurnEnd: this.#options.peers.gather ?? ((run) => this.#host?.atTurnEnd(run)),
      readDatabase: async (zxid, chunks) => await this.#readDatabase(zxid, chunks),
      packetBytesMax: txnBytesMax(this.#settings),
    });
  }

  #newVotes(): ElectionLinks {
    const { clock, logger } = this.#world;
    const { syncLimit = 5 } = this.#options;
    return new ElectionLinks({
      id: this.#id,
      me: () => this.#config.me,
      memberOf: (id) => this.#config.membership.memberOf(id),
      hearsJoiners: this.#settings.reconfigEnabled,
      clock,
      logger,
      dialer: this.#options.peers.dialer,
      auth: this.#options.peers.auth ?? NO_PEER_AUTH,
      listener: () => this.#listener("electionPort"),
      dialTimeoutMs: DIAL_TIMEOUT_MS,
      initialTimeoutMs: syncLimit * this.#settings.tickTimeMs,
      hear: (from, notification) => this.#host?.hear({ kind: "notified", from, notification }),
    });
  }

  #listener(port: "electionPort" | "quorumPort"): Listener {
    const [address] = this.#config.me.addresses;
    const host = this.#options.listenOnAllInterfaces ? "0.0.0.0" : address!.host;
    const hosts: PeerHosts = (remoteAddress) => [
      ...this.#config.membership.members.flatMap(({ addresses }) => addresses.map((one) => one.host)),
      ...(this.#settings.reconfigEnabled ? [remoteAddress] : []),
    ];
    return this.#options.peers.listener({ host, port: address![port] }, hosts);
  }

  // ── effects ──

  #carryOut(effect: ToHost): void {
    switch (effect.kind) {
      case "append":
        return; // the host's own
      case "notify":
        return this.#votes.notify(effect.to, effect.notification);
      case "accept":
        this.#proposalSizes = new ProposalSizes();
        return this.#links.accept(effect.accepting);
      case "dial":
        return this.#links.dial(effect.link, this.#config.membership.memberOf(effect.leader)!);
      case "send":
        if (effect.packet.kind === "proposal") this.#proposalSizes.measure(effect.packet.proposal);
        return this.#links.send(effect.link, effect.packet);
      case "readLog":
        return this.#readLog(effect);
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
          await this.journal.saveRestored(effect.image.lastZxid, effect.cutsLog);
          this.#host!.hear({ kind: "restored" });
        });
      case "truncate":
        return this.#onDisk(async () => this.#host!.hear(await this.#truncate(effect.zxid)));
      case "membership":
        return this.#changeMembership(effect.membership);
      case "tell":
        return this.#world.logger.info(effect.message);
      case "warn":
        return this.#world.logger.warn(effect.message);
      case "error":
        return this.#world.logger.error(effect.message);
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

  /** A log that can't be read is as good as one that is gone: a database is sent. */
  #readLog({ link, from, to }: Extract<ToHost, { readonly kind: "readLog" }>): void {
    const { snapshotSizeFactor = SNAPSHOT_SIZE_FACTOR } = this.#options;
    const answer = (txns: readonly Proposal[] | null): void => this.#host!.hear({ kind: "logRead", link, txns });
    if (snapshotSizeFactor < 0) return answer(null);
    const bytesMax = diffBytesMax(this.#host!.member.kernel.database.tree, snapshotSizeFactor);
    missedTxns(this.#storage.readLog(from), from, to, bytesMax).then(answer, (error: Error) => {
      this.#world.logger.warn(`What a learner lacks can't be read from the log: ${error.message}`);
      answer(null);
    });
  }

  async #readDatabase(
    zxid: Zxid,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<{ readonly image: Image; readonly rest: Uint8Array }> {
    const { tree, sessions, rest } = await readDatabase(chunks, treeOptions(this.#settings), this.#interner);
    const image = new Database(tree, sessions, zxid);
    tree.ensureConfigNode();
    restoreQuotas(tree);
    this.#config.tell(image);
    return { image, rest };
  }

  /** The database is built before anything is cut: where that can't be done, nothing has changed, and the leader's database can still be had. */
  async #truncate(zxid: Zxid): Promise<Extract<FromHost, { readonly kind: "truncated" | "notTruncated" }>> {
    let image: Database | null = null;
    try {
      await this.journal.truncate(zxid, async (left) => {
        image = await this.#recoverUpTo(zxid, left);
      });
    } catch (error) {
      if (!(error instanceof NothingCutError)) throw error;
      this.#world.logger.warn(error.message);
      return { kind: "notTruncated" };
    }
    this.#config.tell(image!);
    return { kind: "truncated", image: image! };
  }

  async #recoverUpTo(zxid: Zxid, left: Stored): Promise<Database> {
    const { database } = await recover(this.#storage.name, left, {
      tree: treeOptions(this.#settings),
      trustEmptySnapshot: this.#settings.snapshots.trustEmpty,
      logger: this.#world.logger,
    });
    if (!endsAt(database.lastZxid, zxid)) throw new Error(`it ends at ${formatZxid(database.lastZxid)}`);
    database.lastZxid = zxid;
    return database;
  }

  // ── the membership ──

  #changeMembership(membership: Membership): void {
    const { me, membership: before } = this.#config;
    if (!this.#config.change(membership, this.#host!.member.kernel.database)) return;
    this.#votes.reconfigured((id) => before.memberOf(id));
    const { addresses, client } = this.#config.me;
    const [now, then] = [addresses[0]!, me.addresses[0]!];
    if (now.electionPort !== then.electionPort || now.host !== then.host) this.#votes.relisten();
    if (now.quorumPort !== then.quorumPort || now.host !== then.host) this.#links.relisten();
    if (client !== null && clientPlace(client) !== clientPlace(me.client)) this.#options.clientAddressChanged?.(client);
  }
}
