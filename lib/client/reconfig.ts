/**
 * A change of the ensemble's members, as a client asks for it.
 */

import { argumentError, checkOptions, describe } from "../base/validate.ts";
import type { ReconfigOp } from "../model/ops.ts";

/** Either who joins and who leaves, or `members`: all of them anew. */
export interface Reconfig {
  /** Lines as in zoo.cfg, with all ports: `server.4=10.0.0.4:2888:3888:participant;2181`. One that is a member already is changed. */
  readonly joining?: readonly string[] | undefined;
  /** Numbers of members. */
  readonly leaving?: readonly (number | bigint)[] | undefined;
  /** Lines as in zoo.cfg. */
  readonly members?: readonly string[] | undefined;
  /** The version of the configuration that is to be changed, else `BadVersion`: the `version=` of what `getConfig()` answers. Default any. */
  readonly fromConfig?: bigint | undefined;
}

const KEYS = ["joining", "leaving", "members", "fromConfig"] as const;
const LINES_EXAMPLE = '["server.4=10.0.0.4:2888:3888:participant;2181"]';

/** @throws TypeError for what is no {@link Reconfig} */
export function reconfigOp(change: Reconfig): ReconfigOp {
  checkOptions("reconfig", change, KEYS, `{ joining: ${LINES_EXAMPLE} }`, "changes");
  const { joining, leaving, members, fromConfig = ANY_CONFIG } = change;
  if (typeof fromConfig !== "bigint" || BigInt.asIntN(64, fromConfig) !== fromConfig)
    throw argumentError("reconfig", `fromConfig must be a bigint of 64 bits such as 0x100000000n, not ${describe(fromConfig)}`);
  return {
    kind: "reconfig",
    joiningServers: joined("joining", joining, ",", isLine, LINES_EXAMPLE),
    leavingServers: joined("leaving", leaving, ",", isNumber, "[4]"),
    newMembers: joined("members", members, "\n", isLine, LINES_EXAMPLE),
    curConfigId: fromConfig,
  };
}

const ANY_CONFIG = -1n;

function joined(
  name: string,
  list: unknown,
  separator: string,
  isItem: (item: unknown) => boolean,
  example: string,
): string | null {
  if (list === undefined) return null;
  if (!Array.isArray(list))
    throw argumentError("reconfig", `${name} must be an array such as ${example}, not ${describe(list)}`);
  const items = Array.from<unknown>(list);
  const at = items.findIndex((item) => !isItem(item));
  if (at === -1) return items.join(separator);
  throw argumentError("reconfig", `${name} must be an array such as ${example}, but ${name}[${at}] is ${describe(items[at])}`);
}

const isLine = (item: unknown): boolean => typeof item === "string";
const isNumber = (item: unknown): boolean => typeof item === "bigint" || Number.isSafeInteger(item);
