/**
 * A change of the ensemble's members, as a client asks for it.
 */
import type { ReconfigOp } from "../ops.ts";

/** Either who joins and who leaves, or `members`: all of them anew. */
export interface Reconfig {
  /** Lines as in zoo.cfg, with all ports: `server.4=10.0.0.4:2888:3888:participant;2181`. One that is a member already is changed. */
  readonly joining?: readonly string[];
  /** Numbers of members. */
  readonly leaving?: readonly (number | bigint)[];
  /** Lines as in zoo.cfg. */
  readonly members?: readonly string[];
  /** The version of the configuration that is to be changed, else `BadVersion`: the `version=` of what `getConfig()` answers. Default any. */
  readonly fromConfig?: bigint;
}

export function reconfigOp({ joining, leaving, members, fromConfig = -1n }: Reconfig): ReconfigOp {
  return {
    kind: "reconfig",
    joiningServers: joining?.join() ?? null,
    leavingServers: leaving?.join() ?? null,
    newMembers: members?.join("\n") ?? null,
    curConfigId: fromConfig,
  };
}
