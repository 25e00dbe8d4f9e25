/**
 * Hostile clients, one kind a row: cheap requests that may cost a server much. **A new row is an entry here.**
 *
 * Nothing here says what the server should answer; what counts is how the good client fares meanwhile, and what the server grows to. A round
 * that fails, since the server cuts it short, is as good as any.
 */

import type { SubmittedAcl } from "../../lib/model/ops.ts";
import type { RawClient } from "../../test/support/raw_client.ts";
import { sleep } from "../load/meter.ts";
import { frames, type Target, type WireOp } from "./connections.ts";

/** One kind of hostile client. */
export interface Row {
  readonly id: string;
  /** Between two rounds. */
  readonly pauseSeconds: number;
  round(target: Target): Promise<void>;
}

const OPEN: readonly SubmittedAcl[] = [{ perms: 31, scheme: "world", id: "anyone" }];
const AUTH: SubmittedAcl = { perms: 31, scheme: "auth", id: "" };
const PERSISTENT_RECURSIVE = 1;
const EPHEMERAL = 1;
const LARGE_BYTES = 1_000_000;
/** Below `jute.maxbuffer`, with room for the rest of a frame. */
const TEXT_CHARS = 1_000_000;
/** How long one round waits for a server that may never answer. */
const PATIENCE_SECONDS = 8;

const ROOT = "/soak";
export const LARGE: string = `${ROOT}/large`;
const GET_LARGE: WireOp = { kind: "getData", path: LARGE, watch: false };

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const list = <T>(length: number, each: (index: number) => T): T[] => Array.from({ length }, (_, index) => each(index));
const SET_WATCHES = {
  ...({ kind: "setWatches", relativeZxid: 0x7fff_ffff_ffff_ffffn } as const),
  ...{ dataWatches: [], existWatches: [], childWatches: [], persistentWatches: null, persistentRecursiveWatches: null },
};
const create = (path: string, acl = OPEN, data: Uint8Array | null = null, flags = 0) =>
  ({ kind: "create", path, data, acl, flags, ttl: 0 }) as const;
const remove = (path: string) => ({ kind: "delete", path, version: -1 }) as const;
const digest = (index: number) => ({ kind: "auth", scheme: "digest", auth: utf8(`user${index}:word`) }) as const;
const ips = (length: number, salt: number): SubmittedAcl[] => [
  ...list(length, (i) => ({ perms: 1, scheme: "ip", id: `10.${salt & 255}.${i >> 8}.${i & 255}` })),
  ...OPEN,
];

/** Asks all at once, and resolves with the last answer. */
async function flood(client: RawClient, ops: readonly WireOp[]): Promise<void> {
  await Promise.all(ops.map((op) => client.request(op)));
}

/** A znode of the row's own, made if it isn't there. */
async function own(client: RawClient, name: string, data: Uint8Array | null = null, acl = OPEN): Promise<string> {
  await client.request(create(`${ROOT}/${name}`, acl, data));
  return `${ROOT}/${name}`;
}

/** What the rows find: to be made before any of them begins. */
export async function prepare(target: Target): Promise<void> {
  const client = await target.client();
  await client.request(create(ROOT));
  await client.request(create(LARGE, OPEN, new Uint8Array(LARGE_BYTES)));
  target.end();
}

let salt = 0;

