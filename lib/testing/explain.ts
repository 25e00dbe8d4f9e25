/**
 * Says what became of a txn, and why a request was refused, from the history.
 *
 * Not here: why a watch did not fire (why_not.ts).
 */
import type { ZkError } from "../model/errors.ts";
import type { AuthId, Zxid } from "../model/types.ts";
import type { EntryOf, History, HistoryEntry, Refusal } from "./history.ts";
import { aclText, identityText, opText, outcomeText, permsText, sessionText, txnTexts, zxidText } from "./text.ts";

/** Who asked for a txn, what it did, which watches it fired, and what was answered; or why a request failed. */
export function explain(history: History, what: Zxid | ZkError): string {
  return typeof what === "bigint" ? explainTxn(history, what) : explainError(history, what);
}

function explainTxn(history: History, zxid: Zxid): string {
  const txn = history.entries.find((entry): entry is EntryOf<"txn"> => entry.kind === "txn" && entry.zxid === zxid);
  if (txn === undefined) return `zxid ${zxidText(zxid)} is not in the history`;
  const request = history.entries.find((entry) => isRequestOf(entry, txn));
  const reply = history.entries.find(
    (entry): entry is EntryOf<"reply"> => entry.kind === "reply" && entry.zxid === zxid && entry.xid === txn.cxid,
  );
  const events = history.entries.filter((entry): entry is EntryOf<"event"> => entry.kind === "event" && entry.cause === zxid);
  const fired = events.map(({ type, path, session }) => `${type} ${path} to ${sessionText(session)}`);
  return [
    `zxid ${zxidText(zxid)}: ${txnTexts(txn.txn).join("; ")}`,
    `  asked for by ${asker(txn, request)}`,
    `  fired ${fired.length === 0 ? "no watch" : fired.join(", ")}`,
    ...(reply === undefined ? [] : [`  answered ${outcomeText(reply.outcome)}`, ...refusalTexts(reply.refusal)]),
  ].join("\n");
}

function isRequestOf(entry: HistoryEntry, txn: EntryOf<"txn">): entry is EntryOf<"request"> {
  return entry.kind === "request" && entry.session === txn.session && entry.xid === txn.cxid && txn.cxid > 0;
}

function asker(txn: EntryOf<"txn">, request: HistoryEntry | undefined): string {
  if (request?.kind === "request") return `session ${sessionText(txn.session)}: ${opText(request.op)}`;
  if (txn.session === 0n) return "the server, which removes empty containers and expired TTL znodes";
  if (txn.txn.kind === "createSession") return `session ${sessionText(txn.session)}, which connected`;
  if (txn.txn.kind === "closeSession") return `the server, since session ${sessionText(txn.session)} had expired`;
  return `session ${sessionText(txn.session)}`;
}

function explainError(history: History, error: ZkError): string {
  const replies = history.entries.filter(
    (entry): entry is EntryOf<"reply"> => entry.kind === "reply" && codesOf(entry).includes(error.code),
  );
  for (const reply of replies.reverse()) {
    const request = history.entries.find(
      (entry) => entry.kind === "request" && entry.conn === reply.conn && entry.xid === reply.xid,
    );
    if (request?.kind !== "request") continue;
    const text = opText(request.op);
    if (error.path !== undefined && !text.includes(error.path)) continue;
    return [
      `${text}, asked by session ${sessionText(request.session)}, was answered ${outcomeText(reply.outcome)}`,
      ...refusalTexts(reply.refusal),
    ].join("\n");
  }
  const faults = history.entries.filter(
    (entry) => entry.kind === "fault" && (error.path === undefined || entry.what.includes(error.path)),
  );
  const fault = faults.at(-1);
  if (fault?.kind === "fault") return `${fault.what} met with a fault that the test asked for: ${fault.fault}`;
  return `The server has answered nothing with ${error.code}: the client said so itself`;
}

function codesOf({ outcome }: EntryOf<"reply">): readonly string[] {
  if (outcome.kind === "multi") return outcome.results.flatMap((result) => (result.kind === "error" ? [result.code] : []));
  return outcome.kind === "error" || outcome.kind === "multiRefused" ? [outcome.code] : [];
}

function refusalTexts(refusal: Refusal | null): string[] {
  if (refusal === null) return [];
  const { path, perms, acl, identities } = refusal;
  return [
    `  ${permsText(perms)} on ${path} is needed`,
    `  its ACL is ${acl.length === 0 ? "empty" : acl.map(aclText).join(", ")}`,
    `  the client has proved to be ${identities.map(identityText).join(", ")}${otherPassword(refusal)}`,
  ];
}

/** Only the user's name is shown; that it is the same one would puzzle. */
function otherPassword({ acl, identities }: Refusal): string {
  const isSameUser = (one: AuthId, other: AuthId): boolean => identityText(one) === identityText(other) && one.id !== other.id;
  const other = identities.some((identity) => identity.scheme === "digest" && acl.some((entry) => isSameUser(entry, identity)));
  return other ? " (with another password)" : "";
}
