import assert from "node:assert/strict";
import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { projectPath } from "../../support/root.ts";
import { programCommand } from "../../support/runtime.ts";
import { startServer } from "../../support/server_process.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const folder = temporaryFolder("data-commands");
after(() => rmSync(folder, { recursive: true, force: true }));

function copyOf(name: string): string {
  const copy = join(folder, `${name.replace("/", "-")}-${Math.random().toString(36).slice(2)}`);
  cpSync(projectPath("test", "golden", "persistence", name), copy, { recursive: true });
  return copy;
}

function zookernel(args: readonly string[], input = ""): SpawnSyncReturns<string> {
  const { command, args: all } = programCommand("adapters/cli/main.ts", ...args, "--log-level", "error");
  return spawnSync(command, all, { input, encoding: "utf8" });
}

/** The same beside what this process does. */
async function zookernelAside(args: readonly string[]): Promise<Said> {
  const { command, args: all } = programCommand("adapters/cli/main.ts", ...args, "--log-level", "error");
  const child = spawn(command, all, { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [status] = await once(child, "close");
  return { status, stdout, stderr };
}

type Said = Pick<SpawnSyncReturns<string>, "status" | "stdout" | "stderr">;

function said(run: Said, status = 0): string {
  assert.equal(run.status, status, run.stderr);
  return run.stdout;
}

describe("zookernel log", () => {
  test("dump prints a line for each txn, multis and errors included", () => {
    const lines = said(zookernel(["log", "dump", copyOf("01-plain")]))
      .trimEnd()
      .split("\n");
    assert.equal(lines.length, 51);
    assert.equal(
      lines[1],
      '2026-11-22T09:20:32.311Z session 0x100000f9f5d0000 cxid 1 zxid 0x2 create "/a" 5 bytes parentCVersion 1 acl world:anyone:31 digest 3661067216',
    );
    assert.ok(lines.some((line) => / zxid 0x[0-9a-f]+ multi \[.*check .*\]/.test(line)));
    assert.ok(lines.some((line) => /error NoNode$/.test(line)));
    assert.ok(lines.some((line) => /closeSession \[.*\] digest/.test(line)));
  });

  test("verify tells of each file, and of a directory whether a server starts on it", () => {
    const out = said(zookernel(["log", "verify", copyOf("03-snapshot-and-log")]));
    assert.match(out, /log\.1: 51 txns, 0x1 to 0x33, up to offset 5435: whole\n/);
    assert.match(out, /log\.34: 9 txns, 0x34 to 0x3c, up to offset 800: whole\n/);
    assert.match(out, /: a server starts on it, at 0x3c: 33 znodes, 4 sessions, digest 57017794424\n$/);
  });

  test("verify changes nothing of a torn log, and is content with it", () => {
    const copy = copyOf("04-torn-tail/e-zero-filled-tail");
    const before = readFileSync(join(copy, "version-2", "log.1"));
    assert.match(said(zookernel(["log", "verify", copy])), /offset 5374: torn: the last record was not written to its end\n$/);
    assert.deepEqual(readFileSync(join(copy, "version-2", "log.1")), before);
    assert.deepEqual(readdirSync(join(copy, "version-2")).sort(), ["log.1", "snapshot.0"]);
  });

  test("verify finds a damaged middle", () => {
    const out = said(zookernel(["log", "verify", copyOf("04-torn-tail/h-bitflip-middle")]), 1);
    assert.match(
      out,
      /offset 2299: damaged: the checksum of a record does not fit it; txn 0x16 stands whole behind it, at 2405/,
    );
  });

  test("repair cuts off a damaged end and keeps it beside", () => {
    const copy = copyOf("04-torn-tail/g-bitflip-last");
    const log = join(copy, "version-2", "log.1");
    const before = readFileSync(log);
    assert.match(said(zookernel(["log", "repair", log])), /cut at offset 5374 .* Its last txn is 0x32 now/);
    assert.deepEqual(readFileSync(log), before.subarray(0, 5374));
    assert.deepEqual(readFileSync(join(copy, "version-2", "cut-of-log.1-at-5374")), before.subarray(5374));
    assert.match(said(zookernel(["log", "verify", copy])), /a server starts on it, at 0x32/);
    assert.match(said(zookernel(["log", "repair", log])), /nothing to repair/);
  });

  test("repair gives up whole txns only by force", () => {
    const copy = copyOf("04-torn-tail/h-bitflip-middle");
    const log = join(copy, "version-2", "log.1");
    const before = readFileSync(log);
    assert.match(zookernel(["log", "repair", log]).stderr, /would be lost: restore the file, or say --force\n$/);
    assert.deepEqual(readFileSync(log), before);
    assert.match(said(zookernel(["log", "repair", log, "--force"])), /Its last txn is 0x14 now/);
  });

  test("what is no log is left alone", () => {
    const log = join(copyOf("04-torn-tail/m-bad-magic"), "version-2", "log.1");
    const before = readFileSync(log);
    assert.match(zookernel(["log", "repair", log, "--force"]).stderr, /foreign: this is no ZooKeeper log/);
    assert.deepEqual(readFileSync(log), before);
  });

  test("a file that is not there is said in a line", () => {
    const run = zookernel(["log", "dump", join(folder, "missing")]);
    assert.equal(run.status, 1);
    assert.match(run.stderr, /^zookernel: .*missing.*\n$/);
  });
});

describe("zookernel snapshot", () => {
  test("show tells what is in it", () => {
    const file = join(copyOf("03-snapshot-and-log"), "version-2", "snapshot.33");
    const [head, ...rest] = said(zookernel(["snapshot", "show", file, "--all"]))
      .trimEnd()
      .split("\n");
    assert.equal(head, `${file}: 30 znodes, 2 of them ephemeral, 2 sessions, digest 51441487805 at 0x33`);
    assert.equal(rest.length, 32);
  });

  test("take writes one that says what the log says", () => {
    const copy = copyOf("03-snapshot-and-log");
    said(zookernel(["snapshot", "take", copy]));
    rmSync(join(copy, "version-2", "log.34"));
    rmSync(join(copy, "version-2", "log.1"));
    const out = said(zookernel(["snapshot", "show", join(copy, "version-2", "snapshot.3c")]));
    assert.match(out, /33 znodes, .* 4 sessions, digest 57017794424 at 0x3c\n$/);
  });

  test("convert packs and unpacks, and nothing is changed by it", () => {
    const copy = copyOf("03-snapshot-and-log");
    const plain = join(copy, "version-2", "snapshot.33");
    const [gzip, snappy, again] = ["snapshot.33.gz", "snapshot.33.snappy", "snapshot.33"].map((name) => join(copy, name));
    said(zookernel(["snapshot", "convert", plain, gzip!]));
    said(zookernel(["snapshot", "convert", gzip!, snappy!]));
    said(zookernel(["snapshot", "convert", snappy!, again!]));
    const all = [plain, gzip!, snappy!, again!].map((file) => said(zookernel(["snapshot", "show", file, "--all"])));
    const content = all.map((text) => text.slice(text.indexOf(": ")).split("\n").sort().join("\n"));
    assert.deepEqual(new Set(content).size, 1);
    assert.ok(readFileSync(gzip!).length < readFileSync(again!).length);
    assert.ok(readFileSync(snappy!).length < readFileSync(again!).length);
  });

  test("convert refuses a snapshot that is of use only with its log", () => {
    const copy = copyOf("11-fuzzy-snapshot");
    const run = zookernel(["snapshot", "convert", join(copy, "version-2", "snapshot.1d"), join(copy, "snapshot.1d.gz")]);
    assert.equal(run.status, 1);
    assert.match(run.stderr, /written while txns went on/);
    assert.ok(!existsSync(join(copy, "snapshot.1d.gz")));
  });

  test("a damaged one is told", () => {
    const file = join(copyOf("03-snapshot-and-log"), "version-2", "snapshot.33");
    const bytes = readFileSync(file);
    bytes[1000]! ^= 1;
    writeFileSync(file, bytes);
    const run = zookernel(["snapshot", "show", file]);
    assert.equal(run.status, 1);
    assert.match(run.stderr, /^zookernel: /);
  });
});

describe("a directory that a server has open", () => {
  test("has its snapshot taken by that server, and its log verified as it stands", async () => {
    await using server = await startServer({ kind: "ours" });
    const before = readdirSync(join(server.dataDir, "version-2"));
    const run = said(await zookernelAside(["snapshot", "take", server.dataDir]));
    assert.match(run, /: snapshot taken at 0x[0-9a-f]+, by the server that has it open\n$/);
    assert.deepEqual(
      readdirSync(join(server.dataDir, "version-2")).filter((file) => !file.startsWith("snapshot.")),
      before.filter((file) => !file.startsWith("snapshot.")),
      "no request and no answer is left",
    );
    assert.match(said(await zookernelAside(["log", "verify", server.dataDir])), /: a server has it open, so whether/);
    const exported = await zookernelAside(["export", server.dataDir]);
    assert.match(exported.stderr, /zookernel\.lock: the data directory is in use: process \d+ has it open/);
    assert.equal(exported.status, 1);
  });
});

describe("zookernel export and import", () => {
  for (const name of ["01-plain", "05-ttl-container", "12-quorum-leader"]) {
    test(`${name} comes back as it was`, () => {
      const exported = said(zookernel(["export", copyOf(name)]));
      const target = join(folder, `imported-${name}`);
      said(zookernel(["import", target], exported));
      const again = said(zookernel(["export", target]));
      assert.deepEqual(again.split("\n").sort(), exported.split("\n").sort());
      assert.equal(zookernel(["import", target], exported).status, 1);
    });
  }

  test("what is no export is refused with its line", () => {
    const exported = said(zookernel(["export", copyOf("01-plain")])).split("\n");
    const at = (lines: readonly string[]): string => zookernel(["import", join(folder, "refused")], lines.join("\n")).stderr;
    assert.match(at(["{}"]), /^zookernel: line 1: format: /);
    assert.match(at([exported[0]!, "nonsense"]), /^zookernel: line 2: /);
    assert.match(at([exported[0]!, exported[1]!]), /their digest is another/);
    assert.match(at([exported[0]!, exported.at(-2)!]), /stands before its parent|their digest is another/);
    assert.ok(!readdirSync(join(folder, "refused", "version-2")).some((file) => file.startsWith("snapshot")));
  });
});
