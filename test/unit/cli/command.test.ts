/** The command as a process: what it prints where, and how it ends. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { VERSION } from "../../../lib/report/version.ts";
import { projectPath } from "../../support/root.ts";
import { programCommand } from "../../support/runtime.ts";
import { fourLetterWord, freePort } from "../../support/server_process.ts";
import { until } from "../../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "zookernel-cli-"));
const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

interface Run {
  readonly child: ChildProcess;
  out: string;
  err: string;
  /** Exit code, or the signal's name; null while it runs. */
  ended: number | string | null;
}

function start(...args: readonly string[]): Run {
  const { command, args: all } = programCommand("adapters/cli/main.ts", ...args);
  const child = spawn(command, all, { stdio: ["ignore", "pipe", "pipe"] });
  const run: Run = { child, out: "", err: "", ended: null };
  running.add(child);
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    run.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    run.err += text;
  });
  child.on("close", (code, signal) => {
    running.delete(child);
    run.ended = code ?? signal;
  });
  return run;
}

async function finished(...args: readonly string[]): Promise<Run> {
  const run = start(...args);
  await until(() => run.ended !== null, `the end of ${args.join(" ")}`);
  return run;
}

function file(name: string, ...lines: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(""));
  return path;
}

/** A started server, once it answers. */
async function serving(port: number, ...args: readonly string[]): Promise<Run> {
  const run = start("start-foreground", ...args);
  let answer = "";
  await until(() => {
    if (run.ended !== null) throw new Error(`ended with ${run.ended}: ${run.err}`);
    fourLetterWord(port, "srvr").then(
      (text) => {
        answer = text;
      },
      () => {}, // not yet
    );
    return answer !== "";
  }, "the server to answer");
  assert.match(answer, /^Zookeeper version: .*\n[\s\S]*\nMode: standalone\n/);
  return run;
}

async function stop(run: Run, signal: "SIGTERM" | "SIGINT"): Promise<void> {
  process.kill(run.child.pid!, signal); // Deno reports a child that it kills itself as ended by the signal, whatever it did
  await until(() => run.ended !== null, "its end");
}

describe("zookernel", () => {
  test("--version and --help are answers: on standard output, with success", async () => {
    const version = await finished("--version");
    assert.deepEqual([version.out, version.err, version.ended], [`zookernel ${VERSION}\n`, "", 0]);
    const help = await finished("--help");
    assert.match(help.out, /^Usage: zookernel <command>/);
    assert.deepEqual([help.err, help.ended], ["", 0]);
  });

  const refused: readonly (readonly [string[], RegExp])[] = [
    [[], /^zookernel: no command is given\n\nUsage: /],
    [["launch"], /^zookernel: unknown command 'launch'\n\nUsage: /],
    [["status", "a", "b"], /^zookernel: too many arguments for 'status'\. .*\n\nUsage: zookernel status /],
    [["status", "--colour"], /^zookernel: unknown option '--colour'/],
    [
      ["status", "--compat", "4.0"],
      /^zookernel: option '--compat <version>' argument '4\.0' is invalid\. Allowed choices are 3\.4, /,
    ],
    [
      ["status", "--log-level", "loud"],
      /^zookernel: option '--log-level <level>' argument 'loud' is invalid\. Allowed choices are debug, /,
    ],
  ];
  for (const [args, complaint] of refused) {
    test(`"${args.join(" ")}" is refused with what would be right`, async () => {
      const run = await finished(...args);
      assert.deepEqual([run.out, run.ended], ["", 2]);
      assert.match(run.err, complaint);
    });
  }
});

