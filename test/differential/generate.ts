/**
 * Random scripts: fast-check arbitraries, so that a script which fails is shrunk to a short one.
 *
 * Few names and few versions, so that requests meet: most of what is drawn is meant to hit something. What the two servers are meant
 * to answer differently is not drawn; see the table of differences.
 */

import fc from "fast-check";
import type { CreateKind, CreateOp, GetChildrenOp, GetDataOp, MultiWriteOp, SubmittedAcl } from "../../lib/model/ops.ts";
import type { SendableOp } from "../support/ops.ts";
import type { Request, Script, Step } from "./script.ts";
import { SLOTS, SUPER_PASSWORD } from "./side.ts";

type Arbitrary<T> = fc.Arbitrary<T>;

/** Draws from the arbitraries by their weights. */
function oneOf<T>(...choices: readonly (readonly [weight: number, Arbitrary<T>])[]): Arbitrary<T> {
  return fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));
}

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

// ── paths ──

const NAMES = ["a", "b", "c"];
const ODD_PATHS = [
  ...["", "a", "a/b", "//", "~/", "~//a", "~/a/", "~/.", "~/..", "~/./a", "~/a/../b", "~/.a", "~/a.", "~/..."],
  ...[
    "~/a\0",
    "~/\u0001",
    "~/a\u001f",
    "~/\u007f",
    "~/é",
    "~/\u00a0",
    "~/\ud7ff",
    "~/\ue000",
    "~/\uf900",
    "~/\uffef",
    "~/\ufffd",
    "~/ ",
  ],
];
const BUILT_IN_PATHS = ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"];
const QUOTA_PATHS = ["", "/zookeeper_limits", "/zookeeper_stats"].flatMap((end) => [
  `/zookeeper/quota~${end}`,
  `/zookeeper/quota~/a${end}`,
]);

const name: Arbitrary<string> = fc.constantFrom(...NAMES);
const plainPath: Arbitrary<string> = oneOf<number>([6, fc.constant(1)], [5, fc.constant(2)], [1, fc.constant(3)])
  .chain((depth) => fc.array(name, { minLength: depth, maxLength: depth }))
  .map((names) => `~/${names.join("/")}`);
const numberedPath: Arbitrary<string> = fc.tuple(plainPath, fc.nat(3)).map(([path, number]) => `${path}000000000${number}`);
const path: Arbitrary<string | null> = oneOf<string | null>(
  [50, plainPath],
  [5, fc.constant("~")],
  [3, numberedPath],
  [3, fc.constantFrom(...QUOTA_PATHS)],
  [3, fc.constantFrom(...ODD_PATHS)],
  [1, fc.constantFrom(...BUILT_IN_PATHS)],
  [1, fc.constant(null)],
);
const anyPath: Arbitrary<string> = path.filter((it) => it !== null);

function listsOf(element: Arbitrary<string | null>): Arbitrary<readonly (string | null)[] | null> {
  return oneOf<readonly (string | null)[] | null>(
    [30, fc.array(oneOf<string | null>([12, plainPath], [1, element]), { maxLength: 3 })],
    [1, fc.constant(null)],
  );
}

// ── parts ──

const QUOTAS = [
  ...[
    "count=3,bytes=10",
    "count=-1,bytes=-1",
    "count=-1,bytes=-1=;byteHardLimit=6;countHardLimit=3",
    "count=2,bytes=4=;countHardLimit=2",
  ],
  ...["count=1,bytes=1=;byteHardLimit=3;extra=7", "count=0,bytes=0", "count=x", "bytes=5,count=4", ""],
];
const data: Arbitrary<Uint8Array | null> = oneOf<Uint8Array | null>(
  [8, fc.constantFrom("", "x", "xy", "four", "longer than that").map(bytes)],
  [1, fc.constant(null)],
  [1, fc.constantFrom(...QUOTAS).map(bytes)],
);
const version: Arbitrary<number> = oneOf(
  [6, fc.constant(-1)],
  [5, fc.nat(2)],
  [1, fc.constantFrom(-2, 77, 2 ** 31 - 1, -(2 ** 31))],
);

