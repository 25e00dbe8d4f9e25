/**
 * Sessions as their leader may end them, judged from outside: none before its whole timeout has passed, by the leader's own clock, since the
 * leader last heard of it.
 */
import type { ConnEffect } from "../../../lib/member/host.ts";
import type { MemberInput } from "../../../lib/member/member.ts";
import type { Proposal } from "../../../lib/model/txns.ts";
import type { ConnId, SessionId } from "../../../lib/model/types.ts";
import { Violation } from "./violation.ts";

export class ExpiryRule {
  readonly #timeouts = new Map<SessionId, number>();
  /** When each may end at the earliest, by the leader's clock. */
  readonly #earliest = new Map<SessionId, number>();
  /** Of the member's own clients. */
  readonly #sessions = new Map<ConnId, SessionId>();

  /** A leader begins: all sessions have their whole timeout before them. */
  begins(sessions: ReadonlyMap<SessionId, number>, mono: number): void {
    this.#timeouts.clear();
    this.#earliest.clear();
    for (const [session, timeoutMs] of sessions) this.heard(session, mono, timeoutMs);
  }

  /** What a leader hears, of its own clients and of other members. */
  hears(input: MemberInput, mono: number): void {
    if (input.kind === "request") {
      const session = this.#sessions.get(input.conn);
      if (session !== undefined) this.heard(session, mono);
    }
    if (input.kind !== "packet") return;
    const { packet } = input;
    if (packet.kind === "pong") for (const { session, timeoutMs } of packet.touched) this.heard(session, mono, timeoutMs);
    if (packet.kind === "revalidate") this.heard(packet.session, mono, packet.timeoutMs);
  }

  /** What it answers its own clients. */
  answers(effect: ConnEffect, mono: number): void {
    if (effect.kind === "close") this.#sessions.delete(effect.conn);
    if (effect.kind !== "welcome" || effect.welcome.timeOut === 0) return;
    this.#sessions.set(effect.conn, effect.welcome.sessionId);
    this.heard(effect.welcome.sessionId, mono, effect.welcome.timeOut);
  }

  heard(session: SessionId, mono: number, timeoutMs: number | null = null): void {
    const timeout = timeoutMs ?? this.#timeouts.get(session);
    if (timeout === undefined) return;
    this.#timeouts.set(session, timeout);
    this.#earliest.set(session, mono + timeout);
  }

  proposed({ header, txn }: Proposal, mono: number): void {
    const { session, cxid } = header;
    if (txn.kind === "createSession") this.heard(session, mono, txn.timeOut);
    if (txn.kind !== "closeSession" || cxid !== 0) return;
    const earliest = this.#earliest.get(session);
    if (earliest !== undefined && mono < earliest)
      throw new Violation(`session ${session} expires ${Math.ceil(earliest - mono)} ms before its time`);
  }
}
