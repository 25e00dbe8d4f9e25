/**
 * The spine: `step(input, now)` takes one thing that happened and says what to do about it.
 *
 *     request ─▶ prepare ─▶ propose … commit ─▶ apply ─▶ watches ─▶ reply
 *
 * Pure: no clock, no socket, no disk. What orders the proposals and makes them durable (broadcast/) it does not know; it hears their commits.
 *
 * Invariants: commits come in the order of the proposals. Replies of a connection stand in the order of its requests. Nothing that falls due
 * changes state by itself: a proposal is prepared for it. An exception that touches one request's own connection alone ends that connection, one in
 * preparing a request makes it an `error` txn; any other, and every broken invariant, ends the member.
 */
import { isAllowed } from "../acl/check.ts";
import { Perms } from "../acl/perms.ts";
import { authenticate, initialIdentities, saslIdentities } from "../acl/schemes.ts";
import { BrokenInvariant, invariant } from "../model/errors.ts";
import { type AuthOp, DONE, type Op, type Outcome, type ReadOp } from "../model/ops.ts";
import type { Proposal } from "../model/txns.ts";
import type { AclList, AuthId, ConnId, EventType, Now, Role, SessionId, Zxid } from "../model/types.ts";
import { Connection, NOT_KNOWN } from "../session/connection.ts";
import { heldBytes } from "../session/held_bytes.ts";
import { passwordMatches, sessionPassword } from "../session/identity.ts";
import { SELF, type Session, Sessions } from "../session/sessions.ts";
import { trigger } from "../watch/triggers.ts";
import { Watches } from "../watch/watches.ts";
import { apply } from "./apply.ts";
import { isBrokenProof, needsQuorum } from "./classify.ts";
import type { Database } from "./database.ts";
import { Forwarder } from "./forwarder.ts";
import type { Effect, EnsembleInput, Hello, Input, Peer, SaslAnswer } from "./messages.ts";
import type { KernelOptions } from "./options.ts";
import type { JudgeReconfig } from "./prepare.ts";
import { Proposer } from "./proposer.ts";
import { isRead, Reads } from "./read.ts";
import { ServerStats } from "./stats.ts";
import { Step } from "./step.ts";

/** zxid of replies that say nothing of the tree: auth, early refusals. */
const NO_ZXID: Zxid = 0n;
/** zxid of the reply to an opcode that is not served. */
const UNSERVED_ZXID: Zxid = -1n;
const PING_XID = -2;
const NO_PASSWORD: Uint8Array = new Uint8Array(16);

export class Kernel {
  readonly database: Database;
  readonly watches: Watches;
  readonly sessions: Sessions;
  readonly connections: Map<ConnId, Connection> = new Map();
  /** Of the whole life of the server. */
  stats: ServerStats = new ServerStats();
  readonly options: KernelOptions;
  readonly role: Role;
  readonly #step: Step;
  readonly #proposer: Proposer;
  readonly #forwarder: Forwarder;
  readonly #reads: Reads;
  #nextSessionId: SessionId;

  /**
   * `firstSessionId` must be one that no earlier run of this server has given away. The sessions of the database have their whole timeout before
   * them, unless there are `sessions` that know better.
   */
  constructor(
    database: Database,
    options: KernelOptions,
    firstSessionId: SessionId,
    now: Now,
    role: Role = "standalone",
    sessions: Sessions = startingSessions(database, options.tickTimeMs, now.mono, role),
    judgeReconfig: JudgeReconfig = hasNoMembership,
  ) {
    this.role = role;
    this.database = database;
    this.options = options;
    this.watches = new Watches(options.behaviour.watchModes);
    this.sessions = sessions;
    this.#step = new Step(now);
    this.#proposer = new Proposer(database, sessions, options, this.#step, judgeReconfig);
    this.#forwarder = new Forwarder(sessions, options, this.#step);
    this.#reads = new Reads(database, this.watches, options, (conn, type, path) => this.#sendEvent(conn, type, path, -1n));
    this.#nextSessionId = firstSessionId;
  }

