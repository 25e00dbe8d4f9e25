/**
 * Three members of ours as processes: who leads, who takes over, and what is left when members die under load.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../../adapters/tcp/mod.ts";
import { fourLetterWord } from "../support/server_process.ts";
import { until } from "../support/until.ts";
import { assertSameTrees, Load } from "./load.ts";
import { EnsembleProcesses, notAskedFor } from "./processes.ts";

const MINUTE_MS = 60_000;
const THREE = { 1: { kind: "ours" }, 2: { kind: "ours" }, 3: { kind: "ours" } } as const;

describe("three members", { skip: notAskedFor, timeout: 3 * MINUTE_MS }, () => {
  test("one leads, two follow, and each says so", async () => {
    await using ensemble = await EnsembleProcesses.of(THREE);
    await ensemble.start(1, 2, 3);
    const leader = await ensemble.serving();
    const modes = await Promise.all(ensemble.ids.map((id) => ensemble.mode(id)));
    assert.deepEqual([...modes].sort(), ["follower", "follower", "leader"]);
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
});