const PASSWORDS = ["u1:p1", "u2:p2", "nobody", "", ":x", "a:b:c"];
const OPEN: SubmittedAcl = { perms: 31, scheme: "world", id: "anyone" };
const IDS: readonly Omit<SubmittedAcl, "perms">[] = [
  { scheme: "world", id: "anyone" },
  { scheme: "auth", id: "" },
  { scheme: "digest", id: "u1:fpT/y03U+EjItKZOSLGvjnJlyng=" },
  { scheme: "digest", id: "u2:x" },
  { scheme: "ip", id: "127.0.0.1" },
  { scheme: "ip", id: "127.9.9.9/8" },
  { scheme: "ip", id: "10.0.0.1" },
];
const BAD_IDS: readonly Omit<SubmittedAcl, "perms">[] = [
  ...[null, "", "anybody"].map((id) => ({ scheme: "world", id })),
  ...[null, "", ":", "u:", ":p", "a:b:c"].map((id) => ({ scheme: "digest", id })),
  ...[null, "", "::1", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "256.1.1.1", "1.2.3.4/0"].map((id) => ({ scheme: "ip", id })),
  ...["auth", "super", "sasl", "x509", "Digest", "none", "", null].map((scheme) => ({ scheme, id: "a" })),
  { scheme: null, id: null },
];
const perms: Arbitrary<number> = oneOf([2, fc.constant(31)], [8, fc.nat(31)], [1, fc.constantFrom(0, 32, -1)]);
const aclEntry: Arbitrary<SubmittedAcl> = fc
  .tuple(perms, oneOf([10, fc.constantFrom(...IDS)], [1, fc.constantFrom(...BAD_IDS)]))
  .map(([bits, id]) => ({ perms: bits, ...id }));
const isWhole = ({ scheme, id }: SubmittedAcl): boolean => scheme !== null && id !== null;
const acl: Arbitrary<readonly SubmittedAcl[] | null> = oneOf<readonly SubmittedAcl[] | null>(
  [10, fc.constant([OPEN])],
  // Behind another with the same permissions, what is missing makes the whole request unreadable to 3.8.0.
  [6, fc.array(aclEntry, { minLength: 1, maxLength: 3 }).map((list) => list.filter((it, at) => at === 0 || isWhole(it)))],
  [1, fc.constantFrom<readonly SubmittedAcl[] | null>(null, [])],
);

// ── writes ──

const CREATE_KINDS: readonly CreateKind[] = ["create", "create2", "createContainer", "createTTL"];
const OWN_FLAGS = { create: [0, 0, 1, 2, 3], create2: [0, 0, 1, 2, 3], createContainer: [4], createTTL: [5, 6] };
const ttl: Arbitrary<number> = oneOf([6, fc.constantFrom(1, 60_000)], [1, fc.constantFrom(0, -1, -5, 2 ** 40 - 1, 2 ** 40)]);

const create: Arbitrary<MultiWriteOp> = oneOf(
  [5, fc.constantFrom<CreateKind>("create", "create2")],
  [1, fc.constantFrom(...CREATE_KINDS)],
).chain((kind) =>
  fc
    .record({
      path,
      data,
      acl,
      flags: oneOf([12, fc.constantFrom(...OWN_FLAGS[kind])], [1, fc.integer({ min: -1, max: 7 })]),
      ttl,
    })
    .map((op) => ({ kind, ...op, flags: flagsOf(op), ttl: ttlOf(kind, op) })),
);

/** A session's ephemerals go in no particular order: what a quota counts would depend on when its own znodes go. */
function flagsOf({ path, flags }: Pick<CreateOp, "path" | "flags">): number {
  return path?.startsWith("/zookeeper/quota") && (flags === 1 || flags === 3) ? flags - 1 : flags;
}

/** Flags that name no TTL, with a TTL below zero, end the process of 3.8.0. */
function ttlOf(kind: CreateKind, { flags, ttl }: Pick<CreateOp, "flags" | "ttl">): number {
  return kind === "createTTL" && flags < 5 ? Math.abs(ttl) : ttl;
}

const deletion: Arbitrary<MultiWriteOp> = fc.record({ kind: fc.constant("delete"), path, version });
// Usage that can't be read ends the process of 3.8.0 with the next change.
const setData: Arbitrary<MultiWriteOp> = fc
  .record({ path, data, version })
  .map((op) => ({ kind: "setData", ...op, data: op.path?.endsWith("_stats") ? bytes("count=4") : op.data }));
