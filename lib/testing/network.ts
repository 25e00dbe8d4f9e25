/**
 * A network in this process: machines, the ports they listen on, byte streams between them, and partitions.
 *
 * It takes no time: what is on its way arrives in microtasks, one piece after the other; which of several comes first follows from random numbers.
 *
 * Not here: when machines come and go (test_member.ts), what is said (wire). Invariants: on a stream nothing is lost or overtaken for as long as
 * both ends are up. Across a partition nothing arrives, the end of a stream included, until it is healed.
 */
import { Fifo } from "../base/fifo.ts";
import type { AuthId } from "../model/types.ts";
import type { Dialer, Duplex, DuplexHandler, ListenAddress, Listener, ServerAddress } from "../ports.ts";

/** What is on its way to one end of a stream. */
type Piece =
  | { readonly kind: "dial"; readonly port: number }
  | { readonly kind: "opened" }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "data"; readonly bytes: Uint8Array }
  | { readonly kind: "closed" };

/** What an end is to its own machine. */
interface Owner {
  opened(duplex: Duplex): DuplexHandler;
  refused(reason: string): void;
}

/** A cut between groups of machines that can be mended. */
export class NetworkPartition {
  readonly #sideOf: ReadonlyMap<string, number>;
  readonly #heal: (partition: NetworkPartition) => void;

  /** @internal */
  constructor(groups: readonly (readonly string[])[], heal: (partition: NetworkPartition) => void) {
    this.#sideOf = new Map(groups.flatMap((hosts, side) => hosts.map((host) => [host, side] as const)));
    this.#heal = heal;
  }

  /** What was on its way arrives now, unless its stream was given up. */
  heal(): void {
    this.#heal(this);
  }

  [Symbol.dispose](): void {
    this.heal();
  }

  /** @internal Machines that belong to no group are on no side: they reach everybody. */
  divides(one: string, other: string): boolean {
    const side = this.#sideOf.get(one);
    const otherSide = this.#sideOf.get(other);
    return side !== undefined && otherSide !== undefined && side !== otherSide;
  }
}

const PIECES_PER_TURN = 10_000;

export class Network {
  readonly #random: () => number;
  readonly #nextTurn: () => Promise<void>;
  readonly #machines = new Map<string, Machine>();
  readonly #partitions = new Set<NetworkPartition>();
  /** Ends that something is on its way to, in the order in which that began. */
  readonly #waiting = new Set<StreamEnd>();
  #isPumping = false;
  #pieces = 0;

  /**
   * @param random a number in [0, 1): which of several streams is served first
   * @param nextTurn resolves once the event loop has gone round
   */
  constructor(random: () => number, nextTurn: () => Promise<void>) {
    this.#random = random;
    this.#nextTurn = nextTurn;
  }

  /** Whether something is about to arrive. */
  get isBusy(): boolean {
    return this.#isPumping;
  }

  /** A machine of that name, from now on. */
  plug(host: string): Machine {
    const machine = new Machine(this, host);
    this.#machines.set(host, machine);
    return machine;
  }

