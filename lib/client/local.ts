/**
 * Links to a server in this process: no bytes, no queue. A request that needs no disk is answered before the call returns.
 *
 * Invariant: what goes out is copied, so that no caller can change what the server keeps. What comes in is the handle's own copy (arguments.ts).
 */

import { Slab } from "../base/slab.ts";
import type { Hello, Peer } from "../kernel/messages.ts";
import type { ConnEffect, ConnectionSink, Host } from "../member/host.ts";
import type { MultiResult, Op, Outcome } from "../model/ops.ts";
import { copyOfStat } from "../model/stat.ts";
import type { ConnId } from "../model/types.ts";
import type { Connector, Link, LinkHandlers } from "./link.ts";
import { excessLength } from "./request_size.ts";

/** A client in the server's own process counts as one on its own machine. */
const LOCAL_PEER: Peer = { address: "127.0.0.1", label: "/127.0.0.1:0", authIds: [] };

/** What clients get they mostly drop soon. */
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
    if (this.#conn !== null) this.#host.submit({ kind: "request", conn: this.#conn, xid, op });
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

/** The outcome with parts that the caller may keep and change. */
function lent(outcome: Outcome): Outcome {
  switch (outcome.kind) {
    case "data":
      return { kind: "data", data: copyOf(outcome.data), stat: copyOfStat(outcome.stat) };
    case "stat":
      return { kind: "stat", stat: copyOfStat(outcome.stat) };
    case "pathStat":
      return { kind: "pathStat", path: outcome.path, stat: copyOfStat(outcome.stat) };
    case "childrenStat":
      return { kind: "childrenStat", children: [...outcome.children], stat: copyOfStat(outcome.stat) };
    case "acl":
      return { kind: "acl", acl: outcome.acl.map((entry) => ({ ...entry })), stat: copyOfStat(outcome.stat) };
    case "clientInfo":
      return { kind: "clientInfo", clientInfo: outcome.clientInfo.map((id) => ({ ...id })) };
    case "multi":
      return { kind: "multi", results: outcome.results.map(lentResult) };
    default:
      return outcome; // nothing that a handle passes on as it is
  }
}

function lentResult(result: MultiResult): MultiResult {
  return "stat" in result ? { ...result, stat: copyOfStat(result.stat) } : result;
}

function copyOf(data: Uint8Array | null): Uint8Array | null {
  return data === null ? null : handedOut.copyOf(data);
}
