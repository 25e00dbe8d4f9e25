/**
 * The quorum port's bytes: packets between a leader and its learners, as ZooKeeper's QuorumPacket carries them.
 *
 * Packets follow one another without frames. A database that follows SNAP is no packet: {@link PacketReader.takeRest} hands over what was read of
 * it already.
 *
 * Not here: the election port (votes.ts), and what packets mean. Invariant: what a ZooKeeper member sent is written again as the same bytes.
 */
import type { Image, LeaderPacket, LearnerPacket, Touched } from "../broadcast/zab/messages.ts";
import type { Forwarded } from "../model/ops.ts";
import type { Proposal } from "../model/txns.ts";
import type { AuthId, SessionId, Zxid } from "../model/types.ts";
import { epochOf, makeZxid } from "../model/zxid.ts";
import { readRequest, writeRequestBody } from "./codec.ts";
import { JuteError, JuteReader, type JuteRecord, JuteWriter } from "./jute.ts";
import { rowOfKind } from "./opcodes.ts";
import { readProposal, writeProposal } from "./txn_records.ts";

/** The protocol that is spoken: that of 3.4.0 and newer. */
const PROTOCOL_VERSION = 0x10000;
const CREATE_SESSION = -10;
const NO_ZXID: Zxid = -1n;
const EMPTY: Uint8Array = new Uint8Array(0);

const TYPES = {
  request: 1,
  proposal: 2,
  ack: 3,
  commit: 4,
  ping: 5,
  revalidate: 6,
  sync: 7,
  inform: 8,
  commitAndActivate: 9,
  newLeader: 10,
  followerInfo: 11,
  upToDate: 12,
  diff: 13,
  trunc: 14,
  snap: 15,
  observerInfo: 16,
  leaderInfo: 17,
  ackEpoch: 18,
  informAndActivate: 19,
} as const;

/** A packet as it is on the wire. */
export interface QuorumPacket {
  readonly type: number;
  readonly zxid: Zxid;
  readonly data: Uint8Array | null;
  readonly authIds: readonly AuthId[] | null;
}

const authId: JuteRecord<AuthId> = (jute, it) => ({ scheme: jute.text(it?.scheme), id: jute.text(it?.id) });

const quorumPacket: JuteRecord<QuorumPacket> = (jute, it) => ({
  type: jute.int(it?.type),
  zxid: jute.long(it?.zxid),
  data: jute.buffer(it?.data),
  authIds: jute.vector(authId, it?.authIds),
});

export function writePacket(out: JuteWriter, packet: QuorumPacket): void {
  if (packet.authIds !== null) {
    quorumPacket(out, packet);
    return;
  }
  // Nearly all of them, and by far the most that a leader writes.
  out.int(packet.type);
  out.long(packet.zxid);
  out.buffer(packet.data);
  out.int(-1);
}

// ── the stream ──

/** A packet that can't be one: its stream is of no use any more. */
export class QuorumError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "QuorumError";
  }
}

/** Longest packet as a whole: it may hold identities beside its data, and Apache's members limit each of them alone, and never their number. */
const PACKET_BYTES_MAX = 256 << 20;
/** A buffer that one packet made larger than this is not kept for the next. */
const BUFFER_BYTES_KEPT = 1 << 20;

/** Cuts a stream of bytes into packets. */
export class PacketReader {
  readonly #partBytesMax: number;
  readonly #bytesMax: number;
  readonly #jute = new JuteReader();
  /** What has arrived and is not read is from `#at` to `#end`; behind that is room for more. */
  #bytes: Uint8Array = EMPTY;
  #at = 0;
  #end = 0;
  /** How much of the next packet was looked at, and how many of its parts are behind that: the bytes before it, and what it says. */
  #seen = 0;
  #partsLeft: number | null = null;

  /** @param partBytesMax longest data of a packet that is taken, and longest of its other parts, as Apache's members have it */
  constructor(partBytesMax: number) {
    this.#partBytesMax = partBytesMax;
    this.#bytesMax = Math.max(PACKET_BYTES_MAX, partBytesMax);
  }

