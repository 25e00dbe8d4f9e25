/**
 * Throttle of handshakes: each handshake takes tokens from a bucket that fills with time. Before it runs dry, some are turned away at
 * random, the more the longer it has been empty (ZooKeeper: `connection_throttle_*`, after the BLUE algorithm of active queue management).
 *
 * Not here: whose handshake it is, and turning it away. Invariant: a handshake that is turned away takes no token.
 */
import type { ThrottleSettings } from "../options/options.ts";

export class ConnectionThrottle {
  readonly #settings: ThrottleSettings;
  readonly #random: () => number;
  /** How many tokens there can be, and how many come anew: with weights, enough for that many new sessions. */
  readonly #tokensMax: number;
  readonly #fillCount: number;
  #tokens: number;
  #filledAt: number;
  #dropChance = 0;
  #adjustedAt: number;

  /** @param random a number in [0, 1) */
  constructor(settings: ThrottleSettings, random: () => number, mono: number) {
    this.#settings = settings;
    this.#random = random;
    const newSession = settings.connectionWeights?.global ?? 1;
    this.#tokensMax = settings.connectionTokens * newSession;
    this.#fillCount = settings.connectionFillCount * newSession;
    this.#tokens = this.#tokensMax;
    this.#filledAt = mono;
    this.#adjustedAt = mono;
  }

  /** The chance that a handshake is turned away although there are tokens. */
  get dropChance(): number {
    return this.#dropChance;
  }

  /** Whether a handshake may go on; `kind` is what it asks for. */
  admits(kind: "global" | "local" | "renew", mono: number): boolean {
    const { connectionFreezeTimeMs, connectionWeights } = this.#settings;
    if (this.#tokensMax === 0) return true;
    this.#fill(mono);
    if (connectionFreezeTimeMs !== -1 && this.#isDropped(mono)) return false;
    const needed = connectionWeights?.[kind] ?? 1;
    if (this.#tokens < needed) return false;
    this.#tokens -= needed;
    return true;
  }

  #fill(mono: number): void {
    const { connectionFillTimeMs } = this.#settings;
    const elapsed = mono - this.#filledAt;
    if (elapsed <= connectionFillTimeMs) return;
    const fresh = Math.floor((elapsed * this.#fillCount) / connectionFillTimeMs);
    this.#tokens = Math.min(this.#tokens + fresh, this.#tokensMax);
    this.#filledAt = mono;
  }

  /** The chance rises while the bucket is empty and falls while it is full enough, one step after each freeze. */
  #isDropped(mono: number): boolean {
    const { connectionFreezeTimeMs, connectionDecreaseRatio } = this.#settings;
    if (mono - this.#adjustedAt > connectionFreezeTimeMs) {
      const taken = this.#tokensMax - this.#tokens;
      if (taken === this.#tokensMax) {
        this.#dropChance = Math.min(this.#dropChance + this.#settings.connectionDropIncrease, 1);
      } else if (taken <= Math.round(this.#tokensMax * connectionDecreaseRatio)) {
        this.#dropChance = Math.max(this.#dropChance - this.#settings.connectionDropDecrease, 0);
      }
      this.#adjustedAt = mono;
    }
    return this.#random() < this.#dropChance;
  }
}
