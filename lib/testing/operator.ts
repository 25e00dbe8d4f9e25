/**
 * Somebody who may do everything, for as long as one transaction takes: how fixtures come about.
 *
 * It comes like any client, by a connection and a session, but by none of the lines on which faults strike.
 */

import { invariant } from "../errors.ts";
import type { ConnEffect, ConnectionSink } from "../host.ts";
import type { Peer } from "../kernel/messages.ts";
import type { MultiWriteOp, Outcome } from "../ops.ts";
import type { TestHost } from "./test_host.ts";

const SUPER_PEER: Peer = { address: "127.0.0.1", label: "/127.0.0.1:0", authIds: [{ scheme: "super", id: "" }] };
const HELLO = { lastZxidSeen: 0n, timeOut: 30_000, sessionId: 0n, passwd: null, readOnly: false };

export class Operator implements ConnectionSink {
  readonly #host: TestHost;
  #outcome: Outcome | null = null;

  constructor(host: TestHost) {
    this.#host = host;
  }

  /** @throws TypeError that names the op that was refused; nothing is done then */
  commit(ops: readonly MultiWriteOp[]): void {
    if (ops.length === 0) return;
    const conn = this.#host.attachDirectly(this);
    this.#host.submit({ kind: "connect", conn, hello: HELLO, peer: SUPER_PEER });
    this.#host.submit({ kind: "request", conn, xid: 1, op: { kind: "multi", ops } });
    const outcome = this.#outcome;
    this.#host.submit({ kind: "request", conn, xid: 2, op: { kind: "closeSession" } });
    invariant(outcome?.kind === "multi", `a transaction in memory was answered ${outcome?.kind}`);
    for (const [at, result] of outcome.results.entries()) {
      if (result.kind !== "error" || result.code === "Ok" || result.code === "RuntimeInconsistency") continue;
      throw new TypeError(`Cannot create ${ops[at]!.path} of the fixture: ${result.code}`);
    }
  }

  carryOut(effect: ConnEffect): void {
    if (effect.kind === "reply") this.#outcome = effect.outcome;
  }
}
