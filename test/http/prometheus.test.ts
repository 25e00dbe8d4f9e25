/** A real Prometheus scrapes a server's metrics, and has nothing to say against them. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isAll } from "../support/campaign.ts";
import { findPromtool } from "../support/peers.ts";
import { freePort, startServer } from "../support/server_process.ts";
import { skipReason } from "../support/skip.ts";
import { until } from "../support/until.ts";

const skip = isAll ? findPromtool().skip : skipReason("Prometheus takes a while to start: test:all has it");

interface Answer {
  readonly data: {
    readonly activeTargets: readonly { readonly health: string; readonly lastError: string }[];
    readonly result: readonly { readonly value: readonly [number, string] }[];
  };
}

test("Prometheus scrapes without a warning", { skip, timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "zookernel-prometheus-"));
  const [admin, port] = [await freePort(), await freePort()];
  await using _server = await startServer({ kind: "ours", config: { "admin.enableServer": true, "admin.serverPort": admin } });
  const scrape = `  - job_name: zookernel\n    scrape_interval: 1s\n    static_configs: [{ targets: ["127.0.0.1:${admin}"] }]\n`;
  const config = join(folder, "prometheus.yml");
  writeFileSync(config, `scrape_configs:\n${scrape}`);
  const args = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const prometheus = spawn("prometheus", args, { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  prometheus.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const ask = async (path: string): Promise<Answer | null> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`).catch(() => null);
    return response?.ok ? ((await response.json()) as Answer) : null;
  };
  try {
    await until(
      async () => (await ask("query?query=znode_count"))?.data.result[0]?.value[1] === "5",
      () => `the count of znodes to be scraped:\n${log}`,
      60_000,
    );
    const targets = (await ask("targets"))!.data.activeTargets;
    assert.deepEqual(
      targets.map(({ health, lastError }) => [health, lastError]),
      [["up", ""]],
    );
    const complaints = log.split("\n").filter((line) => /level=(warn|error)/.test(line) && /scrape|append|sample/i.test(line));
    assert.deepEqual(complaints, []);
  } finally {
    const ended = new Promise((resolve) => prometheus.once("close", resolve));
    prometheus.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
});
