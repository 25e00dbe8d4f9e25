/**
 * A server that does as it is told: it shakes hands and answers what the test wants, or nothing. For what a real server does only in a crisis.
 */
import type { Hello, Welcome } from "../../lib/kernel/messages.ts";
import { DONE, type Op, type Outcome } from "../../lib/model/ops.ts";
import type { WatchedEvent, Zxid } from "../../lib/model/types.ts";
import type { Duplex, DuplexHandler } from "../../lib/ports.ts";
import { ServerConn, type ServerConnOwner } from "../../lib/wire/server_conn.ts";

/** One connection of a client; it does what its server's script says. */
export class ScriptedConnection implements ServerConnOwner, DuplexHandler {
  readonly hellos: Hello[] = [];
  readonly requests: { readonly xid: number; readonly op: Op }[] = [];
  isOver = false;
  readonly #conn = new ServerConn(this, 1 << 20);
  readonly #duplex: Duplex;
  readonly #script: Script;

  constructor(duplex: Duplex, script: Script) {
    this.#duplex = duplex;
    this.#script = script;
  }

  welcome(welcome: Partial<Welcome> = {}): void {
    this.#conn.welcome({ timeOut: 9000, sessionId: 77n, passwd: new Uint8Array(16).fill(7), readOnly: false, ...welcome });
  }
  reply(xid: number, outcome: Outcome = DONE, zxid: Zxid = 1n): void {
    this.#conn.reply(xid, zxid, outcome);
  }
  event(event: WatchedEvent): void {
    this.#conn.event(event);
  }
  /** Hangs up behind what was said. */
  hangUp(): void {
    this.#conn.close();
  }
  /** Kinds of the requests so far. */
  get asked(): string[] {
    return this.requests.map(({ op }) => op.kind);
  }

  data(bytes: Uint8Array): void {
    this.#conn.receive(bytes);
  }
  drained(): void {}
  closed(): void {
    this.isOver = true;
    this.#conn.gone();
  }
  connect(hello: Hello): void {
    this.hellos.push(hello);
    this.#script.hello?.(this, hello);
  }
  request(xid: number, op: Op): void {
    this.requests.push({ xid, op });
    this.#script.request?.(this, xid, op);
  }
  tooLong(): void {}
  disconnect(): void {}
  takesMore(): boolean {
    return true;
  }
  answersWord(): boolean {
    return true;
  }
  word(word: string): void {
    this.#conn.answer(this.#script.word?.(word) ?? "");
  }
  somethingToSend(): void {
    queueMicrotask(() => {
      if (this.isOver) return;
      for (let bytes = this.#conn.take(); bytes !== null; bytes = this.#conn.take()) this.#duplex.write(bytes);
      if (this.#conn.ended) this.#duplex.end();
    });
  }
}

/** What a server does; nothing where nothing is said. */
export interface Script {
  readonly hello?: (connection: ScriptedConnection, hello: Hello) => void;
  readonly request?: (connection: ScriptedConnection, xid: number, op: Op) => void;
  readonly word?: (word: string) => string;
}

export class ScriptedServer {
  readonly connections: ScriptedConnection[] = [];
  readonly #script: Script;

  constructor(script: Script) {
    this.#script = script;
  }

  readonly accept = (duplex: Duplex): DuplexHandler => {
    const connection = new ScriptedConnection(duplex, this.#script);
    this.connections.push(connection);
    return connection;
  };

  /** The newest connection. */
  get last(): ScriptedConnection {
    return this.connections.at(-1)!;
  }
}
