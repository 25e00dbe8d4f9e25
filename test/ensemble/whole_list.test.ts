/**
 * Reconfigurations that give the whole list anew: several members at other places and in other roles at once, and where clients find one of them.
 * Ours do as Apache's do.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { connect } from "../../adapters/tcp/mod.ts";
import type { ZkError } from "../../mod.ts";
import { isAll } from "../support/campaign.ts";
import { findJavaZooKeeper } from "../support/peers.ts";
import { runtimeName } from "../support/runtime.ts";
import { freePort, type ServerKind } from "../support/server_process.ts";
import { skipReason } from "../support/skip.ts";
import { until } from "../support/until.ts";
import { ChangingProcesses } from "./changing_processes.ts";

const MINUTE_MS = 60_000;
/** How long it may take until an ensemble serves by its new list. */
const SERVES_MS_MAX = 30_000;
const SOME = isAll ? false : "for test:all";
/** Apache's members are the same whatever asks them. */
const ONCE = runtimeName === "node" ? false : skipReason("what Apache's members do is asked once, on Node");
const KINDS: readonly (readonly [kind: ServerKind, skip: string | false])[] = [
  ["ours", false],
  ["apache", SOME || findJavaZooKeeper().skip || ONCE],
];

async function of(count: number, kind: ServerKind): Promise<ChangingProcesses> {
  return await ChangingProcesses.of(Object.fromEntries(Array.from({ length: count }, (_, at) => [at + 1, kind])));
}

/** What is written at the first is read at each of the others. */
async function isServed(addresses: readonly string[]): Promise<boolean> {
  const signal = AbortSignal.timeout(5000);
  const path = `/written-${performance.now()}`;
  for (const [at, address] of addresses.entries()) {
    const zk = await connect(address, { sessionTimeoutMs: 15_000, signal }).catch(() => null);
    if (zk === null) return false;
    try {
      if (at === 0) await zk.create(path, "");
      await zk.sync(path);
      if ((await zk.exists(path)) === null) return false;
    } catch {
      return false;
    } finally {
      await zk.close();
    }
  }
  return true;
}

const listed = (lines: readonly string[]): string => [...lines].sort().join("\n");
const withoutVersion = (config: string): string => listed(config.replace(/\nversion=.*/, "").split("\n"));
const PORT_OF_CLIENTS = /;.*/;

for (const [kind, skip] of KINDS) {
  describe(`${kind}: a whole new list`, { skip, timeout: 5 * MINUTE_MS }, () => {
    test("of five of seven members, three of seven down, all at other ports, two without a vote", { skip: SOME }, async () => {
      await using ensemble = await of(7, kind);
      const before = [1, 2, 3, 4, 5, 6, 7].map((id) => ensemble.line(id));
      for (const id of [1, 2, 3, 4]) await ensemble.start(id, ...before);
      await ensemble.serving(1, 2, 3, 4);
      for (const id of [5, 6, 7]) await ensemble.start(id, ...before);
      await ensemble.serving(1, 2, 3, 4, 5, 6, 7);
      for (const id of [3, 6, 7]) await ensemble.kill(id);
      await ensemble.serving(1, 2, 4, 5);
      for (const id of [1, 2, 3, 4, 5]) await ensemble.move(id);
      const after = [1, 2, 3, 4, 5].map((id) => ensemble.line(id, id > 3 ? "observer" : "participant"));
      {
        // Whoever gets another role or leader lets go of its clients, and the answer may be lost with them.
        await using zk = await connect(ensemble.address(1), { sessionTimeoutMs: 15_000 });
        await zk
          .reconfig({ members: after })
          .catch((error: unknown) => assert.equal((error as ZkError).code, "ConnectionLoss"));
      }
      const serves = [1, 2, 4, 5].map((id) => ensemble.address(id));
      await until(
        () => isServed(serves),
        () => `the new list to serve:\n${ensemble.logs()}`,
        SERVES_MS_MAX,
      );
      for (const id of [1, 2, 4, 5]) assert.equal(withoutVersion(await ensemble.configOf(id)), listed(after));
      for (const id of [4, 5]) await ensemble.reaches(id, "observer");
    });

    test("says of one where clients find it, who so far said it in zoo.cfg alone", async () => {
      await using ensemble = await of(3, kind);
      const before = [1, 2, 3].map((id) => ensemble.line(id).replace(PORT_OF_CLIENTS, ""));
      for (const id of [1, 2, 3]) await ensemble.start(id, ...before);
      await ensemble.serving(1, 2, 3);
      for (const id of [1, 2, 3]) {
        assert.equal(withoutVersion(await ensemble.configOf(id)), listed(before));
        await until(
          () => /^dynamicConfigFile=/m.test(readFileSync(ensemble.zooCfg(id), "utf8")),
          "the members' file to be named",
        );
      }
      await using steady = await connect(ensemble.address(1), { sessionTimeoutMs: 15_000 });
      let hasLost = false;
      steady.onState(({ state }) => {
        hasLost ||= state !== "connected";
      });
      const port = await freePort();
      const after = before.map((line, at) => (at === 0 ? `${line};0.0.0.0:${port}` : line));
      {
        await using zk = await connect(ensemble.address(2), { sessionTimeoutMs: 15_000 });
        await zk.reconfig({ members: after });
      }
      const serves = [`127.0.0.1:${port}`, ensemble.address(2), ensemble.address(3)];
      await until(
        () => isServed(serves),
        () => `all to serve:\n${ensemble.logs()}`,
        SERVES_MS_MAX,
      );
      const keepsPort = (id: number): boolean => /^clientPort=/m.test(readFileSync(ensemble.zooCfg(id), "utf8"));
      await until(() => !keepsPort(1), "clientPort to leave the zoo.cfg of the first");
      assert.deepEqual([1, 2, 3].map(keepsPort), [false, true, true]);
      for (const address of serves) {
        await using zk = await connect(address, { sessionTimeoutMs: 15_000 });
        assert.equal(withoutVersion(new TextDecoder().decode((await zk.getConfig()).data!)), listed(after));
      }
      await steady.create("/still-there", "");
      assert.equal(hasLost, false, "who is connected stays");
    });
  });
}
