/**
 * Log lines of a server's connections and sessions: who comes, whose session begins, goes on, ends, expires or is refused.
 *
 * Not here: connections that are refused or cut off (service/). Invariants: a line never holds a password, and it takes nothing of the way of a request.
 */
import type { ConnEffect, ConnInput } from "../member/host.ts";
import type { HostTap } from "../member/tap.ts";
import type { Proposal } from "../model/txns.ts";
import type { ConnId, SessionId } from "../model/types.ts";
import type { Logger } from "../ports.ts";

/** A client that is connected. */
export interface Client {
  /** `/127.0.0.1:41712`; of one in this process, its own name for that. */
  readonly label: string;
  readonly address: string;
  /** `0n` before it has one. */
  session: SessionId;
}

export class SessionLog implements HostTap {
  protected readonly logger: Logger;
  protected readonly clients: Map<ConnId, Client> = new Map();

  constructor(logger: Logger) {
    this.logger = logger;
  }

  readonly hearsRequests: boolean = false;

  heard(input: ConnInput): void {
    if (input.kind === "connect") {
      const { address, label } = input.peer;
      this.clients.set(input.conn, { label, address, session: input.hello.sessionId });
    } else if (input.kind === "disconnect") this.#gone(input.conn);
  }

  said(effect: ConnEffect): void {
    if (effect.kind === "close") this.#gone(effect.conn);
    if (effect.kind !== "welcome") return;
    const client = this.clients.get(effect.conn);
    if (client === undefined) return;
    const { sessionId, timeOut } = effect.welcome;
    const asked = client.session;
    client.session = sessionId;
    const data = { session: sessionText(sessionId === 0n ? asked : sessionId), address: client.label, timeoutMs: timeOut };
    if (sessionId === 0n)
      this.logger.info(
        `Session ${data.session} of ${client.label} is refused: it is over, or the password is not its own`,
        data,
      );
    else
      this.logger.debug(
        `Session ${data.session} of ${client.label} ${asked === 0n ? "begins" : "goes on"}: ${timeOut} ms`,
        data,
      );
    this.welcomed(client, asked);
  }

  logged({ header, txn }: Proposal): void {
    if (txn.kind !== "closeSession") return;
    const session = sessionText(header.session);
    // A client that ends its session does so by a request; nobody asks for what falls due.
    if (header.cxid === 0) this.logger.info(`Session ${session} expires`, { session });
    else this.logger.debug(`Session ${session} is closed by its client`, { session });
  }

  turned(): void {}

  synced(_txns: number, _durationMs: number): void {}

  /** A session was begun, taken up again, or refused: then the client has none. */
  protected welcomed(_client: Client, _asked: SessionId): void {}

  /** A connection is over. */
  protected parted(_client: Client, _conn: ConnId): void {}

  #gone(conn: ConnId): void {
    const client = this.clients.get(conn);
    if (client === undefined) return;
    this.clients.delete(conn);
    this.logger.debug(`The connection of ${client.label} is over`, {
      session: sessionText(client.session),
      address: client.label,
    });
    this.parted(client, conn);
  }
}

/** As ZooKeeper's logs and words have it. */
export function sessionText(session: SessionId): string {
  return `0x${BigInt.asUintN(64, session).toString(16)}`;
}
