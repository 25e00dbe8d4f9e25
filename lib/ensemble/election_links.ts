/**
 * The streams on which votes go: one between any two members, the one that the member with the greater number opened.
 *
 * Who has the smaller number dials, says who it is, and is then dialled itself. Of what can't be sent only the last is kept, and what was said last
 * is said again on a new stream, as ZooKeeper does.
 *
 * Not here: what votes mean. Invariant: strangers, and those who speak nonsense, lose their stream and change nothing else.
 */
import { bracketed, type EnsembleMember } from "../broadcast/zab/ensemble.ts";
import type { MemberId, Notification } from "../broadcast/zab/messages.ts";
import type { Clock, Dialer, Duplex, DuplexHandler, Listener, Logger } from "../ports.ts";
import { JuteError } from "../wire/jute.ts";
import { initialBytes, notificationBytes, readInitial, readNotification, VOTE_BYTES_MAX } from "../wire/votes.ts";

export interface ElectionLinksOptions {
  readonly me: EnsembleMember;
  readonly members: ReadonlyMap<MemberId, EnsembleMember>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dialer: Dialer;
  /** On this member's election port. */
  readonly listener: Listener;
  readonly dialTimeoutMs: number;
  readonly initialTimeoutMs: number;
  readonly hear: (from: MemberId, notification: Notification) => void;
}

/** A peer that leaves so many bytes of votes waiting gets no more until it has taken them. */
const WAITING_BYTES_MAX = 1 << 20;
/** What one address may not be dialled more often than, milliseconds. */
const DIAL_AGAIN_MS = 100;
const NO_BYTES: Uint8Array = new Uint8Array(0);

export class ElectionLinks {
  readonly #options: ElectionLinksOptions;
  readonly #streams = new Map<MemberId, Duplex>();
  /** Being dialled, or waiting to be: what ends it. */
  readonly #dials = new Map<MemberId, () => void>();
  readonly #dialledMono = new Map<MemberId, number>();
  /** What was said last to each. */
  readonly #last = new Map<MemberId, Uint8Array>();
  /** Streams that have not said whose they are. */
  readonly #unnamed = new Set<Duplex>();
  #hasStopped = false;

  constructor(options: ElectionLinksOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#options.listener.start((duplex) => this.#accepted(duplex));
  }

  async stop(): Promise<void> {
    this.#hasStopped = true;
    for (const stop of [...this.#dials.values()]) stop();
    for (const duplex of [...this.#streams.values(), ...this.#unnamed]) duplex.destroy();
    await this.#options.listener.stop();
  }

  notify(to: MemberId, notification: Notification): void {
    const bytes = notificationBytes(notification);
    this.#last.set(to, bytes);
    const duplex = this.#streams.get(to);
    if (duplex === undefined) this.#dial(to);
    else if (duplex.bufferedBytes() < WAITING_BYTES_MAX) duplex.write(bytes);
  }

  // ── dialling ──

  #dial(to: MemberId): void {
    const { me, members, dialer, clock, dialTimeoutMs, logger } = this.#options;
    const { mono } = clock.now();
    const address = members.get(to)?.addresses[0];
    if (address === undefined || this.#hasStopped || this.#dials.has(to)) return;
    const earliest = (this.#dialledMono.get(to) ?? Number.NEGATIVE_INFINITY) + DIAL_AGAIN_MS;
    if (mono < earliest) return this.#dialLater(to, earliest);
    this.#dialledMono.set(to, mono);
    const ended = (): void => {
      cancelWake();
      this.#dials.delete(to);
    };
    const giveUp = dialer.dial(
      { host: address.host, port: address.electionPort },
      (duplex) => {
        ended();
        const [own] = me.addresses;
        duplex.write(initialBytes(me.id, `${bracketed(own!.host)}:${own!.electionPort}`));
        if (me.id > to) return this.#keep(to, duplex, NO_BYTES);
        duplex.end(); // and it dials
        return DEAF;
      },
      (reason) => {
        ended();
        logger.debug(`Member ${to} can't be asked for its vote: ${reason}`);
      },
    );
    const cancelWake = clock.wakeAt(mono + dialTimeoutMs, () => {
      giveUp();
      ended();
    });
    this.#dials.set(to, () => {
      giveUp();
      ended();
    });
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

  // ── being dialled ──

  #accepted(duplex: Duplex): DuplexHandler {
    const { clock, initialTimeoutMs } = this.#options;
    let received: Uint8Array = NO_BYTES;
    let handler: DuplexHandler | null = null;
    this.#unnamed.add(duplex);
    const cancelWake = clock.wakeAt(clock.now().mono + initialTimeoutMs, () => duplex.destroy());
    return {
      data: (bytes) => {
        if (handler !== null) return handler.data(bytes);
        received = joined(received, bytes);
        handler = this.#named(duplex, received);
        if (handler === null) return;
        this.#unnamed.delete(duplex);
        cancelWake();
      },
      drained() {},
      closed: () => {
        this.#unnamed.delete(duplex);
        cancelWake();
        handler?.closed();
      },
    };
  }

  /** Who reads on, once it is known whose the stream is. */
  #named(duplex: Duplex, received: Uint8Array): DuplexHandler | null {
    const { me, members, logger } = this.#options;
    try {
      const initial = readInitial(received);
      if (initial === null) return null;
      const { id, length } = initial;
      if (!members.has(id) || id === me.id) throw new JuteError(`member ${id} does not belong to the ensemble`);
      if (id > me.id) return this.#keep(id, duplex, received.subarray(length));
      this.#streams.get(id)?.destroy();
      this.#streams.delete(id);
      duplex.destroy();
      this.#dial(id);
      return DEAF;
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      logger.warn(`A stream from ${duplex.remoteAddress} to the election port is refused: ${error.message}`);
      duplex.destroy();
      return DEAF;
    }
  }

  // ── votes ──

  /** The stream to that member from now on; one that there was before ends. */
  #keep(id: MemberId, duplex: Duplex, received: Uint8Array): DuplexHandler {
    const before = this.#streams.get(id);
    this.#streams.set(id, duplex);
    before?.destroy();
    const last = this.#last.get(id);
    if (last !== undefined) duplex.write(last);
    let rest = this.#readVotes(id, duplex, received);
    return {
      data: (bytes) => {
        rest = this.#readVotes(id, duplex, joined(rest, bytes));
      },
      drained() {},
      closed: () => {
        if (this.#streams.get(id) === duplex) this.#streams.delete(id);
      },
    };
  }

  /** Hears every whole vote, and gives back what is left. */
  #readVotes(from: MemberId, duplex: Duplex, bytes: Uint8Array): Uint8Array {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    while (at + 4 <= bytes.length) {
      const length = view.getInt32(at);
      if (length < 1 || length > VOTE_BYTES_MAX) {
        this.#options.logger.warn(`Member ${from} sent a vote of ${length} bytes`);
        duplex.destroy();
        return NO_BYTES;
      }
      if (at + 4 + length > bytes.length) break;
      const notification = readNotification(bytes.subarray(at + 4, at + 4 + length));
      at += 4 + length;
      if (notification !== null && this.#streams.get(from) === duplex) this.#options.hear(from, notification);
    }
    return bytes.slice(at);
  }
}

/** Hears nothing: the stream has ended. */
const DEAF: DuplexHandler = { data() {}, drained() {}, closed() {} };

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  if (one.length === 0) return other.slice();
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
