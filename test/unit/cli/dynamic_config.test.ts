/** The files beside zoo.cfg that hold an ensemble's configuration: what is committed, and what was proposed. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { DynamicConfig } from "../../../adapters/cli/dynamic_config.ts";
import { lastSeenOf } from "../../../adapters/cli/member.ts";
import { ensembleConfig } from "../../../mod.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const folder = temporaryFolder("dynamic-config");
after(() => rmSync(folder, { recursive: true }));

const LINES = ["server.1=127.0.0.1:1:2:participant;127.0.0.1:3", "server.2=127.0.0.1:4:5:observer"];
const config = (version: bigint) => ({ ...ensembleConfig(LINES), version });

/** A zoo.cfg with a store of its own. */
function store(name: string): { readonly store: DynamicConfig; readonly file: string; readonly next: string } {
  const file = join(folder, name);
  writeFileSync(file, "clientPort=3\n");
  return { store: new DynamicConfig(file, 1n), file, next: `${file}.dynamic.next` };
}

describe("what was proposed", () => {
  test("is read as it was kept, by this server or by Apache's, until it is committed", async () => {
    const { store: own, next } = store("kept.cfg");
    assert.equal(own.readProposed(), null);
    await own.saveProposed(config(0x200000003n));
    assert.deepEqual(own.readProposed(), config(0x200000003n));
    writeFileSync(
      next,
      "# of java.util.Properties\nversion=200000003\nserver.2=127.0.0.1\\:4\\:5\\:observer\nserver.1 = 127.0.0.1:1:2;127.0.0.1:3\n",
    );
    assert.equal(own.readProposed()?.version, 0x200000003n);
    assert.deepEqual(new Set(own.readProposed()?.members), new Set(config(0n).members));
    await own.saveCommitted(config(0x200000003n));
    assert.equal(own.readProposed(), null);
  });

  test("stays where an earlier one is committed", async () => {
    const { store: own, next, file } = store("later.cfg");
    await own.saveProposed(config(0x200000003n));
    await own.saveCommitted(config(0x100000000n));
    assert.ok(existsSync(next));
    assert.match(readFileSync(file, "utf8"), /dynamicConfigFile=.*later.cfg.dynamic.100000000/);
  });

  test("is not passed over where it can't be read: it may have been agreed to", () => {
    const { store: own, next } = store("torn.cfg");
    for (const text of ["server.1=127.0.0.1", "server.1=127.0.0.1:1:2\nversion=x"]) {
      writeFileSync(next, text);
      assert.throws(() => lastSeenOf(own), { name: "ZooCfgError", message: /torn.cfg.dynamic.next: .*remove it if/ });
    }
  });
});
