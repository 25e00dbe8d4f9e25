/** Sizes of a leader's proposals in bytes, for `srvr` and `mntr`: each proposal once, to however many learners it goes. */

import type { Proposal } from "../model/txns.ts";
import type { Zxid } from "../model/types.ts";
import type { Extent } from "../report/report.ts";
import { proposalBytes } from "../wire/quorum.ts";

export class ProposalSizes implements Extent {
  last = -1;
  min = -1;
  max = -1;
  #measured: Zxid = -1n;

  measure(proposal: Proposal): void {
    const { zxid } = proposal.header;
    if (zxid <= this.#measured) return;
    this.#measured = zxid;
    const { length } = proposalBytes(proposal);
    this.last = length;
    if (this.min === -1 || length < this.min) this.min = length;
    if (length > this.max) this.max = length;
  }
}
