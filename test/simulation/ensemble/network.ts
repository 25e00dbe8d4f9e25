/**
 * The network between simulated members: votes that may be lost and come late, and streams.
 *
 * Invariant: a stream loses nothing and keeps its order for as long as it is up; what it had not delivered is lost with it. One direction between
 * two members may be cut while the other is not: then a stream breaks, with or without a word to its ends, or holds what it has until the cut heals.
 */
import type { LeaderPacket, LearnerPacket, LinkId, MemberId, Notification } from "../../../lib/broadcast/zab/messages.ts";
import type { World } from "./world.ts";

/** How the network is while nothing in particular is wrong with it. */
export interface Weather {
  /** Of a message that takes long, milliseconds. */
  readonly delayMsMax: number;
  /** How likely a vote is lost. */
  readonly voteLoss: number;
}

export type Packet = LearnerPacket | LeaderPacket;

/** One end of a stream, as its member knows it. */
export interface StreamEnd {
  readonly member: MemberId;
  readonly link: LinkId;
}

export interface Stream {
  readonly ends: readonly [StreamEnd, StreamEnd];
  isUp: boolean;
  /** When the last message to each end arrives: none overtakes another. */
  readonly lastArrival: [number, number];
  /** What waits for a cut to heal, for each end. */
  readonly held: [Packet[], Packet[]];
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

export class Network {
  readonly #world: World;
  readonly #stations = new Map<MemberId, Station>();
  readonly #streams = new Map<string, Stream>();
  /** `from>to` of the directions in which nothing arrives → how many cuts lie there. */
  readonly #cuts = new Map<string, number>();
  /** `from>to` → what is added to each delay, milliseconds. */
  readonly #slow = new Map<string, number>();
  readonly #lastVote = new Map<string, { readonly notification: Notification; arrival: number }>();
  weather: Weather;
  messages = 0;

  constructor(world: World, weather: Weather) {
    this.#world = world;
    this.weather = weather;
  }

  join(station: Station): void {
    this.#stations.set(station.id, station);
  }

  #delay(from: MemberId, to: MemberId): number {
    const world = this.#world;
    // Mostly quick, sometimes not at all.
    const usual = world.chance(0.9) ? world.between(1, 11) : world.random() * this.weather.delayMsMax;
    return this.#slow.size === 0 ? usual : usual + (this.#slow.get(`${from}>${to}`) ?? 0);
  }

  // ── cuts ──

  cut(from: MemberId, to: MemberId): void {
    const way = `${from}>${to}`;
    this.#cuts.set(way, (this.#cuts.get(way) ?? 0) + 1);
  }

  /** One cut less. What was held comes through, and the last vote is said again, as links do that come up again. */
  mend(from: MemberId, to: MemberId): void {
    const way = `${from}>${to}`;
    const cuts = this.#cuts.get(way) ?? 0;
    if (cuts > 1) return void this.#cuts.set(way, cuts - 1);
    if (!this.#cuts.delete(way)) return;
    const vote = this.#lastVote.get(way);
    if (vote !== undefined) this.#vote(from, to, vote.notification);
    for (const stream of this.#streams.values()) {
      const side = sideOf(stream, to, from);
      if (side !== null) this.#release(stream, side);
    }
  }

  slowDown(from: MemberId, to: MemberId, ms: number): void {
    this.#slow.set(`${from}>${to}`, ms);
  }

  speedUp(from: MemberId, to: MemberId): void {
    this.#slow.delete(`${from}>${to}`);
  }

  #isCut(from: MemberId, to: MemberId): boolean {
    return this.#cuts.size > 0 && this.#cuts.has(`${from}>${to}`);
  }

  // ── votes ──

  sendVote(from: MemberId, to: MemberId, notification: Notification): void {
    this.#lastVote.set(`${from}>${to}`, { notification, arrival: this.#lastVote.get(`${from}>${to}`)?.arrival ?? 0 });
    if (!this.#world.chance(this.weather.voteLoss)) this.#vote(from, to, notification);
  }

  #vote(from: MemberId, to: MemberId, notification: Notification): void {
    const station = this.#stations.get(to);
    const last = this.#lastVote.get(`${from}>${to}`);
    if (station === undefined || last === undefined) return;
    const { mono } = this.#world;
    const { life } = station;
    last.arrival = Math.max(mono + this.#delay(from, to), last.arrival);
    this.messages++;
    this.#world.after(last.arrival - mono, () => {
      if (station.life === life && !this.#isCut(from, to)) station.hearVote(from, notification);
    });
  }

