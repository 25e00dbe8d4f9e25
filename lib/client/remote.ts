/**
 * Links to servers at the end of byte streams: which server is next, a stream to it, and the protocol on that stream.
 *
 * Not here: sockets (adapters), bytes (wire/client_conn.ts), sessions and waiting (session.ts).
 *
 * Invariant: what a turn asks goes to the stream in one piece when the turn ends, and nothing is called back once a link is cut.
 */
import type { Hello, Welcome } from "../kernel/messages.ts";
import type { Op, Outcome } from "../model/ops.ts";
import type { WatchedEvent, Zxid } from "../model/types.ts";
import type { Dialer, Duplex, DuplexHandler, Logger, ServerAddress } from "../ports.ts";
import { ClientConn, type ClientConnOwner, type ClientOp } from "../wire/client_conn.ts";
import { parseConnectString, serverName } from "./connect_string.ts";
import type { Connector, Link, LinkHandlers } from "./link.ts";
import { ServerList } from "./server_list.ts";

const ISRO: Uint8Array = new TextEncoder().encode("isro");

export interface RemoteOptions {
  readonly servers: readonly ServerAddress[];
  readonly dialer: Dialer;
  readonly logger: Logger;
  /** A number in [0, 1), for the order of servers. */
  readonly random: () => number;
  /** Longest reply that is taken, in bytes. */
  readonly replyBytesMax: number;
}

export class RemoteConnector implements Connector {
  readonly #options: RemoteOptions;
  readonly #servers: ServerList;
  /** Where the link made last leads. */
  #trying: ServerAddress | null = null;
  /** What the log has been told since the last success: the same is not told again and again. */
  readonly #told = new Set<string>();

  constructor(options: RemoteOptions) {
    this.#options = options;
    this.#servers = new ServerList(options.servers, options.random);
  }

  get serverCount(): number {
    return this.#servers.length;
  }

  get isRoundDone(): boolean {
    return this.#servers.isRoundDone;
  }

  link(hello: Hello, handlers: LinkHandlers): Link {
    const server = this.#servers.next();
    this.#trying = server;
    return new RemoteLink(this.#options, server, hello, handlers, (reason) => this.#failed(server, reason));
  }

  /** What the server takes is its own matter. */
  refusal(): null {
    return null;
  }

  succeeded(): void {
    if (this.#trying !== null) this.#servers.succeeded(this.#trying);
    this.#told.clear();
  }

  probe(answer: (isReadWrite: boolean) => void): () => void {
    const probe = new Probe(this.#options.dialer, this.#servers.candidate(), (isReadWrite) => {
      if (isReadWrite) this.#servers.stay();
      answer(isReadWrite);
    });
    return () => probe.giveUp();
  }

  update(servers: string): boolean {
    return this.#servers.update(parseConnectString(servers).servers);
  }

  #failed(server: ServerAddress, reason: string): void {
    const text = `Cannot connect to ${serverName(server)}: ${reason}`;
    if (!this.#told.has(text)) this.#options.logger.warn(text);
    this.#told.add(text);
  }
}

/** Asks a server the four-letter word `isro`, which it answers with `rw`, `ro`, or by hanging up. */
class Probe implements DuplexHandler {
  readonly #answer: (isReadWrite: boolean) => void;
  readonly #giveUp: () => void;
  #duplex: Duplex | null = null;
  #said = "";
  #isOver = false;

  constructor(dialer: Dialer, server: ServerAddress, answer: (isReadWrite: boolean) => void) {
    this.#answer = answer;
    const opened = (duplex: Duplex): DuplexHandler => {
      this.#duplex = duplex;
      duplex.write(ISRO);
      return this;
    };
    this.#giveUp = dialer.dial(server, opened, () => this.closed());
  }

  data(bytes: Uint8Array): void {
    this.#said += String.fromCharCode(...bytes.subarray(0, 2));
    if (this.#said.length >= 2) this.closed();
  }

  drained(): void {}

  closed(): void {
    if (this.#isOver) return;
    this.giveUp();
    this.#answer(this.#said === "rw");
  }

  giveUp(): void {
    this.#isOver = true;
    this.#giveUp();
    this.#duplex?.destroy();
  }
}

class RemoteLink implements Link, ClientConnOwner, DuplexHandler {
  readonly #options: RemoteOptions;
  readonly #server: ServerAddress;
  readonly #hello: Hello;
  readonly #handlers: LinkHandlers;
  readonly #conn: ClientConn;
  readonly #failed: (reason: string) => void;
  #duplex: Duplex | null = null;
  #giveUp: () => void = () => {};
  #isWelcome = false;
  #isOver = false;

  /** @param failed hears why there was no welcome */
  constructor(
    options: RemoteOptions,
    server: ServerAddress,
    hello: Hello,
    handlers: LinkHandlers,
    failed: (reason: string) => void,
  ) {
    this.#options = options;
    this.#failed = failed;
    this.#server = server;
    this.#hello = hello;
    this.#handlers = handlers;
    this.#conn = new ClientConn(this, options.replyBytesMax);
  }

  // ── from the session ──

  open(): void {
    const opened = (duplex: Duplex): DuplexHandler => {
      this.#duplex = duplex;
      this.#conn.hello(this.#hello);
      return this;
    };
    this.#giveUp = this.#options.dialer.dial(this.#server, opened, (reason) => this.#over(reason));
  }

  request(xid: number, op: Op): void {
    this.#conn.request(xid, op as ClientOp);
  }

  cut(): void {
    this.#over("no answer in time");
  }

  // ── from the stream ──

  data(bytes: Uint8Array): void {
    this.#conn.receive(bytes);
  }

  drained(): void {}

  closed(): void {
    this.#over("the server closed the connection");
  }

  // ── from the client connection ──

  welcome(welcome: Welcome): void {
    this.#isWelcome = true;
    this.#handlers.welcome(welcome);
  }

  reply(xid: number, zxid: Zxid, outcome: Outcome): void {
    this.#handlers.reply(xid, zxid, outcome);
  }

  event(event: WatchedEvent): void {
    this.#handlers.event(event);
  }

  broken(reason: string): void {
    this.#over(`what the server sent makes no sense: ${reason}`);
  }

  somethingToSend(): void {
    this.#options.dialer.atTurnEnd(this.#flush);
  }

  readonly #flush = (): void => {
    const bytes = this.#conn.take();
    if (bytes !== null && !this.#isOver) this.#duplex?.write(bytes);
  };

  #over(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#conn.stop();
    this.#giveUp();
    this.#duplex?.destroy();
    if (!this.#isWelcome) this.#failed(reason);
    this.#handlers.closed(`${serverName(this.#server)}: ${reason}`);
  }
}