describe("zookernel start-foreground", () => {
  test("serves what zoo.cfg says, tells what it does not serve, and ends cleanly on SIGTERM", async () => {
    const port = await freePort();
    const config = file(
      "good.cfg",
      "tickTime=2000",
      "leaderServes=yes",
      "colour=red",
      `dataDir=${folder}`,
      `clientPort=${port}`,
    );
    const run = await serving(port, config);
    const status = await finished("status", config);
    assert.equal(status.err, `Using config: ${config}\n`);
    assert.equal(status.out, `Client port found: ${port}. Client address: localhost. Client SSL: false.\nMode: standalone\n`);
    assert.equal(status.ended, 0);
    await stop(run, "SIGTERM");
    assert.equal(run.ended, 0, run.err);
    assert.equal(run.out, "");
    const said = run.err.replaceAll(/^\S+ /gm, "").split("\n");
    assert.deepEqual(said, [
      `WARN  ${config}:3: unknown key "colour" has no effect`,
      `INFO  not served, as it is a finer point of ensembles that is fixed here: leaderServes (${config}:2)`,
      "WARN  clientPortAddress is not set: only clients on this machine can connect; clientPortAddress=0.0.0.0 lets in those of other machines",
      `INFO  ${folder}: 4 znodes and 0 sessions at 0x0, from no snapshot and 0 txns`,
      "INFO  Snapshot written at 0x0",
      `INFO  Serving ZooKeeper clients on 127.0.0.1:${port}`,
      "INFO  SIGTERM: closing",
      "",
    ]);
    const gone = await finished("status", config);
    assert.match(gone.out, /\nError contacting service\. It is probably not running\.\n$/);
    assert.equal(gone.ended, 1);
  });

  test("is found by the line of the member whose clients it tells of, also in the file that lists the members", async () => {
    const [client, quorum, election] = [await freePort(), await freePort(), await freePort()];
    const line = `server.7=127.0.0.1:${quorum}:${election}:participant;127.0.0.1:${client}`;
    const data = join(folder, "member");
    mkdirSync(data);
    writeFileSync(join(data, "myid"), "7\n");
    const usual = [`dataDir=${data}`, "initLimit=10", "syncLimit=5", "standaloneEnabled=false"];
    const dynamic = file("members.dynamic", line);
    const run = start("start-foreground", file("member.cfg", ...usual, line));
    for (const config of [join(folder, "member.cfg"), file("listed.cfg", ...usual, `dynamicConfigFile=${dynamic}`)]) {
      let out = "";
      await until(async () => {
        ({ out } = await finished("status", config));
        return out.includes("Mode: ");
      }, `the member to lead: ${run.err}`);
      assert.equal(out, `Client port found: ${client}. Client address: 127.0.0.1. Client SSL: false.\nMode: leader\n`);
    }
    await stop(run, "SIGTERM");
    assert.equal(run.ended, 0, run.err);
  });

  test("takes port and dataDir in place of a file, and a client's open connection does not keep it from ending", async () => {
    const port = await freePort();
    const run = await serving(port, String(port), folder, "--log-level", "silent");
    const { connect } = await import("node:net");
    const idle = connect(port, "127.0.0.1");
    idle.on("error", () => {});
    await until(() => idle.readyState === "open", "a connection");
    await stop(run, "SIGINT");
    await until(() => idle.destroyed, "the client to notice");
    assert.deepEqual([run.ended, run.out, run.err], [0, "", ""]);
  });

  test("a port in use is said with what to do, and ends it with 1", async () => {
    const port = await freePort();
    const run = await serving(port, String(port), folder);
    const second = await finished("start-foreground", String(port), join(folder, "second"));
    assert.match(
      second.err,
      new RegExp(`ERROR Cannot listen on 127\\.0\\.0\\.1:${port}: another process listens there; stop it, or `),
    );
    assert.equal(second.ended, 1);
    await stop(run, "SIGTERM");
  });

  test("a configuration that can't be used is refused with all its faults, as Apache ZooKeeper ends", async () => {
    const config = file("bad.cfg", "# a comment", "tickTime=fast", "clientPort=2181");
    const run = await finished("start-foreground", config);
    assert.match(
      run.err,
      /bad\.cfg:2: tickTime: "fast" is not accepted; allowed: a whole number from 1 to 2147483647 \(milliseconds\)\n/,
    );
    assert.match(run.err, /bad\.cfg: dataDir is not set; it must name a folder\nInvalid config, exiting abnormally\n$/);
    assert.equal(run.ended, 2);
  });

  test("so is one without a port, and one that is not there", async () => {
    const config = file("portless.cfg", "dataDir=/d", "clientPort=0");
    const portless = await finished("start-foreground", config);
    assert.match(
      portless.err,
      /portless\.cfg: neither clientPort nor secureClientPort is set: nobody could connect\nInvalid config/,
    );
    assert.equal(portless.ended, 2);
    const absent = await finished("start-foreground", join(folder, "absent.cfg"));
    assert.match(absent.err, /Cannot read the configuration: .*absent\.cfg.*\nInvalid config/);
    assert.equal(absent.ended, 2);
  });

  test("so is a member that would let anybody in", async () => {
    const lines = ["server.1=10.0.0.1:2888:3888", "server.2=10.0.0.2:2888:3888", "initLimit=5", "syncLimit=2"];
    writeFileSync(join(folder, "myid"), "1\n");
    const run = await finished("start-foreground", file("open.cfg", `dataDir=${folder}`, "clientPort=2181", ...lines));
    assert.match(
      run.err,
      /server\.1 would let other members in at 10\.0\.0\.1 without proof .*set sslQuorum=true .*\nInvalid config/,
    );
    assert.equal(run.ended, 2);
  });

  test("answers like the version it is told to", async () => {
    const port = await freePort();
    const run = await serving(port, String(port), folder, "--compat", "3.4");
    assert.match(await fourLetterWord(port, "mntr"), /^zk_version\t3\.4\.14-zookernel-/);
    await stop(run, "SIGTERM");
  });
});

test("zookernel status asks a server that has TLS alone, with the server's own certificate", async () => {
  const port = await freePort();
  const pem = (name: string): string => projectPath(`test/support/tls/${name}.pem`);
  const config = file(
    "tls.cfg",
    `dataDir=${join(folder, "tls")}`,
    `secureClientPort=${port}`,
    `ssl.keyStore.location=${pem("server")}`,
    `ssl.trustStore.location=${pem("ca")}`,
    "4lw.commands.whitelist=srvr",
  );
  const run = start("start-foreground", config);
  await until(() => run.err.includes("Serving ZooKeeper clients"), "the server");
  const status = await finished("status", config);
  const expected = `Client port found: ${port}. Client address: localhost. Client SSL: true.\nMode: standalone\n`;
  assert.deepEqual([status.out, status.ended], [expected, 0]);
  await stop(run, "SIGTERM");
  assert.equal((await finished("status", config)).ended, 1);
});
