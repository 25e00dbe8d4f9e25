/**
 * Opcode × error × version, as data: what each opcode can be answered, when, and in which versions of ZooKeeper.
 *
 * The README's matrix is made of this table (readme.ts), and each answer is a test in each version (answers.test.ts): a request that
 * gets it where the table says so, and what it gets elsewhere.
 *
 * An opcode that a version does not know is answered `Unimplemented` there; it isn't written down again.
 */

import type { Compat } from "../../lib/model/compat.ts";
import type { ErrorCode } from "../../lib/model/errors.ts";
import type { CreateKind, GetChildrenOp } from "../../lib/model/ops.ts";
import {
  acl,
  addWatch,
  auth,
  CLOSE_SESSION,
  check,
  checkWatches,
  create,
  deleteContainer,
  exists,
  Flags,
  getAcl,
  getAllChildrenNumber,
  getChildren,
  getData,
  getEphemerals,
  multi,
  multiRead,
  PING,
  reconfig,
  remove,
  removeWatches,
  type SendableOp,
  setAcl,
  setData,
  setWatches,
  sync,
  WHO_AM_I,
} from "../support/ops.ts";
import type { GoldenConfig } from "./servers.ts";

export interface Answer {
  readonly code: ErrorCode | "Ok";
  /** When it is given, in words. */
  readonly when: string;
  readonly ask: SendableOp;
  /** What has to be done before. */
  readonly given?: readonly SendableOp[];
  readonly config?: GoldenConfig;
  /** The first version that gives it, and the last; default the opcode's first, and 3.9. */
  readonly from?: Compat;
  readonly to?: Compat;
  /** What other versions that know the opcode answer. */
  readonly elsewhere?: ErrorCode | "Ok";
}

export interface Opcode {
  readonly name: string;
  readonly number: number;
  /** The first version that knows it; default 3.4. */
  readonly since?: Compat;
  readonly answers: readonly Answer[];
  /** Further errors that only a member of an ensemble gives: tests of ensembles hold them. */
  readonly inEnsembles?: readonly ErrorCode[];
}

// ── what there is to begin with ──

/** Nobody has this identity. */
const NOBODY = acl(31, "digest", "nobody:x");
/** Each request finds these: a znode with a child, an ephemeral, and two that are closed to it. */
export const WORLD: readonly SendableOp[] = [
  create("/a", { data: "x" }),
  create("/a/b"),
  create("/leaf"),
  create("/eph", { flags: Flags.ephemeral }),
  create("/closed"),
  create("/closed/child"),
  setAcl("/closed", [NOBODY]),
];
const QUOTA: readonly SendableOp[] = [
  create("/zookeeper/quota/a"),
  create("/zookeeper/quota/a/zookeeper_limits", { data: "count=-1,bytes=-1=;byteHardLimit=2;countHardLimit=2" }),
  create("/zookeeper/quota/a/zookeeper_stats"),
];
const ENFORCED: GoldenConfig = { enforceQuota: "true" };

// ── answers that several opcodes share ──

const NULL_PATH = "the path is null";
const noNode = (ask: SendableOp): Answer => ({ code: "NoNode", when: "there is no such znode", ask });
const noAuth = (perm: string, ask: SendableOp): Answer => ({ code: "NoAuth", when: `${perm} is not allowed`, ask });
const nonsense = (when: string, ask: SendableOp): Answer => ({ code: "MarshallingError", when, ask });
const badVersion = (ask: SendableOp): Answer => ({ code: "BadVersion", when: "the version is another", ask });
const badPath = (ask: SendableOp): Answer => ({ code: "BadArguments", when: "the path is malformed", ask });
const ok = (ask: SendableOp): Answer => ({ code: "Ok", when: "it is carried out", ask });

function creating(kind: CreateKind): Answer[] {
  const config = kind === "createTTL" ? { extendedTypesEnabled: "true" } : {};
  const answers: Answer[] = [
    ok(create("/new", { kind })),
    { code: "BadArguments", when: "the flags are unknown", ask: create("/new", { kind, flags: 7 }) },
    badPath(create("/a/", { kind })),
    nonsense(NULL_PATH, create(null, { kind })),
    { code: "InvalidACL", when: "the ACL is empty, or an entry makes no sense", ask: create("/new", { kind, acl: [] }) },
    { ...noNode(create("/none/new", { kind })), when: "there is no parent" },
    noAuth("CREATE on the parent", create("/closed/new", { kind })),
    { code: "NodeExists", when: "the znode is there", ask: create("/a", { kind }) },
    { code: "NoChildrenForEphemerals", when: "the parent is an ephemeral", ask: create("/eph/new", { kind }) },
    {
      code: "QuotaExceeded",
      when: "a hard quota would be exceeded, and quotas are enforced",
      given: QUOTA,
      config: ENFORCED,
      ask: create("/a/new", { kind }),
      from: "3.7",
      elsewhere: "Ok",
    },
  ];
  return answers.map((answer) => ({ ...answer, config: { ...config, ...answer.config } }));
}

