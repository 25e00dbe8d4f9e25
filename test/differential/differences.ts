/**
 * Where ours is meant to differ from Apache ZooKeeper 3.8.0, with the reason: the README's table is made of this one, and each
 * difference that a script can show is shown by its script on both servers (differences.test.ts).
 *
 * Random scripts leave out what stands here (generate.ts), or what is a matter of chance in it (pipelines in script.ts).
 */

import {
  acl,
  addWatch,
  check,
  checkWatches,
  create,
  exists,
  Flags,
  getData,
  multi,
  multiRead,
  OPEN,
  remove,
  type SendableOp,
  setAcl,
  setData,
  sync,
} from "../support/ops.ts";
import type { Script, Step } from "./script.ts";

export interface Difference {
  readonly what: string;
  readonly apache: string;
  readonly ours: string;
  readonly why: string;
  readonly shown: Proof | Excuse;
}

/** A script, and what must be found among the lines of all clients afterwards, or in the answer to a four-letter word. */
interface Proof {
  readonly script: Script;
  readonly word?: string;
  readonly apache: RegExp;
  readonly ours: RegExp;
}

/** Why no script shows it. */
type Excuse = string;

const CHANCE = "a matter of chance in Apache ZooKeeper";

// ── how scripts are written here ──

const step = (ops: readonly SendableOp[]) => ({ kind: "ask", slot: 0, requests: ops.map((op) => ({ op })) }) as const;
const asks = (...ops: readonly SendableOp[]): Step => step(ops);
const atOnce = (...ops: readonly SendableOp[]): Step => ({ ...step(ops), atOnce: true });
/** So much to do that what is behind it is not committed at once. */
const MANY_WRITES: readonly SendableOp[] = Array.from({ length: 500 }, () => setData("~/a", "x".repeat(1000)));
const QUOTA = [
  create("/zookeeper/quota~"),
  create("/zookeeper/quota~/zookeeper_limits", { data: "count=9,bytes=99" }),
  create("/zookeeper/quota~/zookeeper_stats"),
];

// ── sessions and connections ──

const SESSIONS: readonly Difference[] = [
  {
    what: "a session is claimed with a wrong password",
    apache: "the client that has it loses its connection",
    ours: "its client notices nothing",
    why: "whoever guesses an id could disturb any client",
    shown: {
      script: [
        {
          kind: "attach",
          slot: 0,
          former: "left",
          passwd: "wrong",
          timeOut: 30_000,
          lastZxidSeen: "none",
          short: false,
        },
      ],
      apache: /former connection ends/,
      ours: /former connection stays/,
    },
  },
  {
    what: "an opcode nobody knows, or a SASL token, behind requests that are under way",
    apache: "is answered ahead of them; after an opcode nobody knows they get no answer",
    ours: "is answered in its turn",
    why: "replies come in the order of requests",
    shown: {
      // So many that some are under way, however busy the machine is: the last of them is 51.
      script: [
        asks(create("~/x")),
        atOnce(...Array.from({ length: 50 }, () => setData("~/x")), { kind: "unknown", opcode: 999 }),
      ],
      apache: /^(?:(?!.*reply 51 ).*\n)*.*reply 52 .*Unimplemented\n(?:.*\n)*the connection ends/,
      ours: /reply 50 .*\nreply 51 .*\nreply 52 .*Unimplemented\nthe connection ends/,
    },
  },
  {
    what: "SASL by a name that no user has",
    apache: "is let in, under that name, with the password of the user who came before",
    ours: "`AuthFailed`",
    why: "nobody may be let in who has proved nothing",
    shown: "a script has no proofs: test/conformance/rules_sasl.test.ts has",
  },
  {
    what: "a client that accepts a read-only server, on one without local sessions",
    apache: "is answered by a header that no client can read",
    ours: "has a session there, as with local sessions",
    why: "it is what the mode is for",
    shown: "it takes an ensemble: test/conformance/golden_exchanges.test.ts has what was recorded",
  },
  {
    what: "createSession (opcode −10) from a client",
    apache: "another answer to the handshake, or a marshalling error",
    ours: "`Unimplemented`, and the connection ends",
    why: "it is what servers say to one another",
    shown: { script: [asks({ kind: "unknown", opcode: -10 })], apache: /MarshallingError/, ours: /Unimplemented/ },
  },
];

// ── requests ──

