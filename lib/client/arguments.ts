/**
 * Arguments of a client handle: one check for each kind, and a copy of what passes, so that a caller who changes it later changes nothing here.
 *
 * A value of the wrong JavaScript type is a TypeError, and so is a number that doesn't fit the wire. All else is ZooKeeper's to decide; where no
 * request is needed for that, the answer is a {@link ZkError} with its code.
 *
 * Not here: paths and ops (values.ts). Invariant: of what a caller hands in each part is looked at once, and nothing of it is kept.
 */
import { CREATOR_ALL_ACL, OPEN_ACL_UNSAFE, READ_ACL_UNSAFE } from "../acl/perms.ts";
import { bytesOf } from "../base/bytes.ts";
import type { AbortSignal } from "../base/platform_types.ts";
import { Slab } from "../base/slab.ts";
import {
  argumentError,
  checkBoolean,
  checkFunction,
  checkOneOf,
  checkOptions,
  checkSignal,
  checkString,
  checkWholeNumber,
  describe,
  nearestName,
} from "../base/validate.ts";
import { ZkError } from "../model/errors.ts";
import type { Acl, AddWatchMode, CreateMode } from "../model/types.ts";
import type { CloseOptions, RemoveWatchesOptions, RequestOptions, VersionOptions, WatchOptions } from "./options.ts";
import type { Watcher, WatchKind } from "./watchers.ts";

/** Data of a znode: bytes in any buffer or view of one, a string (its UTF-8 bytes), or null, which ZooKeeper keeps apart from no bytes. */
export type Data = ArrayBufferLike | ArrayBufferView | string | null;

/** What `create` may be told. */
export interface CreateOptions {
  /** Default `persistent`. */
  readonly mode?: CreateMode | undefined;
  /** Who may do what; default everybody everything. */
  readonly acl?: readonly Acl[] | undefined;
  /** Time to live in milliseconds, a whole number from 1 to 2⁴⁰ − 1; needed by the modes with a TTL, and by no other. */
  readonly ttlMs?: number | undefined;
}

