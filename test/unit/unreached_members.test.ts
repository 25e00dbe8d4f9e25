/** Members that can't be reached for their vote: logged once for each reason, until they have been reached. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ensembleConfig } from "../../lib/broadcast/zab/ensemble_text.ts";
import { ElectionLinks } from "../../lib/peers/election_links.ts";
import { NO_PEER_AUTH } from "../../lib/peers/peer_auth.ts";
import type { Dialer, Duplex, DuplexHandler, Listener } from "../../lib/ports.ts";
import { ManualClock } from "../support/manual_clock.ts";

const config = ensembleConfig(["server.1=10.0.0.1:2888:3888", "server.2=10.0.0.2:2888:3888"]);
const memberOf = (id: bigint) => config.members.find((member) => member.id === id);

/** What comes of the next dial. */
type Answer = "silence" | "stream" | (string & {});

class World {
  readonly clock = new ManualClock();
  readonly warnings: string[] = [];
  answer: Answer = "silence";
  handler: DuplexHandler | null = null;
  readonly links: ElectionLinks;

  constructor() {
    const noListener: Listener = {
      start: async () => ({ host: "", port: 1, secure: false }),
      release: async () => {},
      stop: async () => {},
    };
    this.links = new ElectionLinks({
      ...{ id: 2n, me: () => memberOf(2n)!, memberOf, hearsJoiners: false, auth: NO_PEER_AUTH, hear: () => {} },
      ...{ clock: this.clock, dialTimeoutMs: 5000, initialTimeoutMs: 5000, listener: () => noListener },
      dialer: { dial: (_, opened, failed) => this.#dial(opened, failed), atTurnEnd: (run) => run() } satisfies Dialer,
      logger: { debug() {}, info() {}, warn: (line) => void this.warnings.push(line), error() {} },
    });
  }

  #dial(opened: (duplex: Duplex) => DuplexHandler, failed: (reason: string) => void): () => void {
    const { answer, clock } = this;
    if (answer === "silence") return () => {};
    return clock.wakeAt(clock.now().mono + 1, () => {
      if (answer === "stream") this.handler = opened(STREAM);
      else failed(answer);
    });
  }

  /** Asks for a vote, and lets what comes of it happen. */
  ask(answer: Answer): void {
    this.answer = answer;
    const vote = { leader: 2n, zxid: 0n, round: 1n, epoch: 0n };
    this.links.notify(1n, { state: "looking", vote, version: 2, config: "" });
    this.clock.advance(6000);
  }
}

const STREAM: Duplex = {
  ...{ remoteAddress: "10.0.0.1", remotePort: 1, authIds: [], bufferedBytes: () => 0, pause() {}, resume() {} },
  ...{ write() {}, end() {}, destroy() {} },
};

test("who can't be reached is named once for each reason, and again once it was reached", () => {
  const world = new World();
  for (const answer of ["refused", "refused", "silence", "silence", "refused"]) world.ask(answer);
  const reasons = ["refused", "no answer within 5000 ms", "refused"];
  assert.deepEqual(
    world.warnings,
    reasons.map((reason) => `Member 1 can't be asked for its vote: ${reason}`),
  );
  world.ask("stream");
  world.handler!.closed();
  world.ask("refused");
  assert.equal(world.warnings.length, 4);
});
