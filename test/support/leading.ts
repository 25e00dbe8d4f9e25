/** A leader's kernel with one session at a member that passes its requests on: what they become, and what is left of that once it is committed. */
import assert from "node:assert/strict";
import { Database } from "../../lib/kernel/database.ts";
import { Kernel } from "../../lib/kernel/kernel.ts";
import type { JudgeReconfig } from "../../lib/kernel/prepare.ts";
import type { Forwarded, Op } from "../../lib/model/ops.ts";
import type { Proposal } from "../../lib/model/txns.ts";
import type { AuthId } from "../../lib/model/types.ts";
import { completed, kernelOptions, type OpenSettings, treeOptions } from "../../lib/options/options.ts";
import { Tree } from "../../lib/tree/tree.ts";

/** Its session, of ten seconds. */
export const SESSION = 0x100n;

export class Leading {
  readonly kernel: Kernel;
  mono = 0;
  /** Number of the next request. */
  next = 1;

  constructor(settings: OpenSettings = {}, judgeReconfig?: JudgeReconfig) {
    const all = completed({ tickTimeMs: 1000, ...settings }, false);
    const database = new Database(new Tree(treeOptions(all)), new Map([[SESSION, 10_000]]));
    const now = { mono: 0, wall: 0 };
    this.kernel = new Kernel(database, kernelOptions(all), 1n, now, "leader", undefined, judgeReconfig);
  }

  get tree(): Tree {
    return this.kernel.database.tree;
  }

  /** What a request becomes. */
  forward(op: Op, authIds: readonly AuthId[] = []): Proposal {
    const request = { session: SESSION, cxid: this.next++, op, authIds } as Forwarded;
    const effects = this.kernel.step({ kind: "forwarded", origin: 7, request }, { mono: this.mono, wall: this.mono });
    const proposed = effects.find((effect) => effect.kind === "propose");
    assert.ok(proposed !== undefined, "nothing was proposed");
    return proposed.proposal;
  }

  commit(proposal: Proposal): Proposal {
    this.kernel.step({ kind: "commit", proposal }, { mono: this.mono, wall: this.mono });
    return proposal;
  }
}
