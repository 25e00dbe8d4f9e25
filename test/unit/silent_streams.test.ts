/** Streams of votes whose other end is gone without a word: they are dropped, and the member is dialled again. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Election } from "../../lib/broadcast/zab/election.ts";
import { Ensemble } from "../../lib/broadcast/zab/ensemble.ts";
import { ensembleConfig } from "../../lib/broadcast/zab/ensemble_text.ts";
import { Membership } from "../../lib/broadcast/zab/membership.ts";
import type { VoterState } from "../../lib/broadcast/zab/messages.ts";
import { ElectionLinks } from "../../lib/peers/election_links.ts";
import { NO_PEER_AUTH } from "../../lib/peers/peer_auth.ts";
import type { Dialer, Duplex, DuplexHandler, Listener } from "../../lib/ports.ts";
import { notificationBytes } from "../../lib/wire/votes.ts";
import { ManualClock } from "../support/manual_clock.ts";

const config = ensembleConfig(["server.1=10.0.0.1:2888:3888", "server.2=10.0.0.2:2888:3888"]);
const memberOf = (id: bigint) => config.members.find((member) => member.id === id);
const VOTE = { leader: 2n, zxid: 0n, round: 1n, epoch: 0n };

/** Member 2, which dials member 1. */
class World {
  readonly clock = new ManualClock();
  readonly events: string[] = [];
  readonly links: ElectionLinks;
  handler: DuplexHandler | null = null;

  constructor() {
    const noListener: Listener = {
      start: async () => ({ host: "", port: 1, secure: false }),
      release: async () => {},
      stop: async () => {},
    };
    this.links = new ElectionLinks({
      ...{ id: 2n, me: () => memberOf(2n)!, memberOf, hearsJoiners: false, auth: NO_PEER_AUTH },
      ...{ clock: this.clock, dialTimeoutMs: 5000, initialTimeoutMs: 5000, listener: () => noListener },
      hear: () => this.events.push("heard"),
      dialer: {
        dial: (_, opened) => {
          this.events.push("dialled");
          return this.clock.wakeAt(this.clock.now().mono + 1, () => {
            this.handler = opened(this.#duplex());
          });
        },
        atTurnEnd: (run) => run(),
      } satisfies Dialer,
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    });
  }

  #duplex(): Duplex {
    return {
      ...{ remoteAddress: "10.0.0.1", remotePort: 1, authIds: [], bufferedBytes: () => 0, pause() {}, resume() {} },
      ...{ write() {}, end() {}, destroy: () => this.events.push("destroyed") },
    };
  }

  /** Says something every second. */
  say(seconds: number, state: VoterState = "looking"): string[] {
    for (let second = 0; second < seconds; second++) {
      this.links.notify(1n, { state, vote: VOTE, version: 2, config: "" });
      this.clock.advance(1000);
    }
    return this.events.splice(0);
  }

  answer(): void {
    this.handler!.data(notificationBytes({ state: "looking", vote: VOTE, version: 2, config: "" }));
  }
}

describe("a stream of votes", () => {
  test("on which nothing comes back for ten seconds is dropped, and its member is dialled anew", () => {
    const world = new World();
    assert.deepEqual(world.say(11), ["dialled"]);
    assert.deepEqual(world.say(1), ["destroyed", "dialled"]);
    assert.deepEqual(world.say(10), []);
    assert.deepEqual(world.say(2), ["destroyed", "dialled"], "once in ten seconds");
  });

  test("stays where the other end says something now and then, or was only answered", () => {
    const world = new World();
    for (let time = 0; time < 5; time++) {
      world.say(8);
      world.answer();
    }
    assert.ok(!world.events.includes("destroyed"));
    world.events.splice(0);
    assert.deepEqual(world.say(60, "leading"), []);
  });
});

test("who hears nobody asks every ten seconds at least: one that was cut off is back that soon", () => {
  const membership = new Membership(new Ensemble(config));
  const asked: number[] = [];
  let now = 0;
  const election = new Election({ me: 2n, membership: () => membership, tell: () => asked.push(now) });
  election.begin(0n, 0, null, 0);
  for (; now < 600_000; now = election.deadline) election.tick(now);
  const pauses = asked.slice(1).map((at, index) => at - asked[index]!);
  assert.equal(Math.max(...pauses), 10_000);
});
