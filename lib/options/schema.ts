/**
 * Schema of the settings of `open()`: the values that each may have.
 *
 * Not here: meanings and defaults (options.ts).
 */
import * as z from "zod/mini"; // as a namespace, so that bundlers leave out what is not used
import { DIGEST_ALGORITHMS } from "../acl/digest_algorithms.ts";
import { describe, nearestName } from "../base/validate.ts";
import { COMPAT_VERSIONS } from "../model/compat.ts";
import { FRAME_BYTES_EXTRA_MIN } from "../model/txn_size.ts";
import type { OpenSettings } from "./options.ts";

/** What Java's int holds, and so what zoo.cfg may say. */
const INT_MAX = 2 ** 31 - 1;
const BYTES_MAX = 2 ** 30;

const whole = (least: number, most: number): z.ZodMiniNumber => z.int().check(z.gte(least), z.lte(most));
const count = (most: number): z.ZodMiniNumber => whole(0, most);
const milliseconds = (): z.ZodMiniNumber => whole(1, INT_MAX);
const atLeastOne = (): z.ZodMiniNumber => whole(1, INT_MAX);
const bytes = (): z.ZodMiniNumber => whole(1024, BYTES_MAX);
const texts = (): z.ZodMiniArray<z.ZodMiniString> => z.array(z.string());

const aclSchema = z.strictObject({
  skip: z.optional(z.boolean()),
  superDigest: z.optional(z.nullable(z.string())),
  digestEnabled: z.optional(z.boolean()),
  digestAlg: z.optional(z.literal(DIGEST_ALGORITHMS)),
  ensembleAuthNames: z.optional(z.nullable(texts())),
  saslRegistered: z.optional(z.boolean()),
  superUsers: z.optional(texts()),
  letAnySaslUserDoX: z.optional(z.nullable(z.string())),
  x509Registered: z.optional(z.boolean()),
  x509SuperUser: z.optional(z.nullable(z.string())),
});

const saslSchema = z.strictObject({
  users: z.optional(z.record(z.string().check(z.minLength(1)), z.string())),
  allowFailedClients: z.optional(z.boolean()),
});

const limitsSchema = z.strictObject({
  frameBytesMax: z.optional(whole(1, BYTES_MAX)),
  frameBytesExtra: z.optional(whole(FRAME_BYTES_EXTRA_MIN, BYTES_MAX)),
  ephemeralBytesMax: z.optional(count(Number.MAX_SAFE_INTEGER)),
  connectionsPerAddressMax: z.optional(count(INT_MAX)),
  connectionsMax: z.optional(count(INT_MAX)),
  handshakeTimeoutMs: z.optional(milliseconds()),
  outstandingRequestsMax: z.optional(atLeastOne()),
  requestsInRowMax: z.optional(atLeastOne()),
  requestsInRowMs: z.optional(milliseconds()),
  waitingRequestsMax: z.optional(atLeastOne()),
  waitingBytesMax: z.optional(bytes()),
  outputBytesPause: z.optional(bytes()),
  outputBytesMax: z.optional(bytes()),
  outputStallMs: z.optional(milliseconds()),
  multiReadBytesMax: z.optional(bytes()),
});

const ratio = (): z.ZodMiniNumber => z.number().check(z.gte(0), z.lte(1));

const throttleSchema = z.strictObject({
  requestsInProcessMax: z.optional(count(INT_MAX)),
  stallTimeMs: z.optional(milliseconds()),
  opWaitTimeMs: z.optional(count(INT_MAX)),
  connectionTokens: z.optional(count(INT_MAX)),
  connectionFillTimeMs: z.optional(milliseconds()),
  connectionFillCount: z.optional(atLeastOne()),
  connectionFreezeTimeMs: z.optional(whole(-1, INT_MAX)),
  connectionDropIncrease: z.optional(ratio()),
  connectionDropDecrease: z.optional(ratio()),
  connectionDecreaseRatio: z.optional(ratio()),
  connectionWeights: z.optional(z.nullable(z.strictObject({ global: atLeastOne(), local: atLeastOne(), renew: atLeastOne() }))),
});

const reaperSchema = z.strictObject({
  intervalMs: z.optional(milliseconds()),
  perMinuteMax: z.optional(whole(1, INT_MAX)),
  neverUsedMs: z.optional(count(INT_MAX)),
});

