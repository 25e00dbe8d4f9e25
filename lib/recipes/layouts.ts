/**
 * Names of the znodes that stand in line, as Curator and kazoo write them, so that programs in several languages share one lock.
 *
 * A name holds a text that only its maker knows (the guid), by which a create without an answer is recognised, and ends in the parent's counter.
 *
 * Invariant: what is read here is what either library would read; what is no contender's name is passed over.
 */
import { checkOneOf, checkOptions } from "../base/validate.ts";
import type { ZooKeeper } from "../client/zookeeper.ts";

/** Whose names a recipe writes and reads. They don't see one another's. */
export type Layout = "curator" | "kazoo";

/** The layout among options that hold nothing else. @throws TypeError for any other option */
export function takeLayout(action: string, options: { readonly layout?: Layout }): Layout {
  checkOptions(action, options, ["layout"], '{ layout: "kazoo" }');
  const { layout = "curator" } = options;
  checkOneOf(action, "layout", layout, LAYOUTS);
  return layout;
}

/** All of them. */
export const LAYOUTS: readonly Layout[] = ["curator", "kazoo"];

/** A contender's znode, by its name. */
export interface Place {
  readonly name: string;
  /** The kind of contender, as it stands in the name: `lock-`, `__rlock__` … */
  readonly kind: string;
  /** The counter at the end. */
  readonly sequence: string;
}

/** What a contender's name begins with; the server appends the counter. */
export function namePrefix(layout: Layout, kind: string, guid: string): string {
  return layout === "curator" ? `_c_${guid}-${kind}` : `${guid.replaceAll("-", "")}${kind}`;
}

/** The contenders of these kinds among the children, first come first. */
export function placesOf(children: readonly string[], kinds: readonly string[]): Place[] {
  const places: Place[] = [];
  for (const name of children) {
    const kind = kinds.find((one) => name.startsWith(one, name.length - SEQUENCE_DIGITS - one.length));
    const sequence = name.slice(-SEQUENCE_DIGITS);
    if (kind !== undefined && /^[\d-]\d{9}$/.test(sequence)) places.push({ name, kind, sequence });
  }
  return places.sort((a, b) => turnOf(a) - turnOf(b));
}

const SEQUENCE_DIGITS = 10;
/** The counter is Java's int: behind the highest comes the lowest, and a line is never half that long. */
const COUNTERS = 2 ** 32;

/** A number that grows along the line. Where a counter has overflowed, negative numbers come behind the positive ones. */
function turnOf({ sequence }: Place): number {
  const counter = Number(sequence);
  return counter < 0 ? counter + COUNTERS : counter;
}

/** A text that never comes twice: the session's id, which no other client has, and chance. Formed like a UUID, as Curator writes one. */
export function newGuid(zk: ZooKeeper): string {
  const session = BigInt.asUintN(64, zk.sessionId).toString(16).padStart(16, "0");
  const chance = Array.from({ length: 16 }, () => Math.floor(zk.random() * 16).toString(16)).join("");
  const text = session + chance;
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join("-");
}
