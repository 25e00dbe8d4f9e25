/**
 * The streams on which votes go: one between any two members, the one that the member with the greater number opened.
 *
 * Who has the smaller number dials, says who it is, proves it where that is asked, and is then dialled itself. Of what can't be sent only the
 * last is kept, and what was said last is said again on a new stream, as ZooKeeper does.
 *
 * Not here: what votes mean. Invariant: strangers, and those who speak nonsense, lose their stream and change nothing else.
 */
import type { EnsembleMember } from "../broadcast/zab/ensemble.ts";
import type { MemberId, Notification } from "../broadcast/zab/messages.ts";
import { bracketed } from "../broadcast/zab/server_line.ts";
import type { Clock, Dialer, Duplex, DuplexHandler, Listener, Logger, ServerAddress } from "../ports.ts";
import { Framer } from "../wire/framer.ts";
import { JuteError, JuteReader } from "../wire/jute.ts";
import { type Initial, initialBytes, notificationBytes, readInitial, readNotification, VOTE_BYTES_MAX } from "../wire/votes.ts";
import type { PeerAuth } from "./peer_auth.ts";
import { hostsOf, misfit } from "./proved_name.ts";

export interface ElectionLinksOptions {
  readonly id: MemberId;
  /** This member as it is listed now. */
  readonly me: () => EnsembleMember;
  /** Another one as it is listed now. */
  readonly memberOf: (id: MemberId) => EnsembleMember | undefined;
  /** Whether members are heard that are not listed: they may be about to join. */
  readonly hearsJoiners: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dialer: Dialer;
  readonly auth: PeerAuth;
  /** A listener on this member's election port. */
  readonly listener: () => Listener;
  readonly dialTimeoutMs: number;
  /** How long who has dialled this member may take to say, and to prove, who it is. */
  readonly initialTimeoutMs: number;
  readonly hear: (from: MemberId, notification: Notification) => void;
}

/** A peer that leaves so many bytes of votes waiting gets no more until it has taken them. */
const WAITING_BYTES_MAX = 1 << 20;
/** A stream on which that long nothing has come back, milliseconds, may end nowhere: its other end can be gone without a word. */
const UNANSWERED_MS_MAX = 10_000;
/** What one address may not be dialled more often than, milliseconds. */
const DIAL_AGAIN_MS = 100;
/** So many joiners are remembered. */
const JOINERS_MAX = 255;
const NO_BYTES: Uint8Array = new Uint8Array(0);

export class ElectionLinks {
  readonly #options: ElectionLinksOptions;
  readonly #streams = new Map<MemberId, Duplex>();
  /** Being dialled, or waiting to be: what ends it. */
  readonly #dials = new Map<MemberId, () => void>();
  readonly #dialledMono = new Map<MemberId, number>();
  /** What was said last to each. */
  readonly #last = new Map<MemberId, Uint8Array>();
  /** Since when each has been told something without having said anything. */
  readonly #unansweredMono = new Map<MemberId, number>();
  /** Why each could not be reached, as it was logged. */
  readonly #unreached = new Map<MemberId, string>();
  /** Streams that have not said, or not proved, whose they are. */
  readonly #unnamed = new Set<Duplex>();
  /** Where those are who are not listed, as they say themselves. */
  readonly #joiners = new Map<MemberId, ServerAddress>();
  #listener: Listener;
  /** Those of places that this member has left, whose streams go on. */
  readonly #left: Listener[] = [];
  #listening: Promise<unknown> = Promise.resolve();
  #hasStopped = false;

  constructor(options: ElectionLinksOptions) {
    this.#options = options;
    this.#listener = options.listener();
  }

  async start(): Promise<void> {
    await this.#listener.start((duplex) => this.#accepted(duplex));
  }

