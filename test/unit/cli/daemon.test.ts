/** A server in the background, as a beginner meets it: start, status, stop, with zkServer.sh's words; and what a killed server leaves behind. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { logFile } from "../../../adapters/cli/log_file.ts";
import { programCommand } from "../../support/runtime.ts";
import { freePort } from "../../support/server_process.ts";
import { threeConfigs } from "../../support/three_configs.ts";
import { until } from "../../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "zookernel-daemon-"));
const configs: string[] = [];
const TIMEOUT_MS = 120_000;

after(async () => {
  for (const config of configs) await run("stop", config);
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly out: string;
  readonly err: string;
  readonly code: number | null;
}

function run(...words: readonly string[]): Promise<Answer> {
  const { command, args } = programCommand("adapters/cli/main.ts", ...words);
  const env = { ...process.env, ZOOPIDFILE: "", ZOO_LOG_DIR: "" };
  const child = spawn(command, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  return new Promise((resolve) => child.once("close", (code) => resolve({ out, err, code })));
}

async function answer(...words: readonly string[]): Promise<string> {
  return (await run(...words)).out;
}

/** A zoo.cfg, whose server is stopped in the end. */
function config(name: string, lines: Readonly<Record<string, string | number>>): string {
  const path = join(folder, name);
  writeFileSync(
    path,
    Object.entries(lines)
      .map(([key, value]) => `${key}=${String(value).replaceAll("\\", "\\\\")}\n`)
      .join(""),
  );
  configs.push(path);
  return path;
}

describe("a server in the background", { timeout: TIMEOUT_MS }, () => {
  test("starts, tells its mode, starts no second time, and stops", async () => {
    const port = await freePort();
    const file = config("zoo.cfg", { tickTime: 2000, dataDir: join(folder, "data"), clientPort: port });
    assert.deepEqual(await run("start", file), {
      out: "Starting zookeeper ... STARTED\n",
      err: `Using config: ${file}\n`,
      code: 0,
    });
    const pid = readFileSync(join(folder, "data", "zookeeper_server.pid"), "utf8").trim();
    assert.match(await answer("status", file), /\nMode: standalone\n$/);
    const again = await run("start", file);
    assert.deepEqual([again.out, again.code], [`Starting zookeeper ... already running as process ${pid}.\n`, 1]);
    assert.match(readFileSync(join(folder, "zoo.log"), "utf8"), /INFO {2}Serving ZooKeeper clients on 127\.0\.0\.1/);
    assert.match(
      await answer("print-cmd", file),
      /start-foreground .*zoo\.cfg --pid-file .*zookeeper_server\.pid --log-file .*zoo\.log/,
    );
    const stopped = await run("stop", file);
    assert.deepEqual([stopped.out, stopped.code], ["Stopping zookeeper ... STOPPED\n", 0]);
    const none = await run("stop", file);
    assert.match(
      none.out,
      /^Stopping zookeeper \.\.\. no zookeeper to stop \(could not find file .*zookeeper_server\.pid\)\n$/,
    );
    assert.equal(none.code, 0);
    assert.match(await answer("status", file), /\nError contacting service\. It is probably not running\.\n$/);
  });

  test("that is killed leaves nothing that blocks; one number of another program's is nobody's", async () => {
    const port = await freePort();
    const dataDir = join(folder, "killed");
    const file = config("killed.cfg", { dataDir, clientPort: port });
    const pidFile = join(dataDir, "zookeeper_server.pid");
    assert.match(await answer("start", file), /STARTED/);
    process.kill(Number(readFileSync(pidFile, "utf8")), "SIGKILL");
    await until(async () => /not running/.test(await answer("status", file)), "the server to be gone");
    assert.match(
      await answer("restart", file),
      /^Stopping zookeeper \.\.\. no zookeeper to stop .*\nStarting zookeeper \.\.\. STARTED\n$/,
    );
    assert.match(await answer("stop", file), /STOPPED/);
    if (process.platform !== "linux") return; // elsewhere nothing tells one program from another
    const bystander = spawn("tail", ["-f", "/dev/null", pidFile], {
      argv0: "less-zookeeper.log-start-foreground",
      stdio: "ignore",
    });
    try {
      writeFileSync(pidFile, `${bystander.pid}\n`);
      assert.match(await answer("stop", file), /no zookeeper to stop \(no server runs under the number/);
      assert.equal(bystander.exitCode, null);
      writeFileSync(pidFile, `${bystander.pid}\n`);
      assert.match(await answer("start", file), /STARTED/);
    } finally {
      bystander.kill("SIGKILL");
    }
  });

  test("on the data of another is told who has them", async () => {
    const dataDir = join(folder, "shared");
    const first = config("first.cfg", { dataDir, clientPort: await freePort() });
    assert.match(await answer("start", first), /STARTED/);
    const pidFile = join(dataDir, "zookeeper_server.pid");
    const pid = readFileSync(pidFile, "utf8").trim();
    rmSync(pidFile); // as if somebody had tidied up
    const second = config("second.cfg", { dataDir, clientPort: await freePort() });
    const { out, err, code } = await run("start", second);
    assert.deepEqual([out, code], ["Starting zookeeper ... FAILED TO START\n", 1]);
    assert.match(err, new RegExp(`the data directory is in use: process ${pid} has it open`));
    writeFileSync(pidFile, pid);
    assert.match(await answer("stop", first), /STOPPED/);
  });

  test("is not started by a file that can't be used", async () => {
    assert.deepEqual(await run("start", "absent.cfg"), {
      out: "",
      err: "Using config: absent.cfg\nzookernel: Cannot read absent.cfg: ENOENT: no such file or directory, open 'absent.cfg'\n",
      code: 2,
    });
    const bad = config("bad.cfg", { dataDir: join(folder, "bad"), clientPort: "many" });
    const { out, err, code } = await run("start", bad);
    assert.deepEqual([out, code], ["Starting zookeeper ... FAILED TO START\n", 1]);
    assert.match(err, /bad\.cfg:2: clientPort/);
  });

  test("is one of three, of which one leads", async () => {
    const files = await threeConfigs(folder);
    configs.push(...files);
    for (const file of files) assert.match(await answer("start", file), /STARTED/);
    const modes = async (): Promise<string> =>
      (await Promise.all(files.map((file) => answer("status", file))))
        .map((text) => /^Mode: (.*)$/m.exec(text)?.[1])
        .sort()
        .join(" ");
    await until(async () => (await modes()) === "follower follower leader", "one to lead", 60_000);
    for (const file of files) assert.match(await answer("stop", file), /STOPPED/);
  });
});

test("a log's file makes room for itself, and no line is lost or cut", () => {
  const path = join(folder, "room", "server.log");
  const write = logFile(path, { bytesMax: 100, filesKept: 2 });
  for (let at = 0; at < 20; at++) write(`line ${at} ${"x".repeat(20)}`);
  const linesOf = (file: string): string[] =>
    readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line !== "");
  const kept = [`${path}.2`, `${path}.1`, path].flatMap(linesOf);
  assert.deepEqual(
    kept.map((line) => line.split(" ")[1]),
    Array.from({ length: kept.length }, (_, at) => `${20 - kept.length + at}`),
  );
  assert.ok(kept.length >= 7 && kept.every((line) => line.endsWith("x".repeat(20))));
  assert.equal(existsSync(`${path}.3`), false);
  rmSync(join(folder, "room"), { recursive: true });
  write("z".repeat(200)); // there is no room for it any more: that is told, and no more
  logFile(path, { bytesMax: 100, filesKept: 0 })("y".repeat(200));
  assert.deepEqual(linesOf(path), ["y".repeat(200)]);
});
