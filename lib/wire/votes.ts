/**
 * The election port's bytes: who dials, said once, and then votes in frames.
 *
 * Old members leave out what came later; what is cut off or claims impossible lengths is no message, and is told apart from too few bytes.
 *
 * Not here: who keeps which connection, and what votes mean. Invariant: what a ZooKeeper member of this version sent is written again as the
 * same bytes.
 */
import type { MemberId, Notification, VoterState } from "../broadcast/zab/messages.ts";
import { epochOf } from "../model/zxid.ts";
import { JuteError, JuteReader, JuteWriter } from "./jute.ts";

/** With one address, and with several. */
const INITIAL_VERSION = -65536n;
const INITIAL_VERSION_MANY = -65535n;
const ADDRESS_BYTES_MAX = 2048;
/** Longest frame that is taken. */
export const VOTE_BYTES_MAX = 524_288;
const VERSION = 2;
const STATES: readonly VoterState[] = ["looking", "following", "leading", "observing"];
/** Lengths of the forms without epoch, and without version. */
const BYTES_WITHOUT_EPOCH = 28;
const BYTES_WITHOUT_CONFIG = 40;

/** What a member says of itself when it dials. */
export interface Initial {
  readonly id: MemberId;
  /** `host:port` of its election port; none from members older than 3.5. */
  readonly addresses: readonly string[];
  /** Bytes it took. */
  readonly length: number;
}

/**
 * Reads what a stream starts with; null until it is all there.
 *
 * @throws JuteError where it is nothing that a member says
 */
export function readInitial(bytes: Uint8Array): Initial | null {
  if (bytes.length < 8) return null;
  const reader = new JuteReader(bytes);
  const version = reader.long();
  // Members of 3.4 say no more than who they are.
  if (version >= 0n) return { id: version, addresses: [], length: 8 };
  if (version !== INITIAL_VERSION && version !== INITIAL_VERSION_MANY)
    throw new JuteError(`a first message of version ${version}`);
  if (reader.remaining < 12) return null;
  const id = reader.long();
  const length = reader.int();
  if (length < 1 || length > ADDRESS_BYTES_MAX) throw new JuteError(`an address of ${length} bytes`);
  if (reader.remaining < length) return null;
  const text = new TextDecoder().decode(bytes.subarray(reader.offset, reader.offset + length));
  return { id, addresses: text.split("|"), length: reader.offset + length };
}

export function initialBytes(id: MemberId, address: string): Uint8Array {
  const out = new JuteWriter(64);
  out.long(INITIAL_VERSION);
  out.long(id);
  out.text(address);
  return out.copy();
}

/** Reads a frame's content; null for what is to be passed over. */
export function readNotification(content: Uint8Array): Notification | null {
  if (content.length < BYTES_WITHOUT_EPOCH) return null;
  const reader = new JuteReader(content);
  const state = STATES[reader.int()];
  if (state === undefined) return null;
  const leader = reader.long();
  const zxid = reader.long();
  const round = reader.long();
  if (content.length < BYTES_WITHOUT_CONFIG) {
    return { state, vote: { leader, zxid, round, epoch: BigInt(epochOf(zxid)) }, version: 0, config: null };
  }
  const vote = { leader, zxid, round, epoch: reader.long() };
  const version = reader.int();
  if (reader.remaining < 4) return { state, vote, version: 0, config: null };
  const length = reader.int();
  if (length < 0 || length > reader.remaining) return null;
  const config = new TextDecoder().decode(content.subarray(reader.offset, reader.offset + length));
  return { state, vote, version, config };
}

/** A notification as a whole frame. */
export function notificationBytes({ state, vote, config }: Notification): Uint8Array {
  const out = new JuteWriter(512);
  out.int(0);
  out.int(STATES.indexOf(state));
  out.long(vote.leader);
  out.long(vote.zxid);
  out.long(vote.round);
  out.long(vote.epoch);
  out.int(VERSION);
  out.text(config ?? "");
  out.setInt(0, out.length - 4);
  return out.copy();
}
