/**
 * The two servers, side by side: plays a script on both, and says where they first part.
 *
 * They have seen the same history, so all numbers must be the same: zxids, versions, sequence numbers, sessions counted from the
 * first. Where a script has left them in different states, both start afresh before the next one.
 */

import type { Storage } from "../../lib/ports.ts";
import { compareLogs, type LogComparison } from "./logs.ts";
import { describeValue, type Script, type Step } from "./script.ts";
import { type RunningServer, type Setup, startApache, startOurs } from "./servers.ts";
import { Side } from "./side.ts";

/** Where two servers part. */
export interface Divergence {
  /** After which step; null: after the last one, when the outcome is looked at. */
  readonly step: number | null;
  /** Whose lines they are: a client's number, or what was looked at. */
  readonly where: string;
  readonly apache: readonly string[];
  readonly ours: readonly string[];
}

/** Words whose answers the two must agree on, and what of them. */
const WORDS: Readonly<Record<string, (text: string, side: Side) => string[]>> = {
  srvr: (text) => text.split("\n").filter((line) => /^(Zxid|Mode|Node count|Connections):/.test(line)),
  mntr: (text) =>
    text
      .split("\n")
      .filter((line) => /^zk_(znode_count|watch_count|ephemerals_count|global_sessions|num_alive_connections)\t/.test(line))
      .toSorted(),
  // Apache goes on counting, and listing, a connection whose watches have all fired or been removed.
  wchs: (text) => text.replace(/^\d+ connections/, "").split("\n"),
  wchp: (text, side) => groupsOf(text, side),
  wchc: (text, side) => groupsOf(text, side).filter(hasMembers),
  // Apache goes on listing a session whose ephemerals are all gone.
  dump: (text, side) =>
    groupsOf(text.slice(text.indexOf("Sessions with"), text.indexOf("Connections dump")), side).filter(hasMembers),
};

export class Pair {
  readonly #setup: Setup;
  #servers: readonly [RunningServer, RunningServer];
  #sides: readonly [Side, Side];
  #roots = 0;
  #isBroken = false;

  private constructor(setup: Setup, servers: readonly [RunningServer, RunningServer]) {
    this.#setup = setup;
    this.#servers = servers;
    this.#sides = sidesOf(setup, servers);
  }

  static async start(setup: Setup): Promise<Pair> {
    return new Pair(setup, await startBoth(setup));
  }

  /** How often each op was answered in each way, since the servers were started. */
  get answers(): ReadonlyMap<string, number> {
    return this.#sides[0].transcriber.answers;
  }

