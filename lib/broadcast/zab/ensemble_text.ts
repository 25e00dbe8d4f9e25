/**
 * An ensemble's configuration as ZooKeeper writes it: in votes, in NEWLEADER, in a reconfiguration's txn and in `/zookeeper/config`.
 *
 * Invariant: what is written is read back as the same configuration.
 */
import { parseJavaLong } from "../../base/java_long.ts";
import { argumentError } from "../../base/validate.ts";
import type { Proposal } from "../../model/txns.ts";
import { listOf, text } from "../../options/shape.ts";
import { Ensemble, type EnsembleConfig, type EnsembleMember } from "./ensemble.ts";
import type { MemberId } from "./messages.ts";
import { parseServerLine, serverLine } from "./server_line.ts";

const LINE_EXAMPLE = '"server.1=10.0.0.1:2888:3888"';

/** Lines without an end; the version is the last. */
export function ensembleText({ config }: Ensemble): string {
  return [...configLines(config), `version=${config.version.toString(16)}`].join("\n");
}

/** One line for each member, group and weight. */
export function configLines({ members, hierarchy }: EnsembleConfig): string[] {
  const servers = [...members].sort((one, other) => (one.id < other.id ? -1 : 1)).map(serverLine);
  const groups = Array.from(hierarchy?.groups ?? [], ([group, ids]) => `group.${group}=${ids.join(":")}`);
  const weights = Array.from(hierarchy?.weights ?? [], ([id, weight]) => `weight.${id}=${weight}`);
  return [...servers, ...groups, ...weights];
}

/**
 * Reads a configuration's lines, in whatever order they stand.
 *
 * @throws Error that says which line is none
 */
export function parseEnsemble(text: string): Ensemble {
  const members = new Map<MemberId, EnsembleMember>();
  const groups = new Map<bigint, readonly MemberId[]>();
  const weights = new Map<MemberId, number>();
  let version = 0n;
  for (const line of text.split("\n").map((one) => one.trim())) {
    if (line === "") continue;
    const [key, value] = keyAndValue(line);
    if (key.startsWith("server.")) {
      const member = parseServerLine(key, value);
      members.set(member.id, member);
    } else if (key.startsWith("group.") || key.startsWith("weight.")) {
      readHierarchyLine(key, value, groups, weights);
    } else if (key === "version" && /^[0-9a-f]{1,16}$/i.test(value)) {
      version = BigInt(`0x${value}`);
    } else {
      throw noLine(line);
    }
  }
  const hierarchy = groups.size + weights.size === 0 ? null : { groups, weights };
  return new Ensemble({ members: [...members.values()], hierarchy, version });
}

/**
 * Members from their lines, as they stand in zoo.cfg: `server.1=10.0.0.1:2888:3888`, and `group.N` and `weight.N` where votes are counted by groups.
 *
 * @throws TypeError that says which line is none, or which member stands twice
 *
 * @example
 * ```ts
 * const config = ensembleConfig(["server.1=10.0.0.1:2888:3888", "server.2=10.0.0.2:2888:3888:observer;2181"]);
 * ```
 */
export function ensembleConfig(lines: readonly string[]): EnsembleConfig {
  const action = "read the ensemble's configuration";
  const own = LINES(lines, action, "lines");
  const keys = own.map((line) => keyAndValue(line.trim())[0]);
  const twice = keys.find((key, at) => key !== "" && keys.indexOf(key) < at);
  if (twice !== undefined) throw argumentError(action, `${twice} stands there twice`);
  try {
    return parseEnsemble(own.join("\n")).config;
  } catch (cause) {
    throw argumentError(action, (cause as Error).message);
  }
}

const LINES = listOf(text(LINE_EXAMPLE), `[${LINE_EXAMPLE}]`);

function keyAndValue(line: string): [key: string, value: string] {
  const at = line.indexOf("=");
  return at < 0 ? [line, ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
}

/**
 * Reads `group.<number>=<id>:<id>…` or `weight.<id>=<votes>` into one of the two.
 *
 * @throws Error where it is neither
 */
export function readHierarchyLine(
  key: string,
  value: string,
  groups: Map<bigint, readonly MemberId[]>,
  weights: Map<MemberId, number>,
): void {
  const number = parseId(key.slice(key.indexOf(".") + 1));
  const ids = value.split(":").map(parseId);
  const isGroup = key.startsWith("group.");
  if (number === null || (isGroup ? ids.includes(null) : !/^\d{1,9}$/.test(value))) throw noLine(`${key}=${value}`);
  if (isGroup) groups.set(number, ids as bigint[]);
  else weights.set(number, Number(value));
}

function parseId(text: string): bigint | null {
  return /^\d/.test(text) ? parseJavaLong(text) : null;
}

function noLine(line: string): Error {
  return new Error(`${line.slice(0, 80)} is no line of a configuration`);
}

/** Whether the two are the same but for their versions. */
export function hasSameMembers(one: Ensemble, other: Ensemble): boolean {
  return configLines(one.config).join("\n") === configLines(other.config).join("\n");
}

/** The configuration that a proposal puts in force once it is committed; null for all but reconfigurations. */
export function ensembleOf({ txn }: Proposal): Ensemble | null {
  return txn.kind === "reconfig" ? parseEnsemble(new TextDecoder().decode(txn.data ?? undefined)) : null;
}

/** Whether learners find the member where they found it before. */
export function isAtSamePlace(before: EnsembleMember | undefined, after: EnsembleMember | undefined): boolean {
  const placesOf = (member: EnsembleMember): string =>
    member.addresses.map(({ host, quorumPort }) => `${host}:${quorumPort}`).join();
  return before !== undefined && after !== undefined && placesOf(before) === placesOf(after);
}
