/**
 * A member that moves: on the streams that came to its old place its learners hear of the new one, so these go on. They used to be cut, and voters that
 * knew of the old place alone looked there for ever.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ensembleConfig } from "../../lib/broadcast/zab/ensemble_text.ts";
import { ElectionLinks } from "../../lib/peers/election_links.ts";
import { NO_PEER_AUTH } from "../../lib/peers/peer_auth.ts";
import { QuorumLinks } from "../../lib/peers/quorum_links.ts";
import type { Dialer, Duplex, DuplexHandler, Listener } from "../../lib/ports.ts";
import { ManualClock } from "../support/manual_clock.ts";

const config = ensembleConfig(["server.1=zk1:2888:3888", "server.2=zk2:2888:3888"]);
const memberOf = (id: bigint) => config.members.find((member) => member.id === id);

/** Listeners in the order in which they were made, and what became of each. */
class World {
  readonly states: string[] = [];
  readonly accepts: ((duplex: Duplex) => DuplexHandler)[] = [];
  readonly heard: string[] = [];
  isCut = false;

  readonly listener = (): Listener => {
    const at = this.states.push("made") - 1;
    const become = (state: string) => async () => {
      this.states[at] = state;
    };
    return {
      start: async (accept) => {
        this.accepts[at] = accept;
        this.states[at] = "listens";
        return { host: "", port: 1, secure: false };
      },
      release: become("released"),
      stop: become("stopped"),
    };
  };

  get options() {
    const dialer: Dialer = { dial: () => () => {}, atTurnEnd: (run) => run() };
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    return {
      memberOf,
      dialer,
      logger,
      auth: NO_PEER_AUTH,
      clock: new ManualClock(),
      dialTimeoutMs: 5000,
      listener: this.listener,
    };
  }

  stream(): Duplex {
    return {
      ...{ remoteAddress: "10.0.0.9", remotePort: 1, authIds: [], bufferedBytes: () => 0, pause() {}, resume() {} },
      ...{ write() {}, end() {} },
      destroy: () => {
        this.isCut = true;
      },
    };
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a leader that moves keeps its learners' streams until it leads no more", async () => {
  const world = new World();
  const turn = (run: () => void): void => run();
  const links = new QuorumLinks({
    ...{ ...world.options, turn, atTurnEnd: turn, readDatabase: () => assert.fail("no database"), packetBytesMax: 1000 },
    hear: ({ kind }) => void world.heard.push(kind),
  });
  links.accept(true);
  await settled();
  world.accepts[0]!(world.stream());
  links.relisten();
  await settled();
  assert.deepEqual(world.states, ["released", "listens"]);
  assert.deepEqual([world.isCut, world.heard], [false, ["opened"]]);
  links.accept(false);
  await settled();
  assert.deepEqual(world.states, ["stopped", "stopped"]);
  await links.stop();
});

test("a member whose election port moves keeps the streams of votes until it stops", async () => {
  const world = new World();
  const me = () => memberOf(2n)!;
  const links = new ElectionLinks({
    ...world.options,
    id: 2n,
    me,
    hearsJoiners: false,
    initialTimeoutMs: 5000,
    hear: () => {},
  });
  await links.start();
  world.accepts[0]!(world.stream());
  links.relisten();
  await settled();
  assert.deepEqual([world.states, world.isCut], [["released", "listens"], false]);
  await links.stop();
  assert.deepEqual([world.states, world.isCut], [["stopped", "stopped"], true]);
});
