/**
 * Listener on both loopback addresses, 127.0.0.1 and ::1, with one port number: whichever of the two a client of `localhost` tries, it is served.
 *
 * Not here: sockets (node.ts, bun.ts). Where the machine has but one of the two addresses, that one is enough. Invariant: it listens on all that there
 * is, or on nothing.
 */
import type { Duplex, DuplexHandler, ListenAddress, Listener, Reserve } from "../../lib/ports.ts";
import { named } from "./options.ts";

/** Makes the listener of one address. */
export type MakeListener = (host: string, port: number) => Listener;

type Accept = (duplex: Duplex) => DuplexHandler;

const HOSTS = ["127.0.0.1", "::1"] as const;
/** What systems say, each runtime in its way, of an address that no interface has. */
const ABSENT: ReadonlySet<unknown> = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL"]);
/** A port that the system chose for one address may be taken at the other. */
const TRIES_MAX = 20;

export class LoopbackListener implements Listener {
  readonly #make: MakeListener;
  readonly #port: number;
  /** Those that were released are kept until `stop`, which cuts their streams, too. */
  readonly #listeners: Listener[] = [];
  /** Set from `start` to `release`. */
  #started: Promise<ListenAddress> | undefined;

  constructor(make: MakeListener, port: number) {
    this.#make = make;
    this.#port = port;
  }

  async start(accept: Accept, reserve?: Reserve): Promise<ListenAddress> {
    if (this.#started !== undefined) throw new Error(`Already listening on ${named(HOSTS[0], this.#port)}`);
    this.#started = this.#bind(accept, reserve);
    try {
      return await this.#started;
    } catch (error) {
      this.#started = undefined;
      throw error;
    }
  }

  async release(): Promise<void> {
    await this.#started?.catch(() => {}); // start() has told why
    this.#started = undefined;
    await Promise.all(this.#listeners.map((listener) => listener.release()));
  }

  async stop(): Promise<void> {
    await this.release();
    await Promise.all(this.#listeners.splice(0).map((listener) => listener.stop()));
  }

  async #bind(accept: Accept, reserve?: Reserve): Promise<ListenAddress> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#bindAll(accept, reserve);
      } catch (error) {
        if (codeOf(error) !== "EADDRINUSE" || this.#port !== 0 || tries === TRIES_MAX) throw error;
      }
    }
  }

  async #bindAll(accept: Accept, reserve?: Reserve): Promise<ListenAddress> {
    const bound: Listener[] = [];
    let first: ListenAddress | null = null;
    let absent: unknown;
    for (const host of HOSTS) {
      const listener = this.#make(host, first?.port ?? this.#port);
      try {
        const address = await listener.start(accept, reserve);
        bound.push(listener);
        first ??= address;
      } catch (error) {
        if (ABSENT.has(codeOf(error))) {
          absent = error;
          continue;
        }
        await Promise.all(bound.map((other) => other.stop()));
        throw error;
      }
    }
    if (first === null) throw absent;
    for (const listener of bound) this.#listeners.push(listener);
    return first;
  }
}

function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown }).code;
}
