/**
 * The rules of one client's session, kept from outside with the help of the committed history.
 *
 * - Replies come in the order of the requests, and their zxids never fall, on whichever member the client is.
 * - A write that is told stands in the history with what was told of it, and behind every write that anybody was told of before it was asked for:
 *   writes are linearizable.
 * - A read shows exactly the state after the zxid that it was answered with: reads are sequentially consistent. After a sync it shows at least
 *   what anybody was told of before the sync, unless the leader that answered is a leader no more.
 * - A watch fires once, and before any reply that has seen the change.
 * - What was cut off is unknown: it may have happened or not.
 */
import type { ExistsOp, GetChildrenOp, GetDataOp, Op, Outcome } from "../../../lib/model/ops.ts";
import type { SubTxn } from "../../../lib/model/txns.ts";
import type { EventType, SessionId, WatchedEvent, Zxid } from "../../../lib/model/types.ts";
import { epochOf, formatZxid } from "../../../lib/model/zxid.ts";
import type { CommittedHistory } from "./history.ts";
import { Violation } from "./violation.ts";

interface Asked {
  readonly xid: number;
  readonly op: Op;
  /** The last write that anybody had been told of by then. */
  readonly floor: Zxid;
}

type WatchKind = "data" | "children";

export class SessionRules {
  readonly #name: string;
  readonly #committed: CommittedHistory;
  readonly #asked: Asked[] = [];
  /** By kind and path → since which zxid. */
  readonly #watches = new Map<string, { readonly kind: WatchKind; readonly path: string; since: Zxid; exists: boolean }>();
  /** Watched in both ways when the watches were set again: if it is gone by then, each way is told, as in ZooKeeper. */
  #toldTwice = new Set<string>();
  lastZxid: Zxid = 0n;
  acknowledged = 0;
  answered = 0;
  events = 0;

  constructor(name: string, committed: CommittedHistory) {
    this.#name = name;
    this.#committed = committed;
  }

  get isWaiting(): boolean {
    return this.#asked.length > 0;
  }

  asks(xid: number, op: Op): void {
    this.#asked.push({ xid, op, floor: this.#committed.lastAcknowledged });
  }

  /** The connection is gone: nothing is known of what was asked. Watches are told to the next member. */
  disconnected(): void {
    this.#asked.length = 0;
  }

  /** The session is over, and its watches with it. */
  ends(): void {
    this.lastZxid = 0n;
    this.#watches.clear();
  }

