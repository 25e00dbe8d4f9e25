/**
 * The streams between a leader and its learners, by number: those that are accepted on the quorum port, and the one that is dialled.
 *
 * Not here: what is said on them. Invariant: a stream is told of before anything that came on it, and its end after everything.
 */
import type { FromHost } from "../broadcast/contract.ts";
import type { EnsembleMember } from "../broadcast/zab/ensemble.ts";
import type { LeaderPacket, LearnerPacket, LinkId, MemberId } from "../broadcast/zab/messages.ts";
import type { Zxid } from "../model/types.ts";
import type { Clock, Dialer, Duplex, DuplexHandler, Listener, Logger } from "../ports.ts";
import type { PeerAuth } from "./peer_auth.ts";
import { PeerStream, type PeerStreamOwner, type Sending } from "./peer_stream.ts";
import { hostsOf, misfit } from "./proved_name.ts";

export interface QuorumLinksOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dialer: Dialer;
  readonly auth: PeerAuth;
  /** A listener on this member's quorum port. */
  readonly listener: () => Listener;
  /** How long to wait for a leader that does not answer, and for a learner that does not prove who it is, milliseconds. */
  readonly dialTimeoutMs: number;
  /** Another member as it is listed now. */
  readonly memberOf: (id: MemberId) => EnsembleMember | undefined;
  readonly hear: (input: Extract<FromHost, { readonly link: LinkId }>) => void;
  /** Runs what hands over several inputs as one turn. */
  readonly turn: (run: () => void) => void;
  readonly atTurnEnd: (run: () => void) => void;
  readonly readDatabase: PeerStreamOwner["readDatabase"];
  /** Longest data of a packet that is taken from a learner. */
  readonly packetBytesMax: number;
}

/** How long to wait for a port that can't be had, milliseconds. */
const LISTEN_AGAIN_MS = 250;

export class QuorumLinks {
  readonly #options: QuorumLinksOptions;
  readonly #streams = new Map<LinkId, PeerStream>();
  readonly #dials = new Map<LinkId, () => void>();
  #nextLink: LinkId = 1;
  #listener: Listener | null = null;
  /** Those of places that this member has left, whose streams go on. */
  readonly #left: Listener[] = [];
  #listening: Promise<unknown> = Promise.resolve();

  constructor(options: QuorumLinksOptions) {
    this.#options = options;
  }

  /** Accepts learners, or no more. */
  accept(accepting: boolean): void {
    if (!accepting) return this.#stopListening();
    const listener = this.#options.listener();
    this.#listener = listener;
    this.#listening = this.#listening
      .then(() => (this.#listener === listener ? listener.start((duplex) => this.#accepted(listener, duplex)) : null))
      .catch((error: unknown) => this.#listenAgain(listener, error));
  }

  /** The port may be in use for a moment, such as by a stream that somebody else has opened. */
  #listenAgain(refused: Listener, error: unknown): void {
    const { clock, logger } = this.#options;
    logger.error(error instanceof Error ? error.message : String(error));
    clock.wakeAt(clock.now().mono + LISTEN_AGAIN_MS, () => {
      if (this.#listener === refused) this.accept(true);
    });
  }

  /** This member is elsewhere now. Who has come to where it was stays: it is on these streams that learners are told of the new place. */
  relisten(): void {
    const before = this.#listener;
    if (before === null) return;
    this.#left.push(before);
    this.#listening = this.#listening.then(() => before.release());
    this.accept(true);
  }

  #stopListening(): void {
    const listeners = this.#left.splice(0);
    if (this.#listener !== null) listeners.push(this.#listener);
    this.#listener = null;
    for (const listener of listeners) this.#listening = this.#listening.then(() => listener.stop());
  }

  #accepted(listener: Listener, duplex: Duplex): DuplexHandler {
    if (this.#listener !== listener) {
      duplex.destroy();
      return DEAF;
    }
    const { auth, clock, dialTimeoutMs, logger } = this.#options;
    const cancelWake = clock.wakeAt(clock.now().mono + dialTimeoutMs, () => duplex.destroy());
    const proved = (name: string | null): DuplexHandler => {
      cancelWake();
      return this.#open(this.#nextLink++, duplex, "leader", name);
    };
    return auth.accepted(duplex, NO_BYTES, proved, (reason) => {
      cancelWake();
      logger.warn(`A stream from ${duplex.remoteAddress} to the quorum port is refused: ${reason}`);
    });
  }

  dial(link: LinkId, leader: EnsembleMember): void {
    const { dialer, clock, dialTimeoutMs, hear, logger, auth } = this.#options;
    const [address] = leader.addresses;
    let proving: Duplex | null = null;
    const failed = (reason: string): void => {
      if (!this.#dials.has(link)) return; // it was given up
      this.#stopDialling(link);
      logger.info(`The leader ${leader.id} can't be reached: ${reason}`);
      hear({ kind: "closed", link });
    };
    const giveUp = dialer.dial(
      { host: address!.host, port: address!.quorumPort },
      (duplex) => {
        proving = duplex;
        const proved = (): DuplexHandler => {
          proving = null;
          this.#stopDialling(link);
          return this.#open(link, duplex, "learner");
        };
        return auth.dialled(duplex, proved, failed);
      },
      failed,
    );
    const cancelWake = clock.wakeAt(clock.now().mono + dialTimeoutMs, () => failed("no answer"));
    this.#dials.set(link, () => {
      cancelWake();
      giveUp();
      proving?.destroy();
    });
  }

  #stopDialling(link: LinkId): void {
    const stop = this.#dials.get(link);
    this.#dials.delete(link);
    stop?.();
  }

