/**
 * Which server to try next: round the list in random order, and after the list was replaced, to the right server with the right probability, so
 * that the servers' loads stay equal without anybody counting clients.
 *
 * Not here: waiting between attempts (session.ts), names and addresses (adapters). Randomness is given.
 *
 * Invariant: a server that can't be reached never keeps the others from being tried.
 */
import type { ServerAddress } from "../ports.ts";

/** A number in [0, 1). */
type Random = () => number;

/** The search for a server after an update that made this client leave its own. */
interface Rebalancing {
  /** Servers of both lists, and of the new list only, that have not been tried. */
  readonly old: ServerAddress[];
  readonly fresh: ServerAddress[];
  /** With which probability the next try is one of the new ones. */
  readonly freshProbability: number;
}

export class ServerList {
  readonly #random: Random;
  #servers: readonly ServerAddress[];
  /** Of the server given out last; -1 before the first. */
  #at = -1;
  #tried = 0;
  /** The last one that was reached. */
  #reached: ServerAddress | null = null;
  #rebalancing: Rebalancing | null = null;

  constructor(servers: readonly ServerAddress[], random: Random) {
    this.#random = random;
    this.#servers = shuffled(servers, random);
  }

  get length(): number {
    return this.#servers.length;
  }

  /** Whether every server has been tried since the last success. */
  get isRoundDone(): boolean {
    return this.#rebalancing === null && this.#tried > 0 && this.#tried % this.#servers.length === 0;
  }

  /** The server to try next. */
  next(): ServerAddress {
    this.#tried++;
    return this.candidate();
  }

  /** The server that would be tried next, for a question rather than a try. */
  candidate(): ServerAddress {
    const chosen = this.#nextOfRebalancing();
    this.#at = chosen === null ? (this.#at + 1) % this.#servers.length : this.#indexOf(chosen);
    return this.#servers[this.#at]!;
  }

  /** Makes the server given out last the next one, too. */
  stay(): void {
    this.#at = (this.#at + this.#servers.length - 1) % this.#servers.length;
  }

  /** A server that was given out has been reached. */
  succeeded(server: ServerAddress): void {
    this.#tried = 0;
    this.#reached = server;
    this.#rebalancing = null;
    this.#at = this.#indexOf(server);
  }

  /**
   * Replaces the list; true if this client is to leave the server it has, for the sake of balance.
   *
   * With S the old list and S' the new one: where S' is larger, a client whose server stays leaves it with probability 1 − |S|/|S'|, and every
   * client that moves goes to one of the new servers. Where it is not, clients whose server stays stay, and the others go to one of the servers
   * that remain with probability |S ∩ S'|·(|S| − |S'|) / (|S'|·(|S| − |S ∩ S'|)), else to a new one.
   */
  update(servers: readonly ServerAddress[]): boolean {
    const before = this.#servers;
    const current = this.#rebalancing === null ? (this.#reached ?? before[0]!) : this.next();
    const [S, S2] = [before.length, servers.length];
    this.#servers = shuffled(servers, this.#random);
    this.#tried = 0;
    const old = this.#servers.filter((server) => isIn(before, server));
    const fresh = this.#servers.filter((server) => !isIn(before, server));
    const stays = isIn(servers, current) && (S2 <= S || this.#random() >= 1 - S / S2);
    this.#at = stays ? this.#indexOf(current) : -1;
    // Nothing but servers that were there before: the fraction has no value, and there is no new one to go to.
    const toOld = S2 > S || old.length === S ? 0 : (old.length * (S - S2)) / (S2 * (S - old.length));
    this.#rebalancing = stays ? null : { old, fresh, freshProbability: 1 - toOld };
    return !stays;
  }

  #nextOfRebalancing(): ServerAddress | null {
    if (this.#rebalancing === null) return null;
    const { old, fresh, freshProbability } = this.#rebalancing;
    const takesFresh = old.length === 0 || this.#random() < freshProbability;
    const chosen = (takesFresh ? fresh.shift() : undefined) ?? old.shift() ?? fresh.shift();
    if (old.length + fresh.length === 0) this.#rebalancing = null;
    return chosen ?? null;
  }

  #indexOf(server: ServerAddress): number {
    return this.#servers.findIndex((one) => isSame(one, server));
  }
}

function isIn(servers: readonly ServerAddress[], server: ServerAddress): boolean {
  return servers.some((one) => isSame(one, server));
}

function isSame(one: ServerAddress, other: ServerAddress): boolean {
  return one.host === other.host && one.port === other.port;
}

/** Every order is as likely as any other. */
function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  const order = [...items];
  for (let left = order.length; left > 1; left--) {
    const chosen = Math.floor(random() * left);
    [order[left - 1], order[chosen]] = [order[chosen]!, order[left - 1]!];
  }
  return order;
}