const check: Arbitrary<MultiWriteOp> = fc.record({ kind: fc.constant("check"), path, version });
const setAcl: Arbitrary<SendableOp> = fc.record({ kind: fc.constant("setACL"), path, acl, version });
/** One that holds is never answered by 3.8.0. */
const failingCheck: Arbitrary<SendableOp> = fc.record({ kind: fc.constant("check"), path, version: fc.constant(4242) });

const subOp: Arbitrary<MultiWriteOp> = oneOf<MultiWriteOp>(
  [20, create],
  [15, deletion],
  [15, setData],
  [15, check],
  // What may not stand there.
  [1, oneOf([1, setAcl], [1, fc.record({ kind: fc.constant("exists"), path, watch: fc.boolean() })]) as Arbitrary<never>],
);
const multi: Arbitrary<SendableOp> = oneOf([4, fc.array(subOp, { maxLength: 2 })], [1, fc.array(subOp, { maxLength: 6 })]).map(
  (ops) => ({ kind: "multi", ops }),
);

// ── reads and watches ──

const read: Arbitrary<SendableOp> = fc.record({
  kind: fc.constantFrom("exists", "getData", "getChildren", "getChildren2"),
  path,
  watch: fc.boolean(),
});
const pathOnly: Arbitrary<SendableOp> = fc.record({ kind: fc.constantFrom("getACL", "getAllChildrenNumber", "sync"), path });
const getEphemerals: Arbitrary<SendableOp> = fc.record({
  kind: fc.constant("getEphemerals"),
  prefixPath: oneOf<string | null>([4, path], [1, fc.constantFrom("/", "", " ", "~/a0")]),
});
const multiRead: Arbitrary<SendableOp> = fc
  .array(
    oneOf<GetDataOp | GetChildrenOp>(
      [12, read.filter(({ kind }) => kind === "getData" || kind === "getChildren") as Arbitrary<GetDataOp | GetChildrenOp>],
      [1, oneOf([1, read], [1, setData]) as Arbitrary<never>],
    ),
    { maxLength: 4 },
  )
  // Refused for a null path, 3.8.0 adds the results of what stands before it.
  .map((ops) => ({
    kind: "multiRead",
    ops: ops.slice(
      Math.max(
        0,
        ops.findIndex((it) => it.path === null),
      ),
    ),
  }));
// A null path, which 3.8.0 registers although nothing ever happens there, is not drawn.
const addWatch: Arbitrary<SendableOp> = fc.record({
  kind: fc.constant("addWatch"),
  path: anyPath,
  mode: oneOf([12, fc.nat(1)], [1, fc.constantFrom(-1, 2)]),
});
// What becomes of a relative path depends in 3.8.0 on whether anybody has a recursive watch.
const watchType: Arbitrary<SendableOp> = fc.record({
  kind: fc.constantFrom("removeWatches", "checkWatches"),
  path: path.filter((it) => it !== "a/b"),
  type: oneOf([9, fc.integer({ min: 1, max: 3 })], [1, fc.constantFrom(0, 4, 5, 6, -1)]),
});
const setWatches: Arbitrary<SendableOp> = fc
  .record({
    kind: fc.constantFrom("setWatches", "setWatches2"),
    relativeZxid: oneOf([4, fc.integer({ min: -20, max: 0 })], [1, fc.constant(2 ** 40)]).map(BigInt),
    dataWatches: listsOf(path),
    existWatches: listsOf(path),
    childWatches: listsOf(path),
    persistentWatches: listsOf(anyPath),
    persistentRecursiveWatches: listsOf(anyPath),
  })
  .map((op) => (op.kind === "setWatches" ? { ...op, persistentWatches: [], persistentRecursiveWatches: [] } : op));

// ── the rest ──

const bare: Arbitrary<SendableOp> = fc.record({ kind: fc.constantFrom("ping", "whoAmI") });
const auth: Arbitrary<SendableOp> = fc.record({
  kind: fc.constant("auth"),
  scheme: oneOf<string | null>(
    [20, fc.constant("digest")],
    [1, fc.constantFrom("ip", "world", "sasl", "x509", "auth", "super", "", null)],
  ),
  auth: oneOf<Uint8Array | null>([12, fc.constantFrom(...PASSWORDS, SUPER_PASSWORD).map(bytes)], [1, fc.constant(null)]),
});
const reconfig: Arbitrary<SendableOp> = fc.record({
  kind: fc.constant("reconfig"),
  joiningServers: fc.constantFrom(null, "", "server.1=127.0.0.1:1:2;3"),
  leavingServers: fc.constantFrom(null, "1"),
  newMembers: fc.constant(null),
  curConfigId: fc.constant(0n),
});
const foreign: Arbitrary<SendableOp> = oneOf<SendableOp>(
  [1, fc.record({ kind: fc.constant("deleteContainer"), path })],
  [1, fc.record({ kind: fc.constant("sasl"), token: data })],
  // A client's createSession (-10) is half carried out by 3.8.0.
  [2, fc.record({ kind: fc.constant("unknown"), opcode: fc.constantFrom(-1, 0, 10, 23, 99, 108, 1000, -12, 2 ** 31 - 1) })],
);

