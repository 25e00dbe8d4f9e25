/** CVE-2023-44981: who has proved a name by SASL may be the member that the name is of, and no other one. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ensembleConfig } from "../../lib/broadcast/zab/ensemble_text.ts";
import { ElectionLinks } from "../../lib/peers/election_links.ts";
import type { PeerAuth } from "../../lib/peers/peer_auth.ts";
import { misfit } from "../../lib/peers/proved_name.ts";
import { QuorumLinks } from "../../lib/peers/quorum_links.ts";
import type { Dialer, Duplex, DuplexHandler, Listener } from "../../lib/ports.ts";
import { JuteWriter } from "../../lib/wire/jute.ts";
import { packetOfLearner, writePacket } from "../../lib/wire/quorum.ts";
import { initialBytes } from "../../lib/wire/votes.ts";
import { ManualClock } from "../support/manual_clock.ts";

const config = ensembleConfig(["server.1=zk1:2888:3888", "server.2=zk2:2888:3888", "server.3=zk3:2888:3888"]);
const memberOf = (id: bigint) => config.members.find((member) => member.id === id);

test("a name that tells a host fits the member that is there, one that should and doesn't fits nobody", () => {
  for (const name of [null, "zk", "zkquorum/zk1", "zkquorum/zk1@EXAMPLE.COM"])
    assert.equal(misfit(name, ["zk1"]), null, `${name}`);
  for (const name of ["zkquorum/zk2@EXAMPLE.COM", "zkquorum/zk2", "zkquorum/@EXAMPLE.COM", "eve@EXAMPLE.COM", "a/b/zk1@C", "@"])
    assert.notEqual(misfit(name, ["zk1"]), null, name);
  assert.notEqual(misfit("zkquorum/zk1", []), null);
});

/** A member 3 whose peers have proved a name, whatever they say. */
class Member {
  readonly warnings: string[] = [];
  readonly heard: string[] = [];
  #accept: (duplex: Duplex) => DuplexHandler = () => assert.fail("nobody listens");
  readonly #auth: PeerAuth;
  readonly #listener: Listener = {
    start: async (accept) => {
      this.#accept = accept;
      return { host: "", port: 1, secure: false };
    },
    release: async () => {},
    stop: async () => {},
  };

  constructor(name: string) {
    this.#auth = {
      dialled: (_, proved) => proved(),
      accepted: (_, received, proved) => {
        const handler = proved(name);
        if (received.length > 0) handler.data(received);
        return handler;
      },
    };
  }

  get #world() {
    const dialer: Dialer = { dial: () => () => {}, atTurnEnd: (run) => run() };
    const logger = { debug() {}, info() {}, warn: (line: string) => void this.warnings.push(line), error() {} };
    return {
      memberOf,
      dialer,
      logger,
      auth: this.#auth,
      clock: new ManualClock(),
      dialTimeoutMs: 5000,
      listener: () => this.#listener,
    };
  }

  /** A stream to its election port whose other end says that it is this member; whether it is kept. */
  async isHeardAs(id: bigint): Promise<boolean> {
    const me = () => memberOf(3n)!;
    const links = new ElectionLinks({
      ...this.#world,
      id: 3n,
      me,
      hearsJoiners: false,
      initialTimeoutMs: 5000,
      hear: () => {},
    });
    await links.start();
    const { duplex, state } = stream();
    this.#accept(duplex).data(initialBytes(id, "zk1:3888"));
    await links.stop();
    // Member 3 has the greater number: it dials whoever it has believed.
    return state.destroyed && this.warnings.length === 0;
  }

  /** A learner on its quorum port that says it is this member; whether it is heard. */
  async isLedAs(id: bigint): Promise<boolean> {
    const hear = (input: { readonly kind: string }): void => void this.heard.push(input.kind);
    const turn = (run: () => void): void => run();
    const readDatabase = () => assert.fail("no database");
    const links = new QuorumLinks({ ...this.#world, hear, turn, atTurnEnd: turn, readDatabase, packetBytesMax: 1000 });
    links.accept(true);
    await new Promise((resolve) => setImmediate(resolve));
    const { duplex, state } = stream();
    const out = new JuteWriter();
    writePacket(out, packetOfLearner({ kind: "learnerInfo", observer: false, acceptedEpoch: 0, id, configVersion: 0n }));
    this.#accept(duplex).data(out.copy());
    links.accept(false);
    assert.equal(state.destroyed, !this.heard.includes("packet"));
    return this.heard.includes("packet");
  }
}

function stream() {
  const state = { destroyed: false };
  const duplex: Duplex = {
    ...{ remoteAddress: "10.0.0.9", remotePort: 1, authIds: [], bufferedBytes: () => 0, pause() {}, resume() {} },
    ...{ write() {}, end() {} },
    destroy: () => {
      state.destroyed = true;
    },
  };
  return { duplex, state };
}

describe("a member proves the id that it claims", () => {
  for (const [name, id, fits] of [
    ["zkquorum/zk1@EXAMPLE.COM", 1n, true],
    ["zkquorum/zk1@EXAMPLE.COM", 2n, false],
    ["eve@EXAMPLE.COM", 1n, false],
    ["zk", 2n, true],
  ] as const) {
    test(`${name} as member ${id}`, async () => {
      for (const port of ["isHeardAs", "isLedAs"] as const) {
        const member = new Member(name);
        assert.equal(await member[port](id), fits, port);
        assert.equal(member.warnings.length, fits ? 0 : 1);
        if (!fits)
          assert.match(member.warnings[0]!, new RegExp(`^A stream from 10.0.0.9 .* is refused: member ${id} must prove`));
      }
    });
  }
});
