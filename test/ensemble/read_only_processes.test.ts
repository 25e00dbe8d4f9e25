/**
 * A member of three that is left alone, asked by kazoo, zkCli and four-letter words: ours answers what Apache's does.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { connect } from "../../adapters/tcp/mod.ts";
import { runZkCli } from "../clients/zkcli.ts";
import { findJavaZooKeeper, findKazoo, findZkCli } from "../support/peers.ts";
import { projectPath } from "../support/root.ts";
import { fourLetterWord, type ServerKind } from "../support/server_process.ts";
import { until } from "../support/until.ts";
import { EnsembleProcesses } from "./processes.ts";

const run = promisify(execFile);
const MINUTE_MS = 60_000;
const kazoo = findKazoo();
const zkCli = findZkCli();
const java = findJavaZooKeeper();

/** What kazoo and zkCli are told by a member that is alone, and what its own words are. */
async function answersOf(kind: ServerKind): Promise<readonly string[]> {
  // Apache's serve read-only clients only where there are local sessions.
  const config = { "readonlymode.enabled": true, localSessionsEnabled: true };
  await using ensemble = await EnsembleProcesses.of({ 1: { kind }, 2: { kind }, 3: { kind } }, config);
  await ensemble.start(1, 2, 3);
  await ensemble.serving();
  const zk = await connect(ensemble.connectString(1));
  await zk.create("/kept", "here");
  await zk.close();
  const port = Number(ensemble.connectString(1).split(":")[1]);
  const isro = (): Promise<string> => fourLetterWord(port, "isro").catch(() => "");
  assert.equal(await isro(), "rw");
  await ensemble.kill(2);
  await ensemble.kill(3);
  await until(
    async () => (await isro()) === "ro",
    () => `member 1 to serve reads:\n${ensemble.logs()}`,
    MINUTE_MS,
  );
  const said = /^Mode: .*$/m.exec(await fourLetterWord(port, "srvr"))?.[0] ?? "";
  const stat = (await fourLetterWord(port, "stat")).split("\n")[1]!;
  const { stdout } =
    kazoo.skip === false
      ? await run(kazoo.python, ["-B", projectPath("test/ensemble/kazoo_read_only.py"), `127.0.0.1:${port}`])
      : { stdout: "" };
  const shell: string[] = [];
  if (zkCli.skip === false) {
    for (const words of [
      ["ls", "/"],
      ["get", "/kept"],
      ["create", "/no"],
    ]) {
      const heard = await runZkCli(zkCli.command, ["-server", `127.0.0.1:${port}`, "-r", ...words]);
      shell.push(
        heard.stdout
          .split("\n")
          .filter((line) => /^\[|^here$|Not a read-only call/.test(line))
          .join(" "),
        heard.stderr.replaceAll(/^SLF4J.*\n/gm, ""),
      );
    }
  }
  await ensemble.start(2);
  await ensemble.serving(1, 2);
  return [said, stat, ...stdout.split("\n"), ...shell, await isro()];
}

describe("a member of three that is left alone", {
  skip: kazoo.skip || zkCli.skip,
  timeout: 5 * MINUTE_MS,
}, () => {
  let ours: readonly string[] = [];

  test("lets kazoo and zkCli read, and nobody write", async () => {
    ours = await answersOf("ours");
    const told = ours.join("\n");
    assert.match(told, /^Mode: read-only\nREAD-ONLY mode; serving only read-only clients\nstate CONNECTED_RO\nget here\n/);
    for (const verb of ["create", "ephemeral", "delete", "set", "set_acls", "sync", "transaction"])
      assert.match(told, new RegExp(`^${verb} NotReadOnlyCallError$`, "m"));
    assert.match(told, /Not a read-only call/);
    assert.equal(ours.at(-1), "rw");
  });

  test("answers as Apache's does", { skip: java.skip }, async () => {
    assert.deepEqual(ours, await answersOf("apache"));
  });
});
