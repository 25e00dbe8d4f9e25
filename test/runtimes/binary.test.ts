/** Single binaries: the command as one executable, and a program that has the server in it. Bun makes them, so this is asked on Bun, among all tests. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isAll } from "../support/campaign.ts";
import { findKazoo } from "../support/peers.ts";
import { projectPath } from "../support/root.ts";
import { runtimeName } from "../support/runtime.ts";
import { freePort } from "../support/server_process.ts";
import { skipReason } from "../support/skip.ts";
import { threeConfigs } from "../support/three_configs.ts";
import { until } from "../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "zookernel-binary-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const TIMEOUT_MS = 120_000;
const skip =
  runtimeName !== "bun"
    ? skipReason("a binary is made by Bun")
    : isAll
      ? false
      : skipReason("a binary takes a while to make: test:all has it");

function compile(source: string, name: string): string {
  const binary = join(folder, name);
  // As `npm run binary` does.
  execFileSync(process.execPath, ["build", "--compile", "--minify", "--bytecode", source, "--outfile", binary], {
    cwd: projectPath(),
    stdio: "pipe",
  });
  return binary;
}

/** What a beginner types first, as ZooKeeper's own getting-started text has it. */
const FIRST_STEPS = ["help", "ls /", "create /zk_test my_data", "ls /", "get /zk_test", "set /zk_test junk", "get /zk_test"];
const LAST_STEPS = ["delete /zk_test", "ls /", "quit"];

describe("a single binary", { timeout: 3 * TIMEOUT_MS }, () => {
  let binary = "";
  const run = (args: readonly string[], input = ""): string =>
    spawnSync(binary, args, { cwd: folder, encoding: "utf8", input, env: { ...process.env, HOME: folder } }).stdout;
  const written = (name: string, lines: Readonly<Record<string, string | number>>): string => {
    const path = join(folder, name);
    writeFileSync(
      path,
      Object.entries(lines)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(""),
    );
    return path;
  };

  before(() => {
    if (skip === false) binary = compile(projectPath("adapters/cli/main.ts"), "zookernel");
  });

  test("takes a beginner through the first steps", { skip }, async (t) => {
    t.diagnostic(`${Math.round(statSync(binary).size / 1e6)} MB`);
    const port = await freePort();
    const config = written("zoo.cfg", { tickTime: 2000, dataDir: join(folder, "data"), clientPort: port });
    assert.match(run(["start", config]), /STARTED/);
    try {
      assert.match(run(["status", config]), /Mode: standalone/);
      const typed = [...FIRST_STEPS, ...LAST_STEPS].map((line) => `${line}\n`).join("");
      const said = run(["cli", "-server", `127.0.0.1:${port}`], typed);
      assert.match(said, /^\tcreate \[-s\] \[-e\]/m);
      assert.ok(said.endsWith("[zookeeper]\nCreated /zk_test\n[zk_test, zookeeper]\nmy_data\njunk\n[zookeeper]\n"), said);
    } finally {
      assert.match(run(["stop", config]), /STOPPED/);
    }
  });

  test("is each of three members, of which one leads", { skip }, async () => {
    const files = await threeConfigs(folder);
    try {
      for (const file of files) assert.match(run(["start", file]), /STARTED/);
      const modes = (): string =>
        files
          .map((file) => /^Mode: (.*)$/m.exec(run(["status", file]))?.[1])
          .sort()
          .join(" ");
      await until(() => modes() === "follower follower leader", "one to lead", 60_000);
    } finally {
      for (const file of files) run(["stop", file]);
    }
  });

  const kazoo = findKazoo();
  test("serves kazoo", { skip: skip === false ? kazoo.skip : skip }, async () => {
    if (kazoo.skip !== false) return;
    const port = await freePort();
    const config = written("kazoo.cfg", { dataDir: join(folder, "kazoo"), clientPort: port });
    assert.match(run(["start", config]), /STARTED/);
    try {
      const script = `from kazoo.client import KazooClient
k = KazooClient(hosts="127.0.0.1:${port}"); k.start(); k.create("/a", b"x")
with k.Lock("/lock", "me"): print(k.get("/a")[0].decode())
k.stop()`;
      assert.equal(execFileSync(kazoo.python, ["-B", "-c", script], { encoding: "utf8", timeout: TIMEOUT_MS }), "x\n");
    } finally {
      assert.match(run(["stop", config]), /STOPPED/);
    }
  });

  test("of one's own has the server in it", { skip }, async () => {
    const source = join(folder, "app.ts");
    writeFileSync(
      source,
      `import { open } from ${JSON.stringify(projectPath("mod.ts"))};
       (async () => {
         const server = await open();
         const zk = await server.connect();
         console.log(await zk.create("/in-one-file"));
         await server.close();
       })();`,
    );
    const child = spawn(compile(source, "app"), { stdio: ["ignore", "pipe", "inherit"] });
    let out = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    const code = await new Promise((resolve) => child.once("close", resolve));
    assert.deepEqual([out, code], ["/in-one-file\n", 0]);
  });
});
