/**
 * Three members of ours as processes: who leads, who takes over, and what is left when members die under load.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { connect } from "../../adapters/tcp/mod.ts";
import { programCommand } from "../support/runtime.ts";
import { fourLetterWord, spawnServer } from "../support/server_process.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { until } from "../support/until.ts";
import { assertSameTrees, Load } from "./load.ts";
import { EnsembleProcesses } from "./processes.ts";

const runProgram = promisify(execFile);
const MINUTE_MS = 60_000;
const OURS = { kind: "ours" } as const;
const THREE = { 1: OURS, 2: OURS, 3: OURS };

describe("three members", { timeout: 3 * MINUTE_MS }, () => {
  test("one leads, two follow, and each says so", async () => {
    await using ensemble = await EnsembleProcesses.of(THREE);
    await ensemble.start(1, 2, 3);
    const leader = await ensemble.serving();
    const modes = await Promise.all(ensemble.ids.map((id) => ensemble.mode(id)));
    assert.deepEqual([...modes].sort(), ["follower", "follower", "leader"]);
    for (const id of ensemble.ids) {
      const { command, args } = programCommand("adapters/cli/main.ts", "status", ensemble.configFile(id));
      const { stdout } = await runProgram(command, args);
      assert.match(stdout, id === leader ? /^Mode: leader$/m : /^Mode: follower$/m);
    }
    await using zk = await connect(ensemble.connectString(leader === 1 ? 2 : 1));
    await zk.create("/hello", "world");
    const { data } = await zk.getConfig();
    assert.match(
      new TextDecoder().decode(data!),
      /^server\.1=127\.0\.0\.1:\d+:\d+:participant\nserver\.2=.*\nserver\.3=.*\nversion=0$/,
    );
    const port = Number(ensemble.connectString(leader).split(":")[1]);
    const conf = await fourLetterWord(port, "conf");
    assert.match(conf, new RegExp(`serverId=${leader}\\ninitLimit=10\\nsyncLimit=5\\nelectionAlg=3\\n`));
  });

  test("the leader is killed under load: another one leads, and nothing acknowledged is lost, sessions and ephemerals included", async () => {
    await using ensemble = await EnsembleProcesses.of(THREE);
    await ensemble.start(1, 2, 3);
    const leader = await ensemble.serving();
    const load = await Load.start(ensemble.connectString(), "/load");
    await until(() => load.acknowledged.length > 200, "some load");
    await ensemble.kill(leader);
    const survivors = ensemble.ids.filter((id) => id !== leader);
    const next = await ensemble.serving(...survivors);
    assert.notEqual(next, leader);
    const before = load.acknowledged.length;
    await until(() => load.acknowledged.length > before + 200, "load on the new leader");
    await ensemble.start(leader);
    await ensemble.serving();
    await load.stop("/load");
    await assertSameTrees(
      ensemble.ids.map((id) => ensemble.connectString(id)),
      load.acknowledged,
    );
  });

  test("two of three are killed: nothing is written until one is back", async () => {
    await using ensemble = await EnsembleProcesses.of(THREE);
    await ensemble.start(1, 2, 3);
    await ensemble.serving();
    await using zk = await connect(ensemble.connectString(), { sessionTimeoutMs: 20_000 });
    await zk.create("/before", "");
    await ensemble.kill(1);
    await ensemble.kill(2);
    await until(async () => (await ensemble.mode(3)) === null, "the last one to stop serving");
    await ensemble.start(1);
    await ensemble.serving(1, 3);
    await until(() => zk.state === "connected", "the session to be back");
    await zk.create("/after", "");
    await ensemble.start(2);
    await ensemble.serving();
    await assertSameTrees(
      ensemble.ids.map((id) => ensemble.connectString(id)),
      ["/before", "/after"],
    );
  });

  test("who has missed more than is remembered is told it from the log", async () => {
    await using ensemble = await EnsembleProcesses.of(THREE, { snapshotSizeFactor: 0 });
    await ensemble.start(1, 2, 3);
    const leader = await ensemble.serving();
    const behind = leader === 1 ? 2 : 1;
    const load = await Load.start(ensemble.connectString(), "/load");
    await until(() => load.acknowledged.length > 20, "some load");
    await ensemble.kill(behind);
    const before = load.acknowledged.length;
    await until(() => load.acknowledged.length > before + 1200, "more load than is remembered", MINUTE_MS);
    await ensemble.start(behind);
    await ensemble.serving();
    assert.match(ensemble.log(leader), new RegExp(`Learner ${behind} at 0x\\w+ catches up by DIFF`));
    assert.doesNotMatch(ensemble.log(behind), /A whole database came/);
    await load.stop("/load");
    await assertSameTrees(
      ensemble.ids.map((id) => ensemble.connectString(id)),
      load.acknowledged,
    );
  });

  test("of five, two may die under load, the leader among them", async () => {
    await using ensemble = await EnsembleProcesses.of({ ...THREE, 4: OURS, 5: OURS });
    await ensemble.start(1, 2, 3, 4, 5);
    const leader = await ensemble.serving();
    const load = await Load.start(ensemble.connectString(), "/load");
    await until(() => load.acknowledged.length > 100, "some load");
    const dead = [leader, leader === 1 ? 2 : 1];
    await Promise.all(dead.map((id) => ensemble.kill(id)));
    await ensemble.serving(...ensemble.ids.filter((id) => !dead.includes(id)));
    const before = load.acknowledged.length;
    await until(() => load.acknowledged.length > before + 100, "load on those that are left");
    await ensemble.start(...dead);
    await ensemble.serving();
    await load.stop("/load");
    await assertSameTrees(
      ensemble.ids.map((id) => ensemble.connectString(id)),
      load.acknowledged,
    );
  });

  test("a member that does not know which one it is says so, and does not start", async () => {
    const folder = temporaryFolder("myid");
    const members = { "server.1": "127.0.0.1:1:2", "server.2": "127.0.0.1:3:4" };
    const start = async (): Promise<string> => {
      const server = await spawnServer({ kind: "ours", folder, config: members });
      assert.deepEqual(await server.exited, { code: 2, signal: null });
      return server.logs();
    };
    try {
      assert.match(await start(), /myid can't be read: it must hold this member's number, the N of its line server\.N/);
      writeFileSync(join(folder, "data", "myid"), "3\n");
      assert.match(await start(), /myid: member 3 is not listed; listed are 1, 2$/m);
      writeFileSync(join(folder, "data", "myid"), "one\n");
      assert.match(await start(), /myid: "one" is no member's number$/m);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
