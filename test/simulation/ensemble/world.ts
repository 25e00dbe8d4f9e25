/**
 * Time, chance and the network of a simulated ensemble: everything that happens follows from one seed.
 *
 * Invariant: between two members a stream loses nothing and keeps its order for as long as it is up; whatever it had not delivered is lost with it.
 */
import type { LeaderPacket, LearnerPacket, LinkId, MemberId, Notification } from "../../../lib/broadcast/zab/messages.ts";
import { seededRandom } from "../../../lib/testing/random.ts";
import { WakeQueue } from "../../../lib/testing/wake_queue.ts";
import type { Now } from "../../../lib/types.ts";

/** What can go wrong, and how much. All of it ends in the phase that must heal. */
export interface Weather {
  /** Of a message on its way, milliseconds. */
  readonly delayMsMax: number;
  /** How likely a vote is lost. */
  readonly voteLoss: number;
  /** How often a fault strikes, milliseconds between two on average. */
  readonly faultEveryMs: number;
}

type Packet = LearnerPacket | LeaderPacket;

/** One end of a stream, as its member knows it. */
export interface StreamEnd {
  readonly member: MemberId;
  readonly link: LinkId;
}

interface Stream {
  readonly ends: readonly [StreamEnd, StreamEnd];
  isUp: boolean;
  /** When the last message to each end arrives: none overtakes another. */
  readonly lastArrival: [number, number];
}

/** Who is spoken to. */
export interface Station {
  readonly id: MemberId;
  readonly isAccepting: boolean;
  /** Counts its lives: what was meant for an earlier one is lost. */
  readonly life: number;
  hearVote(from: MemberId, notification: Notification): void;
  hearOpened(link: LinkId): void;
  hearPacket(link: LinkId, packet: Packet): void;
  hearClosed(link: LinkId): void;
  takeLink(): LinkId;
}

const WALL_AT_START = 1_700_000_000_000;

export class World {
  readonly random: () => number;
  readonly stations: Map<MemberId, Station> = new Map();
  readonly #wakes = new WakeQueue();
  readonly #streams = new Map<string, Stream>();
  /** `from>to` of the directions in which nothing arrives. */
  readonly #blocked = new Set<string>();
  weather: Weather;
  mono: number = 0;
  messages: number = 0;
  /** Hears what members tell of themselves. */
  trace: (line: string) => void = () => {};

  constructor(seed: number, weather: Weather) {
    this.random = seededRandom(seed);
    this.weather = weather;
  }

  get now(): Now {
    return { mono: this.mono, wall: WALL_AT_START + Math.floor(this.mono) };
  }

  after(ms: number, run: () => void): void {
    this.#wakes.add(this.mono + ms, run);
  }

  /** A whole number below `end`. */
  below(end: number): number {
    return Math.floor(this.random() * end);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** Lets things happen until then, or until `done` says so. */
  run(untilMono: number, done: () => boolean = () => false): void {
    while (!done()) {
      const next = this.#wakes.takeDue(untilMono);
      if (next === undefined) break;
      this.mono = Math.max(this.mono, next.mono);
      const { run } = next;
      next.run = null;
      run?.();
    }
    if (!done()) this.mono = Math.max(this.mono, untilMono);
  }

  #delay(): number {
    // Mostly quick, sometimes not at all.
    const { delayMsMax } = this.weather;
    return this.random() < 0.9 ? 1 + this.random() * 10 : this.random() * delayMsMax;
  }

  // ── partitions ──

  block(from: MemberId, to: MemberId): void {
    this.#blocked.add(`${from}>${to}`);
  }

  heal(): void {
    this.#blocked.clear();
  }

  #isBlocked(from: MemberId, to: MemberId): boolean {
    return this.#blocked.size > 0 && this.#blocked.has(`${from}>${to}`);
  }

  // ── votes ──

  sendVote(from: MemberId, to: MemberId, notification: Notification): void {
    const station = this.stations.get(to);
    if (station === undefined || this.random() < this.weather.voteLoss) return;
    const { life } = station;
    this.messages++;
    this.after(this.#delay(), () => {
      if (station.life === life && !this.#isBlocked(from, to)) station.hearVote(from, notification);
    });
  }

  // ── streams ──

  dial(from: StreamEnd, to: MemberId): void {
    const dialler = this.stations.get(from.member)!;
    const { life } = dialler;
    this.after(this.#delay(), () => {
      const target = this.stations.get(to);
      if (dialler.life !== life) return;
      if (target === undefined || !target.isAccepting || this.#isBlocked(from.member, to) || this.#isBlocked(to, from.member)) {
        return dialler.hearClosed(from.link);
      }
      const other = { member: to, link: target.takeLink() };
      const stream: Stream = { ends: [from, other], isUp: true, lastArrival: [0, 0] };
      this.#streams.set(key(from), stream);
      this.#streams.set(key(other), stream);
      target.hearOpened(other.link);
      dialler.hearOpened(from.link);
    });
  }

  send(from: StreamEnd, packet: Packet): void {
    const stream = this.#streams.get(key(from));
    if (stream === undefined || !stream.isUp) return;
    const side = stream.ends[0].member === from.member && stream.ends[0].link === from.link ? 1 : 0;
    const arrival = Math.max(this.mono + this.#delay(), stream.lastArrival[side]);
    stream.lastArrival[side] = arrival;
    this.messages++;
    this.#deliver(stream, side, packet, arrival - this.mono);
  }

  #deliver(stream: Stream, side: 0 | 1, packet: Packet, ms: number): void {
    this.after(ms, () => {
      const to = stream.ends[side];
      const from = stream.ends[1 - side]!;
      if (!stream.isUp) return;
      // Nothing gets through: the stream breaks rather than lose a part of what was said.
      if (this.#isBlocked(from.member, to.member)) return this.breakStream(stream);
      this.stations.get(to.member)?.hearPacket(to.link, packet);
    });
  }

  /** One side ends it; the other one learns of it. */
  cut(end: StreamEnd): void {
    const stream = this.#streams.get(key(end));
    if (stream?.isUp) this.breakStream(stream, end);
  }

  breakStream(stream: Stream, by: StreamEnd | null = null): void {
    stream.isUp = false;
    for (const end of stream.ends) {
      this.#streams.delete(key(end));
      if (end === by || (by !== null && end.member === by.member && end.link === by.link)) continue;
      const station = this.stations.get(end.member)!;
      const { life } = station;
      // Sometimes nobody is told, and only silence tells.
      if (by === null && this.random() < 0.3) continue;
      this.after(this.#delay(), () => {
        if (station.life === life) station.hearClosed(end.link);
      });
    }
  }

  /** A member has died: its streams are gone with it. */
  dropStreamsOf(member: MemberId): void {
    for (const stream of new Set(this.#streams.values())) {
      if (stream.ends.some((end) => end.member === member))
        this.breakStream(stream, stream.ends.find((end) => end.member === member)!);
    }
  }

  /** Any stream there is. */
  anyStream(): Stream | null {
    return this.#streams.size === 0 ? null : this.pick([...this.#streams.values()]);
  }
}

function key({ member, link }: StreamEnd): string {
  return `${member}/${link}`;
}
