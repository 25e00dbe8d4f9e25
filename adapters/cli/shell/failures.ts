/**
 * Failures of a command: their text as zkCli.sh prints it, the code that the shell ends with, and what to try next.
 *
 * Not here: errors of the client (lib/model/errors.ts), which are translated here. Invariant: a text holds no secret, and no stack.
 */
import { type ErrorCode, ZkError } from "../../../lib/model/errors.ts";
import type { Style } from "./style.ts";

/** Codes that the shell ends with: those of zkCli.sh, and one of its own for servers that can't be reached. */
export const EXIT = { done: 0, refused: 1, notConnected: 2, misused: 127 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A command that was not carried out, and why. */
export class CommandFailure extends Error {
  readonly exitCode: ExitCode;
  /** ZooKeeper's name of the error, where it has one. */
  readonly code: ErrorCode | null;
  readonly path: string | null;
  /** What to try next, for a person; null where the text says it. */
  readonly hint: string | null;

  constructor(
    text: string,
    exitCode: ExitCode,
    about: { readonly code?: ErrorCode; readonly path?: string; readonly hint?: string | null } = {},
  ) {
    super(text);
    this.exitCode = exitCode;
    this.code = about.code ?? null;
    this.path = about.path ?? null;
    this.hint = about.hint ?? null;
  }
}

/** A command that isn't one, or whose words make no sense. An empty text stands for silence, as 3.4 had it. */
export class UsageError extends CommandFailure {
  constructor(text: string, hint: string | null = null) {
    super(text, EXIT.misused, { hint });
  }
}

/** The text before a path. */
const TEXTS: Partial<Record<ErrorCode, string>> = {
  NoNode: "Node does not exist: ",
  NoChildrenForEphemerals: "Ephemerals cannot have children: ",
  NodeExists: "Node already exists: ",
  NotEmpty: "Node not empty: ",
  NotReadOnly: "Not a read-only call: ",
  InvalidACL: "Acl is not valid : ",
  NoAuth: "Insufficient permission : ",
  BadArguments: "Arguments are not valid : ",
  BadVersion: "version No is not valid : ",
  QuotaExceeded: "Quota has exceeded : ",
};

/** Java's words for a code, where they are not the code's own name. */
const JAVA_WORDS: Partial<Record<ErrorCode, string>> = {
  NoWatcher: "No such watcher",
  ReconfigDisabled: "Reconfig is disabled",
  SessionExpired: "Session expired",
  SessionMoved: "Session moved",
  RequestTimeout: "Request timeout",
  EphemeralOnLocalSession: "Ephemeral node on local session",
};

const HINTS: Partial<Record<ErrorCode, string>> = {
  NoNode: "ls shows what is there; create makes a znode, its parents first",
  NodeExists: "set changes the data of a znode that is there; create -s makes one with a number of its own",
  NotEmpty: "deleteall deletes a znode with all below it",
  BadVersion: "get -s shows the version that the znode has now",
  NoAuth: "getAcl shows who may do what; addauth proves who you are",
  NoChildrenForEphemerals: "the parent must be a znode that lasts: create it without -e",
  InvalidACL: "the form is scheme:id:perms, such as world:anyone:r; auth::cdrwa needs addauth first",
  QuotaExceeded: "listquota shows the limits; setquota -N or -B changes them",
  NotReadOnly: "this server is cut off from the others and takes no writes: connect to another one, or leave out -r",
  ReconfigDisabled: "the servers need reconfigEnabled=true in zoo.cfg",
  ConnectionLoss: "a change that was sent may have been made all the same",
  NoWatcher: "get -w, ls -w, stat -w and addWatch set watches",
};

/** What became of the command, whatever was thrown. */
export function failureOf(error: unknown, style: Style): CommandFailure {
  if (error instanceof CommandFailure) return error;
  if (!(error instanceof ZkError)) return new CommandFailure(messageOf(error), EXIT.refused);
  const { code, path } = error;
  const about = { code, hint: HINTS[code] ?? null, ...(path !== undefined && path !== "" && { path }) };
  if (isLoss(code)) return new CommandFailure(javaText(code, path), EXIT.notConnected, about);
  if (code === "NoAuth" && style === "3.4")
    return new CommandFailure(`Authentication is not valid : ${path}`, EXIT.refused, about);
  const text = TEXTS[code];
  return new CommandFailure(text === undefined ? javaText(code, path) : text + (path ?? "null"), EXIT.refused, about);
}

/** `KeeperErrorCode = NoAuth for /a`. */
export function javaText(code: ErrorCode, path: string | undefined): string {
  const where = path === undefined || path === "" ? "" : ` for ${path}`;
  return `KeeperErrorCode = ${JAVA_WORDS[code] ?? code}${where}`;
}

function isLoss(code: ErrorCode): boolean {
  return code === "ConnectionLoss" || code === "OperationTimeout" || code === "SessionExpired";
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