const REQUESTS: readonly Difference[] = [
  {
    what: "a check outside a multi that holds",
    apache: "is never answered, and its log cannot be read any more",
    ours: "`Unimplemented`, and the connection ends; no zxid",
    why: "as since 3.8.5 and 3.9.3",
    shown: {
      script: [asks(check("~"))],
      apache: /no answer/,
      ours: /Unimplemented/,
    },
  },
  {
    what: "createTTL with flags of no TTL and a TTL below zero",
    apache: "its process ends",
    ours: "`BadArguments`",
    why: "no request may end a server",
    shown: {
      script: [asks(create("~/t", { kind: "createTTL", flags: Flags.persistent, ttl: -1 }))],
      apache: /the connection ends/,
      ours: /BadArguments/,
    },
  },
  {
    what: "deleteContainer (opcode 20) from a client, as 3.9 has it",
    apache: "deletes any empty container, whatever its ACL says",
    ours: "`BadArguments`, as in 3.8",
    why: "it is what servers say to one another",
    shown: "Apache ZooKeeper 3.8.0 refuses it, too",
  },
  {
    what: "writes behind a setACL that is under way",
    apache: "are judged by the old list until it is committed",
    ours: "are judged by the new list",
    why: "requests count in their order",
    shown: {
      script: [asks(create("~/x")), atOnce(...MANY_WRITES, setAcl("~/x", [acl(1, "world", "anyone")]), setData("~/x"))],
      apache: /reply 503 .* Ok/,
      ours: /reply 503 .* NoAuth/,
    },
  },
  {
    what: "a multi that is refused as a whole for an entry of an ACL, or for flags, that make no sense",
    apache: "until that is committed, others see what it would have created",
    ours: "nobody ever sees any of it",
    why: "a multi is all or nothing",
    shown: {
      script: [
        atOnce(...MANY_WRITES, multi(create("~/x"), create("~/y", { acl: [acl(31, "digest", null)] })), create("~/x/z")),
      ],
      // What could not be there when it was to be done is an error with an answer behind it.
      apache: /reply 502 .* NoNode as /,
      ours: /reply 502 .* NoNode$/m,
    },
  },
  {
    what: "createContainer with the flags of an ephemeral",
    apache: "until it is committed it can have no children",
    ours: "it is a container from the beginning",
    why: "one rule, however fast requests follow one another",
    shown: {
      script: [atOnce(...MANY_WRITES, create("~/x", { kind: "createContainer", flags: Flags.ephemeral }), create("~/x/z"))],
      apache: /reply 502 .* NoChildrenForEphemerals/,
      ours: /reply 502 .* Ok/,
    },
  },
  {
    what: "an ACL entry without scheme, behind another with the same permissions",
    apache: "`MarshallingError`",
    ours: "`InvalidACL`, as anywhere else in the list",
    why: "one rule, wherever an entry stands",
    shown: {
      script: [asks(create("~/x", { acl: [...OPEN, acl(31, null, "")] }))],
      apache: /MarshallingError/,
      ours: /InvalidACL/,
    },
  },
  {
    what: "a request whose txn is longer than `jute.maxbuffer` and its extra, as by an `auth` entry for many identities",
    apache: "is made; its members can't take it, and no server that has it in its log starts again",
    ours: "is refused: MarshallingError, with a zxid",
    why: "what was acknowledged must be readable",
    shown: "an Apache server would be lost by it",
  },
  {
    what: "the end of a session whose ephemerals' paths are longer than a txn may be",
    apache: "names them all the same, with the same end",
    ours: "names none, as with `closeSessionTxn.enabled=false`",
    why: "a session must be able to end",
    shown: "an Apache server would be lost by it",
  },
  {
    what: "a multiRead whose answer holds more than 4 MiB of data and names",
    apache: "answered, as long as there is memory",
    ours: "refused: `MarshallingError`",
    why: "the answer is one frame, which 96 KB of request can make gigabytes long, and no client of Apache's takes more than 1 MiB; `limits.multiReadBytesMax` says where it ends",
    shown: {
      script: [
        asks(create("~/big", { data: "x".repeat(1_000_000) }), multiRead(...Array.from({ length: 5 }, () => getData("~/big")))),
      ],
      apache: /x{1000}|(78){1000}/,
      ours: /MarshallingError/,
    },
  },
  {
    what: "a multiRead refused for a null path",
    apache: "the error is followed by the results of what stands before that path",
    ours: "the error is followed by an empty list",
    why: "nobody reads what stands behind an error",
    shown: {
      script: [asks(multiRead(getData("~"), getData(null)))],
      apache: /MarshallingError .*00000004/,
      ours: /MarshallingError [^0]*$/m,
    },
  },
  {
    what: "characters beyond U+FFFF that are echoed, as by sync",
    apache: "Java's surrogate pairs, three bytes each",
    ours: "UTF-8",
    why: "no decoder but Java's reads the former",
    shown: {
      script: [asks(sync("/\u{1f600}"))],
      apache: /eda0bdedb880/,
      ours: /"\/\u{1f600}"/u,
    },
  },
];

// ── watches ──

const WATCHES: readonly Difference[] = [
  {
    what: "addWatch of a null path",
    apache: "is registered, though nothing ever happens there",
    ours: "is accepted and forgotten",
    why: "nothing ever happens there",
    shown: {
      script: [asks(addWatch(null, "persistent"))],
      word: "wchs",
      apache: /watching 1 paths/,
      ours: /watching 0 paths/,
    },
  },
  {
    what: "checkWatches of a relative path while somebody has a recursive watch",
    apache: "`MarshallingError`",
    ours: "`NoWatcher`, as without recursive watches",
    why: "what one client asks does not depend on what another watches",
    shown: {
      script: [asks(addWatch("~", "recursive"), checkWatches("a/b"))],
      apache: /reply 2 zxid \d+ MarshallingError/,
      ours: /reply 2 zxid \d+ NoWatcher/,
    },
  },
  {
    what: "`wchs` and `wchc`",
    apache: "count and list connections whose watches have all fired or been removed",
    ours: "count and list those that watch",
    why: "it is what the words say",
    shown: {
      script: [asks(exists("~/w", true), create("~/w"))],
      word: "wchs",
      apache: /1 connections watching 0 paths/,
      ours: /0 connections watching 0 paths/,
    },
  },
];