const op: Arbitrary<SendableOp> = oneOf<SendableOp>(
  [24, create],
  [7, deletion],
  [12, setData],
  [6, setAcl],
  [2, failingCheck],
  [12, multi],
  [24, read],
  [9, pathOnly],
  [2, getEphemerals],
  [3, multiRead],
  [8, addWatch],
  [5, watchType],
  [4, setWatches],
  [3, bare],
  [3, auth],
  [1, reconfig],
  [1, foreign],
);
const request: Arbitrary<Request> = oneOf<Request>(
  [40, op.map((it) => ({ op: it }))],
  [1, fc.record({ op, xid: fc.constantFrom(0, -8, -4, -7, 1, 2 ** 31 - 1, -(2 ** 31)) })],
  [1, fc.record({ op, bytes: oneOf([1, fc.integer({ min: 1, max: 8 })], [2, fc.integer({ min: -16, max: -1 })]) })],
);

// ── steps ──

const slot: Arbitrary<number> = fc.nat(SLOTS - 1);
const ask: Arbitrary<Step> = fc.record({
  kind: fc.constant("ask"),
  slot,
  requests: fc.array(request, { minLength: 1, maxLength: 8, size: "max" }),
});

/** Limits on a subtree, with the znodes around them: drawn one by one they would never meet. */
const quota: Arbitrary<Step> = fc
  .record({ slot, target: fc.constantFrom("~", "~/a", "~/b", "~/a/b"), limits: fc.constantFrom(...QUOTAS) })
  .map(({ slot, target, limits }) => {
    const names = target.split("/");
    const above = names.map((_, at) => `/zookeeper/quota${names.slice(0, at + 1).join("/")}`);
    const nodes = [
      ...above.map((it) => [it, ""]),
      [`${above.at(-1)}/zookeeper_limits`, limits],
      [`${above.at(-1)}/zookeeper_stats`, "count=0,bytes=0"],
    ];
    const requests = nodes.map(([it, text]) => ({
      op: { kind: "create" as const, path: it!, data: bytes(text!), acl: [OPEN], flags: 0, ttl: 0 },
    }));
    return { kind: "ask", slot, requests };
  });

const attach: Arbitrary<Step> = fc
  .record({
    slot,
    former: fc.constantFrom("cut" as const, "left" as const),
    timeOut: fc.constantFrom(30_000, 59_999, 60_001, 2 ** 31 - 1),
    passwd: oneOf(
      [8, fc.constant("right" as const)],
      [1, fc.constantFrom("wrong" as const, "short" as const, "null" as const)],
    ),
    lastZxidSeen: oneOf([8, fc.constantFrom("none" as const, "now" as const)], [1, fc.constant("ahead" as const)]),
    short: oneOf([8, fc.constant(false)], [1, fc.constant(true)]),
  })
  // What becomes of the former connection when the new one is refused is meant to be different.
  .map((it) => ({ kind: "attach", ...it, former: it.passwd === "right" && it.lastZxidSeen !== "ahead" ? it.former : "cut" }));
const expire: Arbitrary<Step> = fc.record({
  kind: fc.constant("expire"),
  slot,
  timeOut: fc.constantFrom(-1, 0, 1, 200),
  connected: fc.boolean(),
});

const step: Arbitrary<Step> = oneOf<Step>(
  [60, ask],
  [3, quota],
  [4, fc.record({ kind: fc.constant("close"), slot })],
  [2, fc.record({ kind: fc.constant("drop"), slot })],
  [3, attach],
  [1, expire],
);

/** A script of up to `steps` steps. */
export function scripts(steps: number): Arbitrary<Script> {
  return fc.array(step, { minLength: 1, maxLength: steps, size: "max" });
}