  /**
   * A second kernel with the same tree, and the same sessions with the time that is left to them, to which nobody is connected yet. What is still
   * on its way to be committed is not part of it.
   */
  fork(now: Now): Kernel {
    const database = this.database.fork();
    const fork = new Kernel(database, this.options, this.#nextSessionId, now, this.role, this.sessions.fork(database.sessions));
    fork.#proposer.continueFrom(this.#proposer);
    return fork;
  }

  /** The kernel of the next term in an ensemble: on this database or another one, and with nobody connected. */
  nextTerm(role: Role, database: Database, now: Now, judgeReconfig: JudgeReconfig): Kernel {
    const sessions = startingSessions(database, this.options.tickTimeMs, now.mono, role);
    const next = new Kernel(database, this.options, this.#nextSessionId, now, role, sessions, judgeReconfig);
    next.stats = this.stats;
    return next;
  }

  /** Requests that wait for their commit. */
  get outstandingCount(): number {
    return this.#proposer.outstandingCount + this.#forwarder.outstandingCount;
  }

  /** Whether txns are made here; elsewhere requests are passed on to who makes them. */
  get #decides(): boolean {
    return decides(this.role);
  }

  /** Whether this is a member without its quorum, which answers from what it has. */
  get #isReadOnly(): boolean {
    return this.role === "readOnly";
  }

  /** When a tick is due, in the clock's monotonic milliseconds; null: never, as things stand. */
  get deadline(): number | null {
    const sessions = this.sessions.nextDeadline;
    const reaper = this.#decides ? this.#proposer.deadline : null;
    if (sessions === null || reaper === null) return sessions ?? reaper;
    return Math.min(sessions, reaper);
  }

  step(input: Input, now: Now): readonly Effect[] {
    this.#step.begin(now);
    switch (input.kind) {
      case "request":
        this.#request(input.conn, input.xid, input.op);
        break;
      case "commit":
        this.#commit(input.proposal);
        break;
      case "sasl":
        this.#sasl(input.conn, input.xid, input.answer);
        break;
      case "connect":
        this.#connect(input.conn, input.hello, input.peer);
        break;
      case "disconnect":
        this.#forget(input.conn);
        break;
      case "renew": {
        const session = this.connections.get(input.conn)?.session ?? null;
        if (session !== null && !session.closing) this.#touch(session);
        break;
      }
      case "expire": {
        const session = this.sessions.get(input.session);
        if (session !== undefined && !session.closing && this.#decides) this.#expire(session);
        break;
      }
      case "tick":
        this.#tick();
        break;
      default:
        this.#hearEnsemble(input);
    }
    return this.#step.effects;
  }

  // ── handshake ──

  #connect(conn: ConnId, hello: Hello, peer: Peer): void {
    const connection = new Connection(
      conn,
      peer,
      initialIdentities(peer.address, peer.authIds, this.options.acl),
      this.#step.now.wall,
    );
    this.connections.set(conn, connection);
    this.stats.received(connection);
    // Such a client has seen a future that this server does not have: it must look for another one.
    if (hello.lastZxidSeen > this.database.lastZxid || !this.#serves(hello)) return this.#close(conn);
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.options;
    const timeoutMs = Math.min(Math.max(hello.timeOut, minSessionTimeoutMs), maxSessionTimeoutMs);
    if (hello.sessionId === 0n) this.#openSession(connection, timeoutMs);
    else this.#reattach(connection, hello, timeoutMs);
  }

  /** A read-only server serves those who are content with one, and can't give sessions of the ensemble another time. */
  #serves({ readOnly, sessionId }: Hello): boolean {
    return this.#isReadOnly ? readOnly && !this.database.sessions.has(sessionId) : this.role !== "looking";
  }

