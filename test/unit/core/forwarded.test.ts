/** Requests that other members pass on, as the leader's kernel takes them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OPEN_ACL_UNSAFE } from "../../../lib/acl/perms.ts";
import { Database } from "../../../lib/kernel/database.ts";
import { Kernel } from "../../../lib/kernel/kernel.ts";
import type { Effect } from "../../../lib/kernel/messages.ts";
import type { Op } from "../../../lib/ops.ts";
import { completed, kernelOptions, type OpenSettings, treeOptions } from "../../../lib/options.ts";
import { Tree } from "../../../lib/tree/tree.ts";
import type { AuthId } from "../../../lib/types.ts";

const SESSION = 0x100n;

/** The leader of an ensemble that knows one session of ten seconds, at a member that passes its requests on. */
class Leading {
  readonly kernel: Kernel;

  constructor(settings: OpenSettings = {}) {
    const all = completed({ tickTimeMs: 1000, ...settings }, false);
    const database = new Database(new Tree(treeOptions(all)), new Map([[SESSION, 10_000]]));
    this.kernel = new Kernel(database, kernelOptions(all), 1n, { mono: 0, wall: 0 }, "leader");
  }

  forward(mono: number, op: Op, authIds: readonly AuthId[] = []): readonly Effect[] {
    const request = { session: SESSION, cxid: 1, op: op as never, authIds };
    return this.kernel.step({ kind: "forwarded", origin: 7, request }, { mono, wall: mono });
  }
}

function create(path: string): Op {
  return { kind: "create", path, data: null, acl: OPEN_ACL_UNSAFE, flags: 0, ttl: 0 };
}

describe("a request that a learner passes on", () => {
  test("renews its session, be it refused or not", () => {
    for (const path of ["/a", "/none/a"]) {
      const leading = new Leading();
      leading.forward(8000, create(path));
      assert.equal(leading.kernel.sessions.get(SESSION)!.deadline, 19_000, path);
    }
  });

  test("renews no session that has moved to another member, or is ending", () => {
    const moved = new Leading();
    moved.kernel.sessions.get(SESSION)!.owner = 8;
    moved.forward(8000, create("/a"));
    assert.equal(moved.kernel.sessions.get(SESSION)!.deadline, 11_000);
    const ending = new Leading();
    ending.forward(0, { kind: "closeSession" });
    ending.forward(8000, create("/a"));
    assert.equal(ending.kernel.sessions.nextDeadline, null);
  });
});
