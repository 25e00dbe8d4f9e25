/**
 * kazoo's own test-suite, as it is installed, against the server under test. It takes minutes, so it runs only when it is asked for, by the
 * handlers that clients are to have: `ZOOKERNEL_KAZOO_SUITE=threading,gevent`. On eventlet it hangs, with the real server as well; kazoo.test.ts has
 * cases for all three.
 *
 * Its harness starts servers itself: it runs the first `java` in PATH with a zoo.cfg. For ours a stand-in of that name is put in
 * front, which starts our server with the same file; nothing of kazoo is changed. The suite's ports and folders are its own choice,
 * from a base port that was free a moment ago and inside a temporary folder.
 *
 * Some of its tests give a restarted server a few seconds and no more, which a busy machine may not grant. So a test that failed is
 * run once more, alone; the second verdict counts.
 */

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { describe, test } from "node:test";
import { isAll } from "../support/campaign.ts";
import { findJavaZooKeeper, findKazooSuite } from "../support/peers.ts";
import { projectPath } from "../support/root.ts";
import { programCommand, runtimeName } from "../support/runtime.ts";
import { freePort, serverName, serverUnderTest } from "../support/server_process.ts";
import { skipReason } from "../support/skip.ts";

const kazoo = findKazooSuite();
/** It says little about the runtime below the server that other tests don't say: one is enough. */
const ALL = isAll && runtimeName === "bun" ? "threading,gevent" : "";
const HANDLERS = (process.env.ZOOKERNEL_KAZOO_SUITE ?? ALL).split(",").filter((handler) => handler !== "");
const SUITE_MS_MAX = 600_000;
const OUTCOME = /^(?:.*\/)?(test_\w+\.py)::(\S+) (PASSED|FAILED|ERROR|SKIPPED)/gm;

/** What no standalone server passes, the real one neither: it is run with an ensemble of three. */
const NEEDS_AN_ENSEMBLE = ["test_update_host_list", "TestReconfig"];

/** Since 3.7 the real server fails it, too: a session of the ensemble is none on a read-only server. */
const PASSED_UP_TO_3_6 = "(TestReadOnlyMode and test_read_only)";

/** What asks for threads, whatever the server. */
const NEEDS_THREADS = ["test_connection_timeout", "test_async_result_callbacks_are_always_called", "test_xids_mismatch"];

interface Outcome {
  /** `Class::test` */
  readonly name: string;
  readonly verdict: "PASSED" | "FAILED" | "ERROR" | "SKIPPED";
}

interface SuiteRun {
  readonly outcomes: ReadonlyMap<string, readonly Outcome[]>;
  /** What pytest wrote. */
  readonly output: string;
}

if (HANDLERS.length === 0)
  test("kazoo's own tests", {
    skip: skipReason("kazoo's own tests take minutes: ZOOKERNEL_KAZOO_SUITE=threading asks for them"),
  });
for (const handler of HANDLERS) {
  describe(`kazoo's own tests with ${handler} on ${serverName()}`, { skip: kazoo.skip, concurrency: 1 }, () =>
    runSuite(handler),
  );
}

function runSuite(handler: string): void {
  const standalone = { handler, members: 1, expression: notAnyOf([...leftOutBy(handler), ...NEEDS_AN_ENSEMBLE]) };
  const wholeSuite = once(() => inTemporaryFolder((folder) => runPytest(folder, standalone, ["--pyargs", "kazoo.tests"])));
  for (const file of testFiles())
    test(file, { timeout: SUITE_MS_MAX }, async (t) => {
      const { outcomes, output } = await wholeSuite();
      const all = outcomes.get(file) ?? [];
      const count = (verdict: string): number => all.filter((outcome) => outcome.verdict === verdict).length;
      t.diagnostic(
        `${file}: ${count("PASSED")} passed, ${all.length - count("PASSED") - count("SKIPPED")} failed, ${count("SKIPPED")} skipped`,
      );
      assert.ok(all.length > 0, `no test of ${file} ran:\n${output.slice(-4000)}`);
      const failed = failures(all);
      if (failed.length === 0) return;
      t.diagnostic(`once more, alone: ${failed.join(", ")}`);
      const names = failed.map((name) => `kazoo.tests.${file.replace(/\.py$/, "")}::${name}`);
      const again = await inTemporaryFolder((folder) => runPytest(folder, standalone, ["--pyargs", ...names]));
      assert.deepEqual(failures([...again.outcomes.values()].flat()), [], again.output);
    });
  test("what needs an ensemble, with three members", { timeout: SUITE_MS_MAX }, async (t) => {
    const ensemble = { handler, members: 3, expression: NEEDS_AN_ENSEMBLE.join(" or ") };
    const { outcomes, output } = await inTemporaryFolder((folder) => runPytest(folder, ensemble, ["--pyargs", "kazoo.tests"]));
    const all = [...outcomes.values()].flat();
    t.diagnostic(`${all.length} ran`);
    assert.ok(all.length > 0, output);
    assert.deepEqual(failures(all), [], output);
  });
}

