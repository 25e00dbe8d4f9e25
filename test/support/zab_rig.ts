/**
 * One member's Zab, step by step, with nothing around it: the test says what it hears and when its disk has done what it was told.
 */
import type { BroadcastEffect, BroadcastInput } from "../../lib/broadcast/contract.ts";
import { Ensemble, type EnsembleMember } from "../../lib/broadcast/zab/ensemble.ts";
import { History } from "../../lib/broadcast/zab/history.ts";
import type { LeaderPacket, LearnerPacket, Notification } from "../../lib/broadcast/zab/messages.ts";
import { Zab, type ZabOptions } from "../../lib/broadcast/zab/zab.ts";
import type { Proposal } from "../../lib/model/txns.ts";
import { makeZxid } from "../../lib/model/zxid.ts";

const LIMITS = { tickMs: 1000, initLimit: 10, syncLimit: 5, txnBytesMax: 2 ** 21 };

export function member(id: number, role: EnsembleMember["role"] = "participant"): EnsembleMember {
  return { id: BigInt(id), addresses: [{ host: `h${id}`, quorumPort: 1, electionPort: 2 }], role, client: null };
}

const ENSEMBLE = new Ensemble({
  members: [member(1), member(2), member(3), member(4, "observer")],
  hierarchy: null,
  version: 0n,
});

export function txn(epoch: number, counter: number): Proposal {
  const header = { session: 1n, cxid: counter, zxid: makeZxid(epoch, counter), time: 0 };
  return { header, txn: { kind: "delete", path: "/a" }, digest: null };
}

/** A member whose disk answers when the test says so. */
export class Rig {
  readonly zab: Zab;
  readonly #told: bigint[] = [];
  /** What the log was warned of. */
  readonly warnings: string[] = [];
  mono = 0;

  constructor(
    me: number,
    history: History = new History(0n, []),
    epochs: readonly [number, number] = [0, 0],
    options: Partial<ZabOptions> = {},
  ) {
    const [acceptedEpoch, currentEpoch] = epochs;
    const usual = { me: BigInt(me), ensemble: ENSEMBLE, limits: LIMITS, history, acceptedEpoch, currentEpoch };
    this.zab = new Zab({ ...usual, ...options });
    this.step({ kind: "due" });
  }

  /** To whom votes were said since this was last asked. */
  takeTold(): bigint[] {
    return this.#told.splice(0);
  }

  /** What the member says and wants, one line each; votes and log lines are left out. */
  step(input: BroadcastInput): string[] {
    const effects = this.zab.step(input, { mono: this.mono, wall: this.mono });
    for (const effect of effects) {
      if (effect.kind === "notify") this.#told.push(effect.to);
      if (effect.kind === "warn" || effect.kind === "error") this.warnings.push(effect.message);
    }
    return effects.filter(({ kind }) => kind !== "notify" && !["tell", "warn", "error"].includes(kind)).map(text);
  }

  packet(link: number, packet: LeaderPacket | LearnerPacket): string[] {
    return this.step({ kind: "packet", link, packet });
  }

  vote(
    from: number,
    leader: number,
    state: Notification["state"] = "looking",
    round = 1n,
    config: string | null = null,
  ): string[] {
    const vote = { leader: BigInt(leader), zxid: this.zab.history.last, round, epoch: BigInt(this.zab.currentEpoch) };
    return this.step({ kind: "notified", from: BigInt(from), notification: { state, vote, version: 2, config } });
  }

  pass(ms: number): string[] {
    this.mono += ms;
    return this.step({ kind: "due" });
  }
}

function text(effect: BroadcastEffect): string {
  switch (effect.kind) {
    case "send":
      return `to ${effect.link}: ${packetText(effect.packet)}`;
    case "append":
    case "commit":
      return `${effect.kind} ${zxidText(effect.proposal.header.zxid)}`;
    case "saveEpochs":
      return effect.accepted === null ? `save current ${effect.current}` : `save accepted ${effect.accepted}`;
    case "role":
      return `role ${effect.role}`;
    case "membership": {
      const { committed, lastSeen, isChanging } = effect.membership;
      return `membership ${zxidText(committed.version)}${isChanging ? ` to ${zxidText(lastSeen.version)}` : ""}`;
    }
    case "dial":
      return `dial ${effect.leader}`;
    case "truncate":
      return `truncate ${zxidText(effect.zxid)}`;
    default:
      return effect.kind;
  }
}

function packetText(packet: LeaderPacket | LearnerPacket): string {
  if ("leader" in packet) {
    const zxid = packet.kind === "informAndActivate" ? packet.proposal.header.zxid : packet.zxid;
    return `${packet.kind} ${zxidText(zxid)} to ${packet.leader}`;
  }
  if (packet.kind === "ackEpoch") return `ackEpoch ${packet.currentEpoch}`;
  if ("zxid" in packet) return `${packet.kind} ${zxidText(packet.zxid)}`;
  if ("proposal" in packet) return `${packet.kind} ${zxidText(packet.proposal.header.zxid)}`;
  return "epoch" in packet ? `${packet.kind} ${packet.epoch}` : packet.kind;
}

function zxidText(zxid: bigint): string {
  return `${zxid >> 32n}:${zxid & 0xffffffffn}`;
}

/** A member that has found 3 to lead. */
export function follower(history?: History, me = 1, options: Partial<ZabOptions> = {}): Rig {
  const rig = new Rig(me, history, undefined, options);
  rig.vote(2, 3, "following");
  rig.vote(3, 3, "leading");
  rig.step({ kind: "opened", link: -1 });
  return rig;
}

/** Following, with the epoch accepted, and told to catch up by nothing yet. */
export function synchronising(history?: History, me = 1, options: Partial<ZabOptions> = {}): Rig {
  const rig = follower(history, me, options);
  rig.packet(-1, { kind: "leaderInfo", epoch: 1 });
  rig.step({ kind: "epochsSaved" });
  return rig;
}

export function active(me = 1, options: Partial<ZabOptions> = {}): Rig {
  const rig = synchronising(undefined, me, options);
  rig.packet(-1, { kind: "diff", zxid: 0n });
  rig.packet(-1, { kind: "newLeader", epoch: 1, config: "" });
  rig.step({ kind: "epochsSaved" });
  rig.packet(-1, { kind: "upToDate" });
  return rig;
}

/** Member 3, elected, with a stream from nobody yet known. */
export function elected(options: Partial<ZabOptions> = {}): Rig {
  const rig = new Rig(3, undefined, undefined, options);
  rig.vote(1, 3);
  rig.pass(200);
  rig.step({ kind: "opened", link: 1 });
  return rig;
}

/** Member 3, leading epoch 1 with member 1. */
export function established(options: Partial<ZabOptions> = {}): Rig {
  const rig = elected(options);
  rig.packet(1, { kind: "learnerInfo", observer: false, acceptedEpoch: 0, id: 1n, configVersion: 0n });
  rig.step({ kind: "epochsSaved" });
  rig.packet(1, { kind: "ackEpoch", zxid: 0n, currentEpoch: 0 });
  rig.step({ kind: "epochsSaved" });
  rig.packet(1, { kind: "ack", zxid: makeZxid(1, 0) });
  return rig;
}
