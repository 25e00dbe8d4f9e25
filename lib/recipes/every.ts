/**
 * Repeated work of one program among many: `every(zk, "cleanup", "5m", fn)`.
 *
 * All of them stand for one office; who holds it claims each time of the schedule in a znode before it runs `fn`. Guarantees: no time is claimed twice,
 * so `fn` is run once for it at the most, with a fence that grows from time to time; when the one who ran dies another goes on after its session. Not
 * guaranteed: that each time is run. Those that pass while nobody could run are made up for by one run, for the last of them; one whose runner dies on
 * the way is over, unless `redo` is set: then it is run again, and `fence` tells the runs apart. Layout: ours.
 */

import type { AbortSignal } from "../base/platform_types.ts";
import { checkOptions } from "../base/validate.ts";
import type { LossRule } from "../client/lease.ts";
import type { ZooKeeper } from "../client/zookeeper.ts";
import { newGuid } from "./layouts.ts";
import { election } from "./leader.ts";
import type { Owned } from "./ownership.ts";
import { type NextTime, nextTimeOf, type Schedule } from "./schedule.ts";
import { taskPath } from "./tasks.ts";
import { hasCode, sleepUntil, untilAnswered } from "./waiting.ts";

/** Options of {@link every}. */
export interface EveryOptions {
  /** Ends it: the promise resolves once `fn` has come to its end. */
  readonly signal?: AbortSignal;
  /** Where it is kept which times were claimed. Default `/zookernel/tasks`. */
  readonly root?: string;
  /** Time zone of a cron expression. Default UTC. */
  readonly timezone?: string;
  /** Whether a time is run again if its runner is lost on the way. Default false. */
  readonly redo?: boolean;
  /** When the office counts as lost. Default `suspended`. */
  readonly rule?: LossRule;
  /** Is given what `fn` throws, and the schedule goes on. Default: `every` rejects with it, and another program takes over. */
  readonly onError?: (error: unknown, due: Date) => void;
}

/** What a run is given. */
export interface Run extends Pick<Owned, "fence" | "signal"> {
  /** The time of the schedule that it is for. */
  readonly due: Date;
}

/** What is kept of a task. */
interface Claimed {
  /** The last time that was claimed, milliseconds since 1970. */
  readonly due: number;
  /** Whose claim it was; a text of one claim alone. */
  readonly claim: string;
  /** Whether its run has come to its end; only kept with `redo`. */
  readonly done: boolean;
}

/**
 * Runs something again and again, in one of all programs that say so. Times are those of the handle's clock, which keeps no process alive: a program
 * that does nothing else ends. Resolves when its signal aborts.
 *
 * Errors: TypeError for what is no schedule; whatever `fn` throws, unless there is `onError`; `SessionExpired` when the session ends: call it again
 * with a new handle; `NoAuth`.
 *
 * @example
 * ```ts
 * await every(zk, "cleanup", "5m", async ({ fence, signal }) => cleanUp({ fence, signal }), { signal: stop.signal });
 * ```
 */
export async function every(
  zk: ZooKeeper,
  name: string,
  schedule: Schedule,
  fn: (run: Run) => unknown,
  options: EveryOptions = {},
): Promise<void> {
  checkOptions("repeat work", options, ["signal", "root", "timezone", "redo", "rule", "onError"], "{ signal }");
  const { root, timezone, signal, rule = "suspended" } = options;
  const next = await nextTimeOf(schedule, timezone);
  const timetable = new Timetable(zk, taskPath(root, name), next, fn, options);
  try {
    await election(zk, `${taskPath(root, name)}/lock`, { layout: "selector", rule }).lead((term) => timetable.run(term), {
      ...(signal && { signal }),
    });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}

class Timetable {
  readonly #zk: ZooKeeper;
  readonly #path: string;
  readonly #next: NextTime;
  readonly #fn: (run: Run) => unknown;
  readonly #options: EveryOptions;
  /** A claim of ours whose answer never came, so that nothing was run for it. */
  #unanswered: string | null = null;

  constructor(zk: ZooKeeper, path: string, next: NextTime, fn: (run: Run) => unknown, options: EveryOptions) {
    this.#zk = zk;
    this.#path = `${path}/claimed`;
    this.#next = next;
    this.#fn = fn;
    this.#options = options;
  }

  /** Holds the office until it is lost, or nothing is due any more. */
  async run(term: Owned): Promise<void> {
    const { clock } = this.#zk;
    let { claimed, version } = await this.#read();
    for (;;) {
      term.signal.throwIfAborted();
      const isOpen = claimed.claim === this.#unanswered || (this.#options.redo === true && !claimed.done);
      const due = isOpen ? claimed.due : lastDue(this.#next, claimed.due, clock.now().wall);
      if (due === null) {
        const next = this.#next(Math.max(clock.now().wall, claimed.due));
        if (next === null) return;
        await sleepUntil(clock, next, term.signal);
        continue;
      }
      const claim: Claimed = { due, claim: newGuid(this.#zk), done: false };
      this.#unanswered = claim.claim;
      const stat = await this.#keep(term, claim, version);
      this.#unanswered = null;
      ({ claimed, version } = { claimed: claim, version: stat.version });
      await this.#call({ fence: stat.mzxid, signal: term.signal, due: new Date(due) });
      if (this.#options.redo !== true) continue;
      claimed = { ...claim, done: true };
      version = (await this.#keep(term, claimed, version)).version;
    }
  }

  async #call(run: Run): Promise<void> {
    try {
      await this.#fn(run);
    } catch (error) {
      const { onError } = this.#options;
      if (onError === undefined || run.signal.aborted) throw error;
      onError(error, run.due);
    }
  }

  /** What was claimed; at the very first, this moment: the schedule begins behind it. */
  async #read(): Promise<{ claimed: Claimed; version: number }> {
    for (;;) {
      try {
        const { data, stat } = await untilAnswered(() => this.#zk.getData(this.#path));
        return { claimed: JSON.parse(new TextDecoder().decode(data!)) as Claimed, version: stat.version };
      } catch (error) {
        if (!hasCode(error, "NoNode")) throw error;
      }
      const first: Claimed = { due: this.#zk.clock.now().wall, claim: "", done: true };
      await untilAnswered(() => this.#zk.create(this.#path, JSON.stringify(first))).catch((error) => {
        if (!hasCode(error, "NodeExists")) throw error;
      });
    }
  }

  /** Writes what is claimed, while the office is held and nobody else has written. */
  async #keep(term: Owned, claimed: Claimed, version: number): Promise<{ version: number; mzxid: bigint }> {
    const write = this.#zk.transaction().check(term.path).setData(this.#path, JSON.stringify(claimed), { version });
    const [, result] = await write.commit();
    return (result as Extract<typeof result, { type: "setData" }>).stat;
  }
}

/** The last time of a schedule that is later than `after` and has come; null if there is none. */
function lastDue(next: NextTime, after: number, now: number): number | null {
  // Looks back twice as far each time, so that a long pause doesn't mean to go through all that was missed.
  let due: number | null = null;
  for (let back = 1; due === null; back *= 2) {
    const from = Math.max(after, now - back);
    due = behind(next, from, now);
    if (from === after) break;
  }
  for (let later = due; later !== null; later = behind(next, later, now)) due = later;
  return due;
}

function behind(next: NextTime, from: number, now: number): number | null {
  const time = next(from);
  return time !== null && time <= now ? time : null;
}
