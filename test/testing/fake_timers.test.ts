/** The fake timers of a test runner: not needed, and no harm. */

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { testEnsemble, testServer } from "../../adapters/testing/mod.ts";
import { runtimeName } from "../support/runtime.ts";

/** Puts something in place of all timers and of the date, as runners do; the returned function puts them back. */
type FakeTimers = () => (() => void) | Promise<() => void>;

/** The runner's own. */
const fakesOfRunner: FakeTimers = async () => {
  if (runtimeName === "bun") {
    const bunTest: string = "bun:test";
    const { jest } = await import(bunTest);
    jest.useFakeTimers();
    return () => jest.useRealTimers();
  }
  if (runtimeName === "node") {
    mock.timers.enable();
    return () => mock.timers.reset();
  }
  return replaceAll(); // Deno's has none
};

/** Whatever a library of fake timers might replace. */
function replaceAll(): () => void {
  const never = () => 0;
  const fakes = {
    setTimeout: never,
    setInterval: never,
    setImmediate: never,
    queueMicrotask: never,
    Date: never,
    performance: { now: never },
  };
  const real = Object.keys(fakes).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)!] as const);
  for (const [name, value] of Object.entries(fakes))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  return () => {
    for (const [name, descriptor] of real) Object.defineProperty(globalThis, name, descriptor);
  };
}

const KINDS: Readonly<Record<string, FakeTimers>> = { "of the runner": fakesOfRunner, "of any kind": replaceAll };

for (const [kind, fakeTimers] of Object.entries(KINDS)) {
  test(`a test server lives its own time among fake timers ${kind}`, async () => {
    const restore = await fakeTimers();
    let tree = "";
    let state = "";
    try {
      const zk = await testServer({ tickTimeMs: 1000 });
      const client = await zk.connect({ sessionTimeoutMs: 10_000 });
      const other = await zk.connect();
      await client.create("/lock", null, { mode: "ephemeral" });
      await zk.clock.advance("1h");
      zk.expire(client);
      await zk.clock.runUntilIdle();
      await other.create("/after", "x");
      tree = zk.picture();
      state = client.state;
      await zk.close();
    } finally {
      restore();
    }
    assert.equal(tree, '/\n└─ after "x"');
    assert.equal(state, "expired");
  });

  test(`an ensemble elects and elects again among fake timers ${kind}`, async () => {
    const restore = await fakeTimers();
    let leaders: number[] = [];
    try {
      const zk = await testEnsemble();
      const first = await zk.untilLeader();
      await zk.crash(first);
      leaders = [first, await zk.untilLeader()];
      await zk.close();
    } finally {
      restore();
    }
    assert.notEqual(leaders[0], leaders[1]);
  });
}
