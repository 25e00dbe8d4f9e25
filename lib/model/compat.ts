/**
 * Differences between ZooKeeper's versions in what clients see, as data. A member answers like the version it is told to be.
 *
 * Not here: faults that no version should have had (a server process that ends, an answer that never comes); see the README's
 * table of differences for what happens instead.
 *
 * Invariant: whoever behaves differently by version asks this table; no version number is compared anywhere else.
 */
import type { OpKind } from "./ops.ts";

/** The versions that can be imitated. */
export const COMPAT_VERSIONS = ["3.4", "3.5", "3.6", "3.7", "3.8", "3.9"] as const;
/** A version of ZooKeeper to answer like. */
export type Compat = (typeof COMPAT_VERSIONS)[number];

/** The version that first knew an op; what is not listed has been there since 3.4. */
const OP_SINCE: Partial<Record<OpKind, Compat>> = {
  create2: "3.5",
  createContainer: "3.5",
  deleteContainer: "3.5",
  createTTL: "3.5",
  reconfig: "3.5",
  checkWatches: "3.5",
  removeWatches: "3.5",
  multiRead: "3.6",
  addWatch: "3.6",
  setWatches2: "3.6",
  getEphemerals: "3.6",
  getAllChildrenNumber: "3.6",
  whoAmI: "3.7",
};

/** What a version does. Each field is one observable rule; the comment says who does it. */
export interface Behaviour {
  readonly version: Compat;
  readonly knows: (op: OpKind) => boolean;
  /** 3.4: the ends of the forbidden ranges are allowed in paths. */
  readonly pathRangeEnds: boolean;
  /** 3.4: the sequence counter wraps to negative numbers; later it stays at 2³¹ − 1. */
  readonly counterWraps: boolean;
  /** 3.5 and later: `/zookeeper/config` is there. */
  readonly configNode: boolean;
  /** 3.4: create judges its flags only after the ACL and the parent. */
  readonly flagsJudgedLate: boolean;
  /** 3.4: delete asks for the znode before it asks for the permission. */
  readonly deleteLooksFirst: boolean;
  /** 3.4: a null ACL list or scheme is a marshalling error. */
  readonly nullAclIsMarshallingError: boolean;
  /** 3.4: with skipACL, submitted ACL lists are not judged at all. */
  readonly skipAclSkipsLists: boolean;
  /** 3.4: what an `auth` entry stands for goes to the end of the list. */
  readonly authGoesLast: boolean;
  /** 3.5 and later: `ip` ACLs may say how many bits count. */
  readonly ipBits: boolean;
  /** 3.9: `ip` ACLs may be IPv6. */
  readonly ipv6Acl: boolean;
  /** 3.6 to 3.8: one kind of watch per path, connection and table, the last one set; 3.9: all kinds beside one another. */
  readonly watchModes: "replace" | "separate";
  /** 3.9: an event says which txn caused it. */
  readonly eventZxids: boolean;
  /** 3.8.4 and later: events are withheld from who may not read the znode. */
  readonly eventsNeedRead: boolean;
  /** 3.9: exists needs READ. */
  readonly existsNeedsRead: boolean;
  /** Up to 3.8: a write whose body cannot be read takes a zxid, a reconfig excepted; later only a multi. */
  readonly unreadableTakesZxid: boolean;
  /** 3.9: create2 inside a multi is answered, and logged, as create2; before as create. */
  readonly multiKeepsCreate2: boolean;
  /** Up to 3.8: a check outside a multi is answered if it fails; later the opcode is not served there at all. */
  readonly refusesLoneCheckByResult: boolean;
  /**
   * 3.9: a null path or unknown flags inside a multi spoil the whole request, which takes a zxid. Before, a null path does so
   * so and loses the zxid, and unknown flags fail their op alone.
   */
  readonly multiJudgedWhole: boolean;
  /** Up to 3.8: checkWatches of a path that is null or has no slash is a marshalling error. */
  readonly checkWatchesNeedsPath: boolean;
  /** 3.7 and later: hard quotas. */
  readonly hardQuotas: boolean;
}

/** Whether `version` is `since` or later. */
function from(version: Compat, since: Compat): boolean {
  return COMPAT_VERSIONS.indexOf(version) >= COMPAT_VERSIONS.indexOf(since);
}

export function behaviourOf(version: Compat): Behaviour {
  const is34 = version === "3.4";
  const is39 = from(version, "3.9");
  const unknown = new Set(Object.entries(OP_SINCE).flatMap(([op, since]) => (from(version, since) ? [] : [op])));
  return {
    version,
    knows: unknown.size === 0 ? () => true : (op) => !unknown.has(op),
    pathRangeEnds: is34,
    counterWraps: is34,
    configNode: !is34,
    flagsJudgedLate: is34,
    deleteLooksFirst: is34,
    nullAclIsMarshallingError: is34,
    skipAclSkipsLists: is34,
    authGoesLast: is34,
    ipBits: !is34,
    ipv6Acl: is39,
    watchModes: is39 ? "separate" : "replace",
    eventZxids: is39,
    eventsNeedRead: from(version, "3.8"),
    existsNeedsRead: is39,
    unreadableTakesZxid: !is39,
    multiKeepsCreate2: is39,
    refusesLoneCheckByResult: !is39,
    multiJudgedWhole: is39,
    checkWatchesNeedsPath: !is39,
    hardQuotas: from(version, "3.7"),
  };
}
