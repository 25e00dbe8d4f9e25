/**
 * Links to a server in this process: no bytes, no queue. A request that needs no disk is answered before the call returns.
 *
 * Invariant: bytes are copied on their way in and on their way out, so neither side can change what the other keeps.
 */
import type { ConnEffect, ConnectionSink, Host } from "../host.ts";
import type { Hello, Peer } from "../kernel/messages.ts";
import type { MultiWriteOp, Op, Outcome } from "../ops.ts";
import type { ConnId } from "../types.ts";
import { Slab } from "../wire/slab.ts";
import type { Connector, Link, LinkHandlers } from "./link.ts";
import { excessLength } from "./request_size.ts";

/** A client in the server's own process counts as one on its own machine. */
const LOCAL_PEER: Peer = { address: "127.0.0.1", label: "/127.0.0.1:0", authIds: [] };

/** What clients hand in is kept, much of it for long. */
const kept = new Slab(16 * 1024);
/** What they get they mostly drop soon. */
const handedOut = new Slab(64 * 1024);

export class LocalConnector implements Connector {
  readonly serverCount = 1;
  readonly isRoundDone = true;
  readonly #host: () => Host;
  readonly #frameBytesMax: number;

  /**
   * @param host the one that runs the server at the moment
   * @param frameBytesMax longest request that it takes
   */
  constructor(host: () => Host, frameBytesMax: number) {
    this.#host = host;
    this.#frameBytesMax = frameBytesMax;
  }

  /** Over a socket the server would end the connection; here nobody has to lose anything by it. */
  refusal(op: Op): string | null {
    const length = excessLength(op, this.#frameBytesMax);
    if (length === null) return null;
    return `the request has ${length} bytes, and the server takes ${this.#frameBytesMax} (limits.frameBytesMax, jute.maxbuffer)`;
  }

  link(hello: Hello, handlers: LinkHandlers): Link {
    return new LocalLink(this.#host(), hello, handlers);
  }

  succeeded(): void {}

  /** There is no other server that could take writes. */
  probe(): () => void {
    return () => {};
  }

  update(): never {
    throw new Error("Cannot update the list of servers: this client's server is in its own process");
  }
}

class LocalLink implements Link, ConnectionSink {
  readonly #host: Host;
  readonly #hello: Hello;
  readonly #handlers: LinkHandlers;
  #conn: ConnId | null = null;

  constructor(host: Host, hello: Hello, handlers: LinkHandlers) {
    this.#host = host;
    this.#hello = hello;
    this.#handlers = handlers;
  }

  open(): void {
    if (this.#host.isStopped) return this.#handlers.closed("the server is closed");
    this.#conn = this.#host.attach(this);
    this.#host.submit({ kind: "connect", conn: this.#conn, hello: this.#hello, peer: LOCAL_PEER });
  }

  request(xid: number, op: Op): void {
    if (this.#conn !== null) this.#host.submit({ kind: "request", conn: this.#conn, xid, op: owned(op) });
  }

  cut(): void {
    if (this.#conn === null) return;
    this.#host.submit({ kind: "disconnect", conn: this.#conn });
    this.#closed("the connection was given up");
  }

  carryOut(effect: ConnEffect): void {
    if (this.#conn === null) return;
    switch (effect.kind) {
      case "reply":
        return this.#handlers.reply(effect.xid, effect.zxid, lent(effect.outcome));
      case "event":
        return this.#handlers.event(effect.event);
      case "welcome":
        return this.#handlers.welcome(effect.welcome);
      case "close":
        return this.#closed(this.#host.isStopped ? "the server is closed" : "the server closed the connection");
    }
  }

  #closed(reason: string): void {
    if (this.#conn === null) return;
    this.#conn = null;
    this.#handlers.closed(reason);
  }
}

/** The op with bytes of its own. Written out, since copying an object by spreading it is slow on V8. */
function owned(op: Op): Op {
  switch (op.kind) {
    case "create":
    case "create2":
    case "createContainer":
    case "createTTL":
      return { kind: op.kind, path: op.path, data: copyIn(op.data), acl: op.acl, flags: op.flags, ttl: op.ttl };
    case "setData":
      return { kind: "setData", path: op.path, data: copyIn(op.data), version: op.version };
    case "multi":
      return { kind: "multi", ops: op.ops.map((sub) => owned(sub) as MultiWriteOp) };
    default:
      return op;
  }
}

function copyIn(data: Uint8Array | null): Uint8Array | null {
  return data === null ? null : kept.copy(data, 0, data.length);
}

/** The outcome with bytes that the caller may keep and change. */
function lent(outcome: Outcome): Outcome {
  if (outcome.kind === "data") return { kind: "data", data: copyOut(outcome.data), stat: outcome.stat };
  if (outcome.kind !== "multi") return outcome;
  const results = outcome.results.map((result) =>
    result.kind === "getData" ? { ...result, data: copyOut(result.data) } : result,
  );
  return { kind: "multi", results };
}

function copyOut(data: Uint8Array | null): Uint8Array | null {
  return data === null ? null : handedOut.copy(data, 0, data.length);
}
