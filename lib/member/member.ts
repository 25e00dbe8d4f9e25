/**
 * Kernel and broadcast joined: one server, still pure. What goes in are the host's inputs, what comes out its effects.
 *
 * In an ensemble each term has a kernel of its own: when a term ends, its connections are closed, and the next kernel begins on the same database.
 *
 * Invariant: what the two say to each other is carried over in order and at once; neither ever waits for the other inside a step.
 */
import type { Broadcast, BroadcastEffect, BroadcastInput, FromHost, FromKernel, ToHost } from "../broadcast/contract.ts";
import type { Image } from "../broadcast/zab/messages.ts";
import { Database } from "../kernel/database.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Effect, EnsembleInput, Input } from "../kernel/messages.ts";
import type { Now, Role, Zxid } from "../model/types.ts";

/** What clients and time say. */
export type ClientInput = Exclude<Input, { readonly kind: "commit" } | EnsembleInput>;
/** Another database is to take the place of the one there is. */
export interface ReplaceInput {
  readonly kind: "replace";
  readonly database: Database;
}
export type MemberInput = ClientInput | ReplaceInput | Exclude<FromHost, { readonly kind: "due" }>;
export type MemberEffect = Exclude<Effect, FromKernel> | ToHost;

export class Member {
  #kernel: Kernel;
  readonly #broadcast: Broadcast;

  constructor(kernel: Kernel, broadcast: Broadcast) {
    this.#kernel = kernel;
    this.#broadcast = broadcast;
  }

  /** Of the term that goes on. */
  get kernel(): Kernel {
    return this.#kernel;
  }

  /** When a tick is due, in monotonic milliseconds; null: never, as things stand. */
  get deadline(): number | null {
    const kernel = this.#kernel.deadline;
    const broadcast = this.#broadcast.deadline;
    if (kernel === null || broadcast === null) return kernel ?? broadcast;
    return Math.min(kernel, broadcast);
  }

  step(input: MemberInput, now: Now): readonly MemberEffect[] {
    const out: MemberEffect[] = [];
    switch (input.kind) {
      case "tick":
        this.#tick(now, out);
        break;
      case "replace":
        this.#replace(input.database, now, out);
        break;
      case "connect":
      case "request":
      case "disconnect":
      case "renew":
      case "sasl":
      case "expire":
        this.#fromKernel(this.#kernel.step(input, now), now, out);
        break;
      default:
        this.#toBroadcast(input, now, out);
    }
    return out;
  }

  #tick(now: Now, out: MemberEffect[]): void {
    const { deadline } = this.#broadcast;
    if (deadline !== null && deadline <= now.mono) this.#toBroadcast({ kind: "due" }, now, out);
    this.#fromKernel(this.#kernel.step({ kind: "tick" }, now), now, out);
  }

  /** zxids go on from the higher one: to clients that have seen it, a server with a lower one is behind. */
  #replace(database: Database, now: Now, out: MemberEffect[]): void {
    const { database: old, role } = this.#kernel;
    if (database.lastZxid < old.lastZxid) database.lastZxid = old.lastZxid;
    this.#begin(role, database, null, now, out);
  }

  #toBroadcast(input: BroadcastInput, now: Now, out: MemberEffect[]): void {
    if (input.kind === "truncated") this.#begin("looking", databaseOf(input.image), null, now, out);
    this.#fromBroadcast(this.#broadcast.step(input, now), now, out);
  }

  #fromKernel(effects: readonly Effect[], now: Now, out: MemberEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case "reply":
        case "event":
        case "welcome":
        case "close":
        case "fault":
          out.push(effect);
          break;
        default:
          this.#fromBroadcast(this.#broadcast.step(effect, now), now, out);
      }
    }
  }

  #fromBroadcast(effects: readonly BroadcastEffect[], now: Now, out: MemberEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case "commit":
        case "forwarded":
        case "touched":
        case "revalidation":
        case "valid":
        case "synced":
          this.#fromKernel(this.#kernel.step(effect, now), now, out);
          break;
        case "role":
          this.#begin(effect.role, this.#kernel.database, effect.zxid, now, out);
          break;
        case "restore":
          this.#begin("looking", databaseOf(effect.image), null, now, out);
          out.push(effect);
          break;
        default:
          out.push(effect);
      }
    }
  }

  /** A term ends, and with it every connection; the next begins. */
  #begin(role: Role, database: Database, zxid: Zxid | null, now: Now, out: MemberEffect[]): void {
    for (const conn of this.#kernel.connections.keys()) out.push({ kind: "close", conn });
    if (zxid !== null) database.lastZxid = zxid;
    this.#kernel = this.#kernel.nextTerm(role, database, now, (op, zxid) => this.#broadcast.judgeReconfig(op, zxid));
  }
}

/** What is opaque between members is a database here. */
function databaseOf(image: Image): Database {
  if (!(image instanceof Database)) throw new TypeError("what came for a database is none");
  return image;
}
