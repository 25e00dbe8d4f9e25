/**
 * Kernel and broadcast joined: one server, still pure. What goes in are the host's inputs, what comes out its effects.
 *
 * Invariant: what the two say to each other is carried over in order and at once; neither ever waits for the other inside a step.
 */
import type { Broadcast, BroadcastEffect } from "./broadcast/contract.ts";
import type { Kernel } from "./kernel/kernel.ts";
import type { Effect, Input } from "./kernel/messages.ts";
import type { Proposal } from "./txns.ts";
import type { Now, Zxid } from "./types.ts";

export type MemberInput = Exclude<Input, { kind: "commit" }> | { readonly kind: "durable"; readonly zxid: Zxid };
export type MemberEffect = Exclude<Effect, { kind: "propose" }> | { readonly kind: "append"; readonly proposal: Proposal };

export class Member {
  readonly kernel: Kernel;
  readonly #broadcast: Broadcast;

  constructor(kernel: Kernel, broadcast: Broadcast) {
    this.kernel = kernel;
    this.#broadcast = broadcast;
  }

  /** When a tick is due, in monotonic milliseconds; null: never, as things stand. */
  get deadline(): number | null {
    const kernel = this.kernel.deadline;
    const broadcast = this.#broadcast.deadline;
    if (kernel === null || broadcast === null) return kernel ?? broadcast;
    return Math.min(kernel, broadcast);
  }

  step(input: MemberInput, now: Now): readonly MemberEffect[] {
    const out: MemberEffect[] = [];
    if (input.kind === "durable") this.#fromBroadcast(this.#broadcast.step(input, now), now, out);
    else this.#fromKernel(this.kernel.step(input, now), now, out);
    return out;
  }

  #fromKernel(effects: readonly Effect[], now: Now, out: MemberEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === "propose") this.#fromBroadcast(this.#broadcast.step(effect, now), now, out);
      else out.push(effect);
    }
  }

  #fromBroadcast(effects: readonly BroadcastEffect[], now: Now, out: MemberEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === "commit") this.#fromKernel(this.kernel.step(effect, now), now, out);
      else out.push(effect);
    }
  }
}
