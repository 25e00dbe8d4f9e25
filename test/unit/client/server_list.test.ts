/**
 * Which server is next: round the list, and after an update with exactly the probabilities that keep the servers' loads equal. They are proven by
 * simulation: thousands of clients, a seed, and the bounds of a binomial distribution.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ServerList } from "../../../lib/client/server_list.ts";
import type { ServerAddress } from "../../../lib/ports.ts";
import { Random } from "../../support/random.ts";

const CLIENTS = 20_000;
const random = Random.seeded("ZOOKERNEL_SEED");
console.log(`ZOOKERNEL_SEED=${random.seed}`);
const next = (): number => random.next();

const servers = (...names: readonly string[]): ServerAddress[] => names.map((host) => ({ host, port: 2181 }));

describe("round the list", () => {
  test("every server once a round, in the same random order each round", () => {
    const list = new ServerList(servers("a", "b", "c"), next);
    const round = (): string[] => Array.from({ length: 3 }, () => list.next().host);
    const first = round();
    assert.deepEqual([...first].sort(), ["a", "b", "c"]);
    assert.ok(list.isRoundDone);
    assert.deepEqual(round(), first);
  });

  test("all orders come about equally often", () => {
    const orders = countOf(() => {
      const list = new ServerList(servers("a", "b", "c"), next);
      return [list.next(), list.next(), list.next()].map(({ host }) => host).join("");
    });
    assert.equal(orders.size, 6);
    for (const order of orders.keys()) isLikely(orders, order, 1 / 6);
  });

  test("a round begins with a success, and goes on with the server after it", () => {
    const list = new ServerList(servers("a", "b", "c"), next);
    const [first, second] = [list.next(), list.next()];
    list.succeeded(second);
    assert.equal(list.isRoundDone, false);
    const [third, fourth] = [list.next(), list.next()];
    assert.equal(list.isRoundDone, false);
    assert.deepEqual([fourth, list.next()], [first, second]);
    assert.notDeepEqual(third, second);
    assert.ok(list.isRoundDone);
  });

  test("a candidate counts as no try, and may be made the next one", () => {
    const list = new ServerList(servers("a", "b"), next);
    const first = list.next();
    list.succeeded(first);
    const candidate = list.candidate();
    assert.notDeepEqual(candidate, first);
    assert.equal(list.isRoundDone, false);
    list.stay();
    assert.deepEqual(list.next(), candidate);
  });
});

/** A client of `from` that has reached a server; which it is, is random and equally likely. */
function connected(from: readonly string[]): { list: ServerList; server: string } {
  const list = new ServerList(servers(...from), next);
  const server = list.next();
  list.succeeded(server);
  return { list, server: server.host };
}

/** Where a client is after an update, if every server can be reached. */
function afterUpdate(from: readonly string[], to: readonly string[]): string {
  const { list, server } = connected(from);
  if (!list.update(servers(...to))) return server;
  const chosen = list.next();
  list.succeeded(chosen);
  return chosen.host;
}

describe("after an update", () => {
  const three = ["a", "b", "c"];
  const five = ["a", "b", "c", "d", "e"];

  for (const [from, to] of [
    [three, five],
    [five, three],
    [three, ["d", "e", "f"]],
    [three, ["b", "c", "d"]],
    [three, ["c", "d", "e", "f"]],
    [five, ["d", "e", "f"]],
    [five, ["e", "f"]],
    [three, ["a"]],
    [["a"], three],
    [three, three],
  ] as const) {
    test(`${from.join()} → ${to.join()}: equal loads stay equal`, () => {
      const loads = countOf(() => afterUpdate(from, to));
      for (const server of to) isLikely(loads, server, 1 / to.length);
      assert.equal(loads.size, to.length);
    });
  }

  test("3 → 5: a client leaves with probability 2/5, and only for a new server", () => {
    const moves = countOf(() => {
      const { list, server } = connected(three);
      if (!list.update(servers(...five))) return "stays";
      const { host } = list.next();
      assert.ok(!three.includes(host), `${server} → ${host}`);
      return "leaves";
    });
    isLikely(moves, "leaves", 2 / 5);
  });

  test("5 → 3: a client whose server stays never moves", () => {
    for (let i = 0; i < 1000; i++) {
      const { list, server } = connected(five);
      assert.equal(list.update(servers(...three)), !three.includes(server));
    }
  });

  test("5 → 3 with one new: a client without a server goes to an old one with probability |∩|·(|S|−|S'|) / (|S'|·(|S|−|∩|))", () => {
    const moves = countOf(() => {
      const { list, server } = connected(five);
      const leaves = list.update(servers("d", "e", "f"));
      if (!leaves) return `stays with ${server}`;
      return ["d", "e"].includes(list.next().host) ? "old" : "new";
    });
    const movers = (moves.get("old") ?? 0) + (moves.get("new") ?? 0);
    isLikely(moves, "old", (2 * (5 - 3)) / (3 * (5 - 2)), movers);
  });

  test("a client in search takes its next candidate for its server", () => {
    for (let i = 0; i < 1000; i++) {
      const { list, server } = connected(["a", "b"]);
      assert.ok(list.update(servers("c", "d")));
      // It would go to c or d; both stay, so it stays with that one.
      assert.equal(list.update(servers("c", "d")), false);
      assert.notEqual(list.next().host, server);
    }
  });

  test("a client that lost its server counts as the last one it reached", () => {
    const list = new ServerList(servers("a", "b"), next);
    const reached = list.next();
    list.succeeded(reached);
    list.next();
    assert.equal(list.update([reached]), false);
    assert.deepEqual(list.next(), reached);
  });

  test("if the chosen servers can't be reached, all are tried once before the round is done", () => {
    const { list } = connected(three);
    assert.ok(list.update(servers("d", "e", "f", "g")));
    const tried: string[] = [];
    while (!list.isRoundDone) tried.push(list.next().host);
    assert.deepEqual(tried.sort(), ["d", "e", "f", "g"]);
    const again = Array.from({ length: 4 }, () => list.next().host);
    assert.deepEqual(again.sort(), ["d", "e", "f", "g"]);
    assert.ok(list.isRoundDone);
  });
});

function countOf(outcome: () => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i < CLIENTS; i++) {
    const key = outcome();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** Five standard deviations: one run in two million would be off by chance. */
function isLikely(counts: ReadonlyMap<string, number>, key: string, probability: number, trials = CLIENTS): void {
  const found = counts.get(key) ?? 0;
  const deviation = Math.sqrt(trials * probability * (1 - probability));
  const off = Math.abs(found - trials * probability);
  assert.ok(off <= 5 * deviation, `${key}: ${found} of ${trials}, not near ${probability}; ZOOKERNEL_SEED=${random.seed}`);
}