function leftOutBy(handler: string): readonly string[] {
  return handler === "threading" ? [PASSED_UP_TO_3_6] : [PASSED_UP_TO_3_6, ...NEEDS_THREADS];
}

function notAnyOf(names: readonly string[]): string {
  return names.map((name) => `not ${name}`).join(" and ");
}

function failures(outcomes: readonly Outcome[]): readonly string[] {
  return outcomes.filter(({ verdict }) => verdict === "FAILED" || verdict === "ERROR").map(({ name }) => name);
}

/** The suite's files with something to run here: one asks for a CI service, whose own settings it checks. */
function testFiles(): readonly string[] {
  if (kazoo.skip !== false) return [];
  const folder = execFileSync(kazoo.python, ["-c", "import kazoo.tests; print(kazoo.tests.__path__[0])"], {
    encoding: "utf8",
  }).trim();
  return readdirSync(folder)
    .filter((name) => /^test_.*\.py$/.test(name) && name !== "test_build.py")
    .sort();
}

interface HowToRun {
  readonly handler: string;
  readonly members: number;
  /** Which of the tests, in pytest's words. */
  readonly expression: string;
}

async function runPytest(
  folder: string,
  { handler, members, expression }: HowToRun,
  selection: readonly string[],
): Promise<SuiteRun> {
  if (kazoo.skip !== false) throw new Error(kazoo.skip);
  const options = ["-v", "--color=no", "--tb=short", "--show-capture=no", "-p", "no:cacheprovider", "-p", "kazoo_handler"];
  const child = spawn(kazoo.python, ["-m", "pytest", ...options, "-k", expression, ...selection], {
    cwd: folder,
    stdio: ["ignore", "pipe", "ignore"],
    env: {
      ...process.env,
      ...(await harnessSettings(folder, members)),
      TMPDIR: folder,
      PYTHONPATH: projectPath("test/clients"),
      PYTHONDONTWRITEBYTECODE: "1",
      KAZOO_HANDLER: handler,
    },
  });
  // Interrupted, it still ends the servers that it has started.
  process.once("exit", () => child.kill("SIGINT"));
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  await new Promise((resolve) => child.once("close", resolve));
  return { outcomes: outcomesByFile(output), output };
}

async function inTemporaryFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "zookernel-kazoo-"));
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

async function harnessSettings(folder: string, members: number): Promise<NodeJS.ProcessEnv> {
  const common = {
    ZOOKEEPER_VERSION: "3.8.0",
    ZOOKEEPER_CLUSTER_SIZE: String(members),
    ZOOKEEPER_PORT_OFFSET: String(await freePort()),
  };
  if (serverUnderTest === "apache") {
    const apache = findJavaZooKeeper();
    if (apache.skip !== false) throw new Error(apache.skip);
    return { ...common, ZOOKEEPER_CLASSPATH: apache.classpath };
  }
  const standIn = join(folder, "java");
  writeFileSync(standIn, standInForJava());
  chmodSync(standIn, 0o755);
  return { ...common, ZOOKEEPER_CLASSPATH: "none", PATH: `${folder}${delimiter}${process.env.PATH}` };
}

/** A script that takes Java's arguments and starts our server: those system properties that ZooKeeper knows go into zoo.cfg. */
function standInForJava(): string {
  const { command, args } = programCommand("adapters/cli/main.ts", "start-foreground");
  const quoted = [command, ...args].map((word) => `'${word}'`).join(" ");
  return `#!/bin/sh
for config; do :; done
for argument; do
  case "$argument" in
    -Dzookeeper.log.dir=* | -Dzookeeper.root.logger=*) ;;
    -Dzookeeper.*=*) echo "\${argument#-Dzookeeper.}" >>"$config" ;;
    -Dreadonlymode.enabled=* | -Djava.security.auth.login.config=*) echo "\${argument#-D}" >>"$config" ;;
  esac
done
exec ${quoted} "$config"
`;
}

function outcomesByFile(output: string): ReadonlyMap<string, readonly Outcome[]> {
  const outcomes = new Map<string, Outcome[]>();
  for (const [, file = "", name = "", verdict] of output.matchAll(OUTCOME))
    outcomes.set(file, [...(outcomes.get(file) ?? []), { name, verdict: verdict as Outcome["verdict"] }]);
  return outcomes;
}
