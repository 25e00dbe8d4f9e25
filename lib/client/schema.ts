/**
 * The part of Standard Schema that is used here, so that zod, Valibot, ArkType and others fit without being known.
 */
import { argumentError, describe } from "../base/validate.ts";

/** Any schema of a library that keeps to Standard Schema, version 1. */
export interface Schema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** Holds types alone; there is never a value. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a schema makes of a value: another one, or issues. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** What is wrong with a value, and where in it. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema takes, and what it gives. */
export type SchemaInput<S extends Schema> = NonNullable<S["~standard"]["types"]>["input"];
/** The type that a schema gives. */
export type SchemaOutput<S extends Schema> = NonNullable<S["~standard"]["types"]>["output"];

/**
 * A value that its schema or codec refuses, on its way to a znode or from it. What is stored is not changed by it.
 *
 * @example
 * ```ts
 * if (error instanceof InvalidValueError) console.error(error.path, error.issues);
 * ```
 */
export class InvalidValueError extends Error {
  /** The znode's path. */
  readonly path: string;
  readonly issues: readonly SchemaIssue[];

  constructor(operation: string, path: string, issues: readonly SchemaIssue[], cause?: unknown) {
    if (!Array.isArray(issues))
      throw argumentError(
        "make an InvalidValueError",
        `issues must be an array such as [{ message: "too long" }], not ${describe(issues)}`,
      );
    const texts = issues.map(({ message, path: at }) =>
      at === undefined || at.length === 0 ? message : `${textOf(at)}: ${message}`,
    );
    super(
      `Cannot ${operation} "${path}": the value is not valid: ${texts.join("; ")}`,
      cause === undefined ? undefined : { cause },
    );
    this.name = "InvalidValueError";
    this.path = path;
    this.issues = issues;
  }
}

function textOf(path: NonNullable<SchemaIssue["path"]>): string {
  return path.map((part) => String(typeof part === "object" ? part.key : part)).join(".");
}
