/**
 * One data directory that goes back and forth between Apache ZooKeeper and this server: neither loses or changes anything that the other wrote,
 * and a session with its ephemerals lives through all of it. Apache's own tools read our files.
 */

import assert from "node:assert/strict";
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { after, describe, test } from "node:test";
import { consoleLogger } from "../../adapters/system.ts";
import { connect } from "../../adapters/tcp/mod.ts";
import { type Acl, Perms, type Stat, ZkError, type ZooKeeper } from "../../mod.ts";
import { findJavaZooKeeper } from "../support/peers.ts";
import { freePort, type ServerKind, serverName, startServer } from "../support/server_process.ts";
import { temporaryFolder } from "../support/temporary.ts";

const apache = findJavaZooKeeper();
const folder = temporaryFolder("apache");
after(() => rmSync(folder, { recursive: true, force: true }));

const SUPER = { name: "super:secret", digest: "super:lK75jTNcA+U9vtVEw5vB51mj/w4=" };
const ROUNDS = 10;

interface Seen {
  readonly data: string | null;
  readonly acl: readonly Acl[];
  readonly stat: Stat;
}

describe("a data directory between Apache ZooKeeper and this server", { skip: apache.skip }, () => {
  test(`${ROUNDS} times back and forth loses nothing`, async () => {
    const home = join(folder, "back-and-forth");
    mkdirSync(home);
    const clientPort = await freePort();
    const config = {
      clientPort,
      tickTime: 500,
      maxSessionTimeout: 60_000,
      preAllocSize: 64,
      snapCount: 40,
      extendedTypesEnabled: true,
      "DigestAuthenticationProvider.superDigest": SUPER.digest,
    };
    const versionFolder = join(home, "data", "version-2");
    /** Files of the last round that was ours. */
    let ours: string[] = [];
    let holder: ZooKeeper | null = null;
    let before: Map<string, Seen> | null = null;
    for (let round = 0; round < ROUNDS; round++) {
      const kind: ServerKind = round % 2 === 0 ? "apache" : "ours";
      const files = round === 0 ? [] : readdirSync(versionFolder);
      const server = await startServer({ kind, folder: home, config });
      const where = `round ${round}, ${serverName(kind)}`;
      await using zk = await connect(server.address, { sessionTimeoutMs: 10_000 });
      await zk.addAuth("digest", SUPER.name);
      if (before !== null) assert.deepEqual(await treeOf(zk), before, where);
      if (holder === null) {
        holder = await connect(server.address, { sessionTimeoutMs: 60_000, logger: consoleLogger({ level: "silent" }) });
        await holder.create("/held", "by one session", { mode: "ephemeral" });
      }
      assert.equal((await onceBack(holder))?.ephemeralOwner, holder.sessionId, where);
      await holder.setData("/held", where);
      await change(zk, round);
      before = await treeOf(zk);
      // A crash now and then: what is acknowledged is kept all the same.
      await server.stop(round % 3 === 0 ? "SIGKILL" : "SIGTERM");
      if (kind === "ours") ours = readdirSync(versionFolder).filter((file) => !files.includes(file));
    }
    const last = await startServer({ kind: "apache", folder: home, config });
    await onceBack(holder!);
    await holder!.close();
    await using zk = await connect(last.address, { sessionTimeoutMs: 10_000 });
    await zk.addAuth("digest", SUPER.name);
    assert.equal(await zk.exists("/held"), null);
    await last.stop();
    readByApachesTools(ours.map((file) => join(versionFolder, file)));
  });
});

/** The holder's ephemeral, asked for again while the way back to a server that has just started is not found yet. */
async function onceBack(holder: ZooKeeper): Promise<Stat | null> {
  for (;;) {
    try {
      return await holder.exists("/held");
    } catch (error) {
      if (!(error instanceof ZkError && error.code === "ConnectionLoss")) throw error;
    }
  }
}

