/**
 * A TCP proxy that spoils connections byte by byte, as a seed says: it splits what it carries, holds it back, cuts connections in the middle of
 * anything, refuses some and says nothing on others. Healed, it carries everything at once.
 *
 * Bytes keep their order and none is changed or lost on a connection that lives, which is all that TCP promises, unless `duplicates` is asked for.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { Address } from "./frame_connection.ts";
import type { Random } from "./random.ts";

export interface FaultOptions {
  /** Of pieces, in per cent, that are the last of their connection. */
  readonly cuts: number;
  /** Of pieces that are held back for a moment. */
  readonly delays: number;
  /** Of connections that are ended at once, or never carry anything until they are ended. */
  readonly refusals: number;
  /** Of pieces that are sent twice: what TCP never does. */
  readonly duplicates: number;
}

const DELAY_MS_MAX = 15;
const SILENCE_MS_MAX = 100;

export class FaultProxy {
  readonly #target: Address;
  readonly #random: Random;
  readonly #faults: FaultOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isHealed = false;
  /** Connections that were cut, refused or left in silence. */
  spoiled = 0;

  private constructor(target: Address, random: Random, faults: FaultOptions) {
    this.#target = target;
    this.#random = random;
    this.#faults = faults;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  static async start(target: Address, random: Random, faults: FaultOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, random, faults);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Spoils nothing any more; connections that are spoiled already stay so. */
  heal(): void {
    this.#isHealed = true;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  isChosen(percent: number): boolean {
    return !this.#isHealed && this.#random.below(100) < percent;
  }

  #accept(client: Socket): void {
    this.#keep(client);
    if (this.isChosen(this.#faults.refusals)) return this.#refuse(client);
    const server = connect({ host: this.#target.host, port: this.#target.port, noDelay: true });
    client.setNoDelay(true);
    this.#keep(server);
    const cut = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on("close", cut);
    this.#carry(client, server, cut);
    this.#carry(server, client, cut);
  }

  #refuse(client: Socket): void {
    this.spoiled++;
    client.resume();
    setTimeout(() => client.destroy(), this.#random.below(2) * this.#random.below(SILENCE_MS_MAX));
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
  }

  /** Everything from one socket to the other, in order, in pieces. */
  #carry(from: Socket, to: Socket, cut: () => void): void {
    let isOpen = Promise.resolve(true);
    from.on("data", (chunk) => {
      isOpen = isOpen.then(async (open) => open && (await this.#pieces(chunk, to, cut)));
    });
    // What was said before an end arrives before it.
    from.on("end", () => void isOpen.then(cut));
  }

  /** False once the connection is cut: then nothing may follow. */
  async #pieces(chunk: Uint8Array, to: Socket, cut: () => void): Promise<boolean> {
    const { cuts, delays, duplicates } = this.#faults;
    for (let rest = chunk; rest.length > 0 && !to.destroyed; ) {
      const splits = this.isChosen(30);
      const length = splits ? 1 + this.#random.below(rest.length) : rest.length;
      const piece = rest.subarray(0, length);
      rest = rest.subarray(length);
      if (this.isChosen(delays)) await new Promise((resolve) => setTimeout(resolve, this.#random.below(DELAY_MS_MAX)));
      if (this.isChosen(cuts)) {
        this.spoiled++;
        to.write(piece.subarray(0, this.#random.below(piece.length)), cut);
        return false;
      }
      to.write(piece);
      if (this.isChosen(duplicates)) to.write(piece);
    }
    return true;
  }
}
