/**
 * Members that went down in the middle of a reconfiguration: what they have seen proposed stands in `zoo.cfg.dynamic.next`, and is completed where its
 * quorum is there. Ours do as Apache's do.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../../adapters/tcp/mod.ts";
import { isAll } from "../support/campaign.ts";
import { findJavaZooKeeper } from "../support/peers.ts";
import { runtimeName } from "../support/runtime.ts";
import type { ServerKind } from "../support/server_process.ts";
import { skipReason } from "../support/skip.ts";
import { until } from "../support/until.ts";
import { ChangingProcesses, type MemberList } from "./changing_processes.ts";

const MINUTE_MS = 60_000;
const SOME = isAll ? false : "all but one are for test:all";
/** Apache's members are the same whatever asks them. */
const ONCE = runtimeName === "node" ? false : skipReason("what Apache's members do is asked once, on Node");
const KINDS: readonly (readonly [kind: ServerKind, skip: string | false])[] = [
  ["ours", false],
  ["apache", SOME || findJavaZooKeeper().skip || ONCE],
];
const KEPT = "100000000";
const NEXT = "200000000";
/** Apache's members now and then look for one another for over a minute here; ours have to do it. */
const RARELY = "Apache's members don't always come to it";
/** How often members are asked whether they serve that must not. */
const ASKED = 20;

function members(count: number, kind: ServerKind): Promise<ChangingProcesses> {
  return ChangingProcesses.of(Object.fromEntries(Array.from({ length: count }, (_, at) => [at + 1, kind])));
}

/** All of them serve by that list, and what is written at one is read at each. */
async function serveBy(ensemble: ChangingProcesses, ids: readonly number[], lines: readonly string[]): Promise<void> {
  await ensemble.serving(...ids);
  const known = async (): Promise<boolean> => {
    const configs = await Promise.all(ids.map((id) => ensemble.configOf(id)));
    return configs.every((config) => config.replace(/\nversion=.*/, "") === [...lines].sort().join("\n"));
  };
  await until(known, () => `members ${ids.join()} to know ${lines.join()}:\n${ensemble.logs()}`);
  const path = `/written-${ids.join("-")}`;
  for (const [at, id] of ids.entries()) {
    await using zk = await connect(ensemble.address(id), { sessionTimeoutMs: 15_000 });
    if (at === 0) await zk.create(path, "");
    await zk.sync(path);
    assert.notEqual(await zk.exists(path), null);
  }
}

for (const [kind, skip] of KINDS) {
  describe(`${kind}: a reconfiguration that was under way`, { skip, timeout: 5 * MINUTE_MS }, () => {
    test("is completed by those who have seen it, and a member that does not know of it joins", async () => {
      await using ensemble = await members(3, kind);
      const [one, two, three] = [1, 2, 3].map((id) => ensemble.line(id)) as [string, string, string];
      for (const id of [1, 2])
        await ensemble.startWith(id, { lines: [one, two], version: KEPT }, { lines: [one, two, three], version: NEXT });
      await serveBy(ensemble, [1, 2], [one, two, three]);
      const leader = await ensemble.serving(1, 2);
      await ensemble.start(3, ensemble.line(leader), three);
      await serveBy(ensemble, [1, 2, 3], [one, two, three]);
    });

    test("makes observers of the voters, elsewhere, and voters of those who join", { skip: SOME }, async () => {
      await using ensemble = await members(5, kind);
      const kept = [1, 2].map((id) => ensemble.line(id));
      for (const id of [1, 2]) await ensemble.start(id, ...kept);
      await serveBy(ensemble, [1, 2], kept);
      for (const id of [1, 2]) await ensemble.kill(id);
      for (const id of [1, 2]) await ensemble.move(id, true);
      const next = [1, 2, 3, 4, 5].map((id) => ensemble.line(id, id < 3 ? "observer" : "participant"));
      for (const id of [1, 2]) await ensemble.startWith(id, { lines: kept, version: KEPT }, { lines: next, version: NEXT });
      for (const id of [3, 4, 5]) await ensemble.start(id, ...kept, ensemble.line(id));
      await serveBy(ensemble, [1, 2, 3, 4, 5], next);
      for (const id of [1, 2]) await ensemble.reaches(id, "observer");
    });

    test("makes a voter of an observer that has seen it", { skip: SOME || (kind === "apache" && RARELY) }, async () => {
      await using ensemble = await members(4, kind);
      const kept = [1, 2, 3].map((id) => ensemble.line(id, id === 3 ? "observer" : "participant"));
      const next = [3, 4].map((id) => ensemble.line(id));
      const seen: MemberList = { lines: next, version: NEXT };
      for (const id of [1, 2, 3]) await ensemble.startWith(id, { lines: kept, version: KEPT }, seen);
      await ensemble.start(4, ...kept, ensemble.line(4));
      await serveBy(ensemble, [3, 4], next);
      await serveBy(ensemble, [1, 2, 3, 4], next);
    });

    test("is not served where its quorum is not there; once it is, all is well", { skip: SOME }, async () => {
      await using ensemble = await members(5, kind);
      const all = [1, 2, 3, 4, 5].map((id) => ensemble.line(id));
      const kept = all.slice(0, 2);
      for (const id of [1, 2]) await ensemble.startWith(id, { lines: kept, version: KEPT }, { lines: all, version: NEXT });
      for (let asked = 0; asked < ASKED; asked++) {
        for (const id of [1, 2]) assert.equal(await ensemble.mode(id), null, `member ${id} serves without the others`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      await ensemble.start(3, ...kept, ensemble.line(3));
      await serveBy(ensemble, [1, 2, 3], all);
    });

    test("counts already: whoever has seen it follows, and founds no epoch", { skip: SOME }, async () => {
      await using ensemble = await members(5, kind);
      const all = [1, 2, 3, 4, 5].map((id) => ensemble.line(id));
      for (const id of [3, 4, 5]) await ensemble.startWith(id, { lines: all, version: NEXT });
      await serveBy(ensemble, [3, 4, 5], all);
      const zxid = await ensemble.zxid(5);
      for (const id of [1, 2])
        await ensemble.startWith(id, { lines: all.slice(0, 2), version: KEPT }, { lines: all, version: NEXT });
      await serveBy(ensemble, [1, 2, 3, 4, 5], all);
      assert.equal((await ensemble.zxid(1)).slice(0, 4), zxid.slice(0, 4), "the epoch is the same");
    });

    test("and is through is learnt by an observer that is a voter now, from the other one", { skip: SOME }, async () => {
      await using ensemble = await members(4, kind);
      const kept = [1, 2, 3].map((id) => ensemble.line(id, id === 3 ? "observer" : "participant"));
      const next = [3, 4].map((id) => ensemble.line(id));
      await ensemble.startWith(3, { lines: kept, version: KEPT });
      await ensemble.startWith(4, { lines: next, version: NEXT });
      await serveBy(ensemble, [3, 4], next);
    });
  });
}