  /** Cuts groups of machines off from one another; those in none of them still reach everybody. `healed` is called when it is over. */
  partition(groups: readonly (readonly string[])[], healed: () => void): NetworkPartition {
    const partition = new NetworkPartition(groups, (mended) => {
      if (!this.#partitions.delete(mended)) return;
      healed();
      this.pump();
    });
    this.#partitions.add(partition);
    return partition;
  }

  /** Ends all partitions. */
  heal(): void {
    for (const partition of [...this.#partitions]) partition.heal();
  }

  /** @internal */
  machine(host: string): Machine | undefined {
    return this.#machines.get(host);
  }

  /** @internal */
  reaches(from: string, to: string): boolean {
    for (const partition of this.#partitions) if (partition.divides(from, to)) return false;
    return true;
  }

  /** @internal Something is on its way to that end. */
  expects(end: StreamEnd): void {
    this.#waiting.add(end);
    this.pump();
  }

  /** @internal Nothing is, any more. */
  forget(end: StreamEnd): void {
    this.#waiting.delete(end);
  }

  /** Delivers what can be, a piece a microtask. Talk without end must not starve the event loop: now and then it goes round. */
  pump(): void {
    if (this.#isPumping || this.#waiting.size === 0) return;
    this.#isPumping = true;
    const turn = ++this.#pieces % PIECES_PER_TURN === 0 ? this.#nextTurn() : Promise.resolve();
    void turn.then(() => {
      this.#isPumping = false;
      const ready = [...this.#waiting].filter((end) => end.canTake);
      if (ready.length === 0) return;
      ready[Math.floor(this.#random() * ready.length)]!.take();
      this.pump();
    });
  }
}

/** One machine: ports to listen on, and streams that it has opened or accepted. */
export class Machine {
  readonly host: string;
  readonly network: Network;
  readonly #accepting = new Map<number, (duplex: Duplex) => DuplexHandler>();
  readonly #ends = new Set<StreamEnd>();
  #nextPort = 40_000;
  #isOff = false;

  /** @internal */
  constructor(network: Network, host: string) {
    this.network = network;
    this.host = host;
  }

  /** Whether it was switched off: nobody there hears anything any more. */
  get isOff(): boolean {
    return this.#isOff;
  }

  /** A port of this machine. */
  listener({ port }: { readonly port: number }): Listener {
    return {
      start: async (accept): Promise<ListenAddress> => {
        if (this.#accepting.has(port)) throw new Error(`Cannot listen on ${this.host}:${port}: the port is in use`);
        this.#accepting.set(port, accept);
        return { host: this.host, port, secure: false };
      },
      release: async () => {
        this.#accepting.delete(port);
      },
      stop: async () => {
        this.#accepting.delete(port);
        for (const end of [...this.#ends]) if (end.acceptedOn === port) end.destroy();
      },
    };
  }

  readonly dialer: Dialer = {
    dial: (server, opened, failed) => this.#dial(server, opened, failed),
    atTurnEnd: (run) => void Promise.resolve().then(run),
  };

  #dial(
    { host, port }: ServerAddress,
    opened: (duplex: Duplex) => DuplexHandler,
    refused: (reason: string) => void,
  ): () => void {
    const near = new StreamEnd(this, this.#nextPort++, { opened, refused });
    const target = this.network.machine(host);
    const far = new StreamEnd(target ?? this, port, null);
    near.join(far);
    if (target === undefined || target.isOff) near.send({ kind: "refused", reason: "connection refused" });
    else far.send({ kind: "dial", port });
    return () => near.giveUp();
  }

  /** @internal Who takes streams on a port. */
  accepting(port: number): ((duplex: Duplex) => DuplexHandler) | undefined {
    return this.#accepting.get(port);
  }

  /** @internal */
  add(end: StreamEnd): void {
    this.#ends.add(end);
  }

  /** @internal */
  remove(end: StreamEnd): void {
    this.#ends.delete(end);
  }

  /** It is off, from one moment to the next: nobody here hears of it, and those at the other ends find their streams closed. */
  switchOff(): void {
    this.#isOff = true;
    this.#accepting.clear();
    for (const end of [...this.#ends]) end.die();
  }

  /** Breaks all of its streams, for both sides. */
  breakStreams(): void {
    for (const end of [...this.#ends]) end.destroy();
  }
}

/** One end of a stream. It is in use from the moment that somebody there knows of it. */
export class StreamEnd implements Duplex {
  readonly authIds: readonly AuthId[] = [];
  readonly #machine: Machine;
  readonly #port: number;
  readonly #owner: Owner | null;
  readonly #arriving = new Fifo<Piece>();
  #peer: StreamEnd = this;
  #handler: DuplexHandler | null = null;
  /** Bytes on their way to this end. */
  #unreadBytes = 0;
  #isPaused = false;
  /** Both sides know of it. */
  #isOpen = false;
  /** Ended from this side: what still arrives is dropped, and its owner hears once that it is over. */
  #hasEnded = false;
  #isOver = false;

  /** @param owner who opens it; null: whoever listens on the port */
  constructor(machine: Machine, port: number, owner: Owner | null) {
    this.#machine = machine;
    this.#port = port;
    this.#owner = owner;
    machine.add(this);
  }

  join(peer: StreamEnd): void {
    this.#peer = peer;
    peer.#peer = this;
  }

  get remoteAddress(): string {
    return this.#peer.#machine.host;
  }

  get remotePort(): number {
    return this.#peer.#port;
  }

  write(bytes: Uint8Array): void {
    if (this.#hasEnded || this.#isOver || bytes.length === 0) return;
    this.#peer.#unreadBytes += bytes.length;
    this.#peer.send({ kind: "data", bytes });
  }

  bufferedBytes(): number {
    return this.#peer.#unreadBytes;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#machine.network.pump();
  }

  /** What was written arrives all the same. */
  end(): void {
    if (this.#hasEnded || this.#isOver) return;
    this.#hasEnded = true;
    this.#peer.send({ kind: "closed" });
    this.#drop();
    this.send({ kind: "closed" });
  }

  destroy(): void {
    this.end();
  }

  /** An attempt that has not come to anything yet ends; its owner hears nothing more. */
  giveUp(): void {
    if (!this.#isOpen) this.end();
  }

  /** @internal The port on which it was accepted; null for an end that dialled. */
  get acceptedOn(): number | null {
    return this.#owner === null ? this.#port : null;
  }

  /** @internal Puts something on its way to this end. */
  send(piece: Piece): void {
    if (this.#isOver || this.#machine.isOff) return;
    this.#arriving.push(piece);
    this.#machine.network.expects(this);
  }

  /** @internal Whether what comes next may arrive. */
  get canTake(): boolean {
    if (this.#hasEnded) return true; // it is only to be told
    return !this.#isPaused && this.#machine.network.reaches(this.#peer.#machine.host, this.#machine.host);
  }

  /** @internal Takes what comes next. */
  take(): void {
    const piece = this.#arriving.shift()!;
    if (this.#arriving.length === 0) this.#machine.network.forget(this);
    switch (piece.kind) {
      case "dial":
        return this.#accept(piece.port);
      case "opened":
        return this.#opened();
      case "refused":
        return this.#refused(piece.reason);
      case "data":
        return this.#read(piece.bytes);
      case "closed":
        if (!this.#isOpen) return this.#refused("connection reset");
        return this.#over();
    }
  }

  #opened(): void {
    if (this.#hasEnded) return;
    this.#isOpen = true;
    this.#handler = this.#owner!.opened(this);
  }

  #refused(reason: string): void {
    this.#over();
    if (!this.#hasEnded) this.#owner?.refused(reason);
  }

  #accept(port: number): void {
    const accept = this.#machine.accepting(port);
    if (accept === undefined) {
      this.#peer.send({ kind: "refused", reason: "connection refused" });
      return this.#over();
    }
    this.#peer.send({ kind: "opened" });
    this.#isOpen = true;
    this.#handler = accept(this);
  }

  #read(bytes: Uint8Array): void {
    if (this.#hasEnded) return;
    this.#unreadBytes -= bytes.length;
    this.#handler?.data(bytes);
    if (this.#unreadBytes === 0 && !this.#peer.#isOver) this.#peer.#handler?.drained();
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#drop();
    this.#machine.remove(this);
    this.#handler?.closed();
  }

  #drop(): void {
    while (this.#arriving.shift() !== undefined);
    this.#unreadBytes = 0;
    this.#machine.network.forget(this);
  }

  /** @internal Its machine is off. */
  die(): void {
    if (!this.#hasEnded) this.#peer.send({ kind: "closed" });
    this.#isOver = true;
    this.#handler = null;
    this.#drop();
    this.#machine.remove(this);
  }
}
