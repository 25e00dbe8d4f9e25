/**
 * Lines of an audit log in ZooKeeper's format: who has changed what, from where, and whether it was let.
 *
 * Not here: where the lines go. The format is that of ZooKeeper 3.8: `key=value`, parted by tabs. Invariant: a line holds names of users, never what
 * proves them.
 */
import { permLetters } from "../../lib/acl/perms.ts";
import type { CreateOp, MultiWriteOp, Op, Outcome, SetAclOp } from "../../lib/model/ops.ts";
import type { CloseSessionTxn } from "../../lib/model/txns.ts";
import type { AuthId, SessionId } from "../../lib/model/types.ts";
import type { RequestDetail, ServerObserver } from "../../lib/report/observer.ts";
import { sessionText } from "../../lib/report/session_log.ts";
import { userName } from "../process_report.ts";

/**
 * An observer that writes an audit log in ZooKeeper's format: who has changed what, from where, and whether it was let.
 *
 * @param write takes the lines, without their end
 *
 * @example
 * ```ts
 * const server = await open({ observer: auditObserver((line) => console.log(line)) });
 * ```
 */
export function auditObserver(write: (line: string) => void): ServerObserver {
  const serverUser = userName();
  const request = ({ session }: { readonly session: SessionId }, { op, outcome, address, identities }: RequestDetail): void => {
    for (const line of auditLines({ session, address, identities }, op, outcome)) write(line);
  };
  const txn = ({ kind, session }: { readonly kind: string; readonly session: SessionId }, detail: object): void => {
    if (kind !== "closeSession") return;
    for (const line of auditOfEphemerals(session, (detail as CloseSessionTxn).paths ?? [], serverUser)) write(line);
  };
  return { request, txn } as unknown as ServerObserver; // the second argument is our own
}

/** Who asks. */
interface AuditedClient {
  readonly session: SessionId;
  readonly address: string;
  readonly identities: readonly AuthId[];
}

type Result = "success" | "failure";

/** The lines of an answered request; none for one that changes nothing. */
function auditLines(client: AuditedClient, op: Op, outcome: Outcome): readonly string[] {
  const result = outcome.kind === "error" || outcome.kind === "multiRefused" ? "failure" : "success";
  if (op.kind !== "multi") {
    const facts = factsOf(op, result === "success" ? outcome : null);
    return facts === null ? [] : [line(client, facts, result)];
  }
  const results = outcome.kind === "multi" ? outcome.results : [];
  if (result === "failure" || results.some(({ kind }) => kind === "error"))
    return [line(client, { operation: "multiOperation" }, "failure")];
  return op.ops.flatMap((one: MultiWriteOp, at) => {
    const facts = factsOf(one, results[at] ?? null);
    return facts === null ? [] : [line(client, facts, "success")];
  });
}

/** The lines of a session's ephemerals, which the server itself deletes. */
function auditOfEphemerals(session: SessionId, paths: readonly string[], serverUser: string): readonly string[] {
  const operation = "ephemeralZNodeDeletionOnSessionCloseOrExpire";
  return paths.map((path) =>
    joined({ session: sessionText(session), user: serverUser, operation, znode: path, result: "success" }),
  );
}

/** The line of a server's start or stop. */
export function auditOfServer(operation: "serverStart" | "serverStop"): string {
  return joined({ user: userName(), operation, result: operation === "serverStart" ? "success" : "invoked" });
}

type Facts = Readonly<Record<string, string>>;

function factsOf(op: Op | MultiWriteOp, done: object | null): Facts | null {
  switch (op.kind) {
    case "create":
    case "create2":
    case "createContainer":
    case "createTTL": {
      const { path = op.path } = (done ?? {}) as { readonly path?: string };
      return { operation: "create", znode: path ?? "", znode_type: ZNODE_TYPES[(op as CreateOp).flags] ?? "persistent" };
    }
    case "delete":
      return { operation: "delete", znode: op.path ?? "" };
    case "setData":
      return { operation: "setData", znode: op.path ?? "" };
    case "setACL":
      return { operation: "setAcl", znode: op.path ?? "", acl: aclText((op as SetAclOp).acl ?? []) };
    case "reconfig":
      return { operation: "reconfig" };
    default:
      return null;
  }
}

/** By the flags of a create. */
const ZNODE_TYPES = [
  "persistent",
  "ephemeral",
  "persistent_sequential",
  "ephemeral_sequential",
  "container",
  "persistent_with_ttl",
  "persistent_sequential_with_ttl",
];

function aclText(acl: NonNullable<SetAclOp["acl"]>): string {
  const user = ({ scheme, id }: (typeof acl)[number]): string => userOf({ scheme: scheme ?? "", id: id ?? "" });
  return acl.map((entry) => `${entry.scheme}:${user(entry)}:${permLetters(entry.perms)}`).join(",");
}

function line({ session, address, identities }: AuditedClient, facts: Facts, result: Result): string {
  const users = [...identities].sort((one, other) => Number(one.scheme === "ip") - Number(other.scheme === "ip")).map(userOf);
  return joined({ session: sessionText(session), user: users.join(","), ip: address, ...facts, result });
}

/** The name alone: what follows a colon is a hash of the password. */
function userOf({ scheme, id }: AuthId): string {
  return scheme === "digest" || scheme === "super" ? id.slice(0, id.includes(":") ? id.indexOf(":") : id.length) : id;
}

/** A client's text can't make a line or a field of its own. */
function joined(facts: Facts): string {
  return Object.entries(facts)
    .map(([key, value]) => `${key}=${value.replaceAll(/[\t\r\n]/g, " ")}`)
    .join("\t");
}