const ATTACKS_OF_PARSERS: readonly Row[] = [
  {
    id: "sasl_token",
    pauseSeconds: 1,
    async round(target) {
      const client = await target.client();
      await client.request({ kind: "sasl", token: new Uint8Array() });
      for (const bomb of [`a=${" ".repeat(TEXT_CHARS)}"`, `a="${'\\"'.repeat(TEXT_CHARS / 2)}`, ",".repeat(TEXT_CHARS)]) {
        await client.request({ kind: "sasl", token: utf8(bomb) });
      }
    },
  },
  {
    id: "quota_commas",
    pauseSeconds: 1,
    async round(target) {
      const client = await target.client();
      const place = await own(client, "quota");
      const quota = ["/zookeeper/quota/soak", "/zookeeper/quota/soak/quota"];
      for (const path of quota) await client.request(create(path));
      const [limits, stats] = [`${quota[1]}/zookeeper_limits`, `${quota[1]}/zookeeper_stats`];
      await client.request(create(limits, OPEN, utf8("count=5,bytes=5")));
      await client.request(create(stats, OPEN, utf8("count=1,bytes=1")));
      for (const text of [",".repeat(TEXT_CHARS), `count=${"1".repeat(TEXT_CHARS)}`, " ".repeat(TEXT_CHARS)]) {
        for (const path of [stats, limits]) await client.request({ kind: "setData", path, data: utf8(text), version: -1 });
        await flood(client, [create(`${place}/child`), remove(`${place}/child`)]);
      }
      await flood(client, [limits, stats].map(remove));
    },
  },
  {
    id: "malformed_frames",
    pauseSeconds: 0.5,
    async round(target) {
      const hello = frames([{ kind: "ping" }]);
      const samples = [
        Uint8Array.of(255, 255, 255, 255),
        Uint8Array.of(127, 255, 255, 255, 1, 2, 3),
        new Uint8Array(40_000), // 10,000 empty frames
        crypto.getRandomValues(new Uint8Array(5_000)),
        hello.subarray(0, 7),
      ];
      for (const sample of samples) {
        (await target.socket()).write(sample);
        const socket = await target.session();
        socket.write(sample);
        for (const opcode of [1, 7, 14, 22, 101, 105, 999]) socket.write(impossibleRequest(opcode));
      }
      await sleep(1);
    },
  },
  {
    id: "deep_paths",
    pauseSeconds: 1,
    async round(target) {
      const client = await target.client();
      const path = "/a".repeat(TEXT_CHARS / 2);
      const watch = true;
      const half = path.slice(0, TEXT_CHARS / 2);
      for (const op of [
        { kind: "exists", path, watch },
        { kind: "getData", path, watch },
        { kind: "addWatch", path, mode: PERSISTENT_RECURSIVE },
        { kind: "checkWatches", path, type: 3 },
        create(path),
        create(`${half}/`, OPEN, null, 2),
        { kind: "multi", ops: [create(half), remove(half)] },
        remove(path),
        { kind: "getEphemerals", prefixPath: path },
        { ...SET_WATCHES, dataWatches: [half], existWatches: [path.slice(TEXT_CHARS / 2)] },
      ] as WireOp[])
        await client.request(op);
      const chain = list(300, (i) => `${ROOT}${"/deep".repeat(i + 1)}`);
      await client.request({ kind: "addWatch", path: ROOT, mode: PERSISTENT_RECURSIVE });
      await flood(client, [{ kind: "multi", ops: chain.map((each) => create(each)) }]);
      await flood(client, [{ kind: "multi", ops: chain.reverse().map(remove) }]);
    },
  },
];

/** A request whose list claims to have two thousand million entries. */
function impossibleRequest(opcode: number): Uint8Array {
  const frame = Buffer.alloc(40, 0);
  frame.writeInt32BE(36, 0);
  frame.writeInt32BE(7, 4);
  frame.writeInt32BE(opcode, 8);
  for (let at = 12; at < 40; at += 4) frame.writeInt32BE(0x7fffffff, at);
  return frame;
}

