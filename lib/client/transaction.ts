/**
 * Several changes that happen together or not at all.
 *
 * Invariant: results stand in the order of the operations.
 */

import type { AbortSignal } from "../base/platform_types.ts";
import { type ErrorCode, ZkError } from "../model/errors.ts";
import type { MultiResult, MultiWriteOp } from "../model/ops.ts";
import { withoutChroot } from "../model/path.ts";
import type { Stat } from "../model/types.ts";
import {
  type CreateOptions,
  type Data,
  NO_OPTIONS,
  takeData,
  takeOperationCreateOptions,
  takeOperationVersion,
  takeRequestOptions,
} from "./arguments.ts";
import type { RequestOptions } from "./options.ts";
import { createOp, isSequential, serverPath } from "./values.ts";

/** What an operation of a committed transaction did. */
export type TransactionResult =
  | { readonly type: "create"; readonly path: string; readonly stat?: Stat }
  | { readonly type: "delete" }
  | { readonly type: "setData"; readonly stat: Stat }
  | { readonly type: "check" };

/**
 * A transaction that was refused. Nothing of it was applied. `code` is that of the operation at `failedIndex`.
 *
 * @example
 * ```ts
 * try {
 *   await zk.transaction().check("/a", { version: 3 }).setData("/b", "x").commit();
 * } catch (error) {
 *   if (error instanceof TransactionError) console.log(error.failedIndex, error.code);
 * }
 * ```
 */
export class TransactionError extends ZkError {
  /** Which operation failed, from 0. */
  readonly failedIndex: number;
  /** Each operation's own code: `Ok` before the failed one, `RuntimeInconsistency` behind it. */
  readonly codes: readonly (ErrorCode | "Ok")[];

  constructor(code: ErrorCode, failedIndex: number, codes: readonly (ErrorCode | "Ok")[], path: string | undefined) {
    super(code, { operation: "commit a transaction at", path, reason: `operation ${failedIndex}`, applied: false });
    this.name = "TransactionError";
    this.failedIndex = failedIndex;
    this.codes = codes;
  }
}

/** Sends the operations; the handle's own part of a transaction. */
export type Commit = (ops: readonly MultiWriteOp[], signal: AbortSignal | undefined) => Promise<readonly MultiResult[]>;

/**
 * Collects operations; `commit` sends them as one. An argument that can't be right is thrown by the operation's own call.
 *
 * @example
 * ```ts
 * const [created] = await zk.transaction().create("/a", "1").setData("/b", "2", { version: 0 }).commit();
 * ```
 */
export class Transaction {
  readonly #chroot: string;
  readonly #commit: Commit;
  readonly #ops: MultiWriteOp[] = [];

  constructor(chroot: string, commit: Commit) {
    this.#chroot = chroot;
    this.#commit = commit;
  }

  create(path: string, data?: Data, options: CreateOptions = NO_OPTIONS): this {
    const checked = takeOperationCreateOptions(path, options);
    const full = serverPath(this.#chroot, path, "create", isSequential(checked.mode));
    this.#ops.push(createOp(full, data, checked, false));
    return this;
  }

  delete(path: string, options: { readonly version?: number | undefined } = NO_OPTIONS): this {
    const full = serverPath(this.#chroot, path, "delete");
    this.#ops.push({ kind: "delete", path: full, version: takeOperationVersion("delete", options) });
    return this;
  }

  setData(path: string, data: Data, options: { readonly version?: number | undefined } = NO_OPTIONS): this {
    const full = serverPath(this.#chroot, path, "setData");
    const version = takeOperationVersion("setData", options);
    this.#ops.push({ kind: "setData", path: full, data: takeData("setData", data), version });
    return this;
  }

  /** Holds the transaction to the znode's being there, and at this version if one is given. */
  check(path: string, options: { readonly version?: number | undefined } = NO_OPTIONS): this {
    const full = serverPath(this.#chroot, path, "check");
    this.#ops.push({ kind: "check", path: full, version: takeOperationVersion("check", options) });
    return this;
  }

  /** Commits what has been collected so far. Throws a {@link TransactionError} if one operation fails: then none has happened. */
  async commit(options: RequestOptions = NO_OPTIONS): Promise<TransactionResult[]> {
    const ops = [...this.#ops]; // what is added from now on is another transaction's
    const results = await this.#commit(ops, takeRequestOptions("commit a transaction", options));
    const failedIndex = results.findIndex((result) => result.kind === "error" && result.code !== "Ok");
    if (failedIndex !== -1) throw this.#failure(ops, results, failedIndex);
    return results.map((result) => this.#resultOf(result));
  }

  #failure(ops: readonly MultiWriteOp[], results: readonly MultiResult[], failedIndex: number): TransactionError {
    const codes = results.map((result) => (result.kind === "error" ? result.code : "Ok"));
    const path = ops[failedIndex]?.path ?? undefined;
    return new TransactionError(
      codes[failedIndex] as ErrorCode,
      failedIndex,
      codes,
      path === undefined ? path : withoutChroot(this.#chroot, path),
    );
  }

  #resultOf(result: MultiResult): TransactionResult {
    switch (result.kind) {
      case "create":
        return { type: "create", path: withoutChroot(this.#chroot, result.path) };
      case "create2":
        return { type: "create", path: withoutChroot(this.#chroot, result.path), stat: result.stat };
      case "setData":
        return { type: "setData", stat: result.stat };
      case "delete":
        return { type: "delete" };
      default:
        return { type: "check" };
    }
  }
}
