/**
 * Options of a kernel. Plain data, complete: defaults and validation are `open()`'s (lib/options/options.ts).
 */
import type { AclOptions } from "../acl/schemes.ts";
import type { Behaviour } from "../model/compat.ts";
import type { ExtendedTypes } from "../tree/znode.ts";

export interface KernelOptions {
  /** Highest byte of the session ids issued here: 1 for a standalone server. */
  readonly serverId: number;
  /** Granularity of session expiry, milliseconds. */
  readonly tickTimeMs: number;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  /** Which version of ZooKeeper to behave like. */
  readonly behaviour: Behaviour;
  readonly acl: AclOptions;
  /** TTL znodes are allowed. */
  readonly extendedTypes: ExtendedTypes;
  /** closeSession txns name the ephemerals they delete, as since 3.6. */
  readonly closeSessionPaths: boolean;
  /** Hard quotas are enforced, not just counted. */
  readonly enforceQuota: boolean;
  readonly reconfigEnabled: boolean;
  /** Longest txn that is made, with its header. */
  readonly txnBytesMax: number;
  /** Bytes of the paths of one session's ephemerals; 0: any number. */
  readonly ephemeralBytesMax: number;
  /** Without an identity of one of these schemes nothing but auth and sasl is answered; empty: no such rule. */
  readonly requiredAuthSchemes: readonly string[];
  /** Sessions live on this member alone: no txn, and no ephemerals. */
  readonly localSessions: boolean;
  /** A local session's first ephemeral makes it an ordinary one. */
  readonly localSessionsUpgrading: boolean;
  /** What session passwords are made of; null: of the session's id alone, as Apache's are. */
  readonly sessionSecret: string | null;
  /** How often the reaper looks for empty containers and expired TTL znodes, milliseconds. */
  readonly reapIntervalMs: number;
  /** How many znodes the reaper removes a minute at most. */
  readonly reapsPerMinuteMax: number;
  /** A container that never had a child is removed after this time, milliseconds; 0: never. */
  readonly containerNeverUsedMs: number;
  /** Most bytes of data and names that the answer to a multiRead may hold. */
  readonly multiReadBytesMax: number;
}