/** Something of everything that a log can hold. */
async function change(zk: ZooKeeper, round: number): Promise<void> {
  const base = `/round-${round}`;
  const mine = [{ perms: Perms.ALL, scheme: "digest", id: `user${round % 3}:x` }];
  await zk.create(base, `data of round ${round}`);
  await zk.create(`${base}/null`, null);
  await zk.create(`${base}/empty`, "");
  await zk.create(`${base}/ünïcode ✓`, new Uint8Array([0, 255, 7]));
  await zk.create(`${base}/guarded`, "secret", { acl: mine });
  await zk.create(`${base}/seq-`, "1", { mode: "persistent_sequential" });
  await zk.create(`${base}/seq-`, "2", { mode: "persistent_sequential" });
  await zk.create(`${base}/box`, "", { mode: "container" });
  await zk.create(`${base}/box/inside`, "");
  await zk.create(`${base}/soon`, "gone", { mode: "persistent_with_ttl", ttlMs: 3_600_000 });
  await zk.create(`${base}/fleeting`, "", { mode: "ephemeral" });
  await zk.setData(`${base}/empty`, "no more");
  await zk.setACL(`${base}/null`, [{ perms: Perms.READ, scheme: "world", id: "anyone" }]);
  await zk.delete(`${base}/seq-0000000005`).catch(() => {});
  await zk.transaction().create(`${base}/multi`, "a").setData(base, "changed by a multi").delete(`${base}/soon`).commit();
  await zk
    .transaction()
    .create(`${base}/never`, "a")
    .delete(`${base}/missing`)
    .commit()
    .catch(() => {});
  await zk.create(base, "again").catch(() => {});
  if (round >= 2) for await (const path of subtree(zk, `/round-${round - 2}`)) await zk.delete(path);
  await Promise.all(Array.from({ length: 60 }, (_, index) => zk.setData(base, `change ${index}`)));
  await zk.delete(`${base}/fleeting`);
}

/** Paths of a subtree, children first. */
async function* subtree(zk: ZooKeeper, top: string): AsyncGenerator<string> {
  const { children } = await zk.getChildren(top);
  for (const name of children) yield* subtree(zk, top === "/" ? `/${name}` : `${top}/${name}`);
  yield top;
}

async function treeOf(zk: ZooKeeper): Promise<Map<string, Seen>> {
  const tree = new Map<string, Seen>();
  for await (const path of subtree(zk, "/")) {
    if (path === "/held") continue; // its session goes on writing
    const { data, stat } = await zk.getData(path);
    const { acl } = await zk.getACL(path);
    tree.set(path, { data: data === null ? null : Buffer.from(data).toString("hex"), acl, stat });
  }
  return tree;
}

function readByApachesTools(files: readonly string[]): void {
  if (apache.skip !== false) return;
  const classpath = ["zookeeper", "slf4j-simple", "commons-cli"].map((jar) => `/usr/share/java/${jar}.jar`).join(":");
  const logs = files.filter((file) => basename(file).startsWith("log."));
  const snapshots = files.filter((file) => basename(file).startsWith("snapshot."));
  assert.ok(logs.length > 0 && snapshots.length > 0, files.join(" "));
  for (const file of [...logs.slice(-2), ...snapshots.slice(-1)]) {
    const isLog = logs.includes(file);
    const tool = isLog
      ? "org.apache.zookeeper.server.persistence.TxnLogToolkit"
      : "org.apache.zookeeper.server.SnapshotFormatter";
    const run: SpawnSyncReturns<string> = spawnSync(apache.java, ["-cp", classpath, tool, file], { encoding: "utf8" });
    assert.equal(run.status, 0, `${file}: ${run.stderr}`);
    assert.match(run.stdout, isLog ? /EOF reached after \d+ txns\./ : /Last zxid: 0x/, file);
    assert.doesNotMatch(run.stdout, /CRC|Exception/, file);
  }
}