  /** What is to be watched on the next connection; null: nothing. */
  setWatches(): Op | null {
    if (this.#watches.size === 0) return null;
    const watches = [...this.#watches.values()];
    this.#toldTwice = new Set(
      watches.filter(({ path }) => KINDS.every((kind) => this.#watches.has(`${kind} ${path}`))).map(({ path }) => path),
    );
    const paths = (kind: WatchKind, exists: boolean): string[] =>
      watches.filter((watch) => watch.kind === kind && watch.exists === exists).map(({ path }) => path);
    return {
      kind: "setWatches",
      relativeZxid: this.lastZxid,
      dataWatches: paths("data", true),
      existWatches: paths("data", false),
      childWatches: [...paths("children", true), ...paths("children", false)],
      persistentWatches: [],
      persistentRecursiveWatches: [],
    };
  }

  // ── what is heard ──

  /** @param epoch of the leader that the answering member follows */
  replied(xid: number, zxid: Zxid, outcome: Outcome, session: SessionId, epoch: number | null): Op {
    const asked = this.#asked.shift();
    if (asked?.xid !== xid) this.#broken(`was answered ${xid} when it waited for ${asked?.xid}`);
    if (zxid < this.lastZxid) this.#broken(`saw ${formatZxid(zxid)} after ${formatZxid(this.lastZxid)}`);
    this.lastZxid = zxid;
    this.answered++;
    const { op, floor } = asked!;
    if (op.kind === "setWatches") this.#setAgain(zxid);
    this.#watchesHaveFired(zxid);
    if (op.kind === "getData" || op.kind === "exists" || op.kind === "getChildren2") this.#read(op, zxid, outcome);
    else if (op.kind === "sync") this.#synced(zxid, floor, epoch);
    else if (op.kind !== "setWatches") this.#wrote(op, xid, zxid, floor, outcome, session);
    return op;
  }

  event({ type, path }: WatchedEvent): void {
    this.events++;
    const kinds: readonly WatchKind[] = type === "NodeChildrenChanged" ? ["children"] : KINDS_OF_NODE[type];
    const fired = kinds.filter((kind) => this.#watches.delete(`${kind} ${path}`));
    if (fired.length === 0 && !(type === "NodeDeleted" && this.#toldTwice.delete(path)))
      this.#broken(`was told ${type} of ${path}, which it does not watch`);
  }

  // ── judged ──

  #read(op: GetDataOp | ExistsOp | GetChildrenOp, zxid: Zxid, outcome: Outcome): void {
    const path = op.path!;
    const { reference } = this.#committed;
    const node = reference.at(path, zxid);
    const isThere = outcome.kind !== "error";
    if (isThere !== (node !== null))
      this.#broken(`reads at ${formatZxid(zxid)} that ${path} ${isThere ? "is there" : "is not there"}`);
    if (op.watch && (isThere || op.kind === "exists"))
      this.#watch(op.kind === "getChildren2" ? "children" : "data", path, zxid, isThere);
    if (node === null || !("stat" in outcome)) return;
    const { stat } = outcome;
    const isSame = stat.czxid === node.czxid && stat.mzxid === node.mzxid && stat.version === node.version;
    if (!isSame || stat.ephemeralOwner !== node.owner)
      this.#broken(`reads ${path} of ${formatZxid(stat.mzxid)} at ${formatZxid(zxid)}, which is of ${formatZxid(node.mzxid)}`);
    if (outcome.kind === "data" && !isEqual(outcome.data, node.data))
      this.#broken(`reads other data in ${path} than was written`);
    if (outcome.kind === "childrenStat") {
      const children = reference.childrenAt(path, zxid);
      if (children.size !== outcome.children.length || !outcome.children.every((name) => children.has(name)))
        this.#broken(`reads ${outcome.children.length} children of ${path} at ${formatZxid(zxid)}; there are ${children.size}`);
    }
  }

  #synced(zxid: Zxid, floor: Zxid, epoch: number | null): void {
    if (zxid < floor && epoch !== null && epoch >= epochOf(floor))
      this.#broken(`sees ${formatZxid(zxid)} after a sync, and ${formatZxid(floor)} had been acknowledged before`);
  }

  #wrote(op: Op, xid: number, zxid: Zxid, floor: Zxid, outcome: Outcome, session: SessionId): void {
    const { txn } = this.#committed.acknowledged(zxid, session, xid);
    this.acknowledged++;
    if (zxid <= floor) this.#broken(`wrote ${formatZxid(zxid)} after ${formatZxid(floor)} had been acknowledged`);
    const hasFailed =
      outcome.kind === "error" || (outcome.kind === "multi" && outcome.results.some(({ kind }) => kind === "error"));
    const isFailure = txn.kind === "error" || (txn.kind === "multi" && txn.txns.some(({ kind }) => kind === "error"));
    if (hasFailed !== isFailure)
      this.#broken(`was told that ${op.kind} ${hasFailed ? "failed" : "worked"}, and the history says otherwise`);
    if (outcome.kind === "path" && outcome.path !== (txn as Extract<SubTxn, { path: string }>).path)
      this.#broken(`was told that ${outcome.path} was created`);
  }

  // ── watches ──

  #watch(kind: WatchKind, path: string, since: Zxid, exists: boolean): void {
    const key = `${kind} ${path}`;
    // What was watched already is watched once.
    if (!this.#watches.has(key)) this.#watches.set(key, { kind, path, since, exists });
  }

  #watchesHaveFired(zxid: Zxid): void {
    for (const { kind, path, since } of this.#watches.values()) {
      const change = this.#committed.reference.changeAfter(path, since, kind);
      if (change !== null && change <= zxid)
        this.#broken(`sees ${formatZxid(zxid)}, and its watch on ${path} has not fired for ${formatZxid(change)}`);
    }
  }

  /** As in ZooKeeper: who waited for a znode that came and went while nobody told it waits on. */
  #setAgain(zxid: Zxid): void {
    this.#toldTwice.clear();
    for (const watch of this.#watches.values()) {
      if (!watch.exists && this.#committed.reference.at(watch.path, zxid) === null) watch.since = zxid;
    }
  }

  /** All is quiet, and the member has everything: so has the client. */
  atRest(zxid: Zxid): void {
    this.#watchesHaveFired(zxid);
  }

  #broken(what: string): never {
    throw new Violation(`${this.#name} ${what}`);
  }
}

const KINDS: readonly WatchKind[] = ["data", "children"];
const KINDS_OF_NODE: Readonly<Record<Exclude<EventType, "NodeChildrenChanged">, readonly WatchKind[]>> = {
  NodeCreated: ["data"],
  NodeDataChanged: ["data"],
  NodeDeleted: KINDS,
};

function isEqual(one: Uint8Array | null, other: Uint8Array | null): boolean {
  if (one === other) return true;
  return one !== null && other !== null && one.length === other.length && one.every((byte, at) => byte === other[at]);
}
