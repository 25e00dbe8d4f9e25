/** The host's turns: what has arrived comes before what has fallen due. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Host } from "../../../lib/member/host.ts";
import type { Member } from "../../../lib/member/member.ts";
import { ManualClock } from "../../support/manual_clock.ts";

/** A host whose member only says what it is stepped with. */
function hosted() {
  const clock = new ManualClock();
  const stepped: string[] = [];
  const member = {
    deadline: clock.now().mono + 100,
    step: ({ kind }: { readonly kind: string }) => {
      stepped.push(kind);
      if (kind === "tick") member.deadline = Number.POSITIVE_INFINITY;
      return [];
    },
  };
  const host = new Host({
    ...{ clock, append: null, failed: (error) => assert.fail(String(error)) },
    member: member as unknown as Member,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  });
  return { clock, stepped, member, host };
}

describe("before a tick", () => {
  test("whoever asked for it is called, and what it hands over comes first", () => {
    const { clock, stepped, host } = hosted();
    host.beforeTick(() => host.submit({ kind: "renew", conn: 1 }));
    clock.advance(99);
    assert.deepEqual(stepped, []);
    clock.advance(1);
    assert.deepEqual(stepped, ["renew", "tick"]);
  });

  test("there may be no need for it any more", () => {
    const { clock, stepped, member, host } = hosted();
    host.beforeTick(() => {
      if (member.deadline < 5000) member.deadline += 50;
    });
    clock.advance(1000);
    assert.deepEqual(stepped, []);
  });
});