const ATTACKS_OF_ACLS: readonly Row[] = [
  {
    id: "auth_multi",
    pauseSeconds: 3,
    async round(target) {
      const client = await target.client();
      const place = await own(client, "auth");
      await flood(client, list(1_200, digest));
      const paths = list(1_500, (i) => `${place}/${i}`);
      await client.request({ kind: "multi", ops: paths.map((path) => create(path, [AUTH])) });
      await client.request({ kind: "multi", ops: paths.map(remove) });
    },
  },
  {
    id: "auth_acl_explosion",
    pauseSeconds: 2,
    async round(target) {
      const client = await target.client();
      await flood(client, list(500, digest));
      const path = `${ROOT}/explosion`;
      await client.request(
        create(
          path,
          list(60_000, () => AUTH),
        ),
      );
      await client.request(remove(path));
    },
  },
  {
    id: "new_acl_lists",
    pauseSeconds: 0.5,
    async round(target) {
      const client = await target.client();
      const path = await own(client, "lists");
      for (let i = 0; i < 8; i++) await client.request({ kind: "setACL", path, acl: ips(30_000, salt++), version: -1 });
      await client.request({ kind: "getACL", path });
    },
  },
  {
    id: "long_acl_checks",
    pauseSeconds: 2,
    async round(target) {
      const client = await target.client();
      const path = await own(client, "long_acl", null, ips(30_000, 0));
      await client.request({ kind: "multi", ops: list(15_000, () => ({ kind: "check", path, version: -1 })) });
    },
  },
  {
    id: "add_auth_flood",
    pauseSeconds: 1,
    async round(target) {
      const client = await target.client();
      await flood(client, list(20_000, digest));
      await client.request({ kind: "whoAmI" });
    },
  },
];

const ATTACKS_BY_REPLIES: readonly Row[] = [
  {
    id: "multi_read",
    pauseSeconds: 2,
    async round(target) {
      (await target.session()).write(frames([{ kind: "multiRead", ops: list(6_000, () => GET_LARGE) } as WireOp]));
      await sleep(PATIENCE_SECONDS / 2);
    },
  },
  {
    id: "get_in_one_segment",
    pauseSeconds: 2,
    async round(target) {
      (await target.session()).write(frames(list(3_400, () => GET_LARGE)));
      await sleep(PATIENCE_SECONDS / 2);
    },
  },
  {
    id: "readers_of_nothing",
    pauseSeconds: 2,
    async round(target) {
      const asked = frames(list(200, () => GET_LARGE));
      for (let i = 0; i < 64; i++) {
        const socket = await target.session();
        socket.pause();
        socket.write(asked);
      }
      await sleep(PATIENCE_SECONDS);
    },
  },
  {
    id: "reads_behind_a_write",
    pauseSeconds: 1,
    async round(target) {
      const client = await target.client();
      const path = await own(client, "behind", new Uint8Array(1_000));
      const socket = await target.session();
      socket.pause();
      const write: WireOp = { kind: "setData", path, data: new Uint8Array(900_000), version: -1 };
      socket.write(frames([write, ...list(20_000, () => ({ kind: "getData", path, watch: false }) as const)]));
      await sleep(2);
    },
  },
  {
    id: "children_of_many",
    pauseSeconds: 2,
    async round(target) {
      const client = await target.client();
      const path = await own(client, "many");
      await client.request({ kind: "multi", ops: list(10_000, (i) => create(`${path}/${"child".repeat(5)}${i}`)) });
      (await target.session()).write(frames(list(1_000, () => ({ kind: "getChildren2", path, watch: true }) as const)));
      await sleep(2);
    },
  },
  {
    id: "many_watches",
    pauseSeconds: 1,
    async round(target) {
      const client = await target.client();
      const watches = list(40_000, (i) => `${ROOT}/none/${i}`);
      await client.request({ ...SET_WATCHES, existWatches: watches });
    },
  },
];

const HASH = `${ROOT}/hash`;
/** Names with the same polynomial hash: "Aa" and "BB" have. */
const HASH_PAIRS = 15;

