/** A test that cuts an ensemble in two: what one client was told stays true, whoever leads afterwards. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eachSeed, testEnsemble } from "zookernel/testing";

test("no acknowledged write is lost, on whichever side of a partition its client was", async () => {
  await eachSeed(3, async (seed) => {
    await using zk = await testEnsemble({ members: 3, seed });
    const client = await zk.connect();
    await client.create("/acknowledged", "before");

    const cut = zk.partition([await zk.untilLeader()]);
    await zk.untilLeader(); // the majority has another
    const written = client.create("/meanwhile", "x").then(
      () => true,
      () => false,
    );
    const isAcknowledged = await zk.clock.runUntil(written);
    cut.heal();
    await zk.untilLeader();
    await zk.clock.advance("5s");

    const reader = await zk.connect();
    await reader.sync();
    assert.equal(await reader.getText("/acknowledged"), "before");
    if (isAcknowledged) assert.notEqual(await reader.exists("/meanwhile"), null);
  });
});
