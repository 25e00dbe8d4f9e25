/**
 * Requests, answers, txns and data in words, on one line each, as they stand in histories, explanations and differences.
 *
 * Invariant: the same thing reads the same in every run: no times, and no secrets.
 */
import { Perms, permLetters } from "../acl/perms.ts";
import type { MultiResult, Op, Outcome } from "../model/ops.ts";
import type { SubTxn, Txn } from "../model/txns.ts";
import type { Acl, AuthId, SessionId, Stat, Zxid } from "../model/types.ts";
import { epochOf, formatZxid } from "../model/zxid.ts";

/** Bytes of data that are shown. */
const DATA_SHOWN_MAX = 40;
const UTF8 = new TextDecoder("utf-8", { fatal: true });
const MODES = ["", " ephemeral", " sequential", " ephemeral sequential", " container", " ttl", " sequential ttl"];

export function dataText(data: Uint8Array | null): string {
  if (data === null) return "null";
  const shown = data.subarray(0, DATA_SHOWN_MAX);
  const more = data.length > shown.length ? `… (${data.length} bytes)` : "";
  const text = textOf(shown, more !== "");
  if (text !== null) return JSON.stringify(text) + more;
  return `<${Array.from(shown, (byte) => byte.toString(16).padStart(2, "0")).join("")}>${more}`;
}

/** The bytes as printable text; null if they are none. A character that was cut off at the end doesn't count. */
function textOf(bytes: Uint8Array, isCut: boolean): string | null {
  for (let end = bytes.length; end >= Math.max(bytes.length - (isCut ? 3 : 0), 0); end--) {
    try {
      const text = UTF8.decode(bytes.subarray(0, end));
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      return /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text) ? null : text;
    } catch {
      // not here
    }
  }
  return null;
}

/** By its counter alone where there are no epochs; else as ZooKeeper writes it. */
export function zxidText(zxid: Zxid): string {
  return epochOf(zxid) === 0 ? `${zxid}` : formatZxid(zxid);
}

export function sessionText(session: SessionId): string {
  return `0x${session.toString(16)}`;
}

export function opText(op: Op): string {
  switch (op.kind) {
    case "create":
    case "create2":
    case "createContainer":
    case "createTTL":
      return `create ${op.path} ${dataText(op.data)}${MODES[op.flags] ?? ` flags ${op.flags}`}`;
    case "setData":
      return `setData ${op.path} ${dataText(op.data)}${versionText(op.version)}`;
    case "delete":
    case "check":
    case "setACL":
      return `${op.kind} ${op.path}${versionText(op.version)}`;
    case "getData":
    case "exists":
    case "getChildren":
    case "getChildren2":
      return `${op.kind.replace("2", "")} ${op.path}${op.watch ? " with a watch" : ""}`;
    case "multi":
      return `multi [${op.ops.map(opText).join("; ")}]`;
    case "addWatch":
      return `addWatch ${op.path} ${op.mode === 1 ? "persistent recursive" : "persistent"}`;
    case "auth":
      return `addAuth ${op.scheme}`;
    case "getEphemerals":
      return `getEphemerals ${op.prefixPath}`;
    default:
      return "path" in op ? `${op.kind} ${op.path}` : op.kind;
  }
}

function versionText(version: number): string {
  return version === -1 ? "" : ` at version ${version}`;
}

export function outcomeText(outcome: Outcome | MultiResult): string {
  switch (outcome.kind) {
    case "error":
    case "multiRefused":
      return outcome.code === "Ok" ? "nothing done" : outcome.code;
    case "path":
    case "create":
      return `${outcome.path ?? "null"}`;
    case "pathStat":
    case "create2":
      return `${outcome.path}, ${statText(outcome.stat)}`;
    case "stat":
    case "setData":
      return statText(outcome.stat);
    case "data":
    case "getData":
      return `${dataText(outcome.data)}, ${statText(outcome.stat)}`;
    case "acl":
      return `${outcome.acl.map(aclText).join(", ")}, ${statText(outcome.stat)}`;
    case "children":
    case "childrenStat":
    case "getChildren":
      return `[${[...outcome.children].sort().join(", ")}]`;
    case "multi":
      return `[${outcome.results.map(outcomeText).join("; ")}]`;
    case "ephemerals":
      return `[${[...outcome.ephemerals].sort().join(", ")}]`;
    case "totalNumber":
      return `${outcome.totalNumber}`;
    case "clientInfo":
      return outcome.clientInfo.map(identityText).join(", ");
    default:
      return "ok";
  }
}

function statText(stat: Stat): string {
  const { version, cversion, aversion, numChildren, ephemeralOwner } = stat;
  const owner = ephemeralOwner === 0n ? "" : `, of session ${sessionText(ephemeralOwner)}`;
  const acl = aversion === 0 ? "" : `, aversion ${aversion}`;
  return `version ${version}, cversion ${cversion}${acl}, children ${numChildren}${owner}`;
}

/** What a txn does, one phrase for each change. */
export function txnTexts(txn: Txn): string[] {
  switch (txn.kind) {
    case "multi":
      return txn.txns.flatMap(txnTexts);
    case "createSession":
      return [`open the session for ${txn.timeOut} ms`];
    case "closeSession":
      return ["end the session", ...(txn.paths ?? []).map((path) => `delete its ephemeral ${path}`)];
    default:
      return [subTxnText(txn)];
  }
}

function subTxnText(txn: SubTxn): string {
  switch (txn.kind) {
    case "create":
    case "create2":
      return `create ${txn.path} ${dataText(txn.data)}${txn.ephemeral ? " ephemeral" : ""}`;
    case "createContainer":
      return `create ${txn.path} ${dataText(txn.data)} container`;
    case "createTTL":
      return `create ${txn.path} ${dataText(txn.data)} with a TTL of ${txn.ttl} ms`;
    case "deleteContainer":
      return `delete ${txn.path}, which was empty or had expired`;
    case "setData":
    case "reconfig":
      return `set ${txn.path} to ${dataText(txn.data)}, version ${txn.version}`;
    case "setACL":
      return `set the ACL of ${txn.path} to ${txn.acl.map(aclText).join(", ")}`;
    case "error":
      return txn.code === "Ok" ? "nothing" : `nothing: ${txn.code}`;
    default:
      return `${txn.kind} ${txn.path}`;
  }
}

/** An ACL entry as ZooKeeper's shell writes it, hashes left out: `digest:bob:cdrwa`. */
export function aclText(entry: Acl): string {
  return `${identityText(entry)}:${permLetters(entry.perms)}`;
}

export function identityText({ scheme, id }: AuthId): string {
  return `${scheme}:${scheme === "digest" ? id.split(":", 1)[0] : id}`;
}

export function permsText(perms: number): string {
  return (Object.keys(Perms) as (keyof typeof Perms)[])
    .filter((name) => name !== "ALL" && (perms & Perms[name]) !== 0)
    .join(" or ");
}