function reading(kind: GetChildrenOp["kind"]): Answer[] {
  return [
    ok(getChildren("/a", false, kind)),
    nonsense(NULL_PATH, getChildren(null, false, kind)),
    noNode(getChildren("/none", false, kind)),
    noAuth("READ", getChildren("/closed", false, kind)),
  ];
}

// ── the table ──

export const OPCODES: readonly Opcode[] = [
  { name: "create", number: 1, answers: creating("create"), inEnsembles: ["EphemeralOnLocalSession"] },
  {
    name: "delete",
    number: 2,
    answers: [
      ok(remove("/leaf")),
      badPath(remove("none")),
      { code: "BadArguments", when: "it is a built-in znode", ask: remove("/zookeeper") },
      nonsense(NULL_PATH, remove(null)),
      noNode(remove("/none")),
      noAuth("DELETE on the parent", remove("/closed/child")),
      badVersion(remove("/leaf", 5)),
      { code: "NotEmpty", when: "the znode has children", ask: remove("/a") },
    ],
  },
  {
    name: "exists",
    number: 3,
    answers: [
      ok(exists("/a")),
      { code: "BadArguments", when: "the path holds U+0000", ask: exists("/a\0") },
      nonsense(NULL_PATH, exists(null)),
      noNode(exists("/none")),
      { ...noAuth("READ", exists("/closed")), from: "3.9", elsewhere: "Ok" },
    ],
  },
  {
    name: "getData",
    number: 4,
    answers: [
      ok(getData("/a")),
      nonsense(NULL_PATH, getData(null)),
      noNode(getData("/none")),
      noAuth("READ", getData("/closed")),
    ],
  },
  {
    name: "setData",
    number: 5,
    answers: [
      ok(setData("/a")),
      badPath(setData("/a/")),
      { code: "BadArguments", when: NULL_PATH, ask: setData(null) },
      noNode(setData("/none")),
      noAuth("WRITE", setData("/closed")),
      badVersion(setData("/a", "", 5)),
      {
        code: "QuotaExceeded",
        when: "a hard quota would be exceeded, and quotas are enforced",
        given: QUOTA,
        config: ENFORCED,
        ask: setData("/a", "xyz"),
        from: "3.7",
        elsewhere: "Ok",
      },
    ],
  },
  {
    name: "getACL",
    number: 6,
    answers: [
      ok(getAcl("/a")),
      nonsense(NULL_PATH, getAcl(null)),
      noNode(getAcl("/none")),
      noAuth("READ or ADMIN", getAcl("/closed")),
    ],
  },
  {
    name: "setACL",
    number: 7,
    answers: [
      ok(setAcl("/a")),
      badPath(setAcl("/a/")),
      {
        code: "InvalidACL",
        when: "the list is empty, or an entry makes no sense",
        ask: setAcl("/a", [acl(31, "world", "some")]),
      },
      { code: "InvalidACL", when: "there is no list", ask: setAcl("/a", null), from: "3.5", elsewhere: "MarshallingError" },
      nonsense("an entry has no id", setAcl("/a", [acl(31, "digest", null)])),
      noNode(setAcl("/none")),
      noAuth("ADMIN", setAcl("/closed")),
      badVersion(setAcl("/a", undefined, 5)),
    ],
  },
  { name: "getChildren", number: 8, answers: reading("getChildren") },
  { name: "sync", number: 9, answers: [ok(sync("/a")), { code: "Ok", when: "the path is anything at all", ask: sync(null) }] },
  { name: "ping", number: 11, answers: [ok(PING)] },
  { name: "getChildren2", number: 12, answers: reading("getChildren2") },
  {
    name: "check",
    number: 13,
    answers: [
      { ...noNode(check("/none")), to: "3.8", elsewhere: "Unimplemented" },
      { ...badPath(check("/a/")), to: "3.8", elsewhere: "Unimplemented" },
      { ...noAuth("READ", check("/closed")), to: "3.8", elsewhere: "Unimplemented" },
      { ...badVersion(check("/a", 5)), to: "3.8", elsewhere: "Unimplemented" },
      { code: "Unimplemented", when: "it holds, outside a multi", ask: check("/a") },
    ],
  },
  {
    name: "multi",
    number: 14,
    answers: [
      ok(multi(create("/new"), setData("/a"), remove("/leaf"), check("/a/b"))),
      { code: "Ok", when: "an op fails: its error is among the results, and nothing is done", ask: multi(remove("/none")) },
      nonsense("a path is null", multi(create(null))),
      nonsense("an op does not belong there", multi(getData("/a") as never)),
      {
        ...nonsense("an op's flags are unknown", multi(create("/new", { flags: 9 }))),
        from: "3.9",
        elsewhere: "Ok",
      },
    ],
  },
  { name: "create2", number: 15, since: "3.5", answers: creating("create2"), inEnsembles: ["EphemeralOnLocalSession"] },
  {
    name: "reconfig",
    number: 16,
    since: "3.5",
    answers: [
      { code: "ReconfigDisabled", when: "it is not enabled", ask: reconfig() },
      { code: "Unimplemented", when: "the server is alone", ask: reconfig(), config: { reconfigEnabled: "true" } },
    ],
    inEnsembles: ["ReconfigInProgress", "BadVersion", "BadArguments", "NewConfigNoQuorum", "NoAuth"],
  },
  {
    name: "checkWatches",
    number: 17,
    since: "3.5",
    answers: [
      { ...ok(checkWatches("/a")), given: [getData("/a", true)] },
      nonsense("the type is unknown", checkWatches("/a", 9)),
      { ...nonsense(NULL_PATH, checkWatches(null)), to: "3.8", elsewhere: "NoWatcher" },
      { code: "NoWatcher", when: "nobody watches there", ask: checkWatches("/a") },
    ],
  },
  {
    name: "removeWatches",
    number: 18,
    since: "3.5",
    answers: [
      { ...ok(removeWatches("/a")), given: [getData("/a", true)] },
      nonsense("the type is unknown", removeWatches("/a", 9)),
      {
        ...nonsense("the type is one of the persistent kinds", removeWatches("/a", "persistent")),
        to: "3.8",
        elsewhere: "NoWatcher",
      },
      { code: "NoWatcher", when: "the connection does not watch there", ask: removeWatches("/a") },
    ],
  },
  { name: "createContainer", number: 19, since: "3.5", answers: creating("createContainer") },
  {
    name: "deleteContainer",
    number: 20,
    since: "3.5",
    answers: [{ code: "BadArguments", when: "a client asks", ask: deleteContainer("/leaf") }],
  },
  {
    name: "createTTL",
    number: 21,
    since: "3.5",
    answers: [
      { code: "Unimplemented", when: "extended types are not enabled", ask: create("/new", { kind: "createTTL" }) },
      {
        code: "BadArguments",
        when: "the time is not 1 to 2⁴⁰ − 1 milliseconds",
        ask: create("/new", { kind: "createTTL", ttl: 0 }),
        config: { extendedTypesEnabled: "true" },
      },
      ...creating("createTTL"),
    ],
  },
  {
    name: "multiRead",
    number: 22,
    since: "3.6",
    answers: [
      ok(multiRead(getData("/a"), getChildren("/a"))),
      { code: "Ok", when: "an op fails: its error is among the results", ask: multiRead(getData("/none")) },
      nonsense("an op does not belong there", multiRead(setData("/a") as never)),
      nonsense("a path is null", multiRead(getData(null))),
    ],
  },
  {
    name: "auth",
    number: 100,
    answers: [
      ok(auth("u1:p1")),
      { code: "AuthFailed", when: "the scheme is unknown, or the proof is none; the connection ends", ask: auth("x", "none") },
    ],
  },
  {
    name: "setWatches",
    number: 101,
    answers: [ok(setWatches(0n, { data: ["/a"] })), nonsense("there is no list", setWatches(0n, { data: null }))],
  },
  {
    name: "sasl",
    number: 102,
    answers: [{ ...ok({ kind: "sasl", token: new Uint8Array(0) }), when: "the server knows no SASL: with no token" }],
  },
  {
    name: "getEphemerals",
    number: 103,
    since: "3.6",
    answers: [ok(getEphemerals("/")), { code: "Ok", when: "the prefix is null: all of them", ask: getEphemerals(null) }],
  },
  {
    name: "getAllChildrenNumber",
    number: 104,
    since: "3.6",
    answers: [
      ok(getAllChildrenNumber("/a")),
      nonsense(NULL_PATH, getAllChildrenNumber(null)),
      noNode(getAllChildrenNumber("/none")),
      noAuth("READ", getAllChildrenNumber("/closed")),
    ],
  },
  {
    name: "setWatches2",
    number: 105,
    since: "3.6",
    answers: [ok(setWatches(0n, { persistent: ["/a"] })), nonsense("there is no list", setWatches(0n, { persistent: null }))],
  },
  {
    name: "addWatch",
    number: 106,
    since: "3.6",
    answers: [ok(addWatch("/none", "persistent")), nonsense("the mode is unknown", addWatch("/a", 9))],
  },
  { name: "whoAmI", number: 107, since: "3.7", answers: [ok(WHO_AM_I)] },
  { name: "closeSession", number: -11, answers: [ok(CLOSE_SESSION)] },
];
