/**
 * Stat of a znode as callers get it: its fields, and a form for JSON, which has no bigint.
 *
 * Not here: what the fields mean (types.ts). Invariant: two Stats of the same fields are equal, wherever they came from.
 */
import type { SessionId, Stat, Zxid } from "./types.ts";

/** A Stat in JSON: numbers that may be beyond 2⁵³ are decimal text, for `BigInt()`. */
export type StatJson = { readonly [Key in keyof Stat]: Stat[Key] extends bigint ? string : number };

/**
 * @example
 * ```ts
 * const stat = await zk.exists("/a");
 * JSON.stringify(stat); // {"czxid":"2","mzxid":"2","ctime":1767225600000,…}
 * ```
 */
export class StatFields implements Stat {
  readonly czxid: Zxid;
  readonly mzxid: Zxid;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  readonly ephemeralOwner: SessionId;
  readonly dataLength: number;
  readonly numChildren: number;
  readonly pzxid: Zxid;

  /** In the order of the wire. */
  constructor(
    czxid: Zxid,
    mzxid: Zxid,
    ctime: number,
    mtime: number,
    version: number,
    cversion: number,
    aversion: number,
    ephemeralOwner: SessionId,
    dataLength: number,
    numChildren: number,
    pzxid: Zxid,
  ) {
    this.czxid = czxid;
    this.mzxid = mzxid;
    this.ctime = ctime;
    this.mtime = mtime;
    this.version = version;
    this.cversion = cversion;
    this.aversion = aversion;
    this.ephemeralOwner = ephemeralOwner;
    this.dataLength = dataLength;
    this.numChildren = numChildren;
    this.pzxid = pzxid;
  }

  /** For `JSON.stringify`. */
  toJSON(): StatJson {
    const { czxid, mzxid, pzxid, ephemeralOwner } = this;
    const texts = { czxid: `${czxid}`, mzxid: `${mzxid}`, pzxid: `${pzxid}`, ephemeralOwner: `${ephemeralOwner}` };
    return { ...this, ...texts };
  }
}

/** Another one of the same fields, which its owner may change. */
export function copyOfStat(stat: Stat): Stat {
  return new StatFields(
    stat.czxid,
    stat.mzxid,
    stat.ctime,
    stat.mtime,
    stat.version,
    stat.cversion,
    stat.aversion,
    stat.ephemeralOwner,
    stat.dataLength,
    stat.numChildren,
    stat.pzxid,
  );
}
