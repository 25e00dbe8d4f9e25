/**
 * Observation of a server for those who want to know of each request: a tap that calls an observer.
 *
 * Not here: what is told (observer.ts). A server without an observer doesn't load this. Invariant: an observer that throws harms nobody.
 */
import { logThrown } from "../base/log_thrown.ts";
import type { ConnEffect, ConnInput } from "../member/host.ts";
import type { ErrorCode } from "../model/errors.ts";
import type { Op, Outcome } from "../model/ops.ts";
import type { Proposal, Txn } from "../model/txns.ts";
import type { AuthId, ConnId, SessionId } from "../model/types.ts";
import type { Clock, Logger } from "../ports.ts";
import type { RequestDetail, ServerObserver } from "./observer.ts";
import type { ServerMode } from "./report.ts";
import { type Client, SessionLog } from "./session_log.ts";

/** A request that is on its way. */
interface Asked {
  readonly op: Op;
  readonly mono: number;
}

/** What an observation needs of its server. */
export interface ObservationSources {
  readonly observer: ServerObserver;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly mode: () => ServerMode | null;
  readonly identitiesOf: (conn: ConnId) => readonly AuthId[];
}

export class Observation extends SessionLog {
  readonly #from: ObservationSources;
  /** By connection and number. */
  readonly #asked = new Map<ConnId, Map<number, Asked>>();
  readonly #bySession = new Map<SessionId, Client>();
  #lastMode: ServerMode | null | undefined;

  constructor(sources: ObservationSources) {
    super(sources.logger);
    this.#from = sources;
  }

  override readonly hearsRequests = true;

  override heard(input: ConnInput): void {
    super.heard(input);
    const { conn } = input;
    if (input.kind === "connect") {
      const { label: address } = input.peer;
      this.#call("connection", { what: "opened", address, session: input.hello.sessionId });
    }
    if (input.kind !== "request" || this.#from.observer.request === undefined) return;
    const asked = this.#asked.get(conn) ?? new Map<number, Asked>();
    this.#asked.set(conn, asked.set(input.xid, { op: input.op, mono: this.#from.clock.now().mono }));
  }

  override said(effect: ConnEffect): void {
    super.said(effect);
    if (effect.kind !== "reply") return;
    const asked = this.#asked.get(effect.conn)?.get(effect.xid);
    const client = this.clients.get(effect.conn);
    if (asked === undefined || client === undefined) return;
    this.#asked.get(effect.conn)!.delete(effect.xid);
    const event = {
      session: client.session,
      address: client.label,
      op: asked.op.kind,
      path: pathOf(asked.op),
      code: codeOf(effect.outcome),
      zxid: effect.zxid,
      durationMs: this.#from.clock.now().mono - asked.mono,
    };
    const { op } = asked;
    this.#call("request", event, {
      op,
      outcome: effect.outcome,
      address: client.address,
      identities: this.#from.identitiesOf(effect.conn),
    });
  }

  override logged(proposal: Proposal): void {
    super.logged(proposal);
    const { header, txn } = proposal;
    const { zxid, session, time } = header;
    this.#call("txn", { zxid, session, kind: txn.kind, path: pathOf(txn), time }, txn);
    if (txn.kind === "closeSession") {
      const what = header.cxid === 0 ? "expired" : "closed";
      this.#call("session", { what, session, address: this.#bySession.get(session)?.label ?? null });
    }
  }

  override synced(txns: number, durationMs: number): void {
    this.#call("sync", { txns, durationMs });
  }

  protected override welcomed(client: Client, asked: SessionId): void {
    const { session, label } = client;
    if (session !== 0n) this.#bySession.set(session, client);
    const what = session === 0n ? "refused" : asked === 0n ? "opened" : "resumed";
    this.#call("session", { what, session: session === 0n ? asked : session, address: label });
  }

  protected override parted(client: Client, conn: ConnId): void {
    const { label, session } = client;
    this.#asked.delete(conn);
    if (this.#bySession.get(session) === client) this.#bySession.delete(session); // it may have moved to another connection
    this.#call("connection", { what: "closed", address: label, session });
  }

  override turned(): void {
    const mode = this.#from.mode();
    if (mode === this.#lastMode) return;
    this.#lastMode = mode;
    this.#call("role", { mode });
  }

  #call<Name extends keyof ServerObserver>(
    name: Name,
    event: Parameters<NonNullable<ServerObserver[Name]>>[0],
    detail?: RequestDetail | Txn,
  ): void {
    try {
      (this.#from.observer[name] as ((event: unknown, detail?: unknown) => void) | undefined)?.(event, detail);
    } catch (error) {
      logThrown(this.logger, `The observer's ${name} has thrown`, error);
    }
  }
}

function pathOf(about: object): string | null {
  const { path } = about as { readonly path?: unknown };
  return typeof path === "string" ? path : null;
}

/** Of a multi that was refused, the code of the operation that failed. */
function codeOf(outcome: Outcome): ErrorCode | "Ok" {
  if ("code" in outcome) return outcome.code;
  if (outcome.kind !== "multi") return "Ok";
  const codes = outcome.results.flatMap((result) => (result.kind === "error" ? [result.code] : []));
  return codes.find((code) => code !== "Ok" && code !== "RuntimeInconsistency") ?? codes.find((code) => code !== "Ok") ?? "Ok";
}
