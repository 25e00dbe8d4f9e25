/**
 * The misfortunes a test asks for, and whether they came to pass.
 *
 * Not here: how they are brought about on a connection (line.ts).
 *
 * Invariant: only what can happen to a client of a real server can be asked for. A fault that never struck is told at the end: the test that
 * asked for it has tested something else.
 */

import { type Duration, durationText, milliseconds } from "../base/duration.ts";
import { checkWholeNumber } from "../base/validate.ts";
import type { ConnInput } from "../member/host.ts";
import { ERROR_NUMBERS, type ErrorCode } from "../model/errors.ts";
import type { SessionId } from "../model/types.ts";
import { oneOf } from "../options/shape.ts";
import { compileScope, type FaultScope, type Matches, opName, pathsOf, takeScope } from "./scope.ts";
import { type SessionRef, sessionIdOf } from "./session_ref.ts";

/** What happens to a request. */
export type FaultAction =
  | { readonly kind: "error"; readonly code: ErrorCode }
  | { readonly kind: "delay"; readonly ms: number }
  | { readonly kind: "disconnect" | "loseReply" | "dropRequest" };

/** Codes that no server sends: clients make them up when there is no answer. */
const CLIENTS_OWN: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "ConnectionLoss",
  "OperationTimeout",
  "RequestTimeout",
  "InvalidCallback",
]);

const CODES = Object.keys(ERROR_NUMBERS) as ErrorCode[];
/** The verb of messages. */
const ACTION = "plan a fault";

/** A fault that has been asked for. Made by {@link Faults.on}. */
export class Fault {
  readonly action: FaultAction;
  readonly #text: string;
  readonly #matches: Matches;
  readonly #remove: (fault: Fault) => void;
  #toSkip: number;
  #left: number;
  #hits = 0;

  /** @internal */
  constructor(
    text: string,
    matches: Matches,
    skip: number,
    times: number,
    action: FaultAction,
    remove: (fault: Fault) => void,
  ) {
    this.#text = text;
    this.#matches = matches;
    this.#toSkip = skip;
    this.#left = times;
    this.action = action;
    this.#remove = remove;
  }

  /** How often it has struck. */
  get hits(): number {
    return this.#hits;
  }

  /** Takes it back; it isn't missed at the end. */
  remove(): void {
    this.#remove(this);
  }

  [Symbol.dispose](): void {
    this.remove();
  }

  toString(): string {
    return this.#text;
  }

  /** @internal Whether it strikes this request; counts it. */
  strikes(...request: Parameters<Matches>): boolean {
    if (this.#left === 0 || !this.#matches(...request)) return false;
    if (this.#toSkip > 0) {
      this.#toSkip--;
      return false;
    }
    this.#left--;
    this.#hits++;
    return true;
  }
}

/** A fault that is being described: how often, and what. Ends with one of the misfortunes. */
export class FaultPlan {
  readonly #scope: FaultScope;
  readonly #add: (fault: Fault) => void;
  readonly #remove: (fault: Fault) => void;
  #skip = 0;
  #times = Number.POSITIVE_INFINITY;

  /** @internal */
  constructor(scope: FaultScope, add: (fault: Fault) => void, remove: (fault: Fault) => void) {
    this.#scope = takeScope(scope);
    this.#add = add;
    this.#remove = remove;
  }

  /** Only the first request that matches, or the first after those that are skipped. */
  once(): this {
    return this.times(1);
  }

  /** Only so many. */
  times(count: number): this {
    // None at all would never strike.
    checkWholeNumber(ACTION, "times", count, 1, Number.MAX_SAFE_INTEGER);
    this.#times = count;
    return this;
  }

  /** Lets the first few pass. */
  skip(count: number): this {
    checkWholeNumber(ACTION, "skip", count, 0, Number.MAX_SAFE_INTEGER);
    this.#skip = count;
    return this;
  }

  /**
   * The server answers with this error and has done nothing. A `connect` can only be answered `SessionExpired`.
   *
   * @throws TypeError for an error that there isn't, or that only a client makes up, such as `ConnectionLoss`
   */
  error(code: ErrorCode): Fault {
    oneOf(CODES)(code, ACTION, "code");
    if (CLIENTS_OWN.has(code))
      throw new TypeError(
        `No server answers ${code}, it is what clients say without an answer: use disconnect() or loseReply()`,
      );
    const { op } = this.#scope;
    if ([op].flat().includes("connect") && code !== "SessionExpired")
      throw new TypeError(`A handshake has no room for ${code}: it is answered with SessionExpired, or not at all`);
    return this.#plan({ kind: "error", code });
  }

  /** The request takes that long to arrive, and what the client says after it waits behind it. */
  delay(duration: Duration): Fault {
    return this.#plan({ kind: "delay", ms: milliseconds(duration) });
  }

