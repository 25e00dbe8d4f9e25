/**
 * Data directories that Apache ZooKeeper wrote, recovered: the whole tree, the sessions and the digest are what Apache made of them, and where
 * Apache refuses to start, so do we, naming the place.
 */

import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileStorage, StorageError } from "../../adapters/storage/mod.ts";
import { OPEN_ACL_UNSAFE } from "../../lib/acl/perms.ts";
import type { Logger } from "../../lib/ports.ts";
import { type Recovered, recover } from "../../lib/store/recovery.ts";
import { toHex } from "../support/golden.ts";
import { projectPath } from "../support/root.ts";
import { temporaryFolder } from "../support/temporary.ts";

interface Expected {
  readonly serverStarts?: boolean;
  readonly lastProcessedZxid?: string;
  readonly treeDigest?: string;
  readonly nodeCount?: number;
  readonly sessions?: readonly { readonly id: string; readonly timeout: number }[];
  readonly nodes?: readonly ExpectedNode[];
}
interface ExpectedNode {
  readonly path: string;
  readonly dataHex: string | null;
  readonly acl: readonly { readonly perms: number; readonly scheme: string; readonly id: string }[];
  readonly stat: Readonly<Record<string, string | number>>;
}

const GOLDEN = projectPath("test", "golden", "persistence");
const cases = readdirSync(GOLDEN, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith("expected.json"))
  .map((name) => name.slice(0, -"/expected.json".length))
  .sort();

const folder = temporaryFolder("golden");
after(() => rmSync(folder, { recursive: true, force: true }));

/** A copy of a case's directory. */
function copyOf(name: string): string {
  const copy = join(folder, name.replace("/", "-"));
  rmSync(copy, { recursive: true, force: true });
  cpSync(join(GOLDEN, name), copy, { recursive: true });
  return copy;
}

function expectedOf(name: string): Expected {
  return JSON.parse(readFileSync(join(GOLDEN, name, "expected.json"), "utf8")) as Expected;
}

interface Attempt {
  readonly trustEmptySnapshot?: boolean;
  readonly damagedTail?: "refuse" | "cut";
  readonly said?: string[];
}

async function recovered(
  name: string,
  dataDir: string,
  { trustEmptySnapshot = false, damagedTail = "refuse", said = [] }: Attempt,
) {
  const note = (message: string): void => void said.push(message);
  const logger: Logger = { debug() {}, info() {}, warn: note, error: note };
  const storage = fileStorage({ dataDir, damagedTail });
  const stored = await storage.open(logger);
  try {
    // A server without extended types takes a TTL znode's owner for a session.
    const extendedTypes = /^(05|13)/.test(name);
    const tree = { extendedTypes, digest: true, counterWraps: false, configNode: true };
    return await recover(dataDir, stored, { tree, trustEmptySnapshot, logger });
  } finally {
    await storage.close();
  }
}

function assertEqual({ database }: Recovered, expected: Expected, skipConfig: boolean): void {
  const { tree, sessions, lastZxid } = database;
  assert.equal(lastZxid, BigInt(expected.lastProcessedZxid!));
  if (expected.treeDigest !== undefined) assert.equal(tree.digest, BigInt(expected.treeDigest));
  if (expected.nodeCount !== undefined) assert.equal(tree.size, expected.nodeCount);
  if (expected.sessions !== undefined) {
    const ids = expected.sessions.map(({ id, timeout }) => [BigInt(id), timeout]);
    assert.deepEqual(new Map(sessions), new Map(ids as [bigint, number][]));
  }
  for (const { path, dataHex, acl, stat } of expected.nodes ?? []) {
    if (skipConfig && path === "/zookeeper/config") continue;
    const node = tree.get(path);
    assert.ok(node !== undefined, path);
    assert.equal(node.data === null ? null : toHex(node.data), dataHex, path);
    const there = { ...node.stat } as Record<string, unknown>;
    const wanted = Object.fromEntries(
      Object.entries(stat).map(([key, value]) => [key, typeof value === "string" ? BigInt.asIntN(64, BigInt(value)) : value]),
    );
    assert.deepEqual(there, wanted, path);
    assert.deepEqual(node.acl ?? OPEN_ACL_UNSAFE, acl, path);
  }
  if (expected.nodes !== undefined) {
    const built =
      tree.get("/zookeeper/config") !== undefined && !expected.nodes.some(({ path }) => path === "/zookeeper/config");
    assert.equal(tree.size - (built ? 1 : 0), expected.nodes.length);
  }
}

