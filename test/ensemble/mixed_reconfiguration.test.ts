/**
 * Members join, change their roles, leave and lead in ensembles of processes: ours alone, and ours among Apache's, under load.
 */
import { describe, test } from "node:test";
import { connect } from "../../adapters/tcp/mod.ts";
import type { Reconfig, ZkError, ZooKeeper } from "../../mod.ts";
import { findJavaZooKeeper } from "../support/peers.ts";
import { fourLetterWord, freePort, type ServerKind } from "../support/server_process.ts";
import { until } from "../support/until.ts";
import { ChangingProcesses } from "./changing_processes.ts";
import { assertSameTrees, Load } from "./load.ts";

const MINUTE_MS = 60_000;
const apache = findJavaZooKeeper();

const ENSEMBLES: readonly (readonly [what: string, kinds: Readonly<Record<number, ServerKind>>, skip: string | false])[] = [
  ["ours alone", { 1: "ours", 2: "ours", 3: "ours", 4: "ours" }, false],
  ["Apache's leader, and ours joins", { 1: "ours", 2: "apache", 3: "apache", 4: "ours" }, apache.skip],
  ["our leader, and Apache's joins", { 1: "apache", 2: "ours", 3: "ours", 4: "apache" }, apache.skip],
];

for (const [what, kinds, skip] of ENSEMBLES) {
  describe(`${what}:`, { skip, timeout: 6 * MINUTE_MS }, () => {
    test("members join, change their roles, leave and come back, the leader too; nothing is lost", async () => {
      await using ensemble = await ChangingProcesses.of(kinds);
      const three = [1, 2, 3].map((id) => ensemble.line(id));
      for (const id of [1, 2]) await ensemble.start(id, ...three);
      await ensemble.serving(1, 2);
      await ensemble.start(3, ...three);
      await ensemble.serving(1, 2, 3);
      const load = await Load.start(ensemble.connectString(1, 2, 3), "/load");
      await using zk = await connect(ensemble.connectString(1, 2, 3), { sessionTimeoutMs: 15_000 });
      const reconfig = (change: Reconfig): Promise<void> => reconfigured(zk, change);

      await ensemble.start(4, ...three, ensemble.line(4, "observer"));
      await ensemble.reaches(4, "follower"); // without a vote
      await reconfig({ joining: [ensemble.line(4, "observer")] });
      await ensemble.reaches(4, "observer");
      await reconfig({ joining: [ensemble.line(4)] });
      await ensemble.reaches(4, "follower");
      const leader = await ensemble.serving(1, 2, 3, 4);
      const [follower] = [1, 2, 3].filter((id) => id !== leader);
      await reconfig({ leaving: [follower!] });
      await some(load);
      await reconfig({ leaving: [leader] });
      await some(load);
      const left = [1, 2, 3, 4].filter((id) => id !== leader && id !== follower);
      // A leader that is removed goes on calling itself one for a moment, beside the one that leads now.
      await until(async () => left.includes(await ensemble.serving(1, 2, 3, 4)), "one of those who are left to lead alone");
      await reconfig({ members: [1, 2, 3, 4].map((id) => ensemble.line(id, id === 4 ? "observer" : "participant")) });
      await ensemble.reaches(4, "observer");
      await ensemble.serving(1, 2, 3, 4);
      await some(load);
      await load.stop("/load");
      const config = new TextDecoder().decode((await zk.getConfig()).data!);
      for (const id of [1, 2, 3, 4]) {
        await until(
          () => `${ensemble.dynamicFile(id).text}\nversion=${versionOf(ensemble, id)}` === config,
          `the file of ${id}`,
        );
      }
      await assertSameTrees(
        [1, 2, 3, 4].map((id) => ensemble.address(id)),
        load.acknowledged,
      );

      for (const id of [1, 2, 3, 4]) await ensemble.kill(id);
      for (const id of [1, 2, 3, 4]) await ensemble.restart(id);
      await ensemble.serving(1, 2, 3, 4);
      await ensemble.reaches(4, "observer");
      await assertSameTrees(
        [1, 2, 3, 4].map((id) => ensemble.address(id)),
        load.acknowledged,
      );

      const port = await freePort();
      const there = ensemble.line(4, "observer").replace(/\d+$/, String(port));
      await using last = await connect(ensemble.address(1), { sessionTimeoutMs: 15_000 });
      await reconfigured(last, { joining: [there] });
      const word = (): Promise<string> => fourLetterWord(port, "srvr", 1000).catch(() => "");
      await until(
        async () => (await word()).includes("Mode: observer"),
        () => `clients to be served elsewhere:\n${ensemble.logs()}`,
      );
    });
  });
}

function versionOf(ensemble: ChangingProcesses, id: number): string {
  const { name } = ensemble.dynamicFile(id);
  return name.slice(name.lastIndexOf(".") + 1);
}

/** Who leads may change by it, and cut the asker off before the answer: it is asked again then, and nothing changes any more. */
async function reconfigured(zk: ZooKeeper, change: Reconfig): Promise<void> {
  const passing = ["ConnectionLoss", "ReconfigInProgress", "NewConfigNoQuorum"];
  const ask = (): Promise<boolean> =>
    zk.reconfig(change).then(
      () => true,
      (error: ZkError) => {
        if (!passing.includes(error.code)) throw error;
        return false;
      },
    );
  await until(ask, `the reconfiguration ${JSON.stringify(change)}`);
}

async function some(load: Load): Promise<void> {
  const before = load.acknowledged.length;
  await until(() => load.acknowledged.length > before + 50, "load");
}
