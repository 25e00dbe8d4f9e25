/**
 * ZooKeeper's error codes and the one error class of the API.
 *
 * Not here: how an error is decided (kernel) or carried (wire). Inside the core an operating error is a value, an
 * {@link ErrorCode}; it becomes a {@link ZkError} only at the client handle.
 */

import { argumentError, describe } from "../base/validate.ts";

/** Code names and numbers, as ZooKeeper spells them on the wire. */
export const ERROR_NUMBERS = {
  SystemError: -1,
  RuntimeInconsistency: -2,
  DataInconsistency: -3,
  ConnectionLoss: -4,
  MarshallingError: -5,
  Unimplemented: -6,
  OperationTimeout: -7,
  BadArguments: -8,
  NewConfigNoQuorum: -13,
  ReconfigInProgress: -14,
  APIError: -100,
  NoNode: -101,
  NoAuth: -102,
  BadVersion: -103,
  NoChildrenForEphemerals: -108,
  NodeExists: -110,
  NotEmpty: -111,
  SessionExpired: -112,
  InvalidCallback: -113,
  InvalidACL: -114,
  AuthFailed: -115,
  SessionMoved: -118,
  NotReadOnly: -119,
  EphemeralOnLocalSession: -120,
  NoWatcher: -121,
  RequestTimeout: -122,
  ReconfigDisabled: -123,
  SessionClosedRequireSaslAuth: -124,
  QuotaExceeded: -125,
  ThrottledOp: -127,
} as const;

/** The name of a ZooKeeper error code. */
export type ErrorCode = keyof typeof ERROR_NUMBERS;

const NAMES = new Map<number, ErrorCode>(
  (Object.entries(ERROR_NUMBERS) as [ErrorCode, number][]).map(([name, number]) => [number, name]),
);

/** The name of a code number from the wire; a number nobody knows is a `SystemError`, as in ZooKeeper's clients. */
export function errorCodeOf(number: number): ErrorCode {
  return NAMES.get(number) ?? "SystemError";
}

/**
 * Whether the change that failed may nevertheless have happened: `false` surely not, `true` surely,
 * `"unknown"` where only the server knows (the connection went while the request was on its way).
 */
export type Applied = boolean | "unknown";

/** What a {@link ZkError} is about. */
export interface ZkErrorDetail {
  /** The verb that failed, as in the API: `create`, `setData`, … */
  readonly operation: string;
  /** The path as the caller gave it (chroot not included), where the operation has one. */
  readonly path?: string | undefined;
  readonly applied?: Applied;
  /** More words for a person, where the code alone would not tell. */
  readonly reason?: string;
  readonly cause?: unknown;
}

/**
 * An operation that ZooKeeper refused, or that was cut off.
 *
 * @example
 * ```ts
 * try {
 *   await zk.setData("/a", "new", { version: 3 });
 * } catch (error) {
 *   if (error instanceof ZkError && error.code === "BadVersion") retry();
 *   else throw error;
 * }
 * ```
 */
export class ZkError extends Error {
  /** Stable name of the error; switch on this, never on the message. */
  readonly code: ErrorCode;
  /** The number of the code on ZooKeeper's wire. */
  readonly number: number;
  readonly operation: string;
  readonly path: string | undefined;
  readonly applied: Applied;

  /** @throws TypeError for a code that there isn't, and for a detail without an operation */
  constructor(code: ErrorCode, detail: ZkErrorDetail) {
    if (typeof code !== "string" || !Object.hasOwn(ERROR_NUMBERS, code))
      throw argumentError("make a ZkError", `code must be a code such as "NoNode", not ${describe(code)}`);
    if (typeof detail?.operation !== "string")
      throw argumentError(
        "make a ZkError",
        `detail must be an object such as { operation: "delete" }, not ${describe(detail)}`,
      );
    const where = detail.path === undefined ? "" : ` "${detail.path}"`;
    const why = detail.reason === undefined ? "" : ` (${detail.reason})`;
    super(
      `Cannot ${detail.operation}${where}: ${code}${why}`,
      detail.cause === undefined ? undefined : { cause: detail.cause },
    );
    this.name = "ZkError";
    this.code = code;
    this.number = ERROR_NUMBERS[code];
    this.operation = detail.operation;
    this.path = detail.path;
    this.applied = detail.applied ?? false;
  }
}

/** A rule of this server's own that does not hold. */
export class BrokenInvariant extends Error {
  constructor(what: string) {
    super(`Broken invariant: ${what}`);
    this.name = "BrokenInvariant";
  }
}

/**
 * Throws when something that must hold does not. The host stops the member then, rather than serve wrong answers.
 */
export function invariant(condition: unknown, what: string): asserts condition {
  if (!condition) throw new BrokenInvariant(what);
}
