/**
 * The broadcast of a server that stands alone: durable here is committed.
 */
import { Fifo } from "../base/fifo.ts";
import type { Proposal } from "../model/txns.ts";
import type { Broadcast, BroadcastEffect, BroadcastInput } from "./contract.ts";

export class Standalone implements Broadcast {
  readonly deadline = null;
  readonly #appended: Fifo<Proposal> = new Fifo<Proposal>();

  step(input: BroadcastInput): readonly BroadcastEffect[] {
    if (input.kind === "propose") {
      this.#appended.push(input.proposal);
      return [{ kind: "append", proposal: input.proposal }];
    }
    const commits: BroadcastEffect[] = [];
    if (input.kind !== "durable") return commits; // an ensemble's matter
    for (let next = this.#appended.first; next !== undefined && next.header.zxid <= input.zxid; next = this.#appended.first) {
      this.#appended.shift();
      commits.push({ kind: "commit", proposal: next });
    }
    return commits;
  }

  /** Who stands alone has no membership. */
  judgeReconfig(): "Unimplemented" {
    return "Unimplemented";
  }
}