  /** Plays a script on both; null if nobody could tell them apart. */
  async play(script: Script): Promise<Divergence | null> {
    if (this.#isBroken) await this.#restart();
    const root = `/r${++this.#roots}`;
    this.#isBroken = true;
    const divergence = await this.#play(script, root);
    const leftOver = await this.#cleanUp();
    this.#isBroken = leftOver !== null;
    return divergence ?? leftOver;
  }

  /** Stops both, and compares what they have logged. */
  async finish(): Promise<LogComparison> {
    const counted = /^zk_digest_mismatches_count\t(\d+)$/m.exec(await this.#sides[0].word("mntr"))?.[1];
    await this.#stop();
    const [apache, ours] = this.#servers;
    try {
      if (this.#isBroken) return { same: 0, failure: "the servers have parted" };
      const theirs = { dataDir: apache.log as string, knownMismatches: Number(counted ?? 0) };
      return await compareLogs(theirs, ours.log as Storage, this.#setup.extendedTypes);
    } finally {
      this.#forget();
    }
  }

  async #restart(): Promise<void> {
    await this.#stop();
    this.#forget();
    this.#servers = await startBoth(this.#setup);
    this.#sides = sidesOf(this.#setup, this.#servers);
    this.#isBroken = false;
  }

  async #stop(): Promise<void> {
    await Promise.all(this.#sides.map((side) => side.drop()));
    await Promise.all(this.#servers.map((server) => server.stop()));
  }

  #forget(): void {
    for (const server of this.#servers) server.forget();
  }

  async #play(script: Script, root: string): Promise<Divergence | null> {
    await this.#both((side) => side.begin(root));
    for (const [at, step] of script.entries()) {
      await this.#both((side) => side.play(step, root));
      const divergence = this.#compareLines(at, step);
      if (divergence !== null) return divergence;
    }
    await this.#both((side) => side.readTree());
    return this.#compareLines(null, null) ?? (await this.#compareWords());
  }

  /** Ends what a script began, also after a divergence, and says whether both are as they were. */
  async #cleanUp(): Promise<Divergence | null> {
    await this.#both((side) => side.end());
    return this.#compareLines(null, null) ?? (await this.#compareWords());
  }

  async #both(run: (side: Side) => Promise<void>): Promise<void> {
    await Promise.all(this.#sides.map(run));
  }

  #compareLines(at: number | null, step: Step | null): Divergence | null {
    const [apache, ours] = this.#sides.map((side) => side.takeLines()) as [string[][], string[][]];
    const endsSession = step === null || step.kind === "close" || step.kind === "expire";
    for (const [client, lines] of apache.entries()) {
      const [left, right] = endsSession ? [inAnyOrder(lines), inAnyOrder(ours[client]!)] : [lines, ours[client]!];
      if (left.join("\n") !== right.join("\n")) return { step: at, where: `client ${client}`, apache: left, ours: right };
    }
    return null;
  }

  async #compareWords(): Promise<Divergence | null> {
    for (const [word, part] of Object.entries(WORDS)) {
      const [apache, ours] = (await Promise.all(this.#sides.map(async (side) => part(await side.word(word), side)))) as [
        string[],
        string[],
      ];
      if (apache.join("\n") !== ours.join("\n")) return { step: null, where: word, apache, ours };
    }
    return null;
  }
}

/** A divergence as text: the script's step, and the lines of both that are not the same. */
export function describeDivergence({ step, where, apache, ours }: Divergence, script: Script): string {
  const shared = apache.findIndex((line, at) => line !== ours[at]);
  const from = shared === -1 ? apache.length : shared;
  return [
    step === null ? "after the last step" : `at step ${step}: ${describeValue(script[step])}`,
    `${where}, ${from} equal lines, then`,
    ...apache.slice(from, from + 4).map((line) => `  apache: ${line}`),
    ...ours.slice(from, from + 4).map((line) => `  ours:   ${line}`),
  ].join("\n");
}

async function startBoth(setup: Setup): Promise<readonly [RunningServer, RunningServer]> {
  return await Promise.all([startApache(setup), startOurs(setup)]);
}

function sidesOf(setup: Setup, [apache, ours]: readonly [RunningServer, RunningServer]): readonly [Side, Side] {
  // Usage is judged by what is committed when a request is prepared: how much of a pipeline that is, is a matter of chance.
  const oneByOne = setup.enforceQuota;
  return [new Side("Apache", apache, oneByOne), new Side("ours", ours, oneByOne)];
}

/** Ephemerals of one session go in no particular order, so neither do the events between two replies. */
function inAnyOrder(lines: readonly string[]): string[] {
  const ordered: string[] = [];
  let events: string[] = [];
  for (const line of [...lines, ""]) {
    if (line.startsWith("event ")) events.push(line);
    else {
      ordered.push(...events.toSorted(), line);
      events = [];
    }
  }
  return ordered;
}

function hasMembers(group: string): boolean {
  return group.includes("\n");
}

/** Lines with tabs in front belong to the one above; sessions become their numbers, and all goes in order. */
function groupsOf(text: string, side: Side): string[] {
  const numbered = text.replace(/0x([0-9a-f]+)/g, (_, hex: string) => side.transcriber.session(BigInt(`0x${hex}`)));
  return numbered
    .split(/\n(?!\t)/)
    .map((group) => {
      const [head, ...members] = group.split("\n");
      return [head, ...members.toSorted()].join("\n");
    })
    .toSorted();
}
