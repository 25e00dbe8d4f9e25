/**
 * The first walk anybody takes with ZooKeeper (list, create, get, set, delete), with four clients that nobody here wrote.
 *
 * Each client's output is compared with what the same client printed against the real server: with the recording in
 * test/golden/walkthrough, and where Apache ZooKeeper is installed also with its output in the same run. Every walk gets a fresh
 * server, so zxids are compared too; only times, durations and session ids are hidden.
 *
 * `UPDATE=1 bun test test/clients/walkthrough.test.ts` records anew, from Apache ZooKeeper and nothing else.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";
import { findCliMt, findJavaZooKeeper, findKazoo, findZkCli } from "../support/peers.ts";
import { projectPath } from "../support/root.ts";
import { type ServerKind, serverName, serverUnderTest, startServer, type ZooConfig } from "../support/server_process.ts";
import { startCliMt } from "./cli_mt.ts";
import { NodeClient, statWithoutTimes } from "./node_client.ts";
import { comparable, runZkCli } from "./zkcli.ts";

interface Walker {
  readonly name: string;
  /** Its recording: test/golden/walkthrough/<file>.json */
  readonly file: string;
  readonly skip: false | string;
  /** What it needs in zoo.cfg beyond the basics. */
  readonly config?: ZooConfig;
  /** Walks, and returns what the client said, as JSON. */
  walk(address: string): Promise<unknown>;
}

const zkCli = findZkCli();
const cliMt = findCliMt();
const kazoo = findKazoo();
const apache = findJavaZooKeeper();
const recording = process.env.UPDATE === "1";

const walkers: readonly Walker[] = [
  {
    ...{ name: "zkCli.sh", file: "zkcli", skip: zkCli.skip },
    async walk(address) {
      const { exit, ...heard } = await runZkCli(found(zkCli).command, ["-server", address], ZKCLI_LINES);
      const { stdout, stderr, events } = comparable(heard);
      // Whether the event of its own end is still printed is a race within the client.
      return { lines: ZKCLI_LINES, stdout, stderr, events: events.filter((event) => !event.includes("state:Closed")), exit };
    },
  },
  { name: "cli_mt", file: "cli_mt", skip: cliMt.skip, walk: (address) => walkWithCliMt(address, CLI_MT_LINES) },
  {
    ...{
      name: "cli_mt, command by command",
      file: "cli_mt-commands",
      skip: cliMt.skip,
      config: { extendedTypesEnabled: true },
    },
    walk: (address) => walkWithCliMt(address, CLI_MT_COMMANDS),
  },
  {
    ...{ name: "kazoo", file: "kazoo", skip: kazoo.skip },
    async walk(address) {
      const script = projectPath("test/clients/kazoo_walkthrough.py");
      const { stdout } = await promisify(execFile)(found(kazoo).python, [script, address]);
      return stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown);
    },
  },
  { name: "node-zookeeper-client", file: "node-zookeeper-client", skip: false, walk: walkWithNodeClient },
];

const ZKCLI_LINES = [
  "ls /",
  "create /zk_test my_data",
  "ls /",
  "get -s /zk_test",
  "set /zk_test junk",
  "get /zk_test",
  "delete /zk_test",
  "ls /",
  "quit",
];

// Its create takes a path alone.
const CLI_MT_LINES = [
  "ls /",
  "create /zk_test",
  "set /zk_test my_data",
  "ls /",
  "get /zk_test",
  "set /zk_test junk",
  "get /zk_test",
  "delete /zk_test",
  "ls /",
];

const CLI_MT_COMMANDS = [
  "create +e /e",
  "create +s /s-",
  "create +es /es-",
  "create +c /c",
  "create +t=60000 /t",
  "create2 +e /e2",
  "create /e/child",
  "create /none/child",
  "create /e",
  "create relative",
  "exists /c",
  "exists /none",
  "wexists /later",
  "create /later",
  "get /later",
  "set /later x",
  "get /none",
  "set /none x",
  "delete /none",
  "ls2 /",
  "create /later/child",
  "delete /later",
  "delete /later/child",
  "delete /later",
  "get /zookeeper/config",
  "config",
  "reconfig -remove 3",
  "addauth digest ada:secret",
  "ls /none",
  "help",
];

async function walkWithCliMt(address: string, lines: readonly string[]): Promise<unknown> {
  const { cli, greeting } = await startCliMt(found(cliMt).command, ["-h", address]);
  await using _ = cli;
  const steps: { step: string; answer: string }[] = [{ step: "start", answer: greeting }];
  for (const step of lines) steps.push({ step, answer: await cli.ask(step) });
  return { steps, exit: await cli.quit() };
}

async function walkWithNodeClient(address: string): Promise<unknown> {
  const client = await NodeClient.connect(address);
  const steps: { step: string; answer: unknown }[] = [];
  const step = (step: string, answer: unknown): void => void steps.push({ step, answer });
  step("ls /", (await client.getChildren("/")).children);
  step("create /zk_test my_data", await client.create("/zk_test", "my_data"));
  step("ls /", (await client.getChildren("/")).children);
  const { data, stat } = await client.getData("/zk_test");
  step("get -s /zk_test", [data, statWithoutTimes(stat)]);
  step("set /zk_test junk", statWithoutTimes(await client.setData("/zk_test", "junk")));
  step("get /zk_test", (await client.getData("/zk_test")).data);
  await client.remove("/zk_test");
  step("ls /", (await client.getChildren("/")).children);
  await client.close();
  step("close", client.states);
  return steps;
}

/** The answers of one client on a fresh server of one kind. */
async function walkOn(kind: ServerKind, walker: Walker): Promise<unknown> {
  await using server = await startServer({ kind, config: { tickTime: 2000, initLimit: 5, syncLimit: 2, ...walker.config } });
  // Through JSON and back: what is compared is what a recording can hold.
  return JSON.parse(JSON.stringify(await walker.walk(server.address))) as unknown;
}

for (const walker of walkers) {
  const file = projectPath("test/golden/walkthrough", `${walker.file}.json`);
  if (recording) {
    test(`${walker.name}: recorded from Apache ZooKeeper`, { skip: walker.skip || apache.skip, timeout: 120_000 }, async () => {
      const answers = await walkOn("apache", walker);
      mkdirSync(projectPath("test/golden/walkthrough"), { recursive: true });
      writeFileSync(file, `${JSON.stringify(answers, null, 2)}\n`);
    });
    continue;
  }
  test(`${walker.name} on ${serverName()} says what was recorded`, {
    skip: walker.skip,
    timeout: 120_000,
  }, async () => {
    assert.deepEqual(await walkOn(serverUnderTest, walker), JSON.parse(readFileSync(file, "utf8")));
  });
  const skipLive = walker.skip || apache.skip || (serverUnderTest === "apache" ? "it is the server under test" : false);
  test(`${walker.name} says the same on Apache ZooKeeper today`, {
    skip: skipLive,
    timeout: 120_000,
  }, async () => {
    assert.deepEqual(await walkOn("apache", walker), await walkOn(serverUnderTest, walker));
  });
}

function found<Found>(peer: ({ readonly skip: false } & Found) | { readonly skip: string }): Found {
  if (peer.skip !== false) throw new Error(peer.skip);
  return peer as Found;
}