const ATTACKS_BY_TXNS: readonly Row[] = [
  {
    id: "large_parent_multi",
    pauseSeconds: 2,
    async round(target) {
      const client = await target.client();
      const parent = await own(client, "parent", new Uint8Array(LARGE_BYTES));
      const paths = list(12_000, (i) => `${parent}/${i}`);
      await client.request({ kind: "multi", ops: paths.map((path) => create(path)) });
      await client.request({ kind: "multi", ops: paths.map(remove) });
    },
  },
  {
    id: "ephemerals_of_70_mb",
    pauseSeconds: 10,
    async round(target) {
      const client = await target.client();
      const place = await own(client, "ephemerals");
      for (let i = 0; i < 70; i++) {
        const { err } = await client.request(create(`${place}/${salt++}-${"x".repeat(TEXT_CHARS)}`, OPEN, null, EPHEMERAL));
        if (err !== 0) break;
      }
      if (salt % 2 === 0) await client.request({ kind: "closeSession" });
    },
  },
  {
    id: "names_of_one_hash",
    pauseSeconds: 10,
    async round(target) {
      const client = await target.client();
      await client.request(create(HASH));
      const letters = (index: number): string => list(HASH_PAIRS, (bit) => ((index >> bit) & 1 ? "Aa" : "BB")).join("");
      for (let first = 0; first < 2 ** HASH_PAIRS; first += 8_192) {
        await client.request({ kind: "multi", ops: list(8_192, (i) => create(`${HASH}/${letters(first + i)}`)) });
      }
    },
  },
  {
    id: "reconfig_of_4000",
    pauseSeconds: 1,
    async round(target) {
      const client = await target.client();
      const joiningServers = list(4_000, (i) => `server.${i + 1}=10.0.${i >> 8}.${i & 255}:2888:3888;2181`).join(",");
      const [leavingServers, newMembers, curConfigId] = [null, null, -1n];
      await client.request({ kind: "reconfig", joiningServers, leavingServers, newMembers, curConfigId });
      await client.request({ kind: "reconfig", joiningServers: null, leavingServers, newMembers: joiningServers, curConfigId });
    },
  },
];

const ATTACKS_BY_CONNECTIONS: readonly Row[] = [
  {
    id: "sessions_that_expire",
    pauseSeconds: 0.1,
    async round(target) {
      await Promise.all(list(100, () => target.session()));
    },
  },
  {
    id: "silent_connections",
    pauseSeconds: 1,
    async round(target) {
      await Promise.all(list(300, () => target.socket()));
      await sleep(PATIENCE_SECONDS);
    },
  },
  {
    id: "refused_connections",
    pauseSeconds: 0.1,
    async round(target) {
      const held = await Promise.allSettled(list(400, () => target.session()));
      for (let i = 0; i < 30; i++) {
        await Promise.allSettled(list(50, () => target.session()));
        await sleep(0.1);
      }
      if (held.every(({ status }) => status === "fulfilled")) await sleep(1);
    },
  },
  {
    id: "tls_handshakes",
    pauseSeconds: 1,
    async round(target) {
      const beginnings = [
        new Uint8Array(),
        Uint8Array.of(22, 3, 1, 2, 0),
        Uint8Array.of(22, 3, 1, 0, 2, 1, 0),
        utf8("GET / HTTP/1.1\r\n\r\n"),
      ];
      await Promise.all(
        list(300, async (i) => {
          (await target.socket(target.tlsPort)).write(beginnings[i % beginnings.length]!);
        }),
      );
      await sleep(PATIENCE_SECONDS);
    },
  },
  {
    id: "words",
    pauseSeconds: 0.5,
    async round(target) {
      for (const word of ["stmk", "mntr", "cons", "dump", "wchc", "srvr", "ruok", "isro"]) {
        await Promise.all(list(10, async () => (await target.socket()).write(utf8(word))));
      }
      await sleep(1);
    },
  },
];

export const ROWS: readonly Row[] = [
  ...ATTACKS_OF_PARSERS,
  ...ATTACKS_OF_ACLS,
  ...ATTACKS_BY_REPLIES,
  ...ATTACKS_BY_TXNS,
  ...ATTACKS_BY_CONNECTIONS,
];
