/** The fake timers of a test runner: not needed, and no harm. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { testServer } from "../../adapters/testing/mod.ts";
import { runtimeName } from "../support/runtime.ts";

/** Puts something in place of all timers and of the date, as runners do; the returned function puts them back. */
async function fakeTimers(): Promise<() => void> {
  if (runtimeName === "bun") {
    const bunTest: string = "bun:test";
    const { jest } = await import(bunTest);
    jest.useFakeTimers();
    return () => jest.useRealTimers();
  }
  const never = () => 0;
  const names = ["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "Date", "performance"] as const;
  const real = names.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)!] as const);
  for (const name of names) Object.defineProperty(globalThis, name, { value: never, configurable: true, writable: true });
  return () => {
    for (const [name, descriptor] of real) Object.defineProperty(globalThis, name, descriptor);
  };
}

test("a test server lives its own time, whatever happens to the runner's", async () => {
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
