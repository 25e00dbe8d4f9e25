/**
 * Members of ours among Apache's: as observer, as follower, as leader, and taking their places one by one.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../../adapters/tcp/mod.ts";
import { findJavaZooKeeper } from "../support/peers.ts";
import { until } from "../support/until.ts";
import { assertSameTrees, Load } from "./load.ts";
import { EnsembleProcesses, notAskedFor } from "./processes.ts";

const MINUTE_MS = 60_000;
const { skip } = findJavaZooKeeper();
const APACHE = { kind: "apache" } as const;
const OURS = { kind: "ours" } as const;

function all(ensemble: EnsembleProcesses): string[] {
  return ensemble.ids.map((id) => ensemble.connectString(id));
}

describe("among Apache ZooKeeper's servers", { skip: notAskedFor || skip, timeout: 6 * MINUTE_MS }, () => {
  test("our follower and our observer behind Apache's leader: SNAP, DIFF, and a leader that dies under load", async () => {
    await using ensemble = await EnsembleProcesses.of({ 1: APACHE, 2: APACHE, 3: OURS, 4: { ...OURS, observer: true } });
    await ensemble.start(1, 2);
    assert.equal(await ensemble.serving(1, 2), 2);
    await ensemble.start(3, 4);
    await ensemble.serving();
    assert.equal(await ensemble.mode(4), "observer");
    const load = await Load.start(ensemble.connectString(), "/load", 4);
    await until(() => load.acknowledged.length > 100, "some load");
    // Back within Apache's memory of the last 500 txns, and beyond it, and with nothing left.
    await ensemble.kill(3);
    await ensemble.start(3);
    await ensemble.serving();
    await ensemble.kill(3);
    await ensemble.kill(4);
    const before = load.acknowledged.length;
    await until(() => load.acknowledged.length > before + 600, "more load than is remembered");
    ensemble.wipe(4);
    await ensemble.start(3, 4);
    await ensemble.serving();
    assert.match(ensemble.log(4), /A whole database came/);
    // Ours has the greatest number and all there is: it takes over.
    await ensemble.kill(2);
    assert.equal(await ensemble.serving(1, 3, 4), 3);
    const then = load.acknowledged.length;
    await until(() => load.acknowledged.length > then + 100, "load on our leader");
    await ensemble.start(2);
    await ensemble.serving();
    await load.stop("/load");
    await assertSameTrees(all(ensemble), load.acknowledged);
  });

  test("our leader's tail that nobody else has is cut off when it comes back: TRUNC", async () => {
    await using ensemble = await EnsembleProcesses.of({ 1: APACHE, 2: APACHE, 3: OURS });
    await ensemble.start(1, 2, 3);
    await ensemble.serving();
    if ((await ensemble.mode(3)) !== "leader") {
      // Apache's leader gives way: ours has the greatest number.
      await ensemble.kill(2);
      await ensemble.serving(1, 3);
      await ensemble.start(2);
      await ensemble.serving();
    }
    assert.equal(await ensemble.mode(3), "leader");
    const zk = await connect(ensemble.connectString(3), { sessionTimeoutMs: 20_000 });
    await zk.create("/kept", "");
    await until(
      async () => new Set(await Promise.all(ensemble.ids.map((id) => ensemble.zxid(id)))).size === 1,
      "all to be level",
    );
    // It takes a tick to notice that it has no quorum: what comes meanwhile is on its disk, and nowhere else.
    await Promise.all([ensemble.kill(1), ensemble.kill(2)]);
    const lost = Promise.allSettled(Array.from({ length: 5 }, (_, at) => zk.create(`/lost-${at}`, "")));
    await until(async () => (await ensemble.mode(3)) === null, "our leader to see that it is alone");
    await ensemble.kill(3);
    await ensemble.start(1, 2);
    await ensemble.serving(1, 2);
    await ensemble.start(3);
    await ensemble.serving();
    assert.match(ensemble.log(3), /Cutting the log/);
    await assertSameTrees(all(ensemble), ["/kept"]);
    await zk.close();
    await lost;
  });

  test("one after the other, ours take the places of Apache's and give them back; a client notices nothing", async () => {
    await using ensemble = await EnsembleProcesses.of({ 1: APACHE, 2: APACHE, 3: APACHE });
    await ensemble.start(1, 2, 3);
    await ensemble.serving();
    const load = await Load.start(ensemble.connectString(), "/load");
    for (const kind of ["ours", "apache"] as const) {
      for (const id of ensemble.ids) {
        await ensemble.kill(id);
        ensemble.replace(id, kind);
        await ensemble.start(id);
        await ensemble.serving();
        const before = load.acknowledged.length;
        await until(() => load.acknowledged.length > before + 50, "load");
      }
    }
    await load.stop("/load");
    await assertSameTrees(all(ensemble), load.acknowledged);
  });
});
