/**
 * What a seed decides beforehand: how large an ensemble is, how fast its time goes, how bad it will be.
 *
 * Everything that ZooKeeper counts in ticks is as many ticks here, whether a tick is half a second or a minute: in ensembles of long ticks hours
 * pass between faults as in real ones, and cost no more than seconds do in the others.
 */
import type { EnsembleConfig, EnsembleMember, WeightedGroups } from "../../../lib/broadcast/zab/ensemble.ts";
import type { World } from "./world.ts";

export interface Conditions {
  readonly config: EnsembleConfig;
  readonly tickMs: number;
  readonly initLimit: number;
  readonly syncLimit: number;
  /** Between two faults, on average. */
  readonly faultEveryMs: number;
  readonly stormMs: number;
  readonly clients: number;
  /** Between two acts of a client, on average. */
  readonly actEveryMs: number;
  /** Of a message that takes long. */
  readonly delayMsMax: number;
  readonly voteLoss: number;
  /** What a disk usually takes at most for a thing. */
  readonly diskMsMax: number;
  /** So many txns a leader may make before the zxids of its epoch are used up; null: as many as there are. */
  readonly txnsAnEpoch: number | null;
  /** Members come and go, and change roles. */
  readonly reconfigured: boolean;
}

export function anyConditions(world: World, stormTicks: number): Conditions {
  const tickMs = world.chance(0.4) ? world.between(200, 2000) : world.between(10_000, 60_000);
  const faultTicks = world.pick([2, 4, 6]);
  const config = anyEnsemble(world);
  return {
    config,
    tickMs,
    initLimit: world.pick([5, 10]),
    syncLimit: world.pick([3, 5]),
    faultEveryMs: faultTicks * tickMs,
    stormMs: stormTicks * tickMs,
    clients: 3,
    actEveryMs: tickMs * world.pick([0.3, 0.6, 1.2]),
    // Longer than the quiet time of an election, and shorter than what breaks every stream.
    delayMsMax: Math.min(tickMs, world.pick([50, 200, 1000])),
    diskMsMax: world.pick([8, tickMs / 20]),
    voteLoss: world.pick([0, 0.05, 0.2]),
    txnsAnEpoch: world.chance(0.1) ? 20 + world.below(200) : null,
    reconfigured: config.hierarchy === null && world.chance(0.5),
  };
}

function anyEnsemble(world: World): EnsembleConfig {
  const voters = world.pick([3, 3, 3, 5]);
  const observers = world.below(3) === 0 ? 1 : 0;
  return { ...configOf(voters, observers), hierarchy: voters === 5 && world.chance(0.3) ? anyWeights(world) : null };
}

export function configOf(voters: number, observers: number): EnsembleConfig {
  const members = Array.from({ length: voters + observers }, (_, at) =>
    member(at + 1, at < voters ? "participant" : "observer"),
  );
  return { members, hierarchy: null, version: 0n };
}

/** Two of five weigh nothing, or three groups of which two decide. */
function anyWeights(world: World): WeightedGroups {
  if (world.chance(0.5)) {
    const weights = new Map([1n, 2n, 3n, 4n, 5n].map((id) => [id, id > 3n ? 0 : 1]));
    return { groups: new Map([[1n, [1n, 2n, 3n, 4n, 5n]]]), weights };
  }
  const groups = new Map([
    [1n, [1n, 2n]],
    [2n, [3n]],
    [3n, [4n, 5n]],
  ]);
  return { groups, weights: new Map([[2n, 2]]) };
}

function member(id: number, role: EnsembleMember["role"]): EnsembleMember {
  const host = `127.0.0.${id}`;
  return { id: BigInt(id), addresses: [{ host, quorumPort: 2888, electionPort: 3888 }], role, client: { host, port: 2181 } };
}
