/**
 * Line of contenders: each stands behind the one that keeps it from its turn, and watches that one alone.
 *
 * Not here: which one that is (each recipe says it), and what is done with the turn.
 *
 * Invariants: what is read again decides, never the event that led to it. Nobody is woken but by the one in front, so that no herd runs. A contender
 * whose own znode is gone is in the line no more.
 */

import type { AbortSignal } from "../base/platform_types.ts";
import type { LossRule } from "../client/lease.ts";
import type { ZooKeeper } from "../client/zookeeper.ts";
import { Contender, deletedError, watchDeletion } from "./contender.ts";
import { type Layout, namePrefix, newGuid, type Place, placesOf } from "./layouts.ts";
import { Tenure } from "./ownership.ts";
import { Notices, untilAnswered, type WaitOptions, within } from "./waiting.ts";

/** A kind of line. */
export interface LineOptions {
  readonly operation: string;
  /** The znode whose children stand in line. */
  readonly path: string;
  readonly layout: Layout;
  /** This contender's kind, as its name says it. */
  readonly kind: string;
  /** The kinds that stand in the line. */
  readonly kinds: readonly string[];
  /** The number of a place that this contender shares; null: it stands at the end of the line. */
  readonly sequence: string | null;
  /** What the contender's znode holds. */
  readonly data: Uint8Array | string | null;
  readonly rule: LossRule;
  /** Who keeps the one at `own` from its turn; null: nobody does. */
  blocker(places: readonly Place[], own: number): Place | null;
}

/** Whoever stands right in front. */
export function inFront(places: readonly Place[], own: number): Place | null {
  return places[own - 1] ?? null;
}

/** Stands in line until its turn comes. Whatever ends the wait before, the place in the line is given up. */
export function takeTurn(zk: ZooKeeper, line: LineOptions, wait: WaitOptions): Promise<Tenure> {
  const { operation, path, layout, kind, sequence, data, rule } = line;
  const enter = async (signal: AbortSignal): Promise<Tenure> => {
    const prefix = namePrefix(layout, kind, newGuid(zk));
    const contender = await Contender.enter(zk, { parent: path, prefix, sequence, data }, signal);
    try {
      await waitForTurn(zk, line, contender, signal);
      return new Tenure(zk, contender, rule);
    } catch (error) {
      void contender.leave().catch(() => {});
      throw error;
    }
  };
  return within(zk, { operation, path }, wait, enter, (tenure) => tenure?.exit());
}

async function waitForTurn(zk: ZooKeeper, line: LineOptions, own: Contender, signal: AbortSignal): Promise<void> {
  const { operation, path, kinds } = line;
  const notices = new Notices();
  let isOwnWatched = false;
  for (;;) {
    const { children } = await untilAnswered(() => zk.getChildren(path, { signal }), signal);
    const places = placesOf(children, kinds);
    const index = places.findIndex(({ name }) => name === own.name);
    if (index < 0) throw deletedError(operation, own.path);
    const blocker = line.blocker(places, index);
    if (blocker === null) return;
    if (!isOwnWatched) isOwnWatched = await watchDeletion(zk, own.path, notices.give, signal);
    if (await watchDeletion(zk, `${path}/${blocker.name}`, notices.give, signal)) await notices.next(signal);
  }
}
