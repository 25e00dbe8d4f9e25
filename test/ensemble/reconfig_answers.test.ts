/**
 * What clients are told of reconfigurations: ours answers what Apache's does, to our own client and to zkCli.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../../adapters/tcp/mod.ts";
import type { Reconfig, ZkError } from "../../mod.ts";
import { comparable, runZkCli } from "../clients/zkcli.ts";
import { findJavaZooKeeper, findZkCli } from "../support/peers.ts";
import type { ServerKind } from "../support/server_process.ts";
import { ChangingProcesses } from "./changing_processes.ts";

const MINUTE_MS = 60_000;
const zkCli = findZkCli();
const java = findJavaZooKeeper();

/** Requests in their order: each stands on what became of those before it. Ports of a member that is not there are its number. */
function requestsTo(ensemble: ChangingProcesses): readonly (readonly [what: string, change: Reconfig])[] {
  const [one, two, three] = [1, 2, 3].map((id) => ensemble.line(id)) as [string, string, string];
  const absent = (id: number): string => `server.${id}=127.0.0.1:1${id}:2${id}:participant;127.0.0.1:3${id}`;
  return [
    ["nothing at all", {}],
    ["another version", { leaving: [3], fromConfig: 1n }],
    ["a line that is none", { joining: ["server.9=nonsense"] }],
    ["a line without =", { joining: ["server.9"] }],
    ["a line with two =", { joining: [`${absent(9)}=x`] }],
    ["a member without a number", { joining: ["server.x=127.0.0.1:1:2:participant;127.0.0.1:3"] }],
    ["a member without a client port", { joining: ["server.9=127.0.0.1:1:2:participant"] }],
    ["a role that is none", { joining: ["server.9=127.0.0.1:1:2:leader;127.0.0.1:3"] }],
    ["one port twice", { joining: ["server.9=127.0.0.1:1:1:participant;127.0.0.1:3"] }],
    ["another member's address, on this machine", { joining: [three.replace("server.3", "server.9")] }],
    ["it leaves", { leaving: [9] }],
    [
      "another member's port elsewhere",
      { joining: ["server.9=10.0.0.9:1:2:observer;10.0.0.9:3", "server.8=10.0.0.9:4:5:observer;10.0.0.9:1"] },
    ],
    ["who leaves has no number", { leaving: [Number.NaN] }],
    ["who leaves is none", { leaving: [77] }],
    ["too few are left", { leaving: [1, 2] }],
    ["no quorum of the new", { joining: [absent(4), absent(5), absent(6), absent(7)] }],
    ["whole list, a key that is none", { members: [one, two, "clientPort=1"] }],
    ["whole list, a line that is none", { members: [one, two, "server.3=x"] }],
    ["whole list, one alone", { members: [one] }],
    ["whole list, one and an observer", { members: [one, ensemble.line(2, "observer")] }],
    ["whole list, observers alone", { members: [ensemble.line(1, "observer"), ensemble.line(2, "observer")] }],
    ["whole list, no quorum", { members: [one, absent(4), absent(5)] }],
    ["an observer that is not there", { joining: [absent(4).replace("participant", "observer")] }],
    ["an observer whose number is longer than a byte", { joining: [absent(999).replace("participant", "observer")] }],
    ["that leaves", { leaving: [999] }],
    ["it leaves again, and joins in one", { joining: [absent(4)], leaving: [4] }],
    ["whole list, as it was", { members: [three, one, two] }],
    ["the right version", { joining: [ensemble.line(1, "participant")], fromConfig: -2n }],
  ];
}

async function answersOf(kind: ServerKind): Promise<readonly string[]> {
  await using ensemble = await ChangingProcesses.of({ 1: kind, 2: kind, 3: kind });
  const lines = [1, 2, 3].map((id) => ensemble.line(id));
  for (const id of [1, 3]) await ensemble.start(id, ...lines);
  assert.equal(await ensemble.serving(1, 3), 3);
  await ensemble.start(2, ...lines);
  await ensemble.serving(1, 2, 3);
  await using zk = await connect(ensemble.address(1));
  const config = async (): Promise<string> => new TextDecoder().decode((await zk.getConfig()).data!);
  const answers: string[] = [];
  for (const [what, change] of requestsTo(ensemble)) {
    // -2 stands for the version that is there.
    const version = BigInt(`0x${/version=(\w+)/.exec(await config())![1]}`);
    const asked = change.fromConfig === -2n ? { ...change, fromConfig: version } : change;
    const answer = await zk.reconfig(asked).then(
      ({ data }) => new TextDecoder().decode(data!),
      (error: unknown) => (error as ZkError).code,
    );
    answers.push(`${what}: ${answer}`);
  }
  if (zkCli.skip === false) {
    const cli = async (...words: readonly string[]): Promise<void> => {
      const heard = comparable(await runZkCli(zkCli.command, ["-server", ensemble.address(1), ...words]));
      answers.push(`${words.join(" ")}: ${heard.stdout} ${heard.stderr}`);
    };
    await cli("config");
    await cli("config", "-s");
    await cli("config", "-c");
    await cli("reconfig", "-remove", "2");
    await cli("reconfig", "-add", ensemble.line(2));
    await cli("reconfig", "-v", "5", "-remove", "3");
    await cli("reconfig", "-remove", "2,3");
    await cli("reconfig", "-members", `${ensemble.line(1)},${ensemble.line(3)},${ensemble.line(2, "observer")}`);
    await cli("reconfig", "-s", "-add", ensemble.line(2));
  }
  return answers.map((answer) => withoutChance(answer, ensemble));
}

/** Ports, zxids and times are each run's own. */
function withoutChance(text: string, ensemble: ChangingProcesses): string {
  let masked = text;
  for (const id of [1, 2, 3])
    for (const [at, port] of (ensemble.line(id).match(/\d{4,5}/g) ?? []).entries())
      masked = masked.replaceAll(port, `<port ${id}.${at}>`);
  return masked.replaceAll(/version=\w+/g, "version=<zxid>").replaceAll(/(mZxid|mzxid|pZxid) = 0x\w+/g, "$1 = <zxid>");
}

describe("of reconfigurations", { skip: zkCli.skip, timeout: 6 * MINUTE_MS }, () => {
  let ours: readonly string[] = [];

  test("clients are told what became of them, or why not", async () => {
    ours = await answersOf("ours");
    const told = new Map(ours.map((answer) => [answer.slice(0, answer.indexOf(": ")), answer.slice(answer.indexOf(": ") + 2)]));
    assert.equal(told.get("another version"), "BadVersion");
    assert.equal(told.get("no quorum of the new"), "NewConfigNoQuorum");
    assert.match(
      told.get("whole list, as it was")!,
      /^server.1=.*:participant;127.0.0.1:.*\nserver.2=.*\nserver.3=.*\nversion=<zxid>$/,
    );
  });

  test("as by Apache's", { skip: java.skip }, async () => {
    assert.deepEqual(ours, await answersOf("apache"));
  });
});