  #openSession(connection: Connection, timeoutMs: number): void {
    const localSessions = this.options.localSessions || this.#isReadOnly;
    const id = this.#takeSessionId();
    if (!this.#decides && !localSessions) return this.#forwarder.createSession(id, timeoutMs, connection);
    const session = this.sessions.add(id, timeoutMs, localSessions, this.#step.now.mono);
    session.owner = SELF;
    if (localSessions) return this.#welcome(connection, session);
    this.#proposer.createSession(id, timeoutMs, connection);
  }

  /** Attaches a living session to a new connection. The password is asked for before anything happens to the old one. */
  #reattach(connection: Connection, hello: Hello, timeoutMs: number): void {
    if (!passwordMatches(hello.sessionId, hello.passwd, this.options.sessionSecret)) return this.#refuse(connection);
    const session = this.sessions.get(hello.sessionId);
    if (!this.#decides && !session?.local && !this.#isReadOnly) {
      const before = this.#forwarder.revalidate(hello.sessionId, connection, timeoutMs);
      if (before !== null) this.#close(before.id);
      return;
    }
    if (session === undefined || session.closing) return this.#refuse(connection);
    this.#attach(connection, session, timeoutMs);
  }

  #attach(connection: Connection, session: Session, timeoutMs: number): void {
    if (session.connection !== null) this.#close(session.connection.id);
    session.timeoutMs = timeoutMs;
    session.owner = SELF;
    this.#touch(session);
    this.#welcome(connection, session);
  }

  /** The leader keeps the sessions' time, but for local ones; the others tell it whom they have heard of. */
  #touch(session: Session): void {
    this.sessions.touch(session, this.#step.now.mono);
    if (!this.#decides && !session.local) this.#step.say({ kind: "touch", session: session.id, timeoutMs: session.timeoutMs });
  }

  #welcome(connection: Connection, session: Session): void {
    connection.session = session;
    session.connection = connection;
    this.stats.answered(connection, "SESS", 0, this.database.lastZxid, this.#step.now.mono, this.#step.now.mono);
    const { id, timeoutMs } = session;
    const passwd = sessionPassword(id, this.options.sessionSecret);
    const welcome = { timeOut: timeoutMs, sessionId: id, passwd, readOnly: this.#isReadOnly };
    this.#step.say({ kind: "welcome", conn: connection.id, welcome });
  }

  #refuse(connection: Connection): void {
    const welcome = { timeOut: 0, sessionId: 0n, passwd: NO_PASSWORD, readOnly: this.#isReadOnly };
    this.#step.say({ kind: "welcome", conn: connection.id, welcome });
    this.#close(connection.id);
  }

  #takeSessionId(): SessionId {
    while (this.sessions.get(this.#nextSessionId) !== undefined) this.#nextSessionId++;
    return this.#nextSessionId++;
  }

  // ── requests ──

  #request(conn: ConnId, xid: number, op: Op): void {
    const connection = this.connections.get(conn);
    const session = connection?.session;
    // Whatever comes from a session that is ending is dropped without a word, as in ZooKeeper.
    if (connection === undefined || session === undefined || session === null || session.closing) return;
    this.#touch(session);
    this.stats.received(connection);
    if (op.kind === "auth") return this.#authenticate(connection, xid, op);
    if (isBrokenProof(op)) return this.#close(conn);
    if (!connection.hasProvedAnyOf(this.options.requiredAuthSchemes) && op.kind !== "sasl")
      return this.#refuseUnidentified(connection, xid);
    const write = this.#txnFor(connection, session, xid, op);
    if (write !== null) {
      this.#wait(connection, xid, op, write);
    } else if (connection.waiting.length === 0) {
      this.#answer(connection, xid, op, connection.authIds, this.#step.now.mono);
    } else {
      this.#wait(connection, xid, op, null);
    }
  }

  /** The zxid of the txn that a request becomes, or {@link NOT_KNOWN} where others decide it; null for requests that become none. */
  #txnFor(connection: Connection, session: Session, xid: number, op: Op): Zxid | null {
    if (!this.options.behaviour.knows(op.kind) || this.#isReadOnly) return null;
    if (op.kind === "sync" && this.role !== "standalone") {
      this.#forwarder.sync(connection, session, xid, op);
      return NOT_KNOWN;
    }
    if (this.#decides) return this.#proposer.request(connection, session, xid, op);
    return this.#forwarder.request(connection, session, xid, op) ? NOT_KNOWN : null;
  }

  #wait(connection: Connection, xid: number, op: Op, zxid: Zxid | null): void {
    const { authIds } = connection;
    connection.wait({ xid, op, authIds, zxid, receivedMono: this.#step.now.mono, heldBytes: heldBytes(op) });
  }

  /** Answers what needs no txn. */
  #answer(connection: Connection, xid: number, op: Op, authIds: readonly AuthId[], receivedMono: number): void {
    const { behaviour } = this.options;
    if (isRead(op.kind) && behaviour.knows(op.kind)) {
      const outcome = this.#read(connection, op as ReadOp, authIds);
      if (outcome === null) return;
      return this.#reply(connection, xid, op, outcome, this.database.lastZxid, receivedMono);
    }
    const zxid = this.database.lastZxid;
    if (this.#isReadOnly && needsQuorum(op))
      return this.#reply(connection, xid, op, { kind: "error", code: "NotReadOnly" }, zxid, receivedMono);
    switch (op.kind) {
      case "ping":
        return this.#reply(connection, PING_XID, op, DONE, zxid, receivedMono);
      case "sync":
        return this.#reply(connection, xid, op, { kind: "path", path: op.path }, zxid, receivedMono);
      case "unreadable":
        if (!behaviour.knows(op.op)) return this.#refuseUnserved(connection, xid, op, receivedMono);
        return this.#reply(connection, xid, op, { kind: "error", code: op.code ?? "MarshallingError" }, zxid, receivedMono);
      case "multi":
        return this.#reply(connection, xid, op, { kind: "multiRefused", code: "MarshallingError" }, zxid, receivedMono);
      case "sasl":
        return this.#reply(connection, xid, op, { kind: "sasl", token: null, code: "Ok" }, NO_ZXID, receivedMono);
      case "closeSession":
        this.sessions.remove(connection.session!.id);
        this.#reply(connection, xid, op, DONE, zxid, receivedMono);
        return this.#close(connection.id);
      default:
        return this.#refuseUnserved(connection, xid, op, receivedMono);
    }
  }

  /** Null where that has thrown: it touches nothing but the connection and its watches, so it is the connection that ends. */
  #read(connection: Connection, op: ReadOp, authIds: readonly AuthId[]): Outcome | null {
    try {
      return this.#reads.answer(op, { conn: connection.id, session: connection.session!.id, authIds });
    } catch (error) {
      this.#endAfter(error, connection, op);
      return null;
    }
  }

  /** @throws a broken invariant: it concerns all */
  #endAfter(error: unknown, connection: Connection, op: Op): void {
    if (error instanceof BrokenInvariant) throw error;
    const what = `The connection from ${connection.peer.label} ends, since serving its ${op.kind} has thrown`;
    this.#step.say({ kind: "fault", what, error });
    this.#close(connection.id);
  }

  #refuseUnserved(connection: Connection, xid: number, op: Op, receivedMono: number): void {
    this.#reply(connection, xid, op, { kind: "error", code: "Unimplemented" }, UNSERVED_ZXID, receivedMono);
    this.#close(connection.id);
  }

  #reply(connection: Connection, xid: number, op: Op, outcome: Outcome, zxid: Zxid, receivedMono: number): void {
    this.stats.answered(connection, op.kind, xid, zxid, receivedMono, this.#step.now.mono);
    this.#step.say({ kind: "reply", conn: connection.id, xid, zxid, outcome });
  }

  // ── identities ──

  /** Answered at once, ahead of replies still on their way; it counts for all that comes after it. */
  #authenticate(connection: Connection, xid: number, op: AuthOp): void {
    let proved: readonly AuthId[] | null;
    try {
      proved = authenticate(op.scheme, op.auth, connection.peer.address, connection.authIds, this.options.acl);
    } catch (error) {
      return this.#endAfter(error, connection, op);
    }
    if (proved === null || !connection.prove(proved)) {
      this.stats.authFailures++;
      this.#reply(connection, xid, op, { kind: "error", code: "AuthFailed" }, NO_ZXID, this.#step.now.mono);
      return this.#close(connection.id);
    }
    this.#reply(connection, xid, op, DONE, NO_ZXID, this.#step.now.mono);
  }

  /** As with an auth packet. Who must have a SASL identity is told that it is what they lack. */
  #sasl(conn: ConnId, xid: number, { token, username, mayFail }: SaslAnswer): void {
    const connection = this.connections.get(conn);
    const session = connection?.session;
    if (connection === undefined || session === undefined || session === null || session.closing) return;
    this.sessions.touch(session, this.#step.now.mono);
    this.stats.received(connection);
    if (username !== null) connection.prove(saslIdentities(username, this.options.acl));
    const failed = token === null && !mayFail;
    const demanded = this.options.requiredAuthSchemes.includes("sasl");
    const code = !failed ? "Ok" : demanded ? "SessionClosedRequireSaslAuth" : "AuthFailed";
    if (token === null) this.stats.authFailures++;
    this.#reply(connection, xid, { kind: "sasl", token }, { kind: "sasl", token, code }, NO_ZXID, this.#step.now.mono);
    if (failed) this.#close(conn);
  }

  #refuseUnidentified(connection: Connection, xid: number): void {
    this.#step.say({
      kind: "reply",
      conn: connection.id,
      xid,
      zxid: NO_ZXID,
      outcome: { kind: "error", code: "SessionClosedRequireSaslAuth" },
    });
    this.#close(connection.id);
  }

  // ── commits ──

  #commit(proposal: Proposal): void {
    const { header, txn } = proposal;
    const { tree } = this.database;
    const digestBefore = tree.digest;
    const outcome = apply(this.database, proposal, (change) => {
      trigger(this.watches, change, (conn, type, path, acl) => this.#fire(conn, type, path, acl, header.zxid));
    });
    const connection = this.#decides
      ? this.#proposer.committed(header.zxid, tree.digest - digestBefore)
      : this.#forwarder.committed(header);
    if (!this.#decides && tree.options.digest && proposal.digest !== null && proposal.digest !== tree.digest)
      this.#step.say({ kind: "differs", zxid: header.zxid });
    this.stats.applied(header.zxid, tree);
    if (txn.kind === "createSession") this.#sessionCreated(header.session, txn.timeOut, connection);
    else if (connection !== null) this.#answerCommitted(connection, header.zxid, outcome);
    if (txn.kind === "closeSession") this.#sessionClosed(header.session);
  }

  #sessionCreated(id: SessionId, timeoutMs: number, connection: Connection | null): void {
    let session = this.sessions.get(id);
    if (session === undefined && !this.#decides) session = this.sessions.add(id, timeoutMs, false, this.#step.now.mono);
    if (session === undefined) return;
    // Its time begins now: the client has not heard of it before.
    this.#touch(session);
    if (connection !== null && this.connections.has(connection.id)) this.#welcome(connection, session);
  }

  #sessionClosed(id: SessionId): void {
    const connection = this.sessions.get(id)?.connection ?? null;
    this.sessions.remove(id);
    if (connection !== null) this.#close(connection.id);
  }

  /** Whose session has moved to another member is not told: its client has gone there, and closed this connection or forgotten it. */
  #answerCommitted(connection: Connection, zxid: Zxid, outcome: Outcome): void {
    if (outcome.kind === "error" && outcome.code === "SessionMoved") this.#close(connection.id);
    else this.#replyTo(connection, this.#decides ? zxid : NOT_KNOWN, zxid, outcome);
  }

  /** Answers the write at the head of the connection's queue, then all that waited behind it, up to the next write. */
  #replyTo(connection: Connection, expected: Zxid, zxid: Zxid, outcome: Outcome): void {
    if (!this.connections.has(connection.id)) return;
    const { waiting } = connection;
    const head = connection.nextWaiting();
    invariant(head?.zxid === expected, `${zxid} is committed, but connection ${connection.id} waits for ${head?.zxid}`);
    this.#reply(connection, head.xid, head.op, outcome, zxid, head.receivedMono);
    for (let next = waiting.first; next !== undefined && next.zxid === null; next = waiting.first) {
      connection.nextWaiting();
      this.#answer(connection, next.xid, next.op, next.authIds, next.receivedMono);
      if (!this.connections.has(connection.id)) return;
    }
  }

  // ── in an ensemble ──

  #hearEnsemble(input: EnsembleInput): void {
    switch (input.kind) {
      case "forwarded":
        return this.#proposer.forwarded(input.origin, input.request);
      case "touched":
        for (const { session: id, timeoutMs } of input.touched) this.#touchedAt(id, timeoutMs);
        return;
      case "revalidation": {
        const session = this.#touchedAt(input.session, input.timeoutMs);
        if (session !== null) session.owner = input.origin;
        this.#step.say({ kind: "revalidated", origin: input.origin, session: input.session, valid: session !== null });
        return;
      }
      case "valid":
        return this.#revalidated(input.session, input.valid);
      case "synced": {
        const connection = this.#forwarder.synced();
        const op = connection?.waiting.first?.op;
        if (connection === null || op?.kind !== "sync") return; // its client is gone
        return this.#replyTo(connection, NOT_KNOWN, this.database.lastZxid, { kind: "path", path: op.path });
      }
    }
  }

  /** A session that another member has heard of; null if it is none, or ending, or lives here alone. */
  #touchedAt(id: SessionId, timeoutMs: number): Session | null {
    const session = this.sessions.get(id);
    if (session === undefined || session.closing || session.local) return null;
    session.timeoutMs = timeoutMs;
    this.sessions.touch(session, this.#step.now.mono);
    return session;
  }

  #revalidated(id: SessionId, valid: boolean): void {
    const waiting = this.#forwarder.revalidated(id);
    if (waiting === null || !this.connections.has(waiting.connection.id)) return;
    if (!valid) return this.#refuse(waiting.connection);
    const session = this.sessions.get(id) ?? this.sessions.add(id, waiting.timeoutMs, false, this.#step.now.mono);
    this.#attach(waiting.connection, session, waiting.timeoutMs);
  }

  // ── events ──

  #fire(conn: ConnId, type: EventType, path: string, acl: AclList | null, zxid: Zxid): void {
    const { behaviour } = this.options;
    const connection = this.connections.get(conn);
    if (connection === undefined) return;
    if (behaviour.eventsNeedRead && !isAllowed(acl, Perms.READ, connection.authIds, this.options.acl)) return;
    this.#sendEvent(conn, type, path, zxid);
  }

  #sendEvent(conn: ConnId, type: EventType, path: string, zxid: Zxid): void {
    const connection = this.connections.get(conn);
    if (connection !== undefined) this.stats.sentEvent(connection);
    this.#step.say({ kind: "event", conn, event: { type, path, zxid } });
  }

  // ── time ──

  #tick(): void {
    for (const session of this.sessions.due(this.#step.now.mono)) this.#expire(session);
    if (!this.#decides) return;
    this.#proposer.reap();
  }

  #expire(session: Session): void {
    if (session.local) this.#sessionClosed(session.id);
    else this.#proposer.closeSession(session, 0, null);
  }

  // ── ends of connections ──

  #close(conn: ConnId): void {
    this.#step.say({ kind: "close", conn });
    this.#forget(conn);
  }

  #forget(conn: ConnId): void {
    const connection = this.connections.get(conn);
    if (connection === undefined) return;
    this.connections.delete(conn);
    this.watches.drop(conn);
    if (connection.session?.connection === connection) connection.session.connection = null;
  }
}

/** A server that stands alone. */
const hasNoMembership: JudgeReconfig = () => "Unimplemented";

function decides(role: Role): boolean {
  return role === "standalone" || role === "leader";
}

/**
 * The sessions as a server begins with them, each with its whole timeout. Ephemerals may be left of sessions that are no more, by old logs and
 * fuzzy snapshots: the end of those sessions is due at once, and deletes them by a txn.
 */
function startingSessions({ sessions, tree }: Database, tickTimeMs: number, mono: number, role: Role): Sessions {
  const starting = Sessions.starting(sessions, tickTimeMs, mono, decides(role) ? "all" : "local");
  for (const owner of tree.ephemeralOwners()) if (!sessions.has(owner)) starting.add(owner, -tickTimeMs, false, mono);
  return starting;
}