const snapshotsSchema = z.strictObject({
  everyTxns: z.optional(whole(2, INT_MAX)),
  everyBytes: z.optional(whole(1024, Number.MAX_SAFE_INTEGER)),
  trustEmpty: z.optional(z.boolean()),
  lastZxid: z.optional(z.boolean()),
});

const openSchema = z.strictObject({
  tickTimeMs: z.optional(milliseconds()),
  minSessionTimeoutMs: z.optional(milliseconds()),
  maxSessionTimeoutMs: z.optional(milliseconds()),
  serverId: z.optional(whole(0, 254)),
  compat: z.optional(z.literal(COMPAT_VERSIONS)),
  extendedTypes: z.optional(z.literal([true, false, "3.5.3"])),
  digest: z.optional(z.boolean()),
  closeSessionPaths: z.optional(z.boolean()),
  enforceQuota: z.optional(z.boolean()),
  reconfigEnabled: z.optional(z.boolean()),
  readOnlyMode: z.optional(z.boolean()),
  requiredAuthSchemes: z.optional(texts()),
  localSessions: z.optional(z.boolean()),
  localSessionsUpgrading: z.optional(z.boolean()),
  sessionSecret: z.optional(z.nullable(z.string().check(z.minLength(16)))),
  fourLetterWords: z.optional(z.nullable(texts())),
  acl: z.optional(aclSchema),
  sasl: z.optional(saslSchema),
  limits: z.optional(limitsSchema),
  throttle: z.optional(throttleSchema),
  reaper: z.optional(reaperSchema),
  snapshots: z.optional(snapshotsSchema),
});

/**
 * What is wrong with the settings, a line for each: where, and what is allowed. A text is never repeated: it may be a password.
 *
 * @param others options that stand beside the settings, for who misspells one of them
 */
export function problemsOf(given: OpenSettings, others: readonly string[]): string[] {
  const parsed = openSchema.safeParse(given, { reportInput: true });
  if (parsed.success) return [];
  return parsed.error.issues.map((issue) => `${issue.path.join(".") || "options"}: ${problem(issue, others)}`);
}

function problem(issue: z.core.$ZodIssue, others: readonly string[]): string {
  if (issue.code !== "unrecognized_keys") return `must be ${allowed(issue)}, not ${shown(issue)}`;
  const known =
    issue.path.length === 0 ? [...Object.keys(openSchema.shape), ...others] : Object.keys(groupAt(issue.path).shape);
  return issue.keys.map((key) => unknownKey(key, known)).join(", ");
}

const TYPES: Readonly<Record<string, string>> = {
  array: "a list",
  boolean: "true or false",
  int: "a whole number",
  number: "a number",
  string: "a text",
};

function allowed(issue: z.core.$ZodIssue): string {
  const isText = "origin" in issue && issue.origin === "string";
  switch (issue.code) {
    case "invalid_type":
      return TYPES[issue.expected] ?? "an object";
    case "invalid_value":
      return issue.values.map((value) => describe(value)).join(" or ");
    case "too_small":
      return isText ? `a text of at least ${issue.minimum} characters` : `at least ${issue.minimum}`;
    case "too_big":
      return `at most ${issue.maximum}`;
    case "invalid_key":
      return "a name that is not empty";
    default:
      return "something else"; // no rule above finds anything more
  }
}

function shown({ code, input }: z.core.$ZodIssue): string {
  if (Array.isArray(input)) return "a list";
  if (typeof input !== "string" || input === "") return describe(input);
  return code === "invalid_type" ? "a text" : "this text";
}

/** The schema of a group of settings. */
function groupAt(path: readonly PropertyKey[]): z.ZodMiniObject {
  let schema: z.ZodMiniType = openSchema;
  for (const name of path) {
    schema = (schema as z.ZodMiniObject).shape[name as string] as z.ZodMiniType;
    while ("innerType" in schema.def) schema = schema.def.innerType as z.ZodMiniType;
  }
  return schema as z.ZodMiniObject;
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearestName(key, known);
  return `there is no ${describe(key)}; ${near === null ? `there are ${known.join(", ")}` : `"${near}" is probably meant`}`;
}