describe("a data directory of Apache ZooKeeper", () => {
  for (const name of cases) {
    const expected = expectedOf(name);
    // In an ensemble every member writes the config znode for itself.
    const inEnsemble = name.startsWith("12");
    const trustEmptySnapshot = name.startsWith("02");

    if (expected.serverStarts === false) {
      test(`${name}: refused, and the place is named`, async () => {
        const copy = copyOf(name);
        await assert.rejects(recovered(name, copy, {}), (error) => {
          assert.ok(error instanceof StorageError);
          assert.match(error.message, /version-2[/\\]log\.1 at offset \d+: .+\. Restore the file/);
          return true;
        });
      });
      continue;
    }

    test(`${name}: recovered as Apache does`, async () => {
      const said: string[] = [];
      assertEqual(await recovered(name, copyOf(name), { trustEmptySnapshot, said }), expected, inEnsemble);
      const torn = name.startsWith("04") && expected.lastProcessedZxid === "0x32";
      assert.deepEqual(said.length, torn ? 1 : 0, said.join("\n"));
    });

    test(`${name}: a second time the same, with nothing left to cut`, async () => {
      const copy = copyOf(name);
      await recovered(name, copy, { trustEmptySnapshot });
      const said: string[] = [];
      assertEqual(await recovered(name, copy, { trustEmptySnapshot, said }), expected, inEnsemble);
      assert.deepEqual(said, []);
    });

    const snapshots = readdirSync(join(GOLDEN, name, "version-2")).filter((file) => /^snapshot\.(?!0$)/.test(file));
    const fromStart = existsSync(join(GOLDEN, name, "version-2", "snapshot.0"));
    if (snapshots.length > 0 && fromStart) {
      test(`${name}: a damaged snapshot falls back to the one before`, async () => {
        const copy = copyOf(name);
        for (const file of snapshots) damage(join(copy, "version-2", file));
        const said: string[] = [];
        assertEqual(await recovered(name, copy, { said }), expected, inEnsemble);
        assert.match(said.join("\n"), /is damaged \(.*\): the snapshot before it is tried/);
      });
    }
  }

  test("02-log-only: refused unless it is said that the log is everything", async () => {
    await assert.rejects(recovered("02", copyOf("02-log-only"), {}), /there is a log but no snapshot.*snapshot\.trust\.empty/);
  });

  for (const name of ["04-torn-tail/g-bitflip-last", "04-torn-tail/i-garbage-length", "04-torn-tail/o-negative-length"]) {
    test(`${name}: cut off where that is asked for`, async () => {
      const said: string[] = [];
      const { database } = await recovered(name, copyOf(name), { damagedTail: "cut", said });
      assert.equal(database.lastZxid, 0x32n);
      assert.match(said.join("\n"), /at offset 5374: .*; the log is cut there/);
    });
  }

  test("04-torn-tail/h-bitflip-middle: refused even where a damaged tail is to be cut", async () => {
    await assert.rejects(
      recovered("04", copyOf("04-torn-tail/h-bitflip-middle"), { damagedTail: "cut" }),
      /at offset 2299: the checksum of a record does not fit it, and txn 0x16 stands whole behind it, at 2405/,
    );
  });

  test("a directory without its newest snapshots and without the log before them is refused", async () => {
    const copy = copyOf("03-snapshot-and-log");
    rmSync(join(copy, "version-2", "snapshot.33"));
    rmSync(join(copy, "version-2", "log.1"));
    await assert.rejects(
      recovered("03", copy, {}),
      /log\.34 at offset 16: txns are missing: 0x34 follows 0x0 \(the snapshot\)/,
    );
  });
});

/** Changes one bit in the middle of a file. */
function damage(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 4;
  writeFileSync(path, bytes);
}
