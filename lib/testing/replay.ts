/**
 * Plays a history again, to a server of ours or to a real one, and tells where it answers otherwise.
 *
 * Each thing that clients said is said again in the same order, each by a connection of its own, and each thing that the server said is waited
 * for before anything more is said. Time is moved where that is in our power. Sessions that expired then are ended now.
 *
 * Invariant: a difference is told once, and the play goes on.
 */
import type { Connector, Link, LinkHandlers } from "../client/link.ts";
import type { Welcome } from "../kernel/messages.ts";
import type { Op, Outcome } from "../model/ops.ts";
import type { ConnId, SessionId, WatchedEvent, Zxid } from "../model/types.ts";
import { type EntryOf, entryText, type History, type HistoryEntry } from "./history.ts";
import { Renaming } from "./same.ts";
import { opText, outcomeText, zxidText } from "./text.ts";

/** A server to play to. */
export interface ReplayTarget {
  readonly connector: Connector;
  /** Moves its time; null where that can't be done. */
  readonly advance: ((ms: number) => Promise<void>) | null;
  /** Ends a session as at expiry; null where that can't be done. */
  readonly expire: ((session: SessionId) => void) | null;
  /** Resolves when it is of no use to wait any longer for something that the server should have said by now. */
  readonly patience: () => Promise<void>;
}

/** Something that was otherwise. */
export interface Difference {
  /** Where in the history: the index of the entry. */
  readonly at: number;
  /** What was going on, in words. */
  readonly what: string;
  readonly recorded: string;
  readonly now: string;
}

/** What a replay has found. */
export class ReplayReport {
  readonly differences: readonly Difference[];
  /** How many answers and events were compared. */
  readonly compared: number;

  constructor(differences: readonly Difference[], compared: number) {
    this.differences = differences;
    this.compared = compared;
  }

  toString(): string {
    if (this.differences.length === 0) return `No differences in ${this.compared} answers and events`;
    return this.differences
      .map(({ at, what, recorded, now }) => `#${at} ${what}\n  then: ${recorded}\n  now:  ${now}`)
      .join("\n");
  }
}

type Received =
  | { readonly kind: "welcome"; readonly welcome: Welcome }
  | { readonly kind: "reply"; readonly xid: number; readonly zxid: Zxid; readonly outcome: Outcome }
  | { readonly kind: "event"; readonly event: WatchedEvent }
  | { readonly kind: "closed"; readonly reason: string };

const PING_XID = -2;
/** Sessions are kept alive by a ping at least this often, in milliseconds of a clock that we move. */
const PING_EVERY_MS = 1000;

/** One connection of the play. */
class Player implements LinkHandlers {
  readonly link: Link;
  session: SessionId = 0n;
  isOpen = true;
  readonly #received: Received[] = [];
  #heard: () => void = () => {};

  constructor(connector: Connector, sessionId: SessionId, passwd: Uint8Array | null, timeOut: number) {
    this.link = connector.link({ lastZxidSeen: 0n, timeOut, sessionId, passwd, readOnly: false }, this);
  }

  welcome(welcome: Welcome): void {
    this.session = welcome.sessionId;
    this.#add({ kind: "welcome", welcome: { ...welcome, passwd: welcome.passwd.slice() } });
  }

  reply(xid: number, zxid: Zxid, outcome: Outcome): void {
    if (xid !== PING_XID) this.#add({ kind: "reply", xid, zxid, outcome });
  }

  event(event: WatchedEvent): void {
    this.#add({ kind: "event", event });
  }

  closed(reason: string): void {
    this.isOpen = false;
    this.#add({ kind: "closed", reason });
  }

  cut(): void {
    this.isOpen = false;
    this.link.cut();
  }

