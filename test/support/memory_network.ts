/**
 * A network in memory: named servers, streams between them and whoever dials, and every fault a test wants. No sockets, no time.
 *
 * Bytes arrive in later microtasks, in order, as copies. `idle()` resolves once nothing is on its way.
 */
import type { Dialer, Duplex, DuplexHandler, ListenAddress, Listener, ServerAddress } from "../../lib/ports.ts";

/** How the network treats a server. */
export type Reachability =
  /** Connections are accepted. */
  | "up"
  /** Connections are refused at once. */
  | "refused"
  /** Nothing arrives and nobody answers, neither on new connections nor on those that are open. */
  | "silent";

export class MemoryNetwork {
  readonly #accepting = new Map<string, (duplex: Duplex) => DuplexHandler>();
  readonly #reachability = new Map<string, Reachability>();
  readonly #open = new Set<Wire>();
  #onTheirWay = 0;
  #ports = 40_000;
  /** Names of the servers that were dialled, in order. */
  readonly dialled: string[] = [];

  /** A port that `server.listen()` takes, reached as `name`:2181. */
  listener(name: string): Listener {
    return {
      start: async (accept): Promise<ListenAddress> => {
        this.serve(name, accept);
        return { host: name, port: 2181, secure: false };
      },
      release: async () => {
        this.#accepting.delete(name);
      },
      stop: async () => {
        this.#accepting.delete(name);
        this.cut(name);
      },
    };
  }

  /** The same without a listener's promises. */
  serve(name: string, accept: (duplex: Duplex) => DuplexHandler): void {
    this.#accepting.set(name, accept);
  }

  set(name: string, reachability: Reachability): void {
    this.#reachability.set(name, reachability);
  }

  /** Cuts every connection to a server. */
  cut(name: string): void {
    for (const wire of [...this.#open]) if (wire.name === name) wire.cut();
  }

  /** Open connections to a server. */
  connections(name: string): number {
    return [...this.#open].filter((wire) => wire.name === name).length;
  }

  readonly dialer: Dialer = {
    dial: (server, opened, failed) => this.#dial(server, opened, failed),
    atTurnEnd: (run) => this.later(run),
  };

  /** Resolves once nothing is on its way any more, and all that came of it has settled. */
  async idle(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet = this.#onTheirWay === 0 ? quiet + 1 : 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  later(run: () => void): void {
    this.#onTheirWay++;
    queueMicrotask(() => {
      this.#onTheirWay--;
      run();
    });
  }

  isSilent(name: string): boolean {
    return this.#reachability.get(name) === "silent";
  }

  #dial({ host }: ServerAddress, opened: (duplex: Duplex) => DuplexHandler, failed: (reason: string) => void): () => void {
    this.dialled.push(host);
    let isGivenUp = false;
    this.later(() => {
      const accept = this.#accepting.get(host);
      if (isGivenUp || this.isSilent(host)) return;
      if (accept === undefined || this.#reachability.get(host) === "refused") return failed("connection refused");
      const wire = new Wire(this, host, this.#ports++, () => this.#open.delete(wire));
      this.#open.add(wire);
      wire.join(accept, opened);
    });
    return () => {
      isGivenUp = true;
    };
  }
}

/** One connection: two ends and what lies between. */
class Wire {
  readonly name: string;
  readonly #network: MemoryNetwork;
  readonly #ends: readonly [End, End];
  readonly #over: () => void;
  #isCut = false;

  constructor(network: MemoryNetwork, name: string, port: number, over: () => void) {
    this.#network = network;
    this.name = name;
    this.#over = over;
    this.#ends = [new End(this, 0, port), new End(this, 1, 2181)];
  }

  join(accept: (duplex: Duplex) => DuplexHandler, opened: (duplex: Duplex) => DuplexHandler): void {
    this.#ends[0].handler = accept(this.#ends[0]);
    this.#ends[1].handler = opened(this.#ends[1]);
  }

  /** From one end to the other. */
  carry(from: 0 | 1, bytes: Uint8Array): void {
    if (this.#network.isSilent(this.name)) return;
    const copy = bytes.slice();
    this.#network.later(() => {
      if (!this.#isCut) this.#ends[1 - from]!.handler?.data(copy);
    });
  }

  /** Ends it once what was carried before has arrived. */
  end(): void {
    this.#network.later(() => this.cut());
  }

  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#over();
    for (const end of this.#ends) this.#network.later(() => end.handler?.closed());
  }
}

class End implements Duplex {
  readonly authIds = [];
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort: number;
  handler: DuplexHandler | null = null;
  readonly #wire: Wire;
  readonly #side: 0 | 1;

  constructor(wire: Wire, side: 0 | 1, port: number) {
    this.#wire = wire;
    this.#side = side;
    this.remotePort = port;
  }

  write(bytes: Uint8Array): void {
    this.#wire.carry(this.#side, bytes);
  }
  bufferedBytes(): number {
    return 0;
  }
  pause(): void {}
  resume(): void {}
  end(): void {
    this.#wire.end();
  }
  destroy(): void {
    this.#wire.cut();
  }
}
