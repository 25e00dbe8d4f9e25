/**
 * Comparison of two answers, where session ids and zxids may have other numbers and times are other times.
 *
 * Invariant: one number always stands for the same other one; which one it is, is learned where it is first met.
 */

/** Fields that hold the id of a session; every other bigint is a zxid. */
const SESSION_FIELDS: ReadonlySet<string> = new Set(["session", "sessionId", "ephemeralOwner"]);
/** Fields that say when something was. */
const TIME_FIELDS: ReadonlySet<string> = new Set(["ctime", "mtime"]);
/** Lists in no order that means anything. */
const UNORDERED_FIELDS: ReadonlySet<string> = new Set(["children", "ephemerals", "clientInfo"]);

/** Pairs of numbers of which each belongs to one pair only. */
class Pairs {
  readonly #nowOf = new Map<bigint, bigint>();
  readonly #recordedOf = new Map<bigint, bigint>();

  nowOf(recorded: bigint): bigint {
    return this.#nowOf.get(recorded) ?? recorded;
  }

  /** Whether they are a pair; two that are in none become one. */
  match(recorded: bigint, now: bigint): boolean {
    const known = this.#nowOf.get(recorded);
    if (known !== undefined || this.#recordedOf.has(now)) return known === now;
    this.#nowOf.set(recorded, now);
    this.#recordedOf.set(now, recorded);
    return true;
  }
}

/** What stands for what. */
export class Renaming {
  readonly #zxids = new Pairs();
  readonly #sessions = new Pairs();

  /** The number that stands for a zxid here; the zxid itself where none has been met. */
  zxid(recorded: bigint): bigint {
    return this.#zxids.nowOf(recorded);
  }

  session(recorded: bigint): bigint {
    return this.#sessions.nowOf(recorded);
  }

  /** Whether the two say the same; what is met for the first time does. */
  isSame(recorded: unknown, now: unknown, field = ""): boolean {
    if (TIME_FIELDS.has(field)) return true;
    if (typeof recorded === "bigint" && typeof now === "bigint") return this.#isSameNumber(recorded, now, field);
    if (recorded instanceof Uint8Array && now instanceof Uint8Array)
      return recorded.length === now.length && recorded.every((byte, at) => byte === now[at]);
    if (Array.isArray(recorded) && Array.isArray(now)) return this.#isSameList(recorded, now, field);
    if (isObject(recorded) && isObject(now)) return this.#isSameObject(recorded, now);
    return Object.is(recorded, now);
  }

  #isSameNumber(recorded: bigint, now: bigint, field: string): boolean {
    // "None" and "any" are no names.
    if (recorded <= 0n || now <= 0n) return recorded === now;
    return (SESSION_FIELDS.has(field) ? this.#sessions : this.#zxids).match(recorded, now);
  }

  #isSameList(recorded: readonly unknown[], now: readonly unknown[], field: string): boolean {
    if (recorded.length !== now.length) return false;
    if (!UNORDERED_FIELDS.has(field)) return recorded.every((item, at) => this.isSame(item, now[at]));
    const sorted = (items: readonly unknown[]): string[] => items.map((item) => JSON.stringify(item)).sort();
    const other = sorted(now);
    return sorted(recorded).every((item, at) => item === other[at]);
  }

  #isSameObject(recorded: Readonly<Record<string, unknown>>, now: Readonly<Record<string, unknown>>): boolean {
    const fields = Object.keys(recorded);
    // All of them, so that every number is learned, also behind a difference.
    const same = fields.map((field) => field in now && this.isSame(recorded[field], now[field], field));
    return fields.length === Object.keys(now).length && same.every(Boolean);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
