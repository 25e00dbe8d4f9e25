/** The types of `zookernel/testing`: what can't happen can't be written. */
import { expectAssignable, expectError, expectType } from "tsd";
import {
  type Fault,
  type Fixture,
  type History,
  type JsonTree,
  type Partition,
  type ReplayReport,
  replay,
  type TestAddress,
  type TestServer,
  testServer,
} from "../../adapters/testing/mod.ts";
import type { ZooKeeper } from "../../mod.ts";

const zk = await testServer({ tickTimeMs: 1000, startAt: 0, seed: 3, reportLeaks: true });
expectType<TestServer>(zk);
expectType<TestServer>(zk.fork());
const client = await zk.connect({ sessionTimeoutMs: 10_000 });
expectType<ZooKeeper>(client);
expectType<ZooKeeper>(await zk.resume(client));

expectType<Promise<void>>(zk.clock.advance("30s"));
expectType<Promise<void>>(zk.clock.advance(30_000));
expectError(zk.clock.advance(30n));

expectType<Fault>(
  zk.faults
    .on({ op: ["create", "connect"], path: "/a/**", session: client })
    .skip(1)
    .times(2)
    .error("NoAuth"),
);
expectType<Fault>(zk.faults.on({ session: 7n }).once().delay("1s"));
expectType<Partition>(zk.faults.partition(client));
expectError(zk.faults.on({ op: "create2" }));
expectError(zk.faults.on().error("NoSuchError"));
expectType<never>(zk.faults.on().duplicateEvent());

expectAssignable<Fixture>({ "/a": "x", "/b": null, "/c": new Uint8Array(1), "/d": { mode: "container" } });
expectError(zk.fixture({ "/a": { mode: "ephemeral" } }));
expectType<JsonTree>(zk.toJSON());
expectAssignable<Fixture>(zk.toJSON());
expectType<Uint8Array>(zk.dump());

zk.expire(client);
zk.expire(client.sessionId);
zk.expectTree({ "/a": { data: "x", kind: "ephemeral", owner: client } });
expectError(zk.expectTree({ "/a": 7 }));
zk.expectEvents(client, ["NodeCreated /a"]);
expectType<string>(zk.whyNot({ session: client, path: "/a", type: "NodeDeleted" }));
expectError(zk.whyNot({ session: client, path: "/a", type: "Deleted" }));

expectType<History>(zk.history());
expectType<ReplayReport>(await replay(zk.history(), "127.0.0.1:2181"));
expectType<TestAddress>(await zk.listen());
