/**
 * `zookernel/testing`: a ZooKeeper whose time and misfortunes a test controls. The manual, with a recipe for each, is lib/testing/README.md.
 *
 * Not here: anything but the wiring of lib/testing to this machine: its ports, its log, the turns of its event loop.
 *
 * @example
 * ```ts
 * import { testServer } from "zookernel/testing";
 *
 * await using zk = await testServer();
 * const client = await zk.connect({ sessionTimeoutMs: 10_000 });
 * await client.create("/lock", null, { mode: "ephemeral" });
 * await zk.clock.advance("1h"); // the client pings
 * zk.expire(client);
 * zk.expectTree({});
 * ```
 *
 * @module
 */

import { LOGGER } from "../../lib/options/ports.ts";
import { type Shape, splitOptions } from "../../lib/options/shape.ts";
import type { Logger } from "../../lib/ports.ts";
import { TestEnsemble, type TestEnsembleOptions } from "../../lib/testing/test_ensemble.ts";
import { TestServer, type TestServerOptions, type TestWorld } from "../../lib/testing/test_server.ts";
import { describeProcess } from "../process_report.ts";
import { memoryStorage } from "../storage/memory.ts";
import { consoleLogger } from "../system.ts";
import { tcp } from "../tcp/mod.ts";
import { settle, soon } from "./settle.ts";

export type { Duration } from "../../lib/base/duration.ts";
export type { VirtualClock } from "../../lib/testing/clock.ts";
export { ExpectationError, type ExpectedTree, type ExpectedZnode } from "../../lib/testing/expect.ts";
export type { Fault, FaultAction, FaultPlan, Faults, Partition } from "../../lib/testing/faults.ts";
export type { Fixture, FixtureZnode, JsonTree } from "../../lib/testing/fixture.ts";
export { History, type HistoryEntry, type Refusal } from "../../lib/testing/history.ts";
export type { NetworkPartition } from "../../lib/testing/network.ts";
export type { Difference, ReplayReport } from "../../lib/testing/replay.ts";
export { ReportError } from "../../lib/testing/report.ts";
export type { FaultOp, FaultScope } from "../../lib/testing/scope.ts";
export type { SessionRef } from "../../lib/testing/session_ref.ts";
export type { TestEnsemble, TestEnsembleOptions } from "../../lib/testing/test_ensemble.ts";
export type { MemberState, TestMember } from "../../lib/testing/test_member.ts";
export type { TestAddress, TestServer } from "../../lib/testing/test_server.ts";
export type { WatchRef } from "../../lib/testing/why_not.ts";
export { replay } from "./replay.ts";
export { eachSeed } from "./seeds.ts";

/** What {@link testServer} may be told; everything is optional. */
export interface TestOptions extends TestServerOptions {
  /** Where log lines go; default standard error, warnings and errors only. */
  readonly logger?: Logger;
}

/**
 * Starts a server for a test: in memory, in this process, with a clock that stands still.
 *
 * @throws TypeError that names each option that is wrong
 *
 * @example
 * ```ts
 * await using zk = await testServer({ tickTimeMs: 1000, reportLeaks: true });
 * ```
 */
export async function testServer(options: TestOptions = {}): Promise<TestServer> {
  const { own, rest } = splitOptions("open a server", options, OWN_SHAPE, "{ tickTimeMs: 500, seed: 7 }");
  return await TestServer.open(rest, worldOf(own.logger ?? consoleLogger({ level: "warn" })));
}

/** What {@link testEnsemble} may be told; everything is optional. */
export interface EnsembleTestOptions extends TestEnsembleOptions {
  /** Where log lines go; default standard error, errors only: members that come and go are no news in a test. */
  readonly logger?: Logger;
}

/**
 * Starts an ensemble for a test, in this process and without ports, and resolves once it has a leader and all members serve.
 *
 * @throws TypeError that names each option that is wrong
 *
 * @example
 * ```ts
 * await using zk = await testEnsemble({ members: 3, observers: 1, seed: 7 });
 * ```
 */
export async function testEnsemble(options: EnsembleTestOptions = {}): Promise<TestEnsemble> {
  const { own, rest } = splitOptions("open an ensemble", options, OWN_SHAPE, "{ members: 3, seed: 7 }");
  const world = worldOf(own.logger ?? consoleLogger({ level: "error" }));
  return await TestEnsemble.open(rest, { ...world, storage: memoryStorage });
}

const OWN_SHAPE: Shape<Pick<TestOptions, "logger">> = { logger: LOGGER };

function worldOf(logger: Logger): TestWorld {
  return { logger, loadProcess: async () => describeProcess, settle, soon, listener: (port) => tcp({ port }) };
}

TestServer.warmUp(worldOf(consoleLogger({ level: "silent" })));