  /** What came next; null if nothing did. It stays where it is. */
  async peek(patience: () => Promise<void>): Promise<Received | null> {
    if (this.#received.length === 0 && this.isOpen) {
      await Promise.race([new Promise<void>((resolve) => (this.#heard = resolve)), patience()]);
    }
    return this.#received[0] ?? null;
  }

  drop(): void {
    this.#received.shift();
  }

  #add(received: Received): void {
    this.#received.push(received);
    this.#heard();
  }
}

/**
 * Plays a history to a server that is otherwise unused.
 *
 * @throws Error for a history that doesn't begin with an empty server
 */
export async function replay(history: History, target: ReplayTarget): Promise<ReplayReport> {
  if (!history.isComplete)
    throw new Error(
      "Cannot play the history: it does not go back to an empty server (a dump was loaded, or its beginning is forgotten)",
    );
  return await new Play(history, target).run();
}

class Play {
  readonly #history: History;
  readonly #target: ReplayTarget;
  readonly #renaming = new Renaming();
  readonly #players = new Map<ConnId, Player>();
  readonly #passwords = new Map<SessionId, Uint8Array>();
  readonly #differences: Difference[] = [];
  /** Txns that end a session: the order in which its ephemerals go means nothing. */
  readonly #ends: ReadonlySet<Zxid>;
  /** What one connection heard of such an end, then and now. */
  #deletions: { readonly at: number; readonly recorded: string[]; readonly now: string[] } | null = null;
  #compared = 0;
  #now = 0;

  constructor(history: History, target: ReplayTarget) {
    this.#history = history;
    this.#target = target;
    const txns = history.entries.filter((entry): entry is EntryOf<"txn"> => entry.kind === "txn");
    this.#ends = new Set(txns.filter(({ txn }) => txn.kind === "closeSession").map(({ zxid }) => zxid));
  }

  async run(): Promise<ReplayReport> {
    try {
      for (const [at, entry] of this.#history.entries.entries()) await this.#play(entry, at);
      this.#compareDeletions();
    } finally {
      for (const player of this.#players.values()) await this.#leave(player);
    }
    return new ReplayReport(this.#differences, this.#compared);
  }

  async #play(entry: HistoryEntry, at: number): Promise<void> {
    if (entry.kind !== "event") this.#compareDeletions();
    await this.#moveTo(entry.at);
    switch (entry.kind) {
      case "connect":
        return this.#connect(entry);
      case "request":
        return this.#ask(entry, at);
      case "close":
        return await this.#close(entry, at);
      case "txn":
        return await this.#txn(entry, at);
      case "welcome":
      case "reply":
      case "event":
        return await this.#compare(entry, at);
      default:
        return;
    }
  }

  /** With pings on the way, since nobody else keeps the sessions alive. */
  async #moveTo(at: number): Promise<void> {
    const { advance } = this.#target;
    while (advance !== null && this.#now < at) {
      const ms = Math.min(at - this.#now, PING_EVERY_MS);
      for (const { isOpen, session, link } of this.#players.values())
        if (isOpen && session !== 0n) link.request(PING_XID, { kind: "ping" });
      await advance(ms);
      this.#now += ms;
    }
  }

  // ── what clients did ──

  #connect({ conn, session, timeOut }: EntryOf<"connect">): void {
    const passwd = this.#passwords.get(session) ?? null;
    const player = new Player(this.#target.connector, this.#renaming.session(session), passwd, timeOut);
    this.#players.set(conn, player);
    player.link.open();
  }

  #ask({ conn, xid, op }: EntryOf<"request">, at: number): void {
    // Of a request that made no sense only that is recorded, not its bytes.
    if (op.kind === "unreadable" && this.#target.advance === null) this.#differ(at, "asked", "it can't be asked again");
    else this.#players.get(conn)?.link.request(xid, this.#renamed(op));
  }

  #renamed(op: Op): Op {
    return op.kind === "setWatches" || op.kind === "setWatches2"
      ? { ...op, relativeZxid: this.#renaming.zxid(op.relativeZxid) }
      : op;
  }

  async #close({ conn, by }: EntryOf<"close">, at: number): Promise<void> {
    const player = this.#players.get(conn);
    if (player === undefined) return;
    if (by === "server") {
      const received = await player.peek(this.#target.patience);
      if (received?.kind !== "closed") this.#differ(at, "the server closed the connection", describe(received));
    }
    player.cut();
    this.#players.delete(conn);
  }

  // ── what the server did by itself ──

  async #txn({ txn, cxid, session }: EntryOf<"txn">, at: number): Promise<void> {
    if (txn.kind === "closeSession" && cxid === 0) await this.#expire(session);
    else if (txn.kind === "deleteContainer" && this.#target.advance === null)
      this.#differ(
        at,
        `${txn.path} was removed, since it was empty or had expired`,
        "it waits for its time, which can't be moved here",
      );
  }

  async #expire(recorded: SessionId): Promise<void> {
    const session = this.#renaming.session(recorded);
    if (this.#target.expire !== null) return this.#target.expire(session);
    const connected = [...this.#players.values()].find((player) => player.session === session && player.isOpen);
    const player = connected ?? (await this.#comeBack(recorded));
    player.link.request(1, { kind: "closeSession" });
    const seen = await player.peek(this.#target.patience);
    if (seen?.kind === "reply") player.drop();
  }

  async #comeBack(recorded: SessionId): Promise<Player> {
    const passwd = this.#passwords.get(recorded) ?? null;
    const player = new Player(this.#target.connector, this.#renaming.session(recorded), passwd, 30_000);
    player.link.open();
    await player.peek(this.#target.patience);
    player.drop();
    return player;
  }

  /** Ends a session that the history left open, so that it leaves nothing behind. */
  async #leave(player: Player): Promise<void> {
    if (!player.isOpen) return;
    if (player.session !== 0n) {
      player.link.request(1, { kind: "closeSession" });
      await player.peek(this.#target.patience);
    }
    player.cut();
  }

  // ── what the server said ──

  async #compare(entry: EntryOf<"welcome" | "reply" | "event">, at: number): Promise<void> {
    const player = this.#players.get(entry.conn);
    if (player === undefined) return;
    this.#compared++;
    let received = await player.peek(this.#target.patience);
    while (received?.kind === "event" && entry.kind !== "event") {
      this.#differ(at, "nothing", `before it, ${describe(received)}`);
      player.drop();
      received = await player.peek(this.#target.patience);
    }
    if (received === null || received.kind !== entry.kind) return this.#differ(at, said(entry), describe(received));
    player.drop();
    if (received.kind === "welcome" && entry.kind === "welcome") this.#passwords.set(entry.session, received.welcome.passwd);
    if (received.kind === "event" && entry.kind === "event" && entry.cause !== null && this.#ends.has(entry.cause))
      return this.#keepDeletion(at, said(entry), describe(received));
    if (!this.#renaming.isSame(comparable(entry), comparable(received))) this.#differ(at, said(entry), describe(received));
  }

  #keepDeletion(at: number, recorded: string, now: string): void {
    this.#deletions ??= { at, recorded: [], now: [] };
    this.#deletions.recorded.push(recorded);
    this.#deletions.now.push(now);
  }

  #compareDeletions(): void {
    if (this.#deletions === null) return;
    const { at, recorded, now } = this.#deletions;
    this.#deletions = null;
    const [before, after] = [recorded.sort().join(", "), now.sort().join(", ")];
    if (before !== after) this.#differ(at, before, after);
  }

  #differ(at: number, recorded: string, now: string): void {
    const entry = this.#history.entries[at]!;
    this.#differences.push({ at, what: this.#what(entry), recorded, now });
  }

  #what(entry: HistoryEntry): string {
    if (entry.kind !== "reply") return entryText(entry).trim();
    const request = this.#history.entries.find(
      (other) => other.kind === "request" && other.conn === entry.conn && other.xid === entry.xid,
    );
    return request?.kind === "request" ? opText(request.op) : entryText(entry).trim();
  }
}

/** What must be the same of something that the server said. */
function comparable(said: EntryOf<"welcome" | "reply" | "event"> | Received): unknown {
  switch (said.kind) {
    case "welcome":
      return "welcome" in said
        ? { session: said.welcome.sessionId, timeOut: said.welcome.timeOut }
        : { session: said.session, timeOut: said.timeOut };
    case "reply":
      return { xid: said.xid, zxid: said.zxid, outcome: said.outcome };
    case "event":
      return "event" in said ? { type: said.event.type, path: said.event.path } : { type: said.type, path: said.path };
    default:
      return said;
  }
}

function said(entry: EntryOf<"welcome" | "reply" | "event">): string {
  switch (entry.kind) {
    case "welcome":
      return entry.session === 0n ? "refused" : `welcome, for ${entry.timeOut} ms`;
    case "reply":
      return replyText(entry.zxid, entry.outcome);
    case "event":
      return `${entry.type} ${entry.path}`;
  }
}

function describe(received: Received | null): string {
  switch (received?.kind) {
    case undefined:
      return "nothing";
    case "welcome":
      return received.welcome.timeOut === 0 ? "refused" : `welcome, for ${received.welcome.timeOut} ms`;
    case "reply":
      return replyText(received.zxid, received.outcome);
    case "event":
      return `${received.event.type} ${received.event.path}`;
    case "closed":
      return `the connection is closed: ${received.reason}`;
  }
}

function replyText(zxid: Zxid, outcome: Outcome): string {
  return `${outcomeText(outcome)} (at zxid ${zxidText(zxid)})`;
}
