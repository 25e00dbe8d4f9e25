/**
 * Error of a storage that can't be read or written: where, why, and what can be done.
 */

import { argumentError, describe } from "../base/validate.ts";

export interface StorageErrorDetail {
  /** Which file, and where in it: `/data/version-2/log.1 at offset 1234`. */
  readonly place: string;
  /** What is wrong there. */
  readonly problem: string;
  /** What a person can do about it. */
  readonly advice?: string;
  readonly cause?: unknown;
}

/** A storage that is damaged, in use, full or failing. */
export class StorageError extends Error {
  readonly place: string;
  readonly problem: string;
  readonly advice: string | null;

  constructor(detail: StorageErrorDetail) {
    if (typeof detail?.place !== "string" || typeof detail.problem !== "string")
      throw argumentError(
        "make a StorageError",
        `it takes an object such as { place: "/data/log.1", problem: "is gone" }, not ${describe(detail)}`,
      );
    const { place, problem, advice, cause } = detail;
    super(`${place}: ${problem}${advice === undefined ? "" : `. ${advice}`}`, cause === undefined ? undefined : { cause });
    this.name = "StorageError";
    this.place = place;
    this.problem = problem;
    this.advice = advice ?? null;
  }
}

/** Nothing was dropped, since what would be left is no history that a server can start from. The storage goes on as it was. */
export class NothingCutError extends StorageError {}

/** The bytes are no whole snapshot. */
export class SnapshotError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SnapshotError";
  }
}
