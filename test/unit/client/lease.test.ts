/** The lease of a session: renewed by what is answered, over when the server may end the session, and told before anything else. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { testServer } from "../../../adapters/testing/mod.ts";
import { Lease } from "../../../lib/client/lease.ts";
import { ManualClock } from "../../support/manual_clock.ts";

describe("lease", () => {
  test("is renewed to when a message was sent that is answered, and not to when the answer came", () => {
    const clock = new ManualClock();
    const lease = new Lease(clock);
    lease.opened();
    lease.welcomed(1000, false);
    assert.equal(lease.untilMono, clock.now().mono + 980);
    const start = clock.now().mono;
    clock.advance(100);
    lease.tick(clock.now().mono);
    lease.post();
    clock.advance(300);
    lease.answer();
    assert.equal(lease.untilMono, start + 100 + 980);
  });

  test("an answer to what was sent before proves nothing", () => {
    const clock = new ManualClock();
    const lease = new Lease(clock);
    lease.opened();
    lease.welcomed(1000, false);
    const until = lease.untilMono;
    lease.post();
    clock.advance(400);
    lease.tick(clock.now().mono);
    lease.answer();
    assert.equal(lease.untilMono, until);
  });

  test("a read-only server renews nothing", () => {
    const clock = new ManualClock();
    const lease = new Lease(clock);
    lease.opened();
    lease.welcomed(1000, true);
    let reason: unknown;
    lease.guard("suspended", (error) => {
      reason = error.code;
    });
    assert.equal(reason, "ConnectionLoss");
  });

  test("guards are called once, by time", () => {
    const clock = new ManualClock();
    const lease = new Lease(clock);
    lease.opened();
    lease.welcomed(1000, false);
    const codes: string[] = [];
    lease.guard("leaseEnd", ({ code }) => codes.push(code));
    const off = lease.guard("leaseEnd", () => assert.fail("it was taken back"));
    off();
    lease.suspended("cut");
    assert.deepEqual(codes, []);
    clock.advance(979);
    assert.deepEqual(codes, []);
    clock.advance(1);
    lease.ended("over");
    assert.deepEqual(codes, ["SessionExpired"]);
    assert.equal(lease.isGuarded, false);
  });
});

test("pings keep the lease of an idle handle, and its guards quiet", async () => {
  await using zk = await testServer();
  const client = await zk.connect({ sessionTimeoutMs: 10_000 });
  const off = client.guardSession((reason) => assert.fail(reason), "leaseEnd");
  await zk.clock.advance("1h");
  off();
});
