/** Proofs between members on streams in memory, which arrive byte by byte, or not whole, or are none. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { NO_PEER_AUTH, type PeerAuth, SaslPeerAuth } from "../../lib/peers/peer_auth.ts";
import type { Duplex, DuplexHandler } from "../../lib/ports.ts";
import { quorumAuthBytes } from "../../lib/wire/quorum_auth.ts";
import { Random } from "../support/random.ts";

const ZK = { username: "zk", password: "secret" };
let nonces = 0;
const nonce = (): string => `nonce ${nonces++}`;
const auth = (options: Partial<ConstructorParameters<typeof SaslPeerAuth>[0]> = {}): PeerAuth =>
  new SaslPeerAuth({ credentials: ZK, users: { zk: "secret" }, ...options }, nonce);
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** One end of a stream: what it sends waits for the test to deliver it. */
class End {
  readonly sent: Uint8Array[] = [];
  readonly heard: number[] = [];
  hasEnded = false;
  outcome: "pending" | "proved" | (string & {}) = "pending";
  isClosed = false;
  handler!: DuplexHandler;

  readonly duplex: Duplex = {
    ...{ remoteAddress: "127.0.0.1", remotePort: 1, authIds: [], bufferedBytes: () => 0, pause() {}, resume() {} },
    write: (bytes) => void this.sent.push(bytes.slice()),
    end: () => {
      this.hasEnded = true;
    },
    destroy: () => {
      this.hasEnded = true;
    },
  };

  readonly proved = (): DuplexHandler => {
    assert.equal(this.outcome, "pending");
    this.outcome = "proved";
    return {
      data: (bytes) => void this.heard.push(...bytes),
      drained() {},
      closed: () => {
        this.isClosed = true;
      },
    };
  };

  readonly refused = (reason: string): void => {
    assert.equal(this.outcome, "pending");
    this.outcome = reason;
  };

  get text(): string {
    return new TextDecoder().decode(Uint8Array.from(this.heard));
  }
}

function dial(by: PeerAuth): End {
  const end = new End();
  end.handler = by.dialled(end.duplex, end.proved, end.refused);
  return end;
}

function accept(by: PeerAuth, received = ""): End {
  const end = new End();
  end.handler = by.accepted(end.duplex, bytesOf(received), end.proved, end.refused);
  return end;
}

/** Delivers what both have sent, byte by byte, until neither has anything to say. */
function talk(one: End, other: End): void {
  for (let wasSaid = true; wasSaid; ) {
    wasSaid = false;
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      for (const bytes of from.sent.splice(0)) {
        wasSaid = true;
        for (const byte of bytes) to.handler.data(Uint8Array.of(byte));
      }
    }
  }
}

describe("members", () => {
  test("prove who they are, and are heard behind the proof", () => {
    const [learner, server] = [dial(auth()), accept(auth())];
    talk(learner, server);
    assert.deepEqual([learner.outcome, server.outcome], ["proved", "proved"]);
    server.handler.data(bytesOf("hello"));
    assert.equal(server.text, "hello");
    server.handler.closed();
    assert.equal(server.isClosed, true);
  });

  test("hear what came in one piece with the proof", () => {
    const [learner, server] = [dial(auth()), accept(auth())];
    for (let i = 0; i < 2; i++) {
      server.handler.data(joined(learner.sent.splice(0)));
      if (i === 0) learner.handler.data(joined(server.sent.splice(0)));
    }
    server.duplex.write(bytesOf("at once"));
    learner.handler.data(joined(server.sent.splice(0)));
    assert.equal(learner.text, "at once");
  });

  for (const [title, credentials] of [
    ["with a wrong password are refused", { ...ZK, password: "wrong" }],
    ["with an unknown name are refused", { ...ZK, username: "toString" }],
  ] as const) {
    test(title, () => {
      const [learner, server] = [dial(auth({ credentials })), accept(auth())];
      talk(learner, server);
      assert.match(server.outcome, /credentials are wrong/);
      assert.match(learner.outcome, /does not accept/);
      assert.ok(learner.hasEnded && server.hasEnded);
    });
  }

  test("that are dialled must know the password, too", () => {
    const learner = dial(auth());
    const server = accept(auth({ users: { zk: "another" } }));
    talk(learner, server);
    assert.notEqual(learner.outcome, "proved");
    const impostor = dial(auth());
    impostor.handler.data(quorumAuthBytes({ status: "success", token: bytesOf("rspauth=00") }));
    assert.match(impostor.outcome, /could not prove/);
    impostor.handler.closed();
  });

  test("that prove nothing are refused where proof is required, and taken where it is not", () => {
    const vote = "\0\0\0\x10 a vote";
    const strict = accept(auth(), vote);
    assert.match(strict.outcome, /no proof/);
    assert.equal(strict.hasEnded, true);
    const lenient = accept(auth({ required: false }), vote.slice(0, 3));
    assert.equal(lenient.outcome, "pending");
    lenient.handler.data(bytesOf(vote.slice(3)));
    assert.equal(lenient.outcome, "proved");
    assert.equal(lenient.text, vote);
    const wrong = dial(auth({ credentials: { ...ZK, password: "wrong" } }));
    const server = accept(auth({ required: false }));
    talk(wrong, server);
    assert.match(server.outcome, /credentials are wrong/, "who begins must go through with it");
  });

  test("that leave too early are refused; who need not prove anything may say nothing", () => {
    const strict = accept(auth());
    strict.handler.closed();
    assert.match(strict.outcome, /ended before/);
    const lenient = accept(auth({ required: false }));
    lenient.handler.closed();
    assert.equal(lenient.outcome, "proved");
    assert.equal(lenient.isClosed, true);
    const learner = dial(auth());
    learner.handler.closed();
    assert.match(learner.outcome, /ended before/);
  });

  test("without credentials, and without SASL, are heard at once", () => {
    for (const end of [dial(auth({ credentials: null })), dial(NO_PEER_AUTH), accept(NO_PEER_AUTH, "x")]) {
      assert.equal(end.outcome, "proved");
      assert.deepEqual(end.sent, []);
    }
  });

  test("that speak nonsense are refused, whatever it is", () => {
    const random = Random.seeded("ZOOKERNEL_SEED");
    const start = quorumAuthBytes({ status: "inProgress", token: new Uint8Array(0) });
    for (let run = 0; run < 2000; run++) {
      const end = random.below(2) === 0 ? accept(auth()) : dial(auth());
      const nonsense = Uint8Array.from({ length: 40 + random.below(40) }, () => random.below(256));
      // Now and then only the number of the status, the length and the token are wrong.
      if (random.below(2) === 0) nonsense.set(start.subarray(0, 8 + random.below(9)));
      end.handler.data(nonsense);
      end.handler.closed();
      assert.ok(end.outcome !== "pending" && end.outcome !== "proved", `ZOOKERNEL_SEED=${random.seed}`);
    }
  });
});

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
