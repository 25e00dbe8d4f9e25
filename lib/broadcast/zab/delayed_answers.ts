/**
 * A leader's answers that wait until all that had been proposed when they were asked for is committed: to syncs, and to who asks whether a session
 * lives.
 *
 * Not here: who is asked. Invariant: they are given in the order in which they were asked for.
 */
import { Fifo } from "../../base/fifo.ts";
import type { Zxid } from "../../model/types.ts";
import type { LeaderPacket, LinkId } from "./messages.ts";

export interface DelayedAnswer {
  /** Whom it is for; null: this member's own sync. */
  readonly origin: LinkId | null;
  readonly packet: Extract<LeaderPacket, { readonly kind: "synced" | "revalidated" }>;
}

export class DelayedAnswers {
  readonly #waiting: Fifo<{ readonly zxid: Zxid; readonly answer: DelayedAnswer }> = new Fifo();

  get syncCount(): number {
    return [...this.#waiting].filter(({ answer }) => answer.packet.kind === "synced").length;
  }

  /** It is due once that is committed. */
  push(answer: DelayedAnswer, zxid: Zxid): void {
    this.#waiting.push({ zxid, answer });
  }

  /** The next one that is due; undefined: none is. */
  next(committed: Zxid): DelayedAnswer | undefined {
    const { first } = this.#waiting;
    return first !== undefined && first.zxid <= committed ? this.#waiting.shift()!.answer : undefined;
  }
}
