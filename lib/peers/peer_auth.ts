/**
 * Authentication between members of an ensemble before a stream is used: by SASL's DIGEST-MD5, or not at all.
 *
 * Who has dialled proves, who was dialled demands it, or also takes those who don't begin to. Not here: where on a stream it belongs
 * (election_links.ts, quorum_links.ts), and TLS (adapters).
 *
 * Invariants: a stream is handed over once, or refused once. What comes behind the proof is heard by whoever takes the stream over, and nothing
 * before it.
 */
import type { Duplex, DuplexHandler } from "../ports.ts";
import { DigestMd5Client, DigestMd5Server, QUORUM_SERVICE, type SaslCredentials } from "../sasl/digest_md5.ts";
import { JuteError } from "../wire/jute.ts";
import { beginsQuorumAuth, type QuorumAuthPacket, quorumAuthBytes, readQuorumAuth } from "../wire/quorum_auth.ts";

/** Proofs at the beginning of streams between members. */
export interface PeerAuth {
  /** For a stream that this member has opened. `proved` says who handles it from then on; `refused` hears why nobody does. */
  dialled(duplex: Duplex, proved: () => DuplexHandler, refused: (reason: string) => void): DuplexHandler;
  /** For a stream that another member has opened, of which `received` was read already. `proved` is told the name, null where there is none. */
  accepted(
    duplex: Duplex,
    received: Uint8Array,
    proved: (name: string | null) => DuplexHandler,
    refused: (reason: string) => void,
  ): DuplexHandler;
}

/** Nobody proves anything. */
export const NO_PEER_AUTH: PeerAuth = {
  dialled: (_duplex, proved) => proved(),
  accepted: (_duplex, received, proved) => handedOver(proved(null), received),
};

/** How members prove who they are by SASL. */
export interface PeerSaslOptions {
  /** As whom this member dials the others; null: it proves nothing, and reaches those that don't demand it. */
  readonly credentials: SaslCredentials | null;
  /** Passwords of those who may dial this member, by name. */
  readonly users: Readonly<Record<string, string>>;
  /** Whether they must prove who they are. Default true; false takes those who don't begin to, for a change from one to the other. */
  readonly required?: boolean;
}

export class SaslPeerAuth implements PeerAuth {
  readonly #credentials: SaslCredentials | null;
  readonly #passwords: ReadonlyMap<string, string>;
  readonly #required: boolean;
  readonly #nonce: () => string;

  constructor({ credentials, users, required = true }: PeerSaslOptions, nonce: () => string) {
    this.#credentials = credentials;
    this.#passwords = new Map(Object.entries(users));
    this.#required = required;
    this.#nonce = nonce;
  }

  dialled(duplex: Duplex, proved: () => DuplexHandler, refused: (reason: string) => void): DuplexHandler {
    if (this.#credentials === null) return proved();
    const client = new DigestMd5Client(this.#credentials, this.#nonce(), QUORUM_SERVICE);
    const step: Step = ({ status, token }) => {
      if (status === "error") return "the other member does not accept this one's SASL credentials";
      const answer = client.answer(token);
      if (answer === "refused" || (answer === "done") !== (status === "success"))
        return "the other member could not prove that it knows this one's password";
      if (answer !== "done") say(duplex, "inProgress", answer);
      return answer === "done" ? "proved" : "goes on";
    };
    say(duplex, "inProgress", NO_BYTES);
    return new Exchange(duplex, { step, optional: false, proved, refused });
  }

  accepted(
    duplex: Duplex,
    received: Uint8Array,
    proved: (name: string | null) => DuplexHandler,
    refused: (reason: string) => void,
  ): DuplexHandler {
    let name: string | null = null;
    const server = new DigestMd5Server((name) => this.#passwords.get(name), this.#nonce(), QUORUM_SERVICE);
    let isAsked = false;
    const step: Step = ({ token }) => {
      if (!isAsked) {
        isAsked = true;
        say(duplex, "inProgress", server.challenge);
        return "goes on";
      }
      const answer = server.answer(token);
      name = answer?.username ?? null;
      say(duplex, answer === null ? "error" : "success", answer?.token ?? NO_BYTES);
      return answer === null ? "its SASL credentials are wrong" : "proved";
    };
    return handedOver(new Exchange(duplex, { step, optional: !this.#required, proved: () => proved(name), refused }), received);
  }
}

/** What to make of a packet; any other text is why the peer is refused. */
type Step = (packet: QuorumAuthPacket) => "proved" | "goes on" | (string & {});

interface ExchangeOptions {
  readonly step: Step;
  /** Whether a peer that does not begin to prove anything is taken as it is. */
  readonly optional: boolean;
  readonly proved: () => DuplexHandler;
  readonly refused: (reason: string) => void;
}

class Exchange implements DuplexHandler {
  readonly #duplex: Duplex;
  readonly #options: ExchangeOptions;
  #optional: boolean;
  #received: Uint8Array = NO_BYTES;
  /** Who has taken the stream over, or, once it is refused, nobody. */
  #next: DuplexHandler | null = null;

  constructor(duplex: Duplex, options: ExchangeOptions) {
    this.#duplex = duplex;
    this.#options = options;
    this.#optional = options.optional;
  }

  data(bytes: Uint8Array): void {
    if (this.#next !== null) return this.#next.data(bytes);
    const received = new Uint8Array(this.#received.length + bytes.length);
    received.set(this.#received);
    received.set(bytes, this.#received.length);
    this.#received = received;
    if (this.#optional && this.#isBegun() !== true) return;
    try {
      this.#read();
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      this.#refuse(`it sent ${error.message}`);
    }
  }

  /** Whether the peer proves anything, which it need not; null while that can't be told. */
  #isBegun(): boolean | null {
    const isBegun = beginsQuorumAuth(this.#received);
    if (isBegun === true) this.#optional = false;
    if (isBegun === false) this.#handOver();
    return isBegun;
  }

  #read(): void {
    for (let read = readQuorumAuth(this.#received); read !== null; read = readQuorumAuth(this.#received)) {
      this.#received = this.#received.subarray(read.length);
      const outcome = this.#options.step(read.packet);
      if (outcome === "proved") return this.#handOver();
      if (outcome !== "goes on") return this.#refuse(outcome);
    }
  }

  #handOver(): void {
    const rest = this.#received;
    this.#next = this.#options.proved();
    handedOver(this.#next, rest);
  }

  #refuse(reason: string): void {
    this.#next = DEAF;
    this.#duplex.end();
    this.#options.refused(reason);
  }

  drained(): void {
    this.#next?.drained();
  }

  closed(): void {
    if (this.#next === null && this.#optional) this.#handOver();
    else if (this.#next === null) this.#refuse("the stream ended before it had proved who it is");
    this.#next?.closed();
  }
}

/** Hears nothing: the stream has been refused. */
const DEAF: DuplexHandler = { data() {}, drained() {}, closed() {} };
const NO_BYTES: Uint8Array = new Uint8Array(0);

function say(duplex: Duplex, status: QuorumAuthPacket["status"], token: Uint8Array): void {
  duplex.write(quorumAuthBytes({ status, token }));
}

/** The handler, having heard what was read of the stream before it came. */
function handedOver(handler: DuplexHandler, received: Uint8Array): DuplexHandler {
  if (received.length > 0) handler.data(received);
  return handler;
}