  /** Adds what arrived; the bytes belong to the caller again when it returns. */
  push(bytes: Uint8Array): void {
    if (this.#end + bytes.length > this.#bytes.length) this.#makeRoom(bytes.length);
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Twice what is needed, so that the pieces of a long packet are not copied for each that follows. */
  #makeRoom(length: number): void {
    const rest = this.#bytes.subarray(this.#at, this.#end);
    const needed = rest.length + length;
    const isRoomy = 2 * needed <= this.#bytes.length && this.#bytes.length <= BUFFER_BYTES_KEPT;
    const bytes = isRoomy ? this.#bytes : new Uint8Array(rest.length === 0 ? needed : 2 * needed);
    if (isRoomy) bytes.copyWithin(0, this.#at, this.#end);
    else bytes.set(rest);
    this.#bytes = bytes;
    this.#at = 0;
    this.#end = rest.length;
  }

  /**
   * The next packet, or null until more has arrived.
   *
   * @throws QuorumError where the bytes are none
   */
  next(): QuorumPacket | null {
    if (!this.#isWhole()) return null;
    this.#jute.reset(this.#bytes, this.#at, this.#at + this.#seen);
    this.#at += this.#seen;
    this.#seen = 0;
    this.#partsLeft = null;
    return quorumPacket(this.#jute);
  }

  /** Whether the next packet is all here. What was looked at is not looked at again, and nothing is allocated for a length that a stranger claims. */
  #isWhole(): boolean {
    if (this.#seen === 0) this.#seen = HEAD_BYTES;
    if (this.#partsLeft === null) {
      const data = this.#partEnd(this.#seen);
      if (data === null || this.#at + data + 4 > this.#end) return false;
      const count = this.#int(data);
      if (count < -1 || 8 * count > this.#bytesMax) throw new QuorumError(`a packet with ${count} identities`);
      this.#seen = data + 4;
      this.#partsLeft = Math.max(2 * count, 0);
    }
    for (; this.#partsLeft > 0; this.#partsLeft--) {
      const end = this.#partEnd(this.#seen);
      if (end === null) return false;
      this.#seen = end;
    }
    return true;
  }

  /** Where the part that begins there, counted from the packet's start, ends; null if not all of it is here. */
  #partEnd(start: number): number | null {
    if (this.#at + start + 4 > this.#end) return null;
    const length = this.#int(start);
    const end = start + 4 + Math.max(length, 0);
    if (length < -1 || length > this.#partBytesMax || end > this.#bytesMax)
      throw new QuorumError(`a packet with a part of ${length} bytes, where ${this.#partBytesMax} are allowed`);
    return this.#at + end > this.#end ? null : end;
  }

  #int(offset: number): number {
    const [bytes, at] = [this.#bytes, this.#at + offset];
    return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  }

  /** Everything behind the last packet. */
  takeRest(): Uint8Array {
    const rest = this.#bytes.slice(this.#at, this.#end);
    this.#bytes = EMPTY;
    this.#at = 0;
    this.#end = 0;
    this.#seen = 0;
    this.#partsLeft = null;
    return rest;
  }
}

const HEAD_BYTES = 12;

// ── from learners ──

export function learnerPacketOf({ type, zxid, data, authIds }: QuorumPacket): LearnerPacket | null {
  const reader = new JuteReader(data ?? EMPTY);
  switch (type) {
    case TYPES.followerInfo:
    case TYPES.observerInfo:
      return readLearnerInfo(reader, type === TYPES.observerInfo, epochOf(zxid));
    case TYPES.ackEpoch: {
      const epoch = reader.int();
      return { kind: "ackEpoch", zxid, currentEpoch: epoch === -1 ? null : epoch };
    }
    case TYPES.ack:
      return { kind: "ack", zxid };
    case TYPES.request:
      return { kind: "request", request: readForwarded(reader, authIds) };
    case TYPES.ping:
      return { kind: "pong", zxid, touched: readTouched(reader) };
    case TYPES.revalidate:
      return { kind: "revalidate", session: reader.long(), timeoutMs: reader.int() };
    default:
      return null; // of a later version
  }
}

export function packetOfLearner(packet: LearnerPacket): QuorumPacket {
  switch (packet.kind) {
    case "learnerInfo": {
      const { observer, acceptedEpoch, id, configVersion } = packet;
      const data = written((out) => {
        out.long(id ?? -1n);
        out.int(PROTOCOL_VERSION);
        out.long(configVersion);
      });
      return plain(observer ? TYPES.observerInfo : TYPES.followerInfo, makeZxid(acceptedEpoch, 0), data);
    }
    case "ackEpoch":
      return plain(
        TYPES.ackEpoch,
        packet.zxid,
        written((out) => out.int(packet.currentEpoch ?? -1)),
      );
    case "ack":
      return plain(TYPES.ack, packet.zxid);
    case "request":
      return {
        type: TYPES.request,
        zxid: NO_ZXID,
        data: written((out) => writeForwarded(out, packet.request)),
        authIds: packet.request.authIds,
      };
    case "pong":
      return plain(
        TYPES.ping,
        packet.zxid,
        written((out) => writeTouched(out, packet.touched)),
      );
    case "revalidate":
      return plain(
        TYPES.revalidate,
        NO_ZXID,
        written((out) => {
          out.long(packet.session);
          out.int(packet.timeoutMs);
        }),
      );
  }
}

/** Older members leave out the configuration's version, or all of it. */
function readLearnerInfo(reader: JuteReader, observer: boolean, acceptedEpoch: number): LearnerPacket {
  const id = reader.remaining >= 8 ? reader.long() : null;
  if (reader.remaining >= 4) reader.int();
  return { kind: "learnerInfo", observer, acceptedEpoch, id, configVersion: reader.remaining >= 8 ? reader.long() : 0n };
}

function readForwarded(reader: JuteReader, authIds: readonly AuthId[] | null): Forwarded {
  const session = reader.long();
  const cxid = reader.int();
  const opcode = reader.int();
  const op: Forwarded["op"] =
    opcode === CREATE_SESSION ? { kind: "createSession", timeOut: reader.int() } : readRequest(opcode, reader);
  return { session, cxid, op, authIds };
}

function writeForwarded(out: JuteWriter, { session, cxid, op }: Forwarded): void {
  out.long(session);
  out.int(cxid);
  switch (op.kind) {
    case "createSession":
      out.int(CREATE_SESSION);
      out.int(op.timeOut);
      return;
    case "unreadable":
      // Without a body it is as unreadable there as it was here.
      out.int(rowOfKind(op.op as "create").opcode);
      return;
    case "unknown":
      out.int(op.opcode);
      return;
    default:
      out.int(rowOfKind(op.kind).opcode);
      writeRequestBody(out, op);
  }
}

/** So many bytes has each of them. */
const TOUCHED_BYTES = 12;

function readTouched(reader: JuteReader): readonly Touched[] {
  const touched: Touched[] = [];
  while (reader.remaining >= TOUCHED_BYTES) touched.push({ session: reader.long(), timeoutMs: reader.int() });
  return touched;
}

function writeTouched(out: JuteWriter, touched: readonly Touched[]): void {
  for (const { session, timeoutMs } of touched) {
    out.long(session);
    out.int(timeoutMs);
  }
}

// ── from the leader ──

/** `image` is what followed a SNAP. */
export function leaderPacketOf({ type, zxid, data }: QuorumPacket, image: Image | null): LeaderPacket | null {
  const reader = new JuteReader(data ?? EMPTY);
  switch (type) {
    case TYPES.leaderInfo:
      return { kind: "leaderInfo", epoch: epochOf(zxid) };
    case TYPES.diff:
      return { kind: "diff", zxid };
    case TYPES.trunc:
      return { kind: "trunc", zxid };
    case TYPES.snap:
      return image === null ? null : { kind: "snap", zxid, image };
    case TYPES.newLeader:
      return { kind: "newLeader", epoch: epochOf(zxid), config: new TextDecoder().decode(data ?? EMPTY) };
    case TYPES.upToDate:
      return { kind: "upToDate" };
    case TYPES.proposal:
      return { kind: "proposal", proposal: readKept(reader, data) };
    case TYPES.commit:
      return { kind: "commit", zxid };
    case TYPES.commitAndActivate:
      return { kind: "commitAndActivate", zxid, leader: reader.long() };
    case TYPES.inform:
      return { kind: "inform", proposal: readKept(reader, data) };
    case TYPES.informAndActivate: {
      const leader = reader.long();
      const proposal = (data ?? EMPTY).subarray(8);
      return { kind: "informAndActivate", leader, proposal: readKept(new JuteReader(proposal), proposal) };
    }
    case TYPES.ping:
      return { kind: "ping", zxid };
    case TYPES.sync:
      return { kind: "synced" };
    case TYPES.revalidate:
      return { kind: "revalidated", session: reader.long(), valid: reader.boolean() };
    default:
      return null; // of a later version
  }
}

/** Whether a database follows this packet. */
export function isSnap({ type }: QuorumPacket): boolean {
  return type === TYPES.snap;
}

export function packetOfLeader(packet: LeaderPacket): QuorumPacket {
  switch (packet.kind) {
    case "leaderInfo":
      return plain(
        TYPES.leaderInfo,
        makeZxid(packet.epoch, 0),
        written((out) => out.int(PROTOCOL_VERSION)),
      );
    case "diff":
    case "trunc":
    case "snap":
    case "commit":
    case "ping":
      return plain(TYPES[packet.kind], packet.zxid);
    case "newLeader":
      return plain(TYPES.newLeader, makeZxid(packet.epoch, 0), new TextEncoder().encode(packet.config));
    case "upToDate":
      return plain(TYPES.upToDate, NO_ZXID);
    case "proposal":
    case "inform":
      return plain(TYPES[packet.kind], packet.proposal.header.zxid, proposalBytes(packet.proposal));
    case "commitAndActivate":
      return plain(
        TYPES.commitAndActivate,
        packet.zxid,
        written((out) => out.long(packet.leader)),
      );
    case "informAndActivate": {
      const bytes = proposalBytes(packet.proposal);
      const data = written((out) => {
        out.long(packet.leader);
        out.raw(bytes);
      });
      return plain(TYPES.informAndActivate, packet.proposal.header.zxid, data);
    }
    case "synced":
      return plain(TYPES.sync, 0n);
    case "revalidated":
      return plain(TYPES.revalidate, NO_ZXID, revalidation(packet.session, packet.valid));
  }
}

function revalidation(session: SessionId, valid: boolean): Uint8Array {
  return written((out) => {
    out.long(session);
    out.boolean(valid);
  });
}

/** A proposal that keeps the bytes it was read from: they are logged and passed on as they are. */
function readKept(reader: JuteReader, bytes: Uint8Array | null): Proposal {
  if (bytes === null) throw new JuteError("a proposal without a txn");
  return { ...readProposal(reader), bytes };
}

/** Of proposals made here: each goes to several learners. */
const encoded = new WeakMap<Proposal, Uint8Array>();

/** The bytes of a proposal, as they are logged and sent. */
export function proposalBytes(proposal: Proposal): Uint8Array {
  if (proposal.bytes !== undefined) return proposal.bytes;
  let bytes = encoded.get(proposal);
  if (bytes === undefined) {
    bytes = written((out) => writeProposal(out, proposal));
    encoded.set(proposal, bytes);
  }
  return bytes;
}

function plain(type: number, zxid: Zxid, data: Uint8Array | null = null): QuorumPacket {
  return { type, zxid, data, authIds: null };
}

/** What is written here is copied at once; nothing that writes asks for another. */
let scratch = new JuteWriter(4096);
/** A buffer that one txn made larger than this is not kept for the next. */
const SCRATCH_BYTES_KEPT = 1 << 20;

function written(write: (out: JuteWriter) => unknown): Uint8Array {
  if (scratch.capacity > SCRATCH_BYTES_KEPT) scratch = new JuteWriter(4096);
  scratch.clear();
  write(scratch);
  return scratch.copy();
}
