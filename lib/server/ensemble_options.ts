/**
 * Options of an ensemble's member as they hold from the call on: by their shape, and as members that can be an ensemble together.
 *
 * Invariant: what is taken is a copy, down to the last member, but for functions and what has methods.
 */

import { argumentError, describe } from "../base/validate.ts";
import { Ensemble, type EnsembleConfig, type EnsembleMember, type WeightedGroups } from "../broadcast/zab/ensemble.ts";
import { DIALER } from "../options/ports.ts";
import {
  anyNumber,
  bigInt,
  callback,
  flag,
  having,
  listOf,
  objectOf,
  oneOf,
  orNull,
  type Take,
  takeOptions,
  text,
  wholeNumber,
} from "../options/shape.ts";
import { serverIdProblem } from "../session/identity.ts";
import type { ExtendedTypes } from "../tree/znode.ts";
import type { EnsembleOptions, PeerNetwork } from "./ensemble.ts";

const INT_MAX = 2 ** 31 - 1;
const PORT = wholeNumber(0, 65_535);
const HOST = text('"10.0.0.1"');
const CONFIG_EXAMPLE = 'ensembleConfig(["server.1=10.0.0.1:2888:3888"])';

/** A map of bigints to something. */
function mapOf<T>(take: Take<T>): Take<ReadonlyMap<bigint, T>> {
  return (given, action, name) => {
    if (Object.prototype.toString.call(given) !== "[object Map]")
      throw argumentError(action, `${name} must be a Map, not ${describe(given)}`);
    const entries = [...(given as Map<unknown, unknown>)];
    return new Map(
      entries.map(([key, value]) => [bigInt(key, action, `${name}'s key`), take(value, action, `${name}[${describe(key)}]`)]),
    );
  };
}

const MEMBER = objectOf<EnsembleMember>(
  {
    id: bigInt,
    addresses: listOf(
      objectOf({ host: HOST, quorumPort: PORT, electionPort: PORT }, CONFIG_EXAMPLE, ["host", "quorumPort", "electionPort"]),
      CONFIG_EXAMPLE,
    ),
    role: oneOf(["participant", "observer"]),
    client: orNull(objectOf({ host: orNull(HOST), port: PORT }, CONFIG_EXAMPLE, ["host", "port"])),
  },
  CONFIG_EXAMPLE,
  ["id", "addresses", "role", "client"],
);

const CONFIG = objectOf<EnsembleConfig>(
  {
    members: listOf(MEMBER, CONFIG_EXAMPLE),
    hierarchy: orNull(
      objectOf<WeightedGroups>(
        { groups: mapOf(listOf(bigInt, "[1n, 2n]")), weights: mapOf(wholeNumber(0, INT_MAX)) },
        CONFIG_EXAMPLE,
        ["groups", "weights"],
      ),
    ),
    version: bigInt,
  },
  CONFIG_EXAMPLE,
  ["members", "hierarchy", "version"],
);

const PEERS: Take<PeerNetwork> = (given, action, name) => {
  const peers = having<PeerNetwork>(["listener"], "tcpPeers()")(given, action, name);
  DIALER(peers.dialer, action, `${name}.dialer`);
  if (peers.auth !== undefined)
    having<typeof peers.auth>(["dialled", "accepted"], "that of tcpPeers()")(peers.auth, action, `${name}.auth`);
  if (peers.gather !== undefined) callback("(run) => …")(peers.gather, action, `${name}.gather`);
  return peers;
};

const OPTIONS = objectOf<EnsembleOptions>(
  {
    id: wholeNumber(0, 255),
    config: CONFIG,
    lastSeen: CONFIG,
    configStore: having(["saveCommitted", "saveProposed"], "{ saveCommitted, saveProposed }"),
    mayVoteAlone: flag,
    clientAddressChanged: callback("(client) => …"),
    initLimit: wholeNumber(1, INT_MAX),
    syncLimit: wholeNumber(1, INT_MAX),
    snapshotSizeFactor: anyNumber,
    listenOnAllInterfaces: flag,
    peers: PEERS,
  },
  "{ id: 1, config, peers: tcpPeers() }",
  ["id", "config", "peers"],
);

/**
 * The options of a member.
 *
 * @throws TypeError that names all that is wrong
 */
export function takeEnsemble(given: unknown, extendedTypes: ExtendedTypes): EnsembleOptions {
  const action = "open a member of an ensemble";
  const options = takeOptions(action, given, OPTIONS);
  const problems = memberProblems(options, extendedTypes);
  if (problems.length > 0) throw argumentError(action, problems.join("; "));
  return options;
}

function memberProblems({ id, config, lastSeen }: EnsembleOptions, extendedTypes: ExtendedTypes): string[] {
  const ids = config.members.map((member) => member.id);
  const stranger = ids.includes(BigInt(id)) ? [] : [`id: ${id} is not among the members ${ids.join(", ")}`];
  const later = lastSeen === undefined ? [] : configProblems(lastSeen, extendedTypes);
  return [...stranger, ...configProblems(config, extendedTypes), ...later.map((problem) => `lastSeen: ${problem}`)];
}

function configProblems(config: EnsembleConfig, extendedTypes: ExtendedTypes): string[] {
  const ensemble = new Ensemble(config);
  const problems: string[] = [];
  if (ensemble.members.size !== config.members.length) problems.push("members: two have the same number");
  if (ensemble.voters.size === 0) problems.push("members: none of them votes");
  for (const member of config.members) {
    if (member.id < 0n) problems.push(`members: ${member.id} is below 0`);
    if (member.addresses.length === 0) problems.push(`members: ${member.id} has no address`);
    const problem = serverIdProblem(member.id, extendedTypes);
    if (problem !== null) problems.push(`members: ${problem}`);
  }
  return problems;
}
