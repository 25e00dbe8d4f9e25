/**
 * Schema of the settings of `open()`: the values that each may have.
 *
 * Not here: meanings and defaults (options.ts).
 */
import { z } from "zod";
import { DIGEST_ALGORITHMS } from "../acl/digest_algorithms.ts";
import { describe, nearestName } from "../base/validate.ts";
import { COMPAT_VERSIONS } from "../model/compat.ts";
import { FRAME_BYTES_EXTRA_MIN } from "../model/txn_size.ts";
import type { OpenSettings } from "./options.ts";

/** What Java's int holds, and so what zoo.cfg may say. */
const INT_MAX = 2 ** 31 - 1;
const BYTES_MAX = 2 ** 30;
const milliseconds = (): z.ZodNumber => z.number().int().min(1).max(INT_MAX);
const count = (most: number): z.ZodNumber => z.number().int().min(0).max(most);
const atLeastOne = (): z.ZodNumber => z.number().int().min(1).max(INT_MAX);
const bytes = (): z.ZodNumber => z.number().int().min(1024).max(BYTES_MAX);

const aclSchema = z.strictObject({
  skip: z.boolean().optional(),
  superDigest: z.string().nullable().optional(),
  digestEnabled: z.boolean().optional(),
  digestAlg: z.enum(DIGEST_ALGORITHMS).optional(),
  ensembleAuthNames: z.array(z.string()).readonly().nullable().optional(),
  saslRegistered: z.boolean().optional(),
  superUsers: z.array(z.string()).readonly().optional(),
  letAnySaslUserDoX: z.string().nullable().optional(),
  x509Registered: z.boolean().optional(),
  x509SuperUser: z.string().nullable().optional(),
});

const saslSchema = z.strictObject({
  users: z.record(z.string().min(1), z.string()).optional(),
  allowFailedClients: z.boolean().optional(),
});

const limitsSchema = z.strictObject({
  frameBytesMax: z.number().int().min(1).max(BYTES_MAX).optional(),
  frameBytesExtra: z.number().int().min(FRAME_BYTES_EXTRA_MIN).max(BYTES_MAX).optional(),
  ephemeralBytesMax: count(Number.MAX_SAFE_INTEGER).optional(),
  connectionsPerAddressMax: count(INT_MAX).optional(),
  connectionsMax: count(INT_MAX).optional(),
  handshakeTimeoutMs: milliseconds().optional(),
  outstandingRequestsMax: atLeastOne().optional(),
  requestsInRowMax: atLeastOne().optional(),
  requestsInRowMs: milliseconds().optional(),
  waitingRequestsMax: atLeastOne().optional(),
  waitingBytesMax: bytes().optional(),
  outputBytesPause: bytes().optional(),
  outputBytesMax: bytes().optional(),
  outputStallMs: milliseconds().optional(),
  multiReadBytesMax: bytes().optional(),
});

const ratio = (): z.ZodNumber => z.number().min(0).max(1);

const throttleSchema = z.strictObject({
  requestsInProcessMax: count(INT_MAX).optional(),
  stallTimeMs: milliseconds().optional(),
  opWaitTimeMs: count(INT_MAX).optional(),
  connectionTokens: count(INT_MAX).optional(),
  connectionFillTimeMs: milliseconds().optional(),
  connectionFillCount: atLeastOne().optional(),
  connectionFreezeTimeMs: z.number().int().min(-1).max(INT_MAX).optional(),
  connectionDropIncrease: ratio().optional(),
  connectionDropDecrease: ratio().optional(),
  connectionDecreaseRatio: ratio().optional(),
  connectionWeights: z.strictObject({ global: atLeastOne(), local: atLeastOne(), renew: atLeastOne() }).nullable().optional(),
});

const reaperSchema = z.strictObject({
  intervalMs: milliseconds().optional(),
  perMinuteMax: z.number().int().min(1).max(INT_MAX).optional(),
  neverUsedMs: count(INT_MAX).optional(),
});

const snapshotsSchema = z.strictObject({
  everyTxns: z.number().int().min(2).max(INT_MAX).optional(),
  everyBytes: z.number().int().min(1024).max(Number.MAX_SAFE_INTEGER).optional(),
  trustEmpty: z.boolean().optional(),
  lastZxid: z.boolean().optional(),
});

const openSchema = z.strictObject({
  tickTimeMs: milliseconds().optional(),
  minSessionTimeoutMs: milliseconds().optional(),
  maxSessionTimeoutMs: milliseconds().optional(),
  serverId: z.number().int().min(0).max(254).optional(),
  compat: z.enum(COMPAT_VERSIONS).optional(),
  extendedTypes: z.union([z.boolean(), z.literal("3.5.3")]).optional(),
  digest: z.boolean().optional(),
  closeSessionPaths: z.boolean().optional(),
  enforceQuota: z.boolean().optional(),
  reconfigEnabled: z.boolean().optional(),
  readOnlyMode: z.boolean().optional(),
  requiredAuthSchemes: z.array(z.string()).readonly().optional(),
  localSessions: z.boolean().optional(),
  localSessionsUpgrading: z.boolean().optional(),
  sessionSecret: z.string().min(16).nullable().optional(),
  fourLetterWords: z.array(z.string()).readonly().nullable().optional(),
  acl: aclSchema.optional(),
  sasl: saslSchema.optional(),
  limits: limitsSchema.optional(),
  throttle: throttleSchema.optional(),
  reaper: reaperSchema.optional(),
  snapshots: snapshotsSchema.optional(),
});

/**
 * What is wrong with the settings, a line for each: where, and what is allowed.
 *
 * @param others options that stand beside the settings, for who misspells one of them
 */
export function problemsOf(given: OpenSettings, others: readonly string[]): string[] {
  const parsed = openSchema.safeParse(given);
  if (parsed.success) return [];
  return parsed.error.issues.map((issue) => `${issue.path.join(".") || "options"}: ${problem(issue, others)}`);
}

function problem(issue: z.core.$ZodIssue, others: readonly string[]): string {
  if (issue.code !== "unrecognized_keys") return issue.message;
  const known =
    issue.path.length === 0 ? [...Object.keys(openSchema.shape), ...others] : Object.keys(groupAt(issue.path).shape);
  return issue.keys.map((key) => unknownKey(key, known)).join(", ");
}

/** The schema of a group of settings. */
function groupAt(path: readonly PropertyKey[]): z.ZodObject {
  let schema: z.ZodType = openSchema;
  for (const name of path) {
    schema = (schema as z.ZodObject).shape[name as string] as z.ZodType;
    while (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) schema = schema.unwrap() as z.ZodType;
  }
  return schema as z.ZodObject;
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearestName(key, known);
  return `there is no ${describe(key)}; ${near === null ? `there are ${known.join(", ")}` : `"${near}" is probably meant`}`;
}