  /** Other members are listed: streams to those who are not, or are elsewhere now, end. */
  reconfigured(before: (id: MemberId) => EnsembleMember | undefined): void {
    for (const [id, duplex] of [...this.#streams]) {
      if (placeOf(before(id)) === placeOf(this.#options.memberOf(id))) continue;
      this.#streams.delete(id);
      duplex.destroy();
    }
  }

  /** This member is elsewhere now. Who has come to where it was stays. */
  relisten(): void {
    const before = this.#listener;
    const listener = this.#options.listener();
    this.#listener = listener;
    this.#left.push(before);
    this.#listening = this.#listening
      .then(() => before.release())
      .then(() => (this.#hasStopped ? undefined : listener.start((duplex) => this.#accepted(duplex))))
      .catch((error: unknown) => this.#options.logger.error(error instanceof Error ? error.message : String(error)));
  }

  async stop(): Promise<void> {
    this.#hasStopped = true;
    for (const stop of [...this.#dials.values()]) stop();
    for (const duplex of [...this.#streams.values(), ...this.#unnamed]) duplex.destroy();
    await this.#listening;
    for (const listener of [...this.#left, this.#listener]) await listener.stop();
  }

  notify(to: MemberId, notification: Notification): void {
    const bytes = notificationBytes(notification);
    this.#last.set(to, bytes);
    if (notification.state === "looking") this.#dropSilent(to);
    const duplex = this.#streams.get(to);
    if (duplex === undefined) this.#dial(to);
    else if (duplex.bufferedBytes() < WAITING_BYTES_MAX) duplex.write(bytes);
  }

  /** TCP would go on trying for minutes. A new stream costs nothing where the other end has only had nothing to say: it says its last word again. */
  #dropSilent(to: MemberId): void {
    const { mono } = this.#options.clock.now();
    const since = this.#unansweredMono.get(to);
    if (since === undefined) this.#unansweredMono.set(to, mono);
    if (since === undefined || mono - since < UNANSWERED_MS_MAX) return;
    this.#unansweredMono.set(to, mono);
    this.#streams.get(to)?.destroy();
    this.#streams.delete(to);
  }

  // ── dialling ──

  #dial(to: MemberId): void {
    const { dialer, clock, dialTimeoutMs } = this.#options;
    const { mono } = clock.now();
    const address = this.#addressOf(to);
    if (address === undefined || this.#hasStopped || this.#dials.has(to)) return;
    const earliest = (this.#dialledMono.get(to) ?? Number.NEGATIVE_INFINITY) + DIAL_AGAIN_MS;
    if (mono < earliest) return this.#dialLater(to, earliest);
    this.#dialledMono.set(to, mono);
    const ended = (): void => {
      cancelWake();
      this.#dials.delete(to);
    };
    const failed = (reason: string): void => {
      ended();
      this.#logUnreached(to, reason);
    };
    let proving: Duplex | null = null;
    const attempt = dialer.dial(
      address,
      (duplex) => {
        proving = duplex;
        return this.#introduce(to, duplex, ended, failed);
      },
      failed,
    );
    const giveUp = (): void => {
      attempt();
      proving?.destroy();
      ended();
    };
    const cancelWake = clock.wakeAt(mono + dialTimeoutMs, () => {
      giveUp();
      this.#logUnreached(to, `no answer within ${dialTimeoutMs} ms`);
    });
    this.#dials.set(to, giveUp);
  }

  /** Says who dials, and proves it. */
  #introduce(to: MemberId, duplex: Duplex, ended: () => void, failed: (reason: string) => void): DuplexHandler {
    const { id: me, auth } = this.#options;
    const [own] = this.#options.me().addresses;
    duplex.write(initialBytes(me, `${bracketed(own!.host)}:${own!.electionPort}`));
    const proved = (): DuplexHandler => {
      ended();
      this.#unreached.delete(to);
      if (me > to) return this.#keep(to, duplex);
      duplex.end(); // and it dials
      return DEAF;
    };
    return auth.dialled(duplex, proved, failed);
  }

  /** Once for each reason, until it has been reached. */
  #logUnreached(to: MemberId, reason: string): void {
    const { logger } = this.#options;
    const message = `Member ${to} can't be asked for its vote: ${reason}`;
    if (this.#unreached.get(to) === reason) return logger.debug(message);
    this.#unreached.set(to, reason);
    logger.warn(message);
  }

  /** Not given up: whoever was told nothing may not speak again for long. */
  #dialLater(to: MemberId, mono: number): void {
    const cancelWake = this.#options.clock.wakeAt(mono, () => {
      this.#dials.delete(to);
      if (!this.#streams.has(to)) this.#dial(to);
    });
    this.#dials.set(to, () => {
      cancelWake();
      this.#dials.delete(to);
    });
  }

  #addressOf(id: MemberId): ServerAddress | undefined {
    const [address] = this.#options.memberOf(id)?.addresses ?? [];
    return address === undefined ? this.#joiners.get(id) : { host: address.host, port: address.electionPort };
  }

  // ── being dialled ──

  #accepted(duplex: Duplex): DuplexHandler {
    const { clock, initialTimeoutMs } = this.#options;
    let received: Uint8Array = NO_BYTES;
    let handler: DuplexHandler | null = null;
    const cancelWake = clock.wakeAt(clock.now().mono + initialTimeoutMs, () => duplex.destroy());
    const named = (): void => {
      this.#unnamed.delete(duplex);
      cancelWake();
    };
    this.#unnamed.add(duplex);
    return {
      data: (bytes) => {
        if (handler !== null) return handler.data(bytes);
        received = joined(received, bytes);
        handler = this.#readInitial(duplex, received, named);
      },
      drained() {},
      closed: () => {
        named();
        handler?.closed();
      },
    };
  }

  /** Who reads on, once the peer has said who it is. */
  #readInitial(duplex: Duplex, received: Uint8Array, named: () => void): DuplexHandler | null {
    const { id: me, auth } = this.#options;
    const refused = (reason: string): DuplexHandler => {
      named();
      this.#options.logger.warn(`A stream from ${duplex.remoteAddress} to the election port is refused: ${reason}`);
      return DEAF;
    };
    try {
      const initial = readInitial(received);
      if (initial === null) return null;
      const { id, length } = initial;
      if (!this.#mayVisit(initial) || id === me) throw new JuteError(`member ${id} does not belong to the ensemble`);
      const proved = (name: string | null): DuplexHandler => {
        const reason = misfit(name, this.#hostsOf(id));
        if (reason !== null) {
          duplex.destroy();
          return refused(`member ${id} must prove that it is this one, and ${reason}`);
        }
        named();
        return id > me ? this.#keep(id, duplex) : this.#dialBack(id, duplex);
      };
      return auth.accepted(duplex, received.subarray(length), proved, refused);
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      duplex.destroy();
      return refused(error.message);
    }
  }

  /** Where that member is, by the list or, where it is not listed, by what it says itself. */
  #hostsOf(id: MemberId): string[] {
    const joiner = this.#joiners.get(id);
    const member = this.#options.memberOf(id);
    return member === undefined && joiner !== undefined ? [joiner.host] : hostsOf(member);
  }

  /** The stream belongs to whoever has the greater number: this member. */
  #dialBack(id: MemberId, duplex: Duplex): DuplexHandler {
    this.#streams.get(id)?.destroy();
    this.#streams.delete(id);
    duplex.destroy();
    this.#dial(id);
    return DEAF;
  }

  /** Remembers where a joiner says that it is. */
  #mayVisit({ id, addresses }: Initial): boolean {
    const { memberOf, hearsJoiners } = this.#options;
    if (memberOf(id) !== undefined) return true;
    if (!hearsJoiners || id < 0n || (this.#joiners.size === JOINERS_MAX && !this.#joiners.has(id))) return false;
    const [, host, port] = /^\[?([^\]]+)\]?:(\d{1,5})$/.exec(addresses[0] ?? "") ?? [];
    if (host !== undefined) this.#joiners.set(id, { host, port: Number(port) });
    return true;
  }

  // ── votes ──

  /** The stream to that member from now on; one that there was before ends. */
  #keep(id: MemberId, duplex: Duplex): DuplexHandler {
    const before = this.#streams.get(id);
    this.#streams.set(id, duplex);
    this.#unreached.delete(id);
    this.#unansweredMono.delete(id);
    before?.destroy();
    const last = this.#last.get(id);
    if (last !== undefined) duplex.write(last);
    const framer = new Framer(VOTE_BYTES_MAX);
    return {
      data: (bytes) => {
        framer.push(bytes);
        this.#readVotes(id, duplex, framer);
      },
      drained() {},
      closed: () => {
        if (this.#streams.get(id) === duplex) this.#streams.delete(id);
      },
    };
  }

  /** Hears every whole vote. */
  #readVotes(from: MemberId, duplex: Duplex, framer: Framer): void {
    const reader = new JuteReader();
    let found = framer.next(reader);
    for (; found === "frame" && reader.remaining > 0; found = framer.next(reader)) {
      const notification = readNotification(reader.rest());
      if (notification === null || this.#streams.get(from) !== duplex) continue;
      this.#unansweredMono.delete(from);
      this.#options.hear(from, notification);
    }
    if (found === "more") return framer.keepRest();
    this.#options.logger.warn(`Member ${from} sent a vote whose length is none`);
    framer.clear();
    duplex.destroy();
  }
}

/** Hears nothing: the stream has ended. */
const DEAF: DuplexHandler = { data() {}, drained() {}, closed() {} };

function placeOf(member: EnsembleMember | undefined): string | undefined {
  return member?.addresses.map(({ host, electionPort }) => `${host}:${electionPort}`).join();
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  if (one.length === 0) return other.slice();
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
