/**
 * The port that a member's clients come to, which a reconfiguration may move: new clients are served on the new one and no more on the old one,
 * and those who are connected stay.
 *
 * Not here: the port for TLS alone, which no configuration names. Invariant: one move is made after the other, and only the last one that was asked
 * for is bound, however often that must be tried.
 */
import type { Listener, Logger } from "../../lib/ports.ts";
import type { TcpOptions } from "../tcp/listener.ts";

/** How long to wait for a port that another program has, milliseconds. */
const BIND_AGAIN_MS = 1000;

/** Begins and ends to accept clients. */
export interface ClientDoor {
  listen(options: TcpOptions): Promise<Listener>;
  /** Accepts no more by that listener. */
  unlisten(listener: Listener): Promise<void>;
}

export class ClientPort {
  readonly #logger: Logger;
  #wanted: TcpOptions;
  /** Null until the first one is bound, and once the member stops. */
  #door: ClientDoor | null = null;
  #listener: Listener | null = null;
  #moving: Promise<void> = Promise.resolve();
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(first: TcpOptions, logger: Logger) {
    this.#wanted = first;
    this.#logger = logger;
  }

  /** @throws Error where the port can't be had */
  async start(door: ClientDoor): Promise<void> {
    const first = this.#wanted;
    this.#listener = await door.listen(first);
    this.#door = door;
    if (first !== this.#wanted) this.#move();
  }

  stop(): void {
    this.#door = null;
    clearTimeout(this.#retry);
  }

  /** Clients are to find the member there from now on. */
  moveTo({ host, port }: { readonly host: string | null; readonly port: number }): void {
    if (port === this.#wanted.port && (host === null || host === this.#wanted.host)) return;
    this.#wanted = { ...this.#wanted, port, ...(host !== null && { host }) };
    this.#move();
  }

  #move(): void {
    clearTimeout(this.#retry);
    const there = this.#wanted;
    this.#moving = this.#moving.then(() => this.#bind(there, true));
  }

  async #bind(there: TcpOptions, isFirstTry: boolean): Promise<void> {
    const door = this.#door;
    if (door === null || there !== this.#wanted) return;
    const before = this.#listener;
    this.#listener = null;
    try {
      if (before !== null) await door.unlisten(before);
      this.#listener = await door.listen(there);
    } catch (error) {
      if (isFirstTry)
        this.#logger.error(`Clients can't be served on port ${there.port}, which is tried again: ${(error as Error).message}`);
      this.#retry = setTimeout(() => {
        this.#moving = this.#moving.then(() => this.#bind(there, false));
      }, BIND_AGAIN_MS);
    }
  }
}
