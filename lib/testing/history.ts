/**
 * History of a test server from its beginning: every request, answer, txn and event, in order. Pings are left out.
 *
 * Not here: how it is recorded (recorder.ts), played again (replay.ts), or asked why (explain.ts).
 *
 * Invariant: entries are never changed once they are in.
 */

import { durationText } from "../base/duration.ts";
import { argumentError, checkBoolean, describe } from "../base/validate.ts";
import type { Op, Outcome } from "../model/ops.ts";
import type { Txn } from "../model/txns.ts";
import type { AclList, AuthId, ConnId, EventType, SessionId, Zxid } from "../model/types.ts";
import { pack, unpack } from "./pack.ts";
import { opText, outcomeText, sessionText, txnTexts, zxidText } from "./text.ts";

/** Why a request was answered `NoAuth`: what was wanted, where, and who asked. */
export interface Refusal {
  readonly path: string;
  /** The permissions of which one was needed. */
  readonly perms: number;
  readonly acl: AclList;
  readonly identities: readonly AuthId[];
}

/** Something that happened. `at` is in milliseconds since the server's beginning; `conn` numbers the connections. */
export type HistoryEntry = { readonly at: number } & (
  | { readonly kind: "connect"; readonly conn: ConnId; readonly session: SessionId; readonly timeOut: number }
  | { readonly kind: "welcome"; readonly conn: ConnId; readonly session: SessionId; readonly timeOut: number }
  | { readonly kind: "request"; readonly conn: ConnId; readonly session: SessionId; readonly xid: number; readonly op: Op }
  | {
      readonly kind: "reply";
      readonly conn: ConnId;
      readonly session: SessionId;
      readonly xid: number;
      readonly zxid: Zxid;
      readonly outcome: Outcome;
      readonly refusal: Refusal | null;
    }
  /** `session` asked for it; `0n` for the server itself. */
  | { readonly kind: "txn"; readonly zxid: Zxid; readonly session: SessionId; readonly cxid: number; readonly txn: Txn }
  /** `cause`: the txn that fired the watch; null if the client was told on its return what it had missed. */
  | {
      readonly kind: "event";
      readonly conn: ConnId;
      readonly session: SessionId;
      readonly type: EventType;
      readonly path: string;
      readonly cause: Zxid | null;
    }
  | { readonly kind: "close"; readonly conn: ConnId; readonly session: SessionId; readonly by: "client" | "server" | "fault" }
  | { readonly kind: "expire"; readonly session: SessionId }
  /** Something happened to the ensemble itself: `member 3 has crashed`, `member 2 leads`. */
  | { readonly kind: "ensemble"; readonly what: string }
  /** A fault has struck a request: `arrived` says whether the server has seen it. */
  | {
      readonly kind: "fault";
      readonly conn: ConnId;
      readonly session: SessionId;
      readonly what: string;
      readonly fault: string;
      readonly arrived: boolean;
    }
);

/** A kind of entry. */
export type EntryOf<K extends HistoryEntry["kind"]> = Extract<HistoryEntry, { readonly kind: K }>;

const FORMAT = "zookernel history 1";

/**
 * A history, as it was when it was asked for.
 *
 * @example
 * ```ts
 * console.log(String(zk.history()));
 * await writeFile("failed.history", zk.history().save());
 * ```
 */
export class History implements Iterable<HistoryEntry> {
  readonly entries: readonly HistoryEntry[];
  /** Whether it goes back to the beginning, of an empty server: only then can it be played again. */
  readonly isComplete: boolean;

  constructor(entries: readonly HistoryEntry[], isComplete: boolean) {
    if (!Array.isArray(entries)) throw argumentError("make a history", `entries must be an array, not ${describe(entries)}`);
    checkBoolean("make a history", "isComplete", isComplete);
    this.entries = entries;
    this.isComplete = isComplete;
  }

  /** Reads what {@link save} wrote. @throws TypeError for other bytes */
  static load(bytes: Uint8Array): History {
    const { entries, isComplete } = Object(unpack(bytes, FORMAT)) as Partial<History>;
    if (!Array.isArray(entries) || !entries.every(isEntry) || typeof isComplete !== "boolean")
      throw argumentError("load the history", "the bytes hold something else");
    return new History(entries, isComplete);
  }

  /** The history as bytes (MessagePack). They hold all that clients sent, credentials included. */
  save(): Uint8Array {
    return pack({ entries: this.entries, isComplete: this.isComplete }, FORMAT);
  }

  [Symbol.iterator](): Iterator<HistoryEntry> {
    return this.entries[Symbol.iterator]();
  }

  /** One line for each entry. */
  toString(): string {
    return this.entries.map(entryText).join("\n");
  }
}

/** A copy in which nothing is shared: what the server records are its own objects, the tree's bytes and ACLs among them. */
export function separateHistory({ entries, isComplete }: History): History {
  return new History(entries.map(separate), isComplete);
}

function separate<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return value.slice() as T;
  if (Array.isArray(value)) return value.map(separate) as T;
  const copy: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value)) copy[key] = separate(part);
  return copy as T;
}

const KINDS: Readonly<Record<HistoryEntry["kind"], true>> = {
  connect: true,
  welcome: true,
  request: true,
  reply: true,
  txn: true,
  event: true,
  close: true,
  expire: true,
  ensemble: true,
  fault: true,
};

function isEntry(value: unknown): boolean {
  const { at, kind } = Object(value) as { readonly at?: unknown; readonly kind?: unknown };
  return typeof at === "number" && typeof kind === "string" && Object.hasOwn(KINDS, kind);
}

/** An entry on one line. */
export function entryText(entry: HistoryEntry): string {
  const at = `+${durationText(entry.at)}`.padEnd(10);
  switch (entry.kind) {
    case "connect":
      return `${at} connection ${entry.conn}: ${entry.session === 0n ? "connect" : `connect again to ${sessionText(entry.session)}`}`;
    case "welcome":
      return `${at} connection ${entry.conn}: ${entry.session === 0n ? "refused, the session is over" : `welcome, session ${sessionText(entry.session)}`}`;
    case "request":
      return `${at} ${sessionText(entry.session)} asks ${entry.xid}: ${opText(entry.op)}`;
    case "reply":
      return `${at} ${sessionText(entry.session)} is answered ${entry.xid}: ${outcomeText(entry.outcome)}`;
    case "txn":
      return `${at} zxid ${zxidText(entry.zxid)}: ${txnTexts(entry.txn).join("; ")}`;
    case "event":
      return `${at} ${sessionText(entry.session)} hears ${entry.type} ${entry.path}`;
    case "close":
      return `${at} connection ${entry.conn}: ${entry.by === "fault" ? "broken by a fault" : `closed by the ${entry.by}`}`;
    case "expire":
      return `${at} ${sessionText(entry.session)} expires on demand`;
    case "ensemble":
      return `${at} ${entry.what}`;
    case "fault":
      return `${at} ${sessionText(entry.session)} meets with a fault at ${entry.what}: ${entry.fault}`;
  }
}