  /** The connection breaks before the request has arrived: nothing was done. */
  disconnect(): Fault {
    return this.#plan({ kind: "disconnect" });
  }

  /** The connection breaks when the answer is on its way: it was done, and the client can't know. */
  loseReply(): Fault {
    return this.#plan({ kind: "loseReply" });
  }

  /**
   * The request gets lost, and so does everything that the client says after it on this connection, as when a cable is cut: the client hears
   * nothing until it gives the connection up, and the server expires it unless it comes back on another one.
   */
  dropRequest(): Fault {
    return this.#plan({ kind: "dropRequest" });
  }

  /** Refused: it can't happen. */
  duplicateEvent(): never {
    throw new TypeError(
      "No event comes twice: a one-shot watch is gone once it has fired, and a connection delivers in order or not at all. " +
        "What can happen is that an event is missed: use disconnect(), then change the znode",
    );
  }

  #plan(action: FaultAction): Fault {
    const times = this.#times === Number.POSITIVE_INFINITY ? "always" : this.#times === 1 ? "once" : `${this.#times} times`;
    const text = `${scopeText(this.#scope)}, ${times}${this.#skip > 0 ? ` after ${this.#skip}` : ""}: ${actionText(action)}`;
    const fault = new Fault(text, compileScope(this.#scope), this.#skip, this.#times, action, this.#remove);
    this.#add(fault);
    return fault;
  }
}

/** A cut between clients and server that can be mended. Made by {@link Faults.partition}. */
export class Partition {
  /** null: all of them. */
  readonly session: SessionId | null;
  readonly #heal: (partition: Partition) => void;

  /** @internal */
  constructor(session: SessionId | null, heal: (partition: Partition) => void) {
    this.session = session;
    this.#heal = heal;
  }

  /** What was said meanwhile arrives now, unless its connection was given up. */
  heal(): void {
    this.#heal(this);
  }

  [Symbol.dispose](): void {
    this.heal();
  }
}

/**
 * Where tests ask for misfortunes: `zk.faults`.
 *
 * @example
 * ```ts
 * zk.faults.on({ op: "create", path: "/locks/**", session: client }).once().loseReply();
 * ```
 */
export class Faults {
  readonly #faults = new Set<Fault>();
  readonly #partitions = new Set<Partition>();
  readonly #onHealed = new Set<() => void>();

  /**
   * Begins to describe a fault. Of several that match a request, the one asked for first strikes.
   *
   * @throws TypeError for what no request can match, such as an operation that there isn't
   */
  on(scope: FaultScope = {}): FaultPlan {
    return new FaultPlan(
      scope,
      (fault) => this.#faults.add(fault),
      (fault) => this.#faults.delete(fault),
    );
  }

  /**
   * Cuts a session, or everybody, off from the server: nothing arrives in either direction, connections neither open nor close, and nobody is told.
   */
  partition(session?: SessionRef): Partition {
    const partition = new Partition(session === undefined ? null : sessionIdOf(session), (healed) => {
      if (this.#partitions.delete(healed)) this.#healed();
    });
    this.#partitions.add(partition);
    return partition;
  }

  /** What was asked for and never struck. */
  get unmet(): readonly Fault[] {
    return [...this.#faults].filter(({ hits }) => hits === 0);
  }

  /** @internal The fault that strikes a request. */
  strike(input: ConnInput, session: SessionId): Fault | null {
    if (this.#faults.size === 0 || input.kind === "disconnect") return null;
    const op = opName(input);
    const paths = pathsOf(input);
    for (const fault of this.#faults) if (fault.strikes(op, paths, session)) return fault;
    return null;
  }

  /** @internal */
  isPartitioned(session: SessionId): boolean {
    for (const partition of this.#partitions) if (partition.session === null || partition.session === session) return true;
    return false;
  }

  /** Ends every partition. */
  heal(): void {
    this.#partitions.clear();
    this.#healed();
  }

  #healed(): void {
    for (const healed of this.#onHealed) healed();
  }

  /** @internal Calls back whenever a partition is over. The returned function ends that. */
  onHealed(healed: () => void): () => void {
    this.#onHealed.add(healed);
    return () => this.#onHealed.delete(healed);
  }

  /** @internal Ends all misfortune. */
  end(): void {
    this.#faults.clear();
    this.heal();
  }
}

function scopeText({ op, path, session }: FaultScope): string {
  const what = op === undefined ? "any request" : [op].flat().join(" or ");
  const where = path === undefined ? "" : ` ${path}`;
  const whose = session === undefined ? "" : ` of session 0x${sessionIdOf(session).toString(16)}`;
  return what + where + whose;
}

function actionText(action: FaultAction): string {
  if (action.kind === "error") return `error ${action.code}`;
  return action.kind === "delay" ? `delay ${durationText(action.ms)}` : action.kind;
}
