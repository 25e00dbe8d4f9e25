/** Elections, vote by vote. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Election } from "../../../lib/broadcast/zab/election.ts";
import { Ensemble, type EnsembleMember } from "../../../lib/broadcast/zab/ensemble.ts";
import { Membership } from "../../../lib/broadcast/zab/membership.ts";
import { NOBODY, type Notification, type Vote, type VoterState } from "../../../lib/broadcast/zab/messages.ts";

function member(id: number, role: EnsembleMember["role"] = "participant"): EnsembleMember {
  return { id: BigInt(id), addresses: [{ host: "h", quorumPort: 1, electionPort: 2 }], role, client: null };
}

const ENSEMBLE = new Ensemble({
  members: [member(1), member(2), member(3), member(4, "observer")],
  hierarchy: null,
  version: 0n,
});

/** An election as one member takes part in it; `told` is what it says to the others, one word each. */
class Ballot {
  readonly told: string[] = [];
  readonly election: Election;

  constructor(me: number, zxid = 5n, epoch = 1, ensemble = ENSEMBLE, lost: bigint | null = null) {
    const membership = new Membership(ensemble);
    this.election = new Election({
      me: BigInt(me),
      membership: () => membership,
      tell: (to, { leader, round }) => this.told.push(`${to}:${leader}@${round}`),
    });
    this.election.begin(zxid, epoch, lost, 0);
  }

  hear(from: number, state: VoterState, vote: Partial<Vote>, version = 2): Vote | null {
    const whole = { leader: 1n, zxid: 5n, round: 1n, epoch: 1n, ...vote };
    const notification: Notification = { state, vote: whole, version, config: null };
    return this.election.hear(BigInt(from), notification, 10);
  }

  takeTold(): string[] {
    return this.told.splice(0);
  }
}

describe("while all look for a leader", () => {
  test("each begins with itself, and goes over to whom is better: by epoch, zxid, number", () => {
    const ballot = new Ballot(1);
    assert.deepEqual(ballot.takeTold(), ["2:1@1", "3:1@1"]);
    ballot.hear(2, "looking", { leader: 2n });
    assert.deepEqual(ballot.takeTold(), ["2:2@1", "3:2@1"]);
    ballot.hear(3, "looking", { leader: 3n, zxid: 4n });
    assert.deepEqual(ballot.takeTold(), [], "a shorter history");
    ballot.hear(3, "looking", { leader: 3n, zxid: 1n, epoch: 2n });
    assert.deepEqual(ballot.takeTold(), ["2:3@1", "3:3@1"], "a later epoch");
  });

  test("what a quorum wants stands once it has been quiet for 200 ms, and not if something better comes", () => {
    const ballot = new Ballot(2);
    ballot.hear(1, "looking", { leader: 2n });
    assert.equal(ballot.election.tick(100), null);
    ballot.hear(3, "looking", { leader: 3n });
    assert.equal(ballot.election.vote.leader, 3n);
    assert.equal(ballot.election.tick(209), null);
    assert.equal(ballot.election.tick(210)?.leader, 3n);
  });

  test("what all want stands at once: nobody is left who could know better, the leader that is gone not counted", () => {
    const all = new Ballot(3);
    all.hear(1, "looking", { leader: 3n });
    assert.equal(all.election.tick(10), null, "2 may know better");
    all.hear(2, "looking", { leader: 3n });
    assert.equal(all.election.tick(10)?.leader, 3n);
    const survivors = new Ballot(2, 5n, 1, ENSEMBLE, 3n);
    survivors.hear(1, "looking", { leader: 2n });
    assert.equal(survivors.election.tick(10)?.leader, 2n);
  });

  test("a later round makes an earlier one void; an earlier vote is answered and nothing else", () => {
    const ballot = new Ballot(2);
    ballot.hear(1, "looking", { leader: 1n, round: 7n });
    assert.equal(ballot.election.round, 7n);
    assert.deepEqual(ballot.takeTold().slice(-2), ["1:2@7", "3:2@7"]);
    ballot.hear(3, "looking", { leader: 3n, round: 6n });
    assert.deepEqual(ballot.takeTold(), ["3:2@7"]);
  });

  test("who can't be elected yet takes the others along into a later round: its vote may be needed", () => {
    const ballot = new Ballot(2);
    ballot.takeTold();
    ballot.hear(1, "looking", { leader: NOBODY, round: 1n });
    assert.deepEqual(ballot.takeTold(), []);
    ballot.hear(1, "looking", { leader: NOBODY, round: 4n });
    assert.deepEqual(ballot.takeTold(), ["1:2@4", "3:2@4"]);
    ballot.hear(1, "looking", { leader: 2n, round: 4n });
    assert.equal(ballot.election.tick(1000)?.leader, 2n);
    ballot.hear(4, "looking", { leader: NOBODY, round: 9n });
    assert.equal(ballot.election.round, 4n, "an observer has no say");
  });

  test("who hears nothing asks again, and waits twice as long each time", () => {
    const ballot = new Ballot(1);
    const { election } = ballot;
    ballot.takeTold();
    for (const at of [200, 600, 1400]) {
      assert.equal(election.deadline, at);
      election.tick(at);
      assert.equal(ballot.takeTold().length, 2);
    }
  });

  test("a member that has lost what it knew, a stranger, and votes for strangers don't count", () => {
    const ballot = new Ballot(1);
    ballot.takeTold();
    ballot.hear(2, "looking", { leader: 2n, zxid: -1n, epoch: 9n });
    ballot.hear(7, "looking", { leader: 7n, epoch: 9n });
    ballot.hear(2, "looking", { leader: 4n, epoch: 9n });
    assert.deepEqual(ballot.takeTold(), []);
  });

  test("who weighs nothing is not elected", () => {
    const hierarchy = { groups: new Map([[1n, [1n, 2n, 3n]]]), weights: new Map([[3n, 0]]) };
    const ballot = new Ballot(1, 5n, 1, new Ensemble({ members: [member(1), member(2), member(3)], hierarchy, version: 0n }));
    ballot.hear(3, "looking", { leader: 3n, epoch: 9n });
    assert.equal(ballot.election.vote.leader, 1n);
  });
});

