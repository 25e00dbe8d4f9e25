/**
 * Says why a watch has not fired, from the history: it was never set, it has fired already, it went with its connection, what happened is none of
 * its business, or nothing has happened.
 */
import type { Op } from "../model/ops.ts";
import { parentOf } from "../model/path.ts";
import type { SubTxn, Txn } from "../model/txns.ts";
import type { EventType, SessionId } from "../model/types.ts";
import { objectOf, oneOf, type Take, znodePath } from "../options/shape.ts";
import { EVENT_TYPES } from "./expect.ts";
import type { EntryOf, History, HistoryEntry } from "./history.ts";
import { type SessionRef, sessionIdOf } from "./session_ref.ts";
import { opText, outcomeText, sessionText, txnTexts, zxidText } from "./text.ts";

/** A watch that somebody waits for. */
export interface WatchRef {
  /** Whose it is. */
  readonly session: SessionRef;
  /** The watched path, chroot included. */
  readonly path: string;
  /** The event that did not come; default any. */
  readonly type?: EventType;
}

/** How a {@link WatchRef} is taken. */
export const WATCH: Take<WatchRef> = objectOf<WatchRef>(
  { session: (given) => sessionIdOf(given as SessionRef), path: znodePath, type: oneOf(EVENT_TYPES) },
  '{ session: client, path: "/config" }',
  ["session", "path"],
);

type WatchKind = "data" | "child" | "persistent" | "recursive";

/** A request that set a watch, or tried to. */
interface Setting {
  readonly request: EntryOf<"request">;
  readonly kind: WatchKind;
  /** The path it is on; for a recursive one this may be above the one that is asked about. */
  readonly at: string;
  /** null: not answered. */
  readonly answer: EntryOf<"reply"> | null;
}

const KIND_NAMES: Readonly<Record<WatchKind, string>> = {
  data: "a one-shot watch on data",
  child: "a one-shot watch on children",
  persistent: "a persistent watch",
  recursive: "a persistent recursive watch",
};
const CLOSED_BY = { client: "the client gave up", server: "the server closed", fault: "a fault broke" } as const;
const HEARD_BY: Readonly<Record<WatchKind, string>> = {
  data: "that the znode is created, deleted, or its data set",
  child: "that a child is created or deleted, or the znode itself is deleted",
  persistent: "that the znode is created, deleted, its data set, or a child created or deleted",
  recursive: "that the znode or anything below it is created, deleted, or its data set",
};

export function whyNot(history: History, watch: WatchRef): string {
  const session = sessionIdOf(watch.session);
  const { path } = watch;
  const who = `Session ${sessionText(session)}`;
  const settings = settingsOf(history, session, path);
  const set = settings.filter(leavesWatch).at(-1);
  if (set === undefined) return neverSet(who, path, settings);
  const setText = `${who} set ${KIND_NAMES[set.kind]} on ${set.at} with "${opText(set.request.op)}"`;
  const since = history.entries.slice(history.entries.indexOf(set.answer ?? set.request) + 1);
  const fired = since.filter((entry): entry is EntryOf<"event"> => isEventFor(entry, session, path, set.kind));
  const wanted = fired.find(({ type }) => watch.type === undefined || type === watch.type);
  if (wanted !== undefined) return `${setText}, and it did fire: ${eventText(wanted)}`;
  const other = fired.at(0);
  if (other !== undefined && set.kind !== "persistent" && set.kind !== "recursive")
    return `${setText}. It is used up: ${eventText(other)}. It has not been set again since`;
  const closed = since.find((entry) => entry.kind === "close" && entry.conn === set.request.conn);
  if (closed?.kind === "close")
    return `${setText}. It went with its connection, which ${CLOSED_BY[closed.by]}, and has not been set again on another one`;
  return `${setText}, which hears ${HEARD_BY[set.kind]}. ${whatHappened(since, path, set.kind)}`;
}

function neverSet(who: string, path: string, settings: readonly Setting[]): string {
  const last = settings.at(-1);
  if (last === undefined) return `${who} has set no watch on ${path}`;
  const answer = last.answer === null ? "was not answered" : `was answered ${outcomeText(last.answer.outcome)}`;
  return `${who} has set no watch on ${path}: "${opText(last.request.op)}" ${answer}, and so left none`;
}

// ── setting ──

function settingsOf(history: History, session: SessionId, path: string): Setting[] {
  const settings: Setting[] = [];
  history.entries.forEach((entry, index) => {
    if (entry.kind !== "request" || entry.session !== session) return;
    const set = setBy(entry.op, path);
    if (set === null) return;
    const answer = history.entries.find(
      (later, at): later is EntryOf<"reply"> =>
        at > index && later.kind === "reply" && later.conn === entry.conn && later.xid === entry.xid,
    );
    settings.push({ ...set, request: entry, answer: answer ?? null });
  });
  return settings;
}

