/**
 * Somebody who may do everything, for as long as one transaction takes: how fixtures come about.
 *
 * It comes like any client, by a connection and a session, but by none of the lines on which faults strike.
 */

import type { Peer } from "../kernel/messages.ts";
import type { ConnEffect, ConnectionSink } from "../member/host.ts";
import { invariant } from "../model/errors.ts";
import type { MultiWriteOp, Op, Outcome } from "../model/ops.ts";
import type { ConnId } from "../model/types.ts";
import type { TestHost } from "./test_host.ts";

const SUPER_PEER: Peer = { address: "127.0.0.1", label: "/127.0.0.1:0", authIds: [{ scheme: "super", id: "" }] };
const HELLO = { lastZxidSeen: 0n, timeOut: 30_000, sessionId: 0n, passwd: null, readOnly: false };

export class Operator implements ConnectionSink {
  readonly #host: TestHost;
  readonly #ops: readonly MultiWriteOp[];
  readonly #done: (outcome: Outcome | null) => void;
  #conn: ConnId = 0;
  #isDone = false;

  /** @param done hears how it ended; null: the connection was lost */
  private constructor(host: TestHost, ops: readonly MultiWriteOp[], done: (outcome: Outcome | null) => void) {
    this.#host = host;
    this.#ops = ops;
    this.#done = done;
  }

  /**
   * On a server that does at once what it is asked to.
   *
   * @throws TypeError that names the op that was refused; nothing is done then
   */
  static commit(host: TestHost, ops: readonly MultiWriteOp[]): void {
    if (ops.length === 0) return;
    let outcome: Outcome | null = null;
    new Operator(host, ops, (result) => {
      outcome = result;
    }).#start();
    judge(outcome, ops);
  }

  /** On a leader, which needs the others for it; the same otherwise. */
  static async commitLater(host: TestHost, ops: readonly MultiWriteOp[]): Promise<void> {
    if (ops.length === 0) return;
    judge(await new Promise<Outcome | null>((resolve) => new Operator(host, ops, resolve).#start()), ops);
  }

  #start(): void {
    this.#conn = this.#host.attachDirectly(this);
    this.#host.submit({ kind: "connect", conn: this.#conn, hello: HELLO, peer: SUPER_PEER });
  }

  carryOut(effect: ConnEffect): void {
    if (effect.kind === "welcome") this.#ask(1, { kind: "multi", ops: this.#ops });
    else if (effect.kind === "close") this.#end(null);
    else if (effect.kind === "reply" && effect.xid === 1) {
      this.#end(effect.outcome);
      this.#ask(2, { kind: "closeSession" });
    }
  }

  #end(outcome: Outcome | null): void {
    if (!this.#isDone) this.#done(outcome);
    this.#isDone = true;
  }

  #ask(xid: number, op: Op): void {
    this.#host.submit({ kind: "request", conn: this.#conn, xid, op });
  }
}

function judge(outcome: Outcome | null, ops: readonly MultiWriteOp[]): void {
  if (outcome === null) throw new Error("The fixture may have been created or not: the leader is gone");
  invariant(outcome.kind === "multi", `a transaction was answered ${outcome.kind}`);
  for (const [at, result] of outcome.results.entries()) {
    if (result.kind !== "error" || result.code === "Ok" || result.code === "RuntimeInconsistency") continue;
    throw new TypeError(`Cannot create ${ops[at]!.path} of the fixture: ${result.code}`);
  }
}