describe("who comes late", () => {
  test("follows whom a quorum follows, if that one says that it leads", () => {
    const ballot = new Ballot(1);
    assert.equal(ballot.hear(2, "following", { leader: 3n, round: 9n, epoch: 4n }), null);
    const vote = ballot.hear(3, "leading", { leader: 3n, round: 9n, epoch: 4n });
    assert.equal(vote?.leader, 3n);
    assert.equal(ballot.election.round, 9n);
  });

  test("does not mind that members remember different zxids and rounds of one vote (ZOOKEEPER-1732)", () => {
    const ballot = new Ballot(1);
    ballot.hear(3, "leading", { leader: 3n, zxid: 8n, round: 4n, epoch: 4n });
    assert.equal(ballot.hear(2, "following", { leader: 3n, zxid: 2n, round: 2n, epoch: 4n })?.leader, 3n);
  });

  test("does not follow a leader that is not heard of, nor one of another epoch than the others say", () => {
    const ballot = new Ballot(1);
    ballot.hear(2, "following", { leader: 3n, round: 9n, epoch: 4n });
    assert.equal(ballot.hear(2, "following", { leader: 3n, round: 9n, epoch: 4n }), null);
    assert.equal(ballot.hear(3, "leading", { leader: 3n, round: 9n, epoch: 5n }), null);
    const observer = new Ballot(4);
    observer.hear(1, "following", { leader: 3n, epoch: 2n });
    assert.equal(observer.hear(2, "following", { leader: 3n, epoch: 2n }), null, "a quorum follows, and the leader is silent");
  });

  test("and is taken for the leader by the others, leads again in the same round only", () => {
    const ballot = new Ballot(3);
    ballot.hear(1, "following", { leader: 3n, round: 5n, epoch: 1n });
    assert.equal(ballot.hear(2, "following", { leader: 3n, round: 5n, epoch: 1n }), null);
  });

  test("as an observer asks for nobody, and finds the leader all the same", () => {
    const ballot = new Ballot(4);
    assert.equal(ballot.election.vote.leader, NOBODY);
    ballot.hear(1, "following", { leader: 3n, epoch: 2n });
    assert.equal(ballot.hear(3, "leading", { leader: 3n, epoch: 2n })?.leader, 3n);
  });
});