function setBy(op: Op, path: string): Pick<Setting, "kind" | "at"> | null {
  const here = (kind: WatchKind, isSet: boolean | undefined): Pick<Setting, "kind" | "at"> | null =>
    isSet ? { kind, at: path } : null;
  switch (op.kind) {
    case "getData":
    case "exists":
      return here("data", op.watch && op.path === path);
    case "getChildren":
    case "getChildren2":
      return here("child", op.watch && op.path === path);
    case "addWatch":
      return op.mode === 0 ? here("persistent", op.path === path) : above([op.path], path);
    case "setWatches":
    case "setWatches2":
      return (
        here("data", op.dataWatches?.includes(path) || op.existWatches?.includes(path)) ??
        here("child", op.childWatches?.includes(path)) ??
        here("persistent", op.persistentWatches?.includes(path)) ??
        above(op.persistentRecursiveWatches ?? [], path)
      );
    default:
      return null;
  }
}

/** The recursive watch, among those on these paths, that hears of `path`. */
function above(tops: readonly (string | null)[], path: string): Pick<Setting, "kind" | "at"> | null {
  const at = tops.find((top) => top !== null && isAtOrBelow(path, top));
  return at === undefined || at === null ? null : { kind: "recursive", at };
}

/** A failed read leaves no watch, but for an exists that found nothing. */
function leavesWatch({ request, answer }: Setting): boolean {
  if (answer === null) return false;
  const { outcome } = answer;
  return outcome.kind !== "error" || (request.op.kind === "exists" && outcome.code === "NoNode");
}

// ── firing ──

function isEventFor(entry: HistoryEntry, session: SessionId, path: string, kind: WatchKind): boolean {
  if (entry.kind !== "event" || entry.session !== session) return false;
  if (kind === "recursive") return isAtOrBelow(entry.path, path) && entry.type !== "NodeChildrenChanged";
  if (entry.path !== path) return false;
  if (kind === "data") return entry.type !== "NodeChildrenChanged";
  return kind === "persistent" || entry.type === "NodeChildrenChanged" || entry.type === "NodeDeleted";
}

function eventText({ type, path, cause }: EntryOf<"event">): string {
  return `${type} ${path} ${cause === null ? "was told on its return" : `came of zxid ${zxidText(cause)}`}`;
}

function whatHappened(since: readonly HistoryEntry[], path: string, kind: WatchKind): string {
  const txns = since.filter((entry): entry is EntryOf<"txn"> => entry.kind === "txn");
  const near = txns.filter(({ txn }) =>
    changesOf(txn).some((change) => change.path === path || parentOf(change.path) === path),
  );
  const its = near.filter(({ txn }) => changesOf(txn).some((change) => concerns(change, path, kind)));
  const list = (some: readonly EntryOf<"txn">[]): string =>
    some.map(({ zxid, txn }) => `zxid ${zxidText(zxid)} (${txnTexts(txn).join("; ")})`).join(", ");
  if (its.length > 0)
    return `${list(its)} would have fired it, but the session may not read the znode: events are for those who may`;
  if (near.length > 0) return `Since then there was only ${list(near)}, which is none of that`;
  return `Nothing has happened to ${path} since`;
}

interface Changed {
  readonly what: "created" | "deleted" | "set" | "acl";
  readonly path: string;
}

function changesOf(txn: Txn): Changed[] {
  switch (txn.kind) {
    case "multi":
      return txn.txns.some(({ kind }) => kind === "error") ? [] : txn.txns.flatMap(changesOf);
    case "closeSession":
      return (txn.paths ?? []).map((path) => ({ what: "deleted", path }));
    case "createSession":
      return [];
    default:
      return subChanges(txn);
  }
}

function subChanges(txn: SubTxn): Changed[] {
  switch (txn.kind) {
    case "create":
    case "create2":
    case "createContainer":
    case "createTTL":
      return [{ what: "created", path: txn.path }];
    case "delete":
    case "deleteContainer":
      return [{ what: "deleted", path: txn.path }];
    case "setData":
    case "reconfig":
      return [{ what: "set", path: txn.path }];
    case "setACL":
      return [{ what: "acl", path: txn.path }];
    default:
      return [];
  }
}

function concerns({ what, path: changed }: Changed, path: string, kind: WatchKind): boolean {
  if (what === "acl") return false;
  const isChild = what !== "set" && parentOf(changed) === path && changed !== path;
  switch (kind) {
    case "data":
      return changed === path;
    case "child":
      return isChild || (what === "deleted" && changed === path);
    case "persistent":
      return isChild || changed === path;
    case "recursive":
      return isAtOrBelow(changed, path);
  }
}

function isAtOrBelow(path: string, top: string): boolean {
  return path === top || path.startsWith(top === "/" ? "/" : `${top}/`);
}
