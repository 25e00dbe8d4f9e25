/** A client that is content with a read-only server: one of three is left, and later the others come back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../adapters/tcp/mod.ts";
import { findJavaZooKeeper } from "../support/peers.ts";
import { Lines } from "../support/remote_handle.ts";
import { serverName } from "../support/server_process.ts";
import { until } from "../support/until.ts";
import { Ensemble } from "./ensemble.ts";

for (const kind of ["apache", "ours"] as const) {
  const skip = kind === "apache" ? findJavaZooKeeper().skip : false;
  test(`a client goes from a read-only server of ${serverName(kind)} to one that takes writes`, {
    skip,
    timeout: 180_000,
  }, async () => {
    // Without local sessions a read-only server of 3.8 has no sessions to give.
    await using ensemble = await Ensemble.start(kind, { "readonlymode.enabled": true, localSessionsEnabled: true });
    const logger = new Lines();
    {
      await using zk = await connect(ensemble.connectString, { logger });
      await zk.create("/before", "x");
    }
    for (const id of [1, 2]) await ensemble.kill(id);
    await until(async () => (await ensemble.ask(3, "isro")) === "ro", "the last member to notice that it is alone");
    const options = { canBeReadOnly: true, sessionTimeoutMs: 10_000, logger, signal: AbortSignal.timeout(60_000) };
    await using zk = await connect(ensemble.connectString, options);
    const states: string[] = [zk.state];
    zk.onState(({ state }) => states.push(state));
    assert.equal(zk.state, "connectedReadOnly");
    let heard = 0;
    assert.equal((await zk.getData("/before", { watch: () => void heard++ })).data?.length, 1);
    await assert.rejects(zk.create("/x"), { code: "NotReadOnly", applied: false });
    await Promise.all([1, 2].map((id) => ensemble.spawn(id)));
    await Promise.all([1, 2].map((id) => ensemble.serving(id)));
    await until(() => zk.state === "connected", "a server that takes writes");
    assert.deepEqual(new Set(states), new Set(["connectedReadOnly", "suspended", "connected"]));
    await zk.setData("/before", "y");
    await until(() => heard === 1, "the watch that was set on the read-only server");
  });
}