// ── quotas ──

const QUOTAS: readonly Difference[] = [
  {
    what: "the usage in a `zookeeper_stats` that cannot be read",
    apache: "its process ends with the next change",
    ours: "it is left as it is",
    why: "no request may end a server",
    shown: {
      script: [asks(...QUOTA), asks(setData("/zookeeper/quota~/zookeeper_stats", "x")), asks(create("~/x"))],
      apache: /the connection ends/,
      ours: /"\/r\/x"/,
    },
  },
  {
    what: "`zookeeper_limits` created in `/zookeeper/quota` itself",
    apache: "its process ends",
    ours: "a znode like any other: the root has no quota",
    why: "no request may end a server",
    shown: {
      script: [asks(create("/zookeeper/quota/zookeeper_limits", { data: "count=9,bytes=99" }))],
      apache: /the connection ends/,
      ours: /"\/zookeeper\/quota\/zookeeper_limits"/,
    },
  },
  {
    what: "`zookeeper_limits` deleted elsewhere below `/zookeeper`",
    apache: "its process ends",
    ours: "a znode like any other",
    why: "no request may end a server",
    shown: {
      script: [
        asks(create("/zookeeper/x"), create("/zookeeper/x/zookeeper_limits")),
        asks(remove("/zookeeper/x/zookeeper_limits")),
      ],
      apache: /the connection ends/,
      ours: /reply 3 zxid \d+ Ok/,
    },
  },
  {
    what: "`zk_approximate_data_size` in `mntr`",
    apache: "drifts with each change of a quota's usage",
    ours: "is the size of the data",
    why: "it is what the name says",
    shown: {
      script: [asks(...QUOTA, create("~/x", { data: "x".repeat(100) }))],
      word: "mntr",
      apache: /^zk_approximate_data_size\t(?!290\b)/m,
      ours: /^zk_approximate_data_size\t290\b/m,
    },
  },
];

// ── what only operators see ──

const REPORTS: readonly Difference[] = [
  {
    what: "`dump`",
    apache: "lists sessions whose ephemerals are all gone",
    ours: "lists those that have some",
    why: "it is what the title says",
    shown: {
      script: [asks(create("~/e", { flags: Flags.ephemeral })), asks(remove("~/e"))],
      word: "dump",
      apache: /Sessions with Ephemerals \(1\)/,
      ours: /Sessions with Ephemerals \(0\)/,
    },
  },
  {
    what: "`Outstanding` in `srvr`",
    apache: "is now and then below zero",
    ours: "how many requests wait",
    why: "it is what the name says",
    shown: CHANCE,
  },
  {
    what: "digests in the log",
    apache: "now and then one is not that of the tree; Apache's servers warn of it themselves",
    ours: "each is that of the tree",
    why: "they are there to be compared",
    shown: CHANCE,
  },
  {
    what: "identities of one connection, together more than 16 MiB",
    apache: "are kept, however many",
    ours: "one more is refused with AuthFailed, and the connection closed",
    why: "one client could take all memory",
    shown: "it takes tens of thousands of requests",
  },
  {
    what: "a leader's TRUNC that a member can't follow, as it has no snapshot from before",
    apache: "the member ends, and does so again at each start",
    ours: "keeps what it has, and asks for a whole database",
    why: "a member that could have come back by itself should",
    shown: "it takes an ensemble: test/ensemble/uncuttable_log.test.ts",
  },
  {
    what: "the admin server",
    apache: "is there unless it is turned off, on every interface; its commands change things for anybody",
    ours: "takes `admin.enableServer=true`, and is on loopback unless `admin.serverAddress` says otherwise; what changes something takes an authoriser",
    why: "nothing listens beyond this machine, or obeys strangers, unless it was told to",
    shown: "it is HTTP: test/http/ports.test.ts",
  },
  {
    what: "setWatches after a change of a znode that the session may not read, as 3.9",
    apache: "tells of the change",
    ours: "tells what `exists` would: nothing; the watch is kept",
    why: "an event would show that a hidden znode is there and was changed",
    shown: "it is 3.9's answer, and the scripts are played on 3.8.0",
  },
];

export const DIFFERENCES: readonly Difference[] = [...SESSIONS, ...REQUESTS, ...WATCHES, ...QUOTAS, ...REPORTS];

/** The table for the README. */
export function differencesTable(): string {
  const rows = DIFFERENCES.map(({ what, apache, ours, why }) => `| ${what} | ${apache} | ${ours} | ${why} |`);
  return ["| what | Apache ZooKeeper 3.8.0 | here | why |", "|---|---|---|---|", ...rows].join("\n");
}
