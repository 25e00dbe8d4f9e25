/**
 * The requests of one connection as one buffer of encoded frames that is sent round and round.
 *
 * Invariant: there are more frames than may be outstanding, so a frame is only patched and sent again after its reply has arrived.
 */

import { create, exists, getChildren, getData, ping, remove, setData, sync } from "./frames.ts";
import type { RequestName, RequestsJob } from "./job.ts";

/** Nodes that the reads and sets of a job are spread over. */
export const NODES = 100;

/** Children of the node whose children are listed. */
export const CHILDREN = 100;

export const PARENT_PATH = "/bench";
export const LISTED_PATH: string = `${PARENT_PATH}/listed`;
export const PAIRS_PATH: string = `${PARENT_PATH}/pairs`;

const ROUND = 200;

export interface Script {
  readonly frames: Buffer;
  /** Frame i is `frames[starts[i], starts[i + 1])`. */
  readonly starts: readonly number[];
  /** Whether the connection may stop before frame i: not between a create and its delete, so that no node is left behind. */
  readonly mayStopAt: readonly boolean[];
  readonly length: number;
}

/** A node that holds `dataBytes` of data; jobs of different sizes do not disturb each other. */
export function nodePath(dataBytes: number, index: number): string {
  return `${dataPath(dataBytes)}/node${String(index % NODES).padStart(2, "0")}`;
}

export function dataPath(dataBytes: number): string {
  return `${PARENT_PATH}/data${dataBytes}`;
}

export function script(job: RequestsJob, connection: number): Script {
  const data = Buffer.alloc(job.dataBytes, "z");
  // Connections start at different requests and nodes: they are not to write all at the same moment.
  const steps = rotate(interleave(job.mix), connection * 7).map((name, step) => {
    const path = nodePath(job.dataBytes, step + connection * 37);
    const pair = `${PAIRS_PATH}/c${connection}-${step}`;
    return encode(name, path, pair, data);
  });
  const frames = steps.flat();
  if (frames.length <= job.outstanding) throw new Error(`at most ${frames.length - 1} requests may be outstanding`);
  const starts = [0];
  for (const frame of frames) starts.push(starts.at(-1)! + frame.length);
  const mayStopAt = steps.flatMap((step) => step.map((_, at) => at === 0));
  return { frames: Buffer.concat(frames), starts, mayStopAt, length: frames.length };
}

function encode(name: RequestName, path: string, pair: string, data: Uint8Array): Buffer[] {
  switch (name) {
    case "getData":
      return [getData(path)];
    case "exists":
      return [exists(path)];
    case "getChildren":
      return [getChildren(LISTED_PATH)];
    case "setData":
      return [setData(path, data)];
    case "createDelete":
      return [create(pair, data), remove(pair)];
    case "ping":
      return [ping()];
    case "sync":
      return [sync(path)];
  }
}

/** Spreads the requests evenly: a tenth of writes is every tenth request. */
function interleave(mix: RequestsJob["mix"]): RequestName[] {
  const entries = Object.entries(mix) as [RequestName, number][];
  const owed = new Map(entries.map(([name]) => [name, 0]));
  return Array.from({ length: ROUND }, () => {
    for (const [name, share] of entries) owed.set(name, owed.get(name)! + share);
    const next = [...owed].reduce((most, entry) => (entry[1] > most[1] ? entry : most))[0];
    owed.set(next, owed.get(next)! - 1);
    return next;
  });
}

function rotate<T>(values: readonly T[], by: number): T[] {
  const from = by % values.length;
  return [...values.slice(from), ...values.slice(0, from)];
}
