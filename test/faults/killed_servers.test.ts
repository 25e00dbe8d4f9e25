/**
 * A client under load whose server is killed, again and again: an ensemble of three, Apache's or ours. Its session lives, no watch is lost, no request stays
 * without an answer, and what was answered is there.
 *
 * A few kills here; ZOOKERNEL_KILLS=50 for more.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../adapters/tcp/mod.ts";
import { type StreamEvent, ZkError, type ZooKeeper } from "../../mod.ts";
import { campaign } from "../support/campaign.ts";
import { findJavaZooKeeper } from "../support/peers.ts";
import { serverName } from "../support/server_process.ts";
import { until } from "../support/until.ts";
import { Ensemble } from "./ensemble.ts";

const KILLS = campaign("ZOOKERNEL_KILLS", { quick: 1, all: 2 });
const OUTSTANDING = 8;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** Writes as fast as answers come, until told to stop; remembers how each write ended. */
class Load implements AsyncDisposable {
  readonly answered = new Set<string>();
  readonly unknown = new Set<string>();
  readonly unsent = new Set<string>();
  #isOver = false;
  #asked = 0;
  readonly #writers: Promise<void>[];

  constructor(zk: ZooKeeper) {
    this.#writers = Array.from({ length: OUTSTANDING }, () => this.#write(zk));
  }

  get asked(): number {
    return this.#asked;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#writers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => {});
  }

  async #write(zk: ZooKeeper): Promise<void> {
    while (!this.#isOver) {
      const name = `n${this.#asked++}`;
      try {
        await zk.create(`/load/${name}`, name);
        this.answered.add(name);
      } catch (error) {
        if (!(error instanceof ZkError) || error.code !== "ConnectionLoss") throw error;
        (error.applied === "unknown" ? this.unknown : this.unsent).add(name);
      }
    }
  }
}

/** Asks again what the loss of a connection cut off; only for what may be done twice. */
async function again<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ZkError) || error.code !== "ConnectionLoss") throw error;
    }
  }
}

for (const kind of ["apache", "ours"] as const) {
  const skip = kind === "apache" ? findJavaZooKeeper().skip : false;
  test(`the connected server of ${serverName(kind)} is killed ${KILLS} times under load`, {
    skip,
    timeout: 120_000 + KILLS * 30_000,
  }, async (t) => {
    await using ensemble = await Ensemble.start(kind);
    const options = { sessionTimeoutMs: 10_000, logger: SILENT };
    await using zk = await connect(ensemble.connectString, options);
    await using other = await connect(ensemble.connectString, options);
    const states: string[] = [];
    zk.onState(({ state }) => states.push(state));
    const { sessionId } = zk;
    await zk.create("/load");
    await zk.create("/watched");
    await zk.create("/mine", "", { mode: "ephemeral" });
    const events: StreamEvent[] = [];
    const stream = zk.watch("/watched", { mode: "persistent_recursive" });
    const reading = (async () => {
      for await (const event of stream) events.push(event);
    })();
    await using load = new Load(zk);
    const fired = new Map<string, number>();
    const awayMs: number[] = [];

    for (let kill = 1; kill <= KILLS; kill++) {
      const [before, later] = [`/watched/before-${kill}`, `/watched/later-${kill}`];
      const count = (path: string) => (): void => void fired.set(path, (fired.get(path) ?? 0) + 1);
      for (const path of [before, later]) await again(() => zk.exists(path, { watch: count(path) }));
      let member: number | null = null;
      await until(async () => {
        member = await ensemble.memberOf(sessionId);
        return member !== null;
      }, "a member that has the session");
      const killed = performance.now();
      await ensemble.kill(member!);
      const make = async (path: string): Promise<void> => {
        // It may have been made although the answer was lost.
        await again(async () => (await other.exists(path)) ?? (await other.create(path)));
      };
      await make(before); // the client may or may not be connected again
      await until(() => zk.state === "connected" && states.at(-1) === "connected", "a new connection");
      awayMs.push(Math.round(performance.now() - killed));
      await again(() => zk.sync());
      await make(later);
      await until(() => fired.get(before) === 1 && fired.get(later) === 1, `both watches of round ${kill}: ${[...fired]}`);
      await until(() => events.some(({ path }) => path === later), "the persistent watch of this round");
      const asked = load.asked;
      await until(() => load.asked > asked + 100, "the load goes on");
      await ensemble.spawn(member!);
      await ensemble.serving(member!);
    }

    await load.stop();
    const { answered, unknown, unsent } = load;
    await again(() => other.sync());
    const there = new Set((await again(() => other.getChildren("/load"))).children);
    assert.deepEqual(
      [...answered].filter((name) => !there.has(name)),
      [],
      "each write that was answered is there",
    );
    assert.deepEqual(
      [...unsent].filter((name) => there.has(name)),
      [],
      "none is there that was not sent",
    );
    assert.deepEqual(
      [...there].filter((name) => !answered.has(name) && !unknown.has(name)),
      [],
    );
    assert.equal(zk.sessionId, sessionId);
    assert.equal((await again(() => other.exists("/mine")))?.ephemeralOwner, sessionId);
    assert.ok(
      states.every((state) => state === "suspended" || state === "connected"),
      states.join(),
    );
    assert.equal(
      [...fired.values()].every((count) => count === 1),
      true,
    );
    const missed = events.filter(({ type }) => type === "Missed").length;
    assert.ok(missed >= KILLS, "each loss of a connection is told to the stream");
    await stream.return();
    await reading;
    const found = [...unknown].filter((name) => there.has(name)).length;
    awayMs.sort((one, two) => one - two);
    t.diagnostic(
      `${KILLS} kills: ${answered.size} writes answered, ${unknown.size} unknown (${found} were applied), ${unsent.size} not sent; ` +
        `connected again after ${awayMs[awayMs.length >> 1]} ms (median), ${awayMs.at(-1)} ms at most`,
    );
  });
}
