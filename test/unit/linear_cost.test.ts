/**
 * Costs that are linear in what a client has sent: each of these, made for a cost that is quadratic, would take a server from seconds to hours.
 * They are run, and compared with what they must come to.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isAllowed } from "../../lib/acl/check.ts";
import { AclInterner } from "../../lib/acl/intern.ts";
import { DEFAULT_ACL_OPTIONS } from "../../lib/acl/options.ts";
import { PathTree } from "../../lib/base/path_tree.ts";
import { Ensemble } from "../../lib/broadcast/zab/ensemble.ts";
import { Membership } from "../../lib/broadcast/zab/membership.ts";
import { nextEnsemble } from "../../lib/broadcast/zab/reconfigure.ts";
import { completed, treeOptions } from "../../lib/options/options.ts";
import { Connection } from "../../lib/session/connection.ts";
import { readDatabase } from "../../lib/store/snapshot_reader.ts";
import { databaseChunks } from "../../lib/store/snapshot_records.ts";
import { contentCrc, digestOfStat, nodeDigest } from "../../lib/tree/digest.ts";
import { digestOf, Tree } from "../../lib/tree/tree.ts";
import { Watches } from "../../lib/watch/watches.ts";
import { open } from "../../mod.ts";
import { member } from "../support/zab_rig.ts";

test("a transaction of 20,000 creates under a parent of a megabyte", async () => {
  await using server = await open({ digest: true, limits: { frameBytesMax: 2 ** 24 } });
  await using zk = await server.connect();
  await zk.create("/parent", new Uint8Array(1_000_000));
  const many = zk.transaction();
  for (let at = 0; at < 20_000; at++) many.create(`/parent/${at}`);
  await many.commit();
  assert.equal((await zk.exists("/parent"))?.numChildren, 20_000);
});

test("a znode's digest is the same whether its content was read for it or for the znode before it", () => {
  const tree = new Tree({ extendedTypes: true, digest: true, counterWraps: false, configNode: true });
  const create = (path: string, parentPath: string): void => {
    const data = new TextEncoder().encode(path);
    tree.create({ path, parentPath, data, acl: null, owner: 0n, parentCVersion: -1, zxid: 5n, time: 7 });
  };
  create("/a", "/");
  create("/a/b", "/a");
  tree.delete("/a/b", "/a", 9n);
  const node = tree.get("/a")!;
  assert.equal(digestOf("/a", node), nodeDigest("/a", node.data, node));
  const sum = [...tree.entries()].reduce((total, [path, one]) => total + BigInt(nodeDigest(path, one.data, one)), 0n);
  assert.equal(tree.digest, BigInt.asIntN(64, sum));
  assert.equal(digestOfStat("/zookeeper/quota", contentCrc("/zookeeper/quota", null), node), 0);
});

describe("a reconfiguration with 20,000 joiners", () => {
  const membership = new Membership(new Ensemble({ members: [member(1), member(2), member(3)], hierarchy: null, version: 1n }));
  const op = (lines: readonly string[]) =>
    ({ kind: "reconfig", joiningServers: lines.join(","), leavingServers: null, newMembers: null, curConfigId: -1n }) as const;
  const joiners = Array.from({ length: 20_000 }, (_, at) => `server.${at + 10}=10.0.${at >> 8}.${at & 255}:1:2;3`);

  test("is judged", () => {
    const next = nextEnsemble(op(joiners), membership, 2n, { votersMin: 2 });
    assert.ok(typeof next !== "string");
    assert.equal(next.members.size, 20_003);
  });

  test("is refused where the last has the place of another, of a member or of the one that stood there before", () => {
    const at = (host: string, id = 99_999): string => `server.${id}=${host}:1:2;3`;
    assert.equal(nextEnsemble(op([...joiners, at("10.0.0.7")]), membership, 2n, { votersMin: 2 }), "BadArguments");
    assert.equal(nextEnsemble(op([...joiners, at("h1")]), membership, 2n, { votersMin: 2 }), "BadArguments");
    const moved = [...joiners, at("10.9.9.9", 17), at("10.0.0.7")];
    assert.ok(typeof nextEnsemble(op(moved), membership, 2n, { votersMin: 2 }) !== "string", "17 has moved away from there");
    assert.ok(
      typeof nextEnsemble(op([at("h1", 1)]), membership, 2n, { votersMin: 2 }) !== "string",
      "a member may be listed anew",
    );
  });
});

describe("identities", () => {
  const connection = (): Connection =>
    new Connection(1 as never, { address: "127.0.0.1", label: "", authIds: [] }, [{ scheme: "ip", id: "127.0.0.1" }], 0);
  const digests = (count: number) => Array.from({ length: count }, (_, at) => ({ scheme: "digest", id: `u${at}:x` }));

  test("100,000 of one connection, and a list of 100,000 entries, asked 100,000 times", () => {
    const client = connection();
    for (const id of digests(100_000)) {
      client.prove([id]);
      client.prove([id]);
    }
    assert.equal(client.authIds.length, 100_001);
    const entries = digests(100_000).map(({ scheme, id }, at) => ({ perms: at === 99_999 ? 3 : 1, scheme, id }));
    for (let time = 0; time < 100_000; time++) assert.ok(isAllowed(entries, 2, client.authIds, DEFAULT_ACL_OPTIONS));
    assert.equal(isAllowed(entries, 4, client.authIds, DEFAULT_ACL_OPTIONS), false);
    client.prove([{ scheme: "super", id: "" }]);
    assert.equal(isAllowed(entries, 4, client.authIds, DEFAULT_ACL_OPTIONS), true);
  });

  test("that are proved while a request waits don't count for it", () => {
    const client = connection();
    client.prove(digests(1));
    const before = client.authIds;
    client.wait({ authIds: before, heldBytes: 0 } as never);
    client.prove(digests(2));
    assert.equal(before.length, 2);
    assert.equal(client.authIds.length, 3);
    const entries = [{ perms: 31, scheme: "digest", id: "u1:x" }];
    assert.equal(isAllowed(entries, 1, before, DEFAULT_ACL_OPTIONS), false);
    assert.equal(isAllowed(entries, 1, client.authIds, DEFAULT_ACL_OPTIONS), true);
  });

  test("are meant by entries of their schemes alone", () => {
    const options = {
      ...DEFAULT_ACL_OPTIONS,
      saslRegistered: true,
      x509Registered: true,
      x509SuperUser: "CN=root",
      letAnySaslUserDoX: "any",
    };
    const meant = (scheme: string, id: string, ...ids: readonly [string, string][]): boolean =>
      isAllowed(
        [{ perms: 1, scheme, id }],
        1,
        ids.map(([of, one]) => ({ scheme: of, id: one })),
        options,
      );
    assert.equal(meant("ip", "10.0.0.0/8", ["ip", "10.1.2.3"]), true);
    assert.equal(meant("ip", "10.0.0.0/8", ["ip", "11.1.2.3"], ["digest", "10.0.0.0/8"]), false);
    assert.equal(meant("sasl", "bob", ["sasl", "super"]), true);
    assert.equal(meant("sasl", "any", ["sasl", "eve"]), true);
    assert.equal(meant("sasl", "bob", ["digest", "bob"]), false);
    assert.equal(meant("x509", "CN=a", ["x509", "CN=root"]), true);
    assert.equal(meant("x509", "CN=a", ["x509", "CN=b"]), false);
  });
});

describe("a path that is 250,000 deep", () => {
  const deep = "/a".repeat(250_000);

  test("is held against quotas and recursive watches above it", () => {
    const tree = new Tree({ extendedTypes: true, digest: false, counterWraps: false, configNode: true });
    tree.addQuotaPath("/a");
    tree.addQuotaPath("/a/a/a");
    tree.addQuotaPath(`${deep}/b`);
    assert.equal(tree.quotaAbove(deep), "/a/a/a");
    assert.equal(tree.fork().quotaAbove(`${deep}/b`), `${deep}/b`);
    tree.deleteQuotaPath("/a/a/a");
    assert.equal(tree.quotaAbove(deep), "/a");
    assert.equal(tree.quotaAbove("/ab"), null);
    const watches = new Watches("separate");
    watches.addRecursive(1 as never, "/a/a");
    watches.addRecursive(2 as never, "/");
    watches.addRecursive(3 as never, "/b");
    const told: number[] = [];
    watches.fireData(deep, (conn) => told.push(conn as never));
    assert.deepEqual(told, [1, 2]);
    watches.drop(1 as never);
    watches.drop(2 as never);
    watches.fireData(deep, () => assert.fail("nobody watches it"));
  });

  test("can be a key, and be forgotten", () => {
    const paths = new PathTree<number>();
    paths.set(deep, 1);
    paths.set("/a", 2);
    paths.set("a", 3);
    assert.deepEqual(paths.along(`${deep}/a`), [2, 1]);
    paths.delete(deep);
    paths.delete("/b/c");
    assert.deepEqual([...paths.values()], [2]);
    assert.equal(paths.size, 1);
  });
});

test("65,536 names of one hash, in a snapshot", async () => {
  const tree = new Tree({ extendedTypes: true, digest: false, counterWraps: false, configNode: true });
  const names = Array.from({ length: 65_536 }, (_, at) =>
    Array.from({ length: 16 }, (_, bit) => ((at >> bit) & 1 ? "Aa" : "BB")).join(""),
  );
  for (const name of names) {
    tree.create({ path: `/${name}`, parentPath: "/", data: null, acl: null, owner: 0n, parentCVersion: -1, zxid: 1n, time: 1 });
  }
  const frozen = tree.freeze();
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (const chunk of databaseChunks({ tree: frozen, sessions: new Map(), lastZxid: 1n })) yield chunk.slice();
  }
  const read = await readDatabase(chunks(), treeOptions(completed({}, true)), new AclInterner());
  for (const name of names) assert.ok(read.tree.get(`/${name}`));
  for (const name of names) assert.equal(read.tree.get(`/${name.slice(2)}C#`), undefined);
  assert.equal(read.tree.get("/")!.childCount, 65_537);
});
