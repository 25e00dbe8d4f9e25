/** Requests that other members pass on, as the leader's kernel takes them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OPEN_ACL_UNSAFE } from "../../../lib/acl/perms.ts";
import type { Op } from "../../../lib/model/ops.ts";
import { Leading, SESSION } from "../../support/leading.ts";

function create(path: string): Op {
  return { kind: "create", path, data: null, acl: OPEN_ACL_UNSAFE, flags: 0, ttl: 0 };
}

describe("a request that a learner passes on", () => {
  test("renews its session, be it refused or not", () => {
    for (const path of ["/a", "/none/a"]) {
      const leading = new Leading();
      leading.mono = 8000;
      leading.forward(create(path));
      assert.equal(leading.kernel.sessions.get(SESSION)!.deadline, 19_000, path);
    }
  });

  test("renews no session that has moved to another member, or is ending", () => {
    const moved = new Leading();
    moved.kernel.sessions.get(SESSION)!.owner = 8;
    moved.mono = 8000;
    moved.forward(create("/a"));
    assert.equal(moved.kernel.sessions.get(SESSION)!.deadline, 11_000);
    const ending = new Leading();
    ending.forward({ kind: "closeSession" });
    ending.forward(create("/a"));
    assert.equal(ending.kernel.sessions.nextDeadline, null);
  });
});
