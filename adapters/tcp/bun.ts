/**
 * Serves a TCP port through Bun's own sockets, which cost it a quarter less work than its `node:net` ones.
 *
 * The same in everything else: test/contracts/listener.ts holds both to it. Invariant: after `stop()` no socket and no handle is left.
 */
import type { Duplex, DuplexHandler, ListenAddress, Listener } from "../../lib/ports.ts";
import { type CompleteTcpOptions, listenError, named, unmapped } from "./options.ts";

/** What is used here of `Bun.listen`. */
interface BunApi {
  listen(options: {
    readonly hostname: string;
    readonly port: number;
    readonly exclusive: boolean;
    readonly socket: BunHandlers;
  }): BunServer;
}
interface BunServer {
  readonly hostname: string;
  readonly port: number;
  stop(closeSockets: boolean): void;
}
interface BunHandlers {
  open(socket: BunSocket): void;
  data(socket: BunSocket, bytes: Uint8Array): void;
  drain(socket: BunSocket): void;
  close(socket: BunSocket): void;
  error(socket: BunSocket): void;
}
interface BunSocket {
  /** Ours to use. */
  data: BunDuplex;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Bytes that the system took; -1 once closed. */
  write(bytes: Uint8Array): number;
  end(): void;
  close(): void;
  pause(): void;
  resume(): void;
  setNoDelay(on: boolean): void;
  setKeepAlive(on: boolean): void;
}

/** `backlog` has no say here: Bun lets 512 connections wait. */
export class BunListener implements Listener {
  readonly #options: CompleteTcpOptions;
  readonly #open = new Set<BunDuplex>();
  #server: BunServer | undefined;
  #emptied: () => void = () => {};

  constructor(options: CompleteTcpOptions) {
    this.#options = options;
  }

  async start(accept: (duplex: Duplex) => DuplexHandler): Promise<ListenAddress> {
    const { host, port, keepAlive } = this.#options;
    if (this.#server !== undefined) throw new Error(`Already listening on ${named(host, port)}`);
    try {
      const { Bun } = globalThis as unknown as { readonly Bun: BunApi };
      this.#server = Bun.listen({ hostname: host, port, exclusive: true, socket: this.#handlers(accept, keepAlive) });
    } catch (error) {
      throw listenError(error as NodeJS.ErrnoException, named(host, port));
    }
    return { host: this.#server.hostname, port: this.#server.port, secure: false };
  }

  #handlers(accept: (duplex: Duplex) => DuplexHandler, keepAlive: boolean): BunHandlers {
    return {
      open: (socket) => {
        socket.setNoDelay(true);
        if (keepAlive) socket.setKeepAlive(true);
        const duplex = new BunDuplex(socket);
        socket.data = duplex;
        this.#open.add(duplex);
        duplex.handle(accept(duplex));
      },
      data: ({ data: duplex }, bytes) => duplex.data(bytes),
      drain: ({ data: duplex }) => duplex.drain(),
      close: ({ data: duplex }) => {
        duplex.gone();
        this.#open.delete(duplex);
        if (this.#open.size === 0) this.#emptied();
      },
      error: () => {}, // a close follows
    };
  }

  async release(): Promise<void> {
    this.#server?.stop(false);
    this.#server = undefined;
  }

  async stop(): Promise<void> {
    await this.release();
    if (this.#open.size === 0) return;
    const emptied = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    for (const duplex of this.#open) duplex.destroy();
    await emptied;
  }
}

class BunDuplex implements Duplex {
  readonly authIds = [];
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #socket: BunSocket;
  #handler: DuplexHandler | null = null;
  /** What the system has not taken yet, in order. */
  #unsent: Uint8Array[] = [];
  #unsentBytes = 0;
  #state: "open" | "ending" | "gone" = "open";
  #closed = false;

  constructor(socket: BunSocket) {
    this.#socket = socket;
    this.remoteAddress = unmapped(socket.remoteAddress);
    this.remotePort = socket.remotePort;
  }

  /** Says who handles the stream; it may be gone by then. */
  handle(handler: DuplexHandler): void {
    this.#handler = handler;
    if (this.#closed) handler.closed();
  }

  data(bytes: Uint8Array): void {
    if (this.#state !== "gone") this.#handler?.data(bytes);
  }

  write(bytes: Uint8Array): void {
    if (this.#state !== "open") return;
    const taken = this.#unsentBytes > 0 ? 0 : Math.max(this.#socket.write(bytes), 0);
    if (taken === bytes.length) return;
    this.#unsent.push(bytes.subarray(taken));
    this.#unsentBytes += bytes.length - taken;
  }

  /** The system has room again. */
  drain(): void {
    if (this.#state === "gone" || this.#unsentBytes === 0) return;
    let at = 0;
    for (; at < this.#unsent.length; at++) {
      const bytes = this.#unsent[at]!;
      const taken = Math.max(this.#socket.write(bytes), 0);
      this.#unsentBytes -= taken;
      if (taken === bytes.length) continue;
      this.#unsent[at] = bytes.subarray(taken);
      break;
    }
    this.#unsent.splice(0, at);
    if (this.#unsentBytes > 0) return;
    if (this.#state === "ending") this.#socket.end();
    else this.#handler?.drained();
  }

  bufferedBytes(): number {
    return this.#unsentBytes;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    if (this.#unsentBytes === 0) this.#socket.end();
  }

  destroy(): void {
    if (this.#state === "gone") return;
    this.#drop();
    this.#socket.close();
  }

  /** The socket is closed. */
  gone(): void {
    this.#drop();
    this.#closed = true;
    this.#handler?.closed();
  }

  #drop(): void {
    this.#state = "gone";
    this.#unsent = [];
    this.#unsentBytes = 0;
  }
}
