/**
 * Clients that nobody here wrote, on ensembles: every case of kazoo that a single server passes, with all hosts of an ensemble of ours, and on our
 * follower of Apache's leader; and Apache's shell.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { type CaseRun, startCases } from "../clients/case_script.ts";
import { runZkCli } from "../clients/zkcli.ts";
import { findJavaZooKeeper, findKazoo, findZkCli } from "../support/peers.ts";
import { projectPath } from "../support/root.ts";
import { EnsembleProcesses } from "./processes.ts";

const MINUTE_MS = 60_000;
const OURS = { kind: "ours" } as const;
const APACHE = { kind: "apache" } as const;
const THREE = { 1: OURS, 2: OURS, 3: OURS };
/** What the cases want of a server; limits in ticks are those of usual ticks. */
const CONFIG = {
  tickTime: 200,
  initLimit: 100,
  syncLimit: 50,
  maxSessionTimeout: 40_000,
  "DigestAuthenticationProvider.superDigest": "super:D/InIHSb7yEEbrWz8b9l71RjZJU=", // super:test
};
/** What is otherwise in an ensemble. */
const ALONE = ["reconfiguration is refused by a server alone", "four letter words parse"];

const kazoo = findKazoo();
const zkCli = findZkCli();

interface Setting {
  readonly name: string;
  readonly plans: Parameters<typeof EnsembleProcesses.of>[0];
  /** Those that clients are told. */
  readonly hosts: readonly number[];
  readonly skip: string | false;
}

const SETTINGS: readonly Setting[] = [
  { name: "three members", plans: THREE, hosts: [1, 2, 3], skip: kazoo.skip },
  {
    name: "our follower of Apache's leader",
    plans: { 1: APACHE, 2: APACHE, 3: OURS },
    hosts: [3],
    skip: kazoo.skip || findJavaZooKeeper().skip,
  },
];

for (const { name: setting, plans, hosts, skip } of SETTINGS) {
  for (const script of ["kazoo_recipes.py", "kazoo_client.py"]) {
    const args = ["-B", projectPath("test/clients", script)];
    const cases =
      kazoo.skip === false
        ? (JSON.parse(execFileSync(kazoo.python, [...args, "--list"], { encoding: "utf8" })) as string[])
        : ["all cases"];

    describe(`${script} on ${setting}`, { skip, concurrency: 1 }, () => {
      let ensemble: EnsembleProcesses;
      let run: CaseRun;

      before(async () => {
        if (kazoo.skip !== false) return;
        ensemble = await EnsembleProcesses.of(plans, CONFIG);
        await ensemble.start(1, 2);
        await ensemble.serving(1, 2);
        await ensemble.start(3);
        await ensemble.serving();
        run = startCases(kazoo.python, [...args, ensemble.connectString(...hosts), "threading"]);
      });
      after(async () => {
        await run?.stop();
        await ensemble?.[Symbol.asyncDispose]();
      });

      for (const name of cases.filter((each) => !ALONE.includes(each)))
        test(name, { timeout: 2 * MINUTE_MS }, () => run.passed(name));

      test("and no tree differs from what the leader said after a txn", () => {
        for (const id of ensemble.ids) assert.doesNotMatch(ensemble.log(id), /digest is not the leader's/);
      });
    });
  }
}

test("zkCli.sh with three hosts", { skip: zkCli.skip, timeout: 2 * MINUTE_MS }, async () => {
  if (zkCli.skip !== false) return;
  await using ensemble = await EnsembleProcesses.of(THREE);
  await ensemble.start(1, 2, 3);
  await ensemble.serving();
  const { stdout, stderr, exit } = await runZkCli(
    zkCli.command,
    ["-server", ensemble.connectString()],
    ["create /shell one", "set /shell two", "sync /", "get /shell", "config", "ls /", "quit"],
  );
  assert.equal(exit, 0);
  assert.match(stderr, /^Created \/shell$/m);
  assert.match(stdout, /^two$/m);
  assert.match(stdout, /^server\.1=127\.0\.0\.1:\d+:\d+:participant$/m);
  assert.match(stdout, /^\[shell, zookeeper\]$/m);
});