  /** @param name what the other end has proved */
  #open(link: LinkId, duplex: Duplex, side: "leader" | "learner", name: string | null = null): DuplexHandler {
    const { hear, atTurnEnd, readDatabase, clock, logger, turn, packetBytesMax } = this.#options;
    const stream = new PeerStream(
      {
        packet: (packet) => {
          if (this.#isOfAnother(packet, name, duplex)) duplex.destroy();
          else hear({ kind: "packet", link, packet });
        },
        alive: () => hear({ kind: "alive", link }),
        letsGo: (reason) => logger.warn(`The stream to ${duplex.remoteAddress} is given up: ${reason}`),
        ended: (reason) => {
          this.#streams.delete(link);
          logger.debug(`Stream ${link} to ${duplex.remoteAddress}: ${reason}`);
          hear({ kind: "closed", link });
        },
        atTurnEnd,
        soon: (run) => void clock.wakeAt(clock.now().mono, run),
        readDatabase,
      },
      duplex,
      side,
      packetBytesMax,
    );
    this.#streams.set(link, stream);
    hear({ kind: "opened", link });
    return {
      data: (bytes) => turn(() => stream.data(bytes)),
      drained: () => stream.drained(),
      closed: () => stream.closed(),
    };
  }

  /** Whether a learner says that it is another member than the one whose name it has proved. */
  #isOfAnother(packet: LearnerPacket | LeaderPacket, name: string | null, { remoteAddress }: Duplex): boolean {
    if (name === null || packet.kind !== "learnerInfo") return false;
    const reason = misfit(name, packet.id === null ? [] : hostsOf(this.#options.memberOf(packet.id)));
    if (reason === null) return false;
    const what = `A stream from ${remoteAddress} to the quorum port is refused`;
    this.#options.logger.warn(`${what}: member ${packet.id} must prove that it is this one, and ${reason}`);
    return true;
  }

  send(link: LinkId, packet: LearnerPacket | LeaderPacket): void {
    this.#streams.get(link)?.send(packet);
  }

  sendDatabase(link: LinkId, zxid: Zxid, database: Sending): void {
    const stream = this.#streams.get(link);
    if (stream === undefined) database.release();
    else stream.sendDatabase(zxid, database);
  }

  cut(link: LinkId): void {
    this.#stopDialling(link);
    const stream = this.#streams.get(link);
    this.#streams.delete(link);
    stream?.cut();
  }

  async stop(): Promise<void> {
    for (const link of [...this.#dials.keys(), ...this.#streams.keys()]) this.cut(link);
    this.#stopListening();
    await this.#listening;
  }
}

const NO_BYTES: Uint8Array = new Uint8Array(0);
/** Hears nothing: the stream was destroyed before it was used. */
const DEAF: DuplexHandler = { data() {}, drained() {}, closed() {} };
