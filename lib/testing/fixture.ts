/**
 * Znodes as a plain object, path by path: what a test starts from, and what a server exports as JSON.
 *
 * Not here: ephemerals, which need a session, and counters, which only a dump keeps.
 */
import { isEverybody, OPEN_ACL_UNSAFE, Perms } from "../acl/perms.ts";
import { decodeBase64, encodeBase64 } from "../base/base64.ts";
import { type Data, takeCreateOptions } from "../client/arguments.ts";
import { createOp } from "../client/values.ts";
import type { MultiWriteOp } from "../model/ops.ts";
import { parentOf } from "../model/path.ts";
import type { Acl } from "../model/types.ts";
import { objectOf, oneOf, text, wholeNumber } from "../options/shape.ts";
import { ROOT, type Tree, ZOOKEEPER } from "../tree/tree.ts";
import { TTL_MAX_MS, ttlOf, type Znode } from "../tree/znode.ts";
import { ACL, DATA, takeZnodes } from "./znode_shape.ts";

/** A znode of a fixture, where its data alone doesn't say enough. */
export interface FixtureZnode {
  readonly data?: Data;
  /** Data that is no text. */
  readonly base64?: string;
  /** Default: everybody may do everything. */
  readonly acl?: readonly Acl[];
  /** Default `persistent`. */
  readonly mode?: "persistent" | "container" | "persistent_with_ttl";
  /** Milliseconds; needed by `persistent_with_ttl`. */
  readonly ttlMs?: number;
}

/** Path → data, or more. Parents that are not named are created without data. */
export type Fixture = Readonly<Record<string, Data | FixtureZnode>>;

/** Path → text, null, or more: a {@link Fixture} that is plain JSON. */
export type JsonTree = Record<string, string | null | JsonZnode>;
type JsonZnode = Omit<FixtureZnode, "data"> & { readonly data?: string | null };

const ZNODE = objectOf<FixtureZnode>(
  {
    data: DATA,
    base64: text('"AAE="'),
    acl: ACL,
    mode: oneOf(["persistent", "container", "persistent_with_ttl"]),
    ttlMs: wholeNumber(1, TTL_MAX_MS),
  },
  '{ data: "v1" }',
);

/** What creates a fixture, parents first. */
export function fixtureOps(fixture: Fixture, tree: Tree): MultiWriteOp[] {
  const wanted = takeZnodes("create the fixture", "fixture", fixture, ZNODE);
  for (const path of [...wanted.keys()]) {
    for (let up = parentOf(path); up !== ROOT && !wanted.has(up) && !tree.get(up); up = parentOf(up)) wanted.set(up, {});
  }
  return [...wanted.keys()].sort(byDepth).map((path) => creation(path, wanted.get(path)!));
}

function creation(path: string, { data, base64, acl, mode, ttlMs }: FixtureZnode): MultiWriteOp {
  if (base64 !== undefined && data !== undefined) throw new TypeError(`A fixture can't have ${path}: it has data and base64`);
  const bytes = base64 === undefined ? data : decodeBase64(base64);
  if (base64 !== undefined && bytes === null) throw new TypeError(`A fixture can't have ${path}: its base64 is none`);
  const options = { mode: mode ?? "persistent", acl: acl ?? OPEN_ACL_UNSAFE, ...(ttlMs === undefined ? {} : { ttlMs }) };
  return createOp(path, bytes, takeCreateOptions(path, options), false);
}

function byDepth(one: string, other: string): number {
  return one.split("/").length - other.split("/").length || (one < other ? -1 : 1);
}

/** The tree, but for `/zookeeper` and ephemerals. */
export function toJson(tree: Tree): JsonTree {
  const json: JsonTree = {};
  for (const path of [...tree.subtree(ROOT)].sort()) {
    const node = tree.get(path)!;
    const isOwn = path !== ROOT && path !== ZOOKEEPER && !path.startsWith(`${ZOOKEEPER}/`);
    if (isOwn && node.kind !== "ephemeral") json[path] = jsonZnode(node);
  }
  return json;
}

function jsonZnode({ data, acl, kind, owner }: Znode): string | null | JsonZnode {
  const text = data === null ? null : exactText(data);
  const isOpen = acl === null || (acl.length === 1 && acl[0]!.perms === Perms.ALL && isEverybody(acl[0]!));
  if (text !== undefined && isOpen && kind === "persistent") return text;
  return {
    ...(text === undefined ? { base64: encodeBase64(data!) } : { data: text }),
    ...(isOpen ? {} : { acl }),
    ...(kind === "container" ? { mode: "container" } : {}),
    ...(kind === "ttl" ? { mode: "persistent_with_ttl", ttlMs: ttlOf(owner) } : {}),
  };
}

const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes as text; undefined if they are none. */
function exactText(data: Uint8Array): string | undefined {
  try {
    return DECODER.decode(data);
  } catch {
    return undefined;
  }
}
