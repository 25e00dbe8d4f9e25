/** Single binaries: the command as one executable, and a program that has the server in it. Bun makes them, so this is asked on Bun, among all tests. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { connect } from "../../adapters/tcp/mod.ts";
import { isAll } from "../support/campaign.ts";
import { projectPath } from "../support/root.ts";
import { runtimeName } from "../support/runtime.ts";
import { freePort } from "../support/server_process.ts";

const folder = mkdtempSync(join(tmpdir(), "zookernel-binary-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const TIMEOUT_MS = 120_000;
const skip =
  runtimeName !== "bun"
    ? "a binary is made by Bun"
    : isAll
      ? false
      : "a binary takes a while: it is tried among all tests (--all)";

function compile(source: string, name: string): string {
  const binary = join(folder, name);
  // As `npm run binary` does.
  execFileSync(process.execPath, ["build", "--compile", "--minify", "--bytecode", source, "--outfile", binary], {
    cwd: projectPath(),
    stdio: "pipe",
  });
  return binary;
}

describe("a single binary", { skip, timeout: TIMEOUT_MS }, () => {
  test("starts, serves, tells its mode, has the shell, and stops", async (t) => {
    const binary = compile(projectPath("adapters/cli/main.ts"), "zookernel");
    t.diagnostic(`${Math.round(statSync(binary).size / 1e6)} MB`);
    const port = await freePort();
    const config = join(folder, "zoo.cfg");
    writeFileSync(config, `dataDir=${join(folder, "data")}\nclientPort=${port}\n`);
    const run = (...args: readonly string[]): string => spawnSync(binary, args, { cwd: folder, encoding: "utf8" }).stdout;
    assert.match(run("start", config), /STARTED/);
    try {
      assert.match(run("status", config), /Mode: standalone/);
      await using zk = await connect(`127.0.0.1:${port}`);
      await zk.create("/a", "x");
      assert.match(run("cli", "-server", `127.0.0.1:${port}`, "get", "/a"), /^x$/m);
    } finally {
      assert.match(run("stop", config), /STOPPED/);
    }
  });

  test("of one's own has the server in it", async () => {
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
