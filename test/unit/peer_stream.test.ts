/** A stream between a leader and a learner, over a connection in memory: which packets are taken, and how much may wait. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LeaderPacket, LearnerPacket } from "../../lib/broadcast/zab/messages.ts";
import type { AuthId } from "../../lib/model/types.ts";
import { PeerStream } from "../../lib/peers/peer_stream.ts";
import type { Duplex } from "../../lib/ports.ts";
import { JuteWriter } from "../../lib/wire/jute.ts";
import { packetOfLeader, packetOfLearner, writePacket } from "../../lib/wire/quorum.ts";
import { txn } from "../support/zab_rig.ts";

const MiB = 1 << 20;

/** One end, with a connection that takes nothing unless told. */
class End {
  readonly packets: (LeaderPacket | LearnerPacket)[] = [];
  readonly said: string[] = [];
  readonly soon: (() => void)[] = [];
  readonly stream: PeerStream;
  sent = 0;
  isReleased = false;

  constructor(side: "leader" | "learner", packetBytesMax = 2 * MiB, takes = true, turnEnds?: (() => void)[]) {
    let bufferedBytes = 0;
    const duplex: Duplex = {
      ...{ remoteAddress: "127.0.0.1", remotePort: 1, authIds: [], pause() {}, resume() {}, end() {}, destroy() {} },
      bufferedBytes: () => bufferedBytes,
      write: ({ length }) => {
        this.sent += length;
        if (!takes) bufferedBytes += length;
      },
    };
    const owner = {
      packet: (packet: LeaderPacket | LearnerPacket) => void this.packets.push(packet),
      alive() {},
      letsGo: (reason: string) => void this.said.push(`lets go: ${reason}`),
      ended: () => void this.said.push("ended"),
      atTurnEnd: (run: () => void) => void (turnEnds === undefined ? run() : turnEnds.push(run)),
      soon: (run: () => void) => void this.soon.push(run),
      readDatabase: () => Promise.reject(new Error("none comes")),
    };
    this.stream = new PeerStream(owner, duplex, side, packetBytesMax);
  }

  sendDatabase(): void {
    const chunks = function* (): Generator<Uint8Array, void> {
      for (;;) yield new Uint8Array(MiB);
    };
    const release = (): void => {
      this.isReleased = true;
    };
    this.stream.sendDatabase(1n, { chunks: chunks(), release });
    while (this.soon.length > 0) this.soon.shift()!();
  }
}

function request(bytes: number, authIds: readonly AuthId[] = []): Uint8Array {
  const out = new JuteWriter();
  const op = { kind: "setData", path: "/a", data: new Uint8Array(bytes), version: -1 } as const;
  writePacket(out, packetOfLearner({ kind: "request", request: { session: 1n, cxid: 1, op, authIds } }));
  return out.copy();
}

function proposal(bytes: number): Uint8Array {
  const out = new JuteWriter();
  const long = { ...txn(1, 1), txn: { kind: "setData", path: "/a", data: new Uint8Array(bytes), version: 1 } as const };
  writePacket(out, packetOfLeader({ kind: "proposal", proposal: long }));
  return out.copy();
}

/** In pieces, as a socket gives them. */
function deliver(end: End, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += 65_536) end.stream.data(bytes.subarray(at, at + 65_536));
}

describe("a packet of a learner", () => {
  test("may be as long as the configuration has it", () => {
    const end = new End("leader", 16 * MiB);
    deliver(end, request(3 * MiB));
    assert.deepEqual([end.packets.length, end.said], [1, []]);
    deliver(end, request(16 * MiB));
    assert.match(end.said.join("; "), /^lets go: a packet with a part of \d+ bytes, where 16777216 are allowed; ended$/);
  });

  test("has beside its data any identities that a client can prove, as Apache's members have it", () => {
    const ids = Array.from({ length: 5 }, (_, at) => ({ scheme: "digest", id: `${at}`.repeat(MiB) }));
    const end = new End("leader");
    deliver(end, request(10, ids));
    assert.deepEqual([end.packets.length, end.said], [1, []]);
  });
});

test("a packet of the leader may hold a txn from times when more was allowed", () => {
  const end = new End("learner");
  deliver(end, proposal(5 * MiB));
  assert.deepEqual([end.packets.length, end.said], [1, []]);
});

describe("what waits for a peer", () => {
  test("behind a database that it does not take is bounded: it is let go, with the reason", () => {
    const end = new End("leader", 2 * MiB, false);
    end.sendDatabase();
    const { sent } = end;
    assert.ok(sent < 4 * MiB, "the database waits to be taken");
    const bytes = new Uint8Array(MiB);
    for (let sends = 0; sends < 300 && end.said.length === 0; sends++)
      end.stream.send({ kind: "proposal", proposal: { ...txn(1, 1), bytes } });
    assert.match(end.said.join("; "), /^lets go: it does not take what is sent to it: \d+ bytes wait; ended$/);
    assert.equal(end.isReleased, true, "what was frozen for it is let go of");
  });

  test("without one, too", () => {
    const end = new End("leader", 2 * MiB, false);
    const bytes = new Uint8Array(MiB);
    for (let sends = 0; sends < 300 && end.said.length === 0; sends++)
      end.stream.send({ kind: "proposal", proposal: { ...txn(1, 1), bytes } });
    assert.deepEqual(end.said.length, 2);
  });
});

test("a stream that is cut ends behind what was said in the same turn: it may be where the ensemble goes on", () => {
  const turnEnds: (() => void)[] = [];
  const end = new End("leader", 2 * MiB, true, turnEnds);
  end.stream.send({ kind: "commit", zxid: 1n });
  assert.equal(end.sent, 0);
  end.stream.cut();
  const { sent } = end;
  assert.ok(sent > 0);
  for (const run of turnEnds) run();
  end.stream.send({ kind: "commit", zxid: 2n });
  assert.deepEqual([end.sent, end.said], [sent, []]);
});