/** The same, checked. */
export interface CheckedCreateOptions {
  readonly mode: CreateMode;
  readonly acl: readonly Acl[];
  readonly ttlMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Stands for options that are left out: known again without being looked at. */
export const NO_OPTIONS: Record<never, never> = Object.freeze({});

const INT_MIN = -(2 ** 31);
const INT_MAX = 2 ** 31 - 1;
const ANY_VERSION = -1;

// ── options ──

const REQUEST_KEYS = ["signal"] as const;
const VERSION_KEYS = ["version", "signal"] as const;
const WATCH_KEYS = ["watch", "signal"] as const;
const MODE_KEYS = ["mode", "signal"] as const;
const REMOVE_WATCHES_KEYS = ["kind", "local", "signal"] as const;
const WATCH_KINDS: readonly WatchKind[] = ["data", "children", "persistent", "persistent_recursive", "any"];
/** Of one operation in a transaction, which can't be given up alone. */
const OPERATION_VERSION_KEYS = ["version"] as const;
const OPERATION_CREATE_KEYS = ["mode", "acl", "ttlMs"] as const;
const CREATE_KEYS = [...OPERATION_CREATE_KEYS, "signal"] as const;

export function takeSignal(action: string, signal: unknown): AbortSignal | undefined {
  if (signal !== undefined) checkSignal(action, signal);
  return signal;
}

/** The signal of options that hold nothing else. */
export function takeRequestOptions(action: string, options: RequestOptions): AbortSignal | undefined {
  if (options === NO_OPTIONS) return undefined;
  checkOptions(action, options, REQUEST_KEYS, "{ signal }");
  return takeSignal(action, options.signal);
}

const CLOSE_KEYS = ["timeoutMs", "signal"] as const;
/** As long as a timer can be. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

export function takeCloseOptions(options: CloseOptions): CloseOptions {
  if (options === NO_OPTIONS) return NO_OPTIONS;
  checkOptions("close", options, CLOSE_KEYS, "{ timeoutMs: 1000 }");
  const { timeoutMs, signal } = options;
  if (timeoutMs !== undefined) checkWholeNumber("close", "timeoutMs", timeoutMs, 0, TIMEOUT_MS_MAX);
  return { timeoutMs, signal: takeSignal("close", signal) };
}

const ANY: { readonly version: number; readonly signal: AbortSignal | undefined } = { version: ANY_VERSION, signal: undefined };

export function takeVersionOptions(action: string, options: VersionOptions): typeof ANY {
  if (options === NO_OPTIONS) return ANY;
  checkOptions(action, options, VERSION_KEYS, "{ version: 7 }");
  return { version: takeVersion(action, options.version), signal: takeSignal(action, options.signal) };
}

/** The version that one operation of a transaction asks for. */
export function takeOperationVersion(action: string, options: { readonly version?: number | undefined }): number {
  if (options === NO_OPTIONS) return ANY_VERSION;
  checkOptions(action, options, OPERATION_VERSION_KEYS, "{ version: 7 }");
  return takeVersion(action, options.version);
}

function takeVersion(action: string, version: unknown): number {
  if (version === undefined) return ANY_VERSION;
  checkWholeNumber(action, "version", version, INT_MIN, INT_MAX);
  return version;
}

const NO_WATCH: { readonly watch: Watcher | undefined; readonly signal: AbortSignal | undefined } = {
  watch: undefined,
  signal: undefined,
};

export function takeWatchOptions(action: string, options: WatchOptions): typeof NO_WATCH {
  if (options === NO_OPTIONS) return NO_WATCH;
  checkOptions(action, options, WATCH_KEYS, "{ watch: (event) => console.log(event) }");
  const { watch, signal } = options;
  if (watch !== undefined) checkFunction(action, "watch", watch, "(event) => console.log(event)");
  return { watch, signal: takeSignal(action, signal) };
}

export function takeRemoveWatchesOptions(
  action: string,
  options: RemoveWatchesOptions,
): { readonly kind: WatchKind; readonly local: boolean; readonly signal: AbortSignal | undefined } {
  if (options === NO_OPTIONS) return { kind: "any", local: false, signal: undefined };
  checkOptions(action, options, REMOVE_WATCHES_KEYS, '{ kind: "data" }');
  const { kind = "any", local = false, signal } = options;
  checkOneOf(action, "kind", kind, WATCH_KINDS);
  checkBoolean(action, "local", local);
  return { kind, local, signal: takeSignal(action, signal) };
}

export function takeWatcher(action: string, watcher: unknown): Watcher {
  checkFunction(action, "watcher", watcher, "(event) => console.log(event)");
  return watcher;
}

export function takeModeOptions(
  action: string,
  path: string,
  options: { readonly mode?: AddWatchMode | undefined } & RequestOptions,
): { readonly mode: AddWatchMode; readonly signal: AbortSignal | undefined } {
  checkOptions(action, options, MODE_KEYS, '{ mode: "persistent_recursive" }');
  return { mode: takeWatchMode(action, path, options.mode), signal: takeSignal(action, options.signal) };
}

/** Default `persistent`. */
export function takeWatchMode(action: string, path: string, mode: unknown): AddWatchMode {
  return mode === undefined ? "persistent" : takeName(action, path, mode, WATCH_MODES);
}

const WATCH_MODES: readonly AddWatchMode[] = ["persistent", "persistent_recursive"];

const PERSISTENT: CheckedCreateOptions = { mode: "persistent", acl: OPEN_ACL_UNSAFE, ttlMs: undefined, signal: undefined };

export function takeCreateOptions(path: string, options: CreateOptions & RequestOptions): CheckedCreateOptions {
  return options === NO_OPTIONS ? PERSISTENT : checkedCreateOptions(path, options, CREATE_KEYS);
}

/** The options of a create in a transaction. */
export function takeOperationCreateOptions(path: string, options: CreateOptions): CheckedCreateOptions {
  return options === NO_OPTIONS ? PERSISTENT : checkedCreateOptions(path, options, OPERATION_CREATE_KEYS);
}

function checkedCreateOptions(
  path: string,
  options: CreateOptions & RequestOptions,
  keys: readonly string[],
): CheckedCreateOptions {
  checkString("create", "path", path, '"/a"');
  checkOptions("create", options, keys, '{ mode: "ephemeral" }');
  const { mode: givenMode, acl: givenAcl, ttlMs, signal } = options;
  const mode = givenMode === undefined ? "persistent" : takeName("create", path, givenMode, CREATE_MODES);
  const needsTtl = mode.endsWith("_with_ttl");
  if (needsTtl !== (ttlMs !== undefined)) {
    const reason = needsTtl ? `mode "${mode}" needs ttlMs` : `mode "${mode}" takes no ttlMs`;
    throw new ZkError("BadArguments", { operation: "create", path, reason });
  }
  if (ttlMs !== undefined && !Number.isSafeInteger(ttlMs))
    throw argumentError("create", `ttlMs must be a whole number of milliseconds from 1 to 2⁴⁰ − 1, not ${describe(ttlMs)}`);
  const acl = givenAcl === undefined ? OPEN_ACL_UNSAFE : takeAcl("create", path, givenAcl);
  return { mode, acl, ttlMs, signal: takeSignal("create", signal) };
}

const CREATE_MODES: readonly CreateMode[] = [
  "persistent",
  "ephemeral",
  "persistent_sequential",
  "ephemeral_sequential",
  "container",
  "persistent_with_ttl",
  "persistent_sequential_with_ttl",
];

/** A mode; another text than one of the names is ZooKeeper's BadArguments. */
function takeName<Name extends string>(action: string, path: string, mode: unknown, names: readonly Name[]): Name {
  if (typeof mode !== "string")
    throw argumentError(action, `mode must be a string such as "${names[0]}", not ${describe(mode)}`);
  const name = names.find((one) => one === mode);
  if (name !== undefined) return name;
  const near = nearestName(mode, names);
  const hint = near === null ? `there are ${names.join(", ")}` : `"${near}" is probably meant`;
  throw new ZkError("BadArguments", { operation: action, path, reason: `there is no mode ${describe(mode)}; ${hint}` });
}

// ── data ──

const UTF8 = new TextEncoder();
/** What callers hand in is kept by a server in this process, much of it for long. */
const kept = new Slab(16 * 1024);

/** The bytes, as a copy. */
export function takeData(action: string, data: unknown): Uint8Array | null {
  if (data === null) return null;
  const bytes = takeBytes(data);
  if (bytes !== null) return bytes;
  throw argumentError(action, `data must be bytes such as a Uint8Array, a string, or null for none, not ${describe(data)}`);
}

/** What proves an identity. It may be a secret, so that a message tells its type alone. */
export function takeAuth(action: string, auth: unknown): Uint8Array {
  const bytes = auth === null ? new Uint8Array(0) : takeBytes(auth);
  if (bytes !== null) return bytes;
  throw argumentError(
    action,
    `auth must be a string such as "user:password", bytes, or null for none, not a value of type ${typeof auth}`,
  );
}

function takeBytes(data: unknown): Uint8Array | null {
  const bytes = typeof data === "string" ? UTF8.encode(data) : bytesOf(data);
  return bytes === null ? null : kept.copyOf(bytes);
}

// ── access control lists ──

const OWN_LISTS: readonly unknown[] = [OPEN_ACL_UNSAFE, READ_ACL_UNSAFE, CREATOR_ALL_ACL];
const LIST_EXAMPLE = '[{ perms: Perms.ALL, scheme: "world", id: "anyone" }]';
const ENTRY_EXAMPLE = '{ perms: Perms.READ, scheme: "digest", id: "user:hash" }';
const PERMS_EXAMPLE = "Perms.READ | Perms.WRITE";
/** Half of a character: text that UTF-8 has no form for. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** The list, as a copy. Which schemes and ids there are, is the server's to know. */
export function takeAcl(action: string, path: string, acl: unknown): readonly Acl[] {
  if (OWN_LISTS.includes(acl)) return acl as readonly Acl[]; // frozen
  if (!Array.isArray(acl)) throw argumentError(action, `acl must be an array such as ${LIST_EXAMPLE}, not ${describe(acl)}`);
  const { length } = acl;
  const list: Acl[] = [];
  for (let at = 0; at < length; at++) list.push(takeEntry(action, path, acl[at], at));
  return list;
}

function takeEntry(action: string, path: string, entry: unknown, at: number): Acl {
  if (typeof entry !== "object" || entry === null)
    throw argumentError(action, `acl[${at}] must be an object such as ${ENTRY_EXAMPLE}, not ${describe(entry)}`);
  const { perms, scheme, id } = entry as Record<keyof Acl, unknown>;
  if (!(Number.isInteger(perms) && (perms as number) >= INT_MIN && (perms as number) <= INT_MAX))
    throw argumentError(action, `acl[${at}].perms must be a number such as ${PERMS_EXAMPLE}, not ${describe(perms)}`);
  if (typeof scheme !== "string")
    throw argumentError(action, `acl[${at}].scheme must be a string such as "digest", not ${describe(scheme)}`);
  if (typeof id !== "string")
    throw argumentError(action, `acl[${at}].id must be a string such as "user:hash", not ${describe(id)}`);
  if (LONE_SURROGATE.test(id) || LONE_SURROGATE.test(scheme))
    throw new ZkError("InvalidACL", { operation: action, path, reason: `acl[${at}] has half of a surrogate pair` });
  return { perms: perms as number, scheme, id };
}
