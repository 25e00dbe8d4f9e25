/**
 * Connections that are not ready for use, since their TLS handshakes are going on: so many from one address, and each for so long.
 *
 * Whoever limits the connections of clients is asked for each of them. Invariant: one that has not ended its handshake in time, or is one too many, is
 * cut off.
 */
import type { Socket } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";
import type { Reserve } from "../../lib/ports.ts";
import { unmapped } from "./options.ts";

/** More than a crowd of clients that starts at once behind one address needs, and few enough to hold. */
const FROM_ADDRESS_MAX = 500;

export class Handshakes {
  readonly #timeoutMs: number;
  readonly #reserve: Reserve;
  /** What ends each, by the other end's address and port: runtimes give the same connection in more than one object. */
  readonly #ends = new Map<string, () => void>();
  readonly #perAddress = new Map<string, number>();

  /** @param reserve counts them, too */
  constructor(timeoutMs: number, reserve: Reserve = () => () => {}) {
    this.#timeoutMs = timeoutMs;
    this.#reserve = reserve;
  }

  /** A connection has come. */
  begin(socket: Socket): void {
    const { remoteAddress: address, remotePort: port } = socket;
    if (address === undefined || port === undefined) return;
    const key = `${address} ${port}`;
    if (this.#ends.has(key)) return;
    const count = this.#perAddress.get(address) ?? 0;
    const release = count < FROM_ADDRESS_MAX ? this.#reserve(unmapped(address)) : null;
    if (release === null) {
      socket.destroy();
      return;
    }
    this.#perAddress.set(address, count + 1);
    const timer = setTimeout(() => socket.destroy(), this.#timeoutMs);
    timer.unref();
    this.#ends.set(key, () => {
      clearTimeout(timer);
      this.#ends.delete(key);
      const left = this.#perAddress.get(address)! - 1;
      if (left > 0) this.#perAddress.set(address, left);
      else this.#perAddress.delete(address);
      release();
    });
    socket.once("close", () => this.#ends.get(key)?.());
  }

  /** It is ready for use. */
  end({ remoteAddress, remotePort }: Socket): void {
    this.#ends.get(`${remoteAddress} ${remotePort}`)?.();
  }
}
