/**
 * Decision of a client's reconfiguration: the next configuration, or the first check that fails, in ZooKeeper's order.
 *
 * Not here: whether a quorum of it is there (leader.ts), and whether the client may (the kernel). Pure.
 */
import type { ErrorCode } from "../../model/errors.ts";
import type { ReconfigOp } from "../../model/ops.ts";
import type { Zxid } from "../../model/types.ts";
import { Ensemble, type EnsembleMember } from "./ensemble.ts";
import { parseEnsemble } from "./ensemble_text.ts";
import type { Membership } from "./membership.ts";
import type { MemberId } from "./messages.ts";
import { parseServerLine } from "./server_line.ts";

/** -1 asks for any version. */
const ANY_VERSION = -1n;

/** What the next configuration may be. */
export interface ReconfigurationLimits {
  /** How many must be left to vote: two, unless one alone may be an ensemble. */
  readonly votersMin: 1 | 2;
  /** The highest number that a new member may have, as its ephemerals could not be told from TTL znodes; none unless told. */
  readonly memberIdMax?: number;
}

export function nextEnsemble(
  op: ReconfigOp,
  membership: Membership,
  zxid: Zxid,
  { votersMin }: ReconfigurationLimits,
): Ensemble | ErrorCode {
  if (membership.isChanging) return "ReconfigInProgress";
  if (op.curConfigId !== ANY_VERSION && op.curConfigId !== membership.committed.version) return "BadVersion";
  const next = op.newMembers === null ? changed(op, membership.committed) : whole(op.newMembers, votersMin);
  if (typeof next === "string") return next;
  return next.voters.size < votersMin ? "BadArguments" : next.withVersion(zxid);
}

/** Whether someone new has a number with which it refuses to start. ZooKeeper takes such a one. */
export function hasMemberThatCantStart(
  next: Ensemble,
  committed: Ensemble,
  { memberIdMax = Number.POSITIVE_INFINITY }: ReconfigurationLimits,
): boolean {
  return [...next.members.keys()].some((id) => id > memberIdMax && !committed.members.has(id));
}

/** The whole list anew, its lines parted by commas or line ends. */
function whole(newMembers: string, votersMin: 1 | 2): Ensemble | ErrorCode {
  try {
    const next = parseEnsemble(newMembers.replaceAll(",", "\n"));
    const { size } = next.voters;
    // ZooKeeper trips over these, where all other refusals are BadArguments.
    const trips = votersMin === 1 ? size === 0 : size < 2 && next.members.size > size;
    return trips ? "MarshallingError" : next;
  } catch {
    return "BadArguments";
  }
}

/** Some leave, then some join, or are listed anew. Who votes with which weight can't be changed one by one. */
function changed({ joiningServers, leavingServers }: ReconfigOp, committed: Ensemble): Ensemble | ErrorCode {
  if (committed.config.hierarchy !== null) return "BadArguments";
  const members = new Map(committed.members);
  for (const leaving of parts(leavingServers)) {
    if (!NUMBER.test(leaving)) return "MarshallingError";
    members.delete(BigInt(leaving));
  }
  const places = new Places(members.values());
  for (const joining of parts(joiningServers)) {
    const member = joiner(joining);
    if (typeof member === "string") return member;
    if (places.isOthers(member)) return "BadArguments";
    places.replace(members.get(member.id), member);
    members.set(member.id, member);
  }
  return new Ensemble({ members: [...members.values()], hierarchy: null, version: 0n });
}

const NUMBER = /^-?\d{1,18}$/;

function parts(list: string | null): string[] {
  return (list ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** A joiner's line must say all three ports. */
function joiner(line: string): EnsembleMember | ErrorCode {
  const [key = "", value, ...rest] = line.split("=");
  if (value === undefined || rest.length > 0) return "BadArguments";
  const number = key.slice(key.lastIndexOf(".") + 1).trim();
  if (!NUMBER.test(number)) return "MarshallingError";
  try {
    const member = parseServerLine(`server.${number}`, value);
    return member.client === null ? "BadArguments" : member;
  } catch {
    return "BadArguments";
  }
}

/** Whose the places are: a list of joiners may be as long as a request, and each is held against all. */
class Places {
  readonly #owners = new Map<string, Set<MemberId>>();

  constructor(members: Iterable<EnsembleMember>) {
    for (const member of members) this.replace(undefined, member);
  }

  /** Whether one of its ports is another member's. */
  isOthers(member: EnsembleMember): boolean {
    return placesOf(member).some((place) => {
      const owners = this.#owners.get(place);
      return owners !== undefined && (owners.size > 1 || !owners.has(member.id));
    });
  }

  replace(before: EnsembleMember | undefined, member: EnsembleMember): void {
    for (const place of before === undefined ? [] : placesOf(before)) {
      const owners = this.#owners.get(place);
      owners?.delete(member.id);
      if (owners?.size === 0) this.#owners.delete(place);
    }
    for (const place of placesOf(member)) this.#owners.set(place, (this.#owners.get(place) ?? new Set()).add(member.id));
  }
}

/** Where it can be found. As in ZooKeeper, addresses that each machine has for itself don't count. */
function placesOf({ addresses, client }: EnsembleMember): string[] {
  const places = [
    ...addresses.flatMap(({ host, quorumPort, electionPort }) => [quorumPort, electionPort].map((port) => ({ host, port }))),
    ...(client === null ? [] : [client]),
  ];
  return places.flatMap(({ host, port }) => (host === null || OWN_HOST.test(host) ? [] : [`${host}:${port}`]));
}

const OWN_HOST = /^(?:127\.[\d.]+|0\.0\.0\.0|localhost|::1?)$/;
