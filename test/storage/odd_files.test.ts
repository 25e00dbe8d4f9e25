/**
 * What a data directory may hold beside plain files of the right names: links, also to nothing, folders, other spellings, packed copies. What looks
 * like data is read or refused; a server never starts empty, or without its newest txns, beside it.
 */

import assert from "node:assert/strict";
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileStorage } from "../../adapters/storage/mod.ts";
import { open } from "../../mod.ts";
import { temporaryFolder } from "../support/temporary.ts";

const folder = temporaryFolder("odd-files");
after(() => rmSync(folder, { recursive: true, force: true }));
let places = 0;
const newPlace = (): string => join(folder, String(places++));
const DATA = /^(log|snapshot)\./;

/** A directory with two log files and two snapshots. */
async function filled(): Promise<string> {
  const dataDir = newPlace();
  for (const path of ["/a", "/b"]) {
    await using server = await open({ storage: fileStorage(dataDir) });
    await using zk = await server.connect();
    await zk.create(path);
    await server.saveSnapshot();
    await zk.create(`${path}-later`);
  }
  return dataDir;
}

const inside = (dataDir: string): string => join(dataDir, "version-2");
const dataIn = (dataDir: string): string[] => readdirSync(inside(dataDir)).filter((name) => DATA.test(name));
const newestLog = (dataDir: string): string => {
  const zxidOf = (name: string): number => Number.parseInt(name.slice(4), 16);
  const logs = dataIn(dataDir).filter((name) => name.startsWith("log."));
  return join(inside(dataDir), logs.sort((one, other) => zxidOf(one) - zxidOf(other)).at(-1)!);
};

async function holdsAll(dataDir: string): Promise<void> {
  await using server = await open({ storage: fileStorage(dataDir) });
  for (const path of ["/a", "/a-later", "/b", "/b-later"]) assert.notEqual(server.inspect(path), null, path);
}

/** Moves files away and leaves links to them. */
function linked(dataDir: string, names: readonly string[]): string {
  const away = newPlace();
  mkdirSync(away);
  for (const name of names) {
    renameSync(join(inside(dataDir), name), join(away, name));
    symlinkSync(join(away, name), join(inside(dataDir), name));
  }
  return away;
}

describe("links are followed", () => {
  for (const [what, isMeant] of [
    ["all files", () => true],
    ["the logs", (name: string) => name.startsWith("log.")],
    ["the snapshots", (name: string) => name.startsWith("snapshot.")],
  ] as const) {
    test(what, async () => {
      const dataDir = await filled();
      linked(dataDir, dataIn(dataDir).filter(isMeant));
      await holdsAll(dataDir);
      await holdsAll(dataDir);
    });
  }

  test("of the newest log alone", async () => {
    const dataDir = await filled();
    linked(dataDir, [newestLog(dataDir).slice(inside(dataDir).length + 1)]);
    await holdsAll(dataDir);
  });

  test("of the folder itself", async () => {
    const dataDir = await filled();
    const away = newPlace();
    renameSync(inside(dataDir), away);
    symlinkSync(away, inside(dataDir));
    await holdsAll(dataDir);
  });
});

describe("what looks like data and can't be read is refused", () => {
  const refused = async (dataDir: string, problem: RegExp): Promise<void> => {
    const before = dataIn(dataDir);
    await assert.rejects(open({ storage: fileStorage(dataDir) }), problem);
    assert.deepEqual(dataIn(dataDir), before);
  };

  test("links to nothing: all, and the newest log's", async () => {
    for (const all of [true, false]) {
      const dataDir = await filled();
      const away = linked(dataDir, all ? dataIn(dataDir) : [newestLog(dataDir).slice(inside(dataDir).length + 1)]);
      rmSync(away, { recursive: true });
      await refused(dataDir, /(log|snapshot)\.\w+: .*leads? nowhere/);
    }
  });

  test("a link to itself", async () => {
    const dataDir = await filled();
    const log = newestLog(dataDir);
    rmSync(log);
    symlinkSync(log, log);
    await refused(dataDir, /log\.\w+/);
  });

  test("folders in the place of files", async () => {
    for (const name of ["log.99", "snapshot.99", "snapshot.99.gz"]) {
      const dataDir = await filled();
      mkdirSync(join(inside(dataDir), name));
      await refused(dataDir, new RegExp(`${name.replaceAll(".", "\\.")}: .*no file`));
    }
  });

  test("other spellings, beside data or alone", async () => {
    for (const [from, to] of [
      [/^log\./, "LOG."],
      [/^log\./, "Log."],
      [/^(?=.)/, ""],
    ] as const) {
      const dataDir = await filled();
      if (to === "")
        for (const name of dataIn(dataDir)) renameSync(join(inside(dataDir), name), join(inside(dataDir), name.toUpperCase()));
      else renameSync(newestLog(dataDir), newestLog(dataDir).replace(/log\.(\w+)$/, `${to}$1`));
      assert.ok(from instanceof RegExp);
      await refused(dataDir, /(LOG|Log|SNAPSHOT)\.\w+: .*rename it/i);
    }
  });

  test("nothing but files that are packed, or kept by another name", async () => {
    for (const name of ["log.1.gz", "snapshot.5.bak", "log.1~", "snapshot.0.lz4"]) {
      const dataDir = newPlace();
      mkdirSync(inside(dataDir), { recursive: true });
      writeFileSync(join(inside(dataDir), name), "something");
      await refused(dataDir, /looks like data/);
    }
  });

  test("data in the folder above, or one that is given as if it were the one above", async () => {
    const dataDir = await filled();
    await assert.rejects(open({ storage: fileStorage(inside(dataDir)) }), new RegExp(`looks like data.*${dataDir}`));
    assert.ok(!readdirSync(inside(dataDir)).includes("version-2"));
    const other = await filled();
    renameSync(inside(other), join(other, "VERSION-2"));
    await assert.rejects(open({ storage: fileStorage(other) }), /VERSION-2.*version-2/);
    assert.ok(!readdirSync(other).includes("version-2"));
  });

  test("files without a byte", async () => {
    const dataDir = await filled();
    for (const name of dataIn(dataDir)) writeFileSync(join(inside(dataDir), name), "");
    await refused(dataDir, /none of its \d snapshots is whole/);
    const logOnly = newPlace();
    mkdirSync(inside(logOnly), { recursive: true });
    writeFileSync(join(inside(logOnly), "log.1"), "");
    await refused(logOnly, /there is a log but no snapshot/);
  });
});

test("what others leave in the folder does not keep a server from starting", async () => {
  const dataDir = await filled();
  for (const name of ["log.1.bak", "snapshot.7.tmp", "notes.txt", "catalog.1"]) writeFileSync(join(inside(dataDir), name), "x");
  mkdirSync(join(inside(dataDir), "lost+found"));
  await holdsAll(dataDir);
});