  // ── streams ──

  dial(from: StreamEnd, to: MemberId): void {
    const dialler = this.#stations.get(from.member)!;
    const { life } = dialler;
    this.#world.after(this.#delay(from.member, to) + this.#delay(to, from.member), () => {
      const target = this.#stations.get(to);
      if (dialler.life !== life) return;
      if (target === undefined || !target.isAccepting || this.#isCut(from.member, to) || this.#isCut(to, from.member)) {
        return dialler.hearClosed(from.link);
      }
      const other = { member: to, link: target.takeLink() };
      const stream: Stream = { ends: [from, other], isUp: true, lastArrival: [0, 0], held: [[], []] };
      this.#streams.set(key(from), stream);
      this.#streams.set(key(other), stream);
      target.hearOpened(other.link);
      if (dialler.life === life) dialler.hearOpened(from.link);
    });
  }

  send(from: StreamEnd, packet: Packet): void {
    const stream = this.#streams.get(key(from));
    if (stream === undefined || !stream.isUp) return;
    const side = stream.ends[0].member === from.member && stream.ends[0].link === from.link ? 1 : 0;
    const { mono } = this.#world;
    const arrival = Math.max(mono + this.#delay(from.member, stream.ends[side].member), stream.lastArrival[side]);
    stream.lastArrival[side] = arrival;
    this.messages++;
    this.#world.after(arrival - mono, () => this.#arrive(stream, side, packet));
  }

  #arrive(stream: Stream, side: 0 | 1, packet: Packet): void {
    if (!stream.isUp) return;
    const to = stream.ends[side];
    const from = stream.ends[1 - side]!;
    const held = stream.held[side];
    if (held.length === 0 && this.#isCut(from.member, to.member)) {
      // The stream breaks rather than lose a part of what was said, or waits.
      if (this.#world.chance(0.5)) return this.breakStream(stream);
      held.push(packet);
    } else if (held.length > 0) held.push(packet);
    else this.#stations.get(to.member)?.hearPacket(to.link, packet);
  }

  #release(stream: Stream, side: 0 | 1): void {
    const to = stream.ends[side];
    const from = stream.ends[1 - side]!;
    if (stream.held[side].length === 0) return;
    this.#world.after(this.#delay(from.member, to.member), () => {
      if (this.#isCut(from.member, to.member)) return;
      for (const packet of stream.held[side].splice(0)) {
        if (stream.isUp) this.#stations.get(to.member)?.hearPacket(to.link, packet);
      }
    });
  }

  /** One side ends it; the other one learns of it. */
  end(end: StreamEnd): void {
    const stream = this.#streams.get(key(end));
    if (stream?.isUp) this.breakStream(stream, end);
  }

  breakStream(stream: Stream, by: StreamEnd | null = null): void {
    stream.isUp = false;
    for (const [side, end] of stream.ends.entries()) {
      this.#streams.delete(key(end));
      if (by !== null && end.member === by.member && end.link === by.link) continue;
      const other = stream.ends[1 - side]!.member;
      // Sometimes nobody is told, and only silence tells.
      if (by === null ? this.#world.chance(0.3) : this.#isCut(other, end.member)) continue;
      const station = this.#stations.get(end.member)!;
      const { life } = station;
      this.#world.after(this.#delay(other, end.member), () => {
        if (station.life === life) station.hearClosed(end.link);
      });
    }
  }

  /** A member has died: its streams are gone with it, and what it had said last. */
  forget(member: MemberId): void {
    for (const stream of new Set(this.#streams.values())) {
      const own = stream.ends.find((end) => end.member === member);
      if (own !== undefined) this.breakStream(stream, own);
    }
    for (const id of this.#stations.keys()) this.#lastVote.delete(`${member}>${id}`);
  }

  /** Any stream there is. */
  anyStream(): Stream | null {
    return this.#streams.size === 0 ? null : this.#world.pick([...this.#streams.values()]);
  }
}

/** Which end of the stream hears what `from` says to `to`. */
function sideOf({ ends }: Stream, to: MemberId, from: MemberId): 0 | 1 | null {
  if (ends[0].member === to && ends[1].member === from) return 0;
  return ends[1].member === to && ends[0].member === from ? 1 : null;
}

function key({ member, link }: StreamEnd): string {
  return `${member}/${link}`;
}
