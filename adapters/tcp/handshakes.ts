/**
 * TLS handshakes that are going on: so many from one address, and each for so long.
 *
 * Until its handshake is over a connection is nobody's, so the limits of clients don't count it yet; these do. Invariant: one that has not ended in
 * time, or is one too many, is cut off.
 */
import type { Socket } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";

/** More than a crowd of clients that starts at once behind one address needs, and few enough to hold. */
const FROM_ADDRESS_MAX = 500;

export class Handshakes {
  readonly #timeoutMs: number;
  /** By the other end's address and port: runtimes give the same connection in more than one object. */
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #perAddress = new Map<string, number>();

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** A connection has come. */
  begin(socket: Socket): void {
    const { remoteAddress: address, remotePort: port } = socket;
    if (address === undefined || port === undefined) return;
    const key = `${address} ${port}`;
    if (this.#timers.has(key)) return;
    const count = this.#perAddress.get(address) ?? 0;
    if (count >= FROM_ADDRESS_MAX) {
      socket.destroy();
      return;
    }
    this.#perAddress.set(address, count + 1);
    const timer = setTimeout(() => socket.destroy(), this.#timeoutMs);
    timer.unref();
    this.#timers.set(key, timer);
    socket.once("close", () => this.#end(address, key));
  }

  /** Its handshake is over. */
  end({ remoteAddress, remotePort }: Socket): void {
    if (remoteAddress !== undefined) this.#end(remoteAddress, `${remoteAddress} ${remotePort}`);
  }

  #end(address: string, key: string): void {
    if (!this.#timers.has(key)) return;
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
    const left = this.#perAddress.get(address)! - 1;
    if (left > 0) this.#perAddress.set(address, left);
    else this.#perAddress.delete(address);
  }
}
