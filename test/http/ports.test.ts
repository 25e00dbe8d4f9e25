/** HTTP ports of a server that was started with a zoo.cfg: off unless asked for, on loopback, and never what keeps the server from serving. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { withoutSecrets } from "../../adapters/cli/http_ports.ts";
import { httpPlan } from "../../adapters/cli/open_settings.ts";
import { parseZooCfg } from "../../adapters/cli/zoo_cfg.ts";
import { findAdminServer, findPromtool } from "../support/peers.ts";
import { freePort, startServer } from "../support/server_process.ts";
import { shapeOf } from "./shape.ts";

const PROMETHEUS = "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider";

const planOf = (text: string): ReturnType<typeof httpPlan> =>
  httpPlan(parseZooCfg(`dataDir=/d\nclientPort=1\n${text}`, "zoo.cfg").settings);

const textOf = async (port: number, path: string): Promise<string> =>
  await (await fetch(`http://127.0.0.1:${port}${path}`)).text();

describe("a zoo.cfg", () => {
  test("asks for HTTP, or there is none", () => {
    assert.equal(planOf(""), null);
    assert.equal(planOf("admin.serverPort=9\nmetricsProvider.httpPort=7\n"), null);
    assert.deepEqual(planOf("admin.enableServer=true\n"), { admin: { port: {} }, metrics: null });
    assert.deepEqual(
      planOf(`admin.enableServer=true\nadmin.serverPort=9\nadmin.serverAddress=0.0.0.0\nadmin.commandURL=/c\n`),
      {
        admin: { port: { host: "0.0.0.0", port: 9 }, commandUrl: "/c" },
        metrics: null,
      },
    );
    assert.deepEqual(planOf(`metricsProvider.className=${PROMETHEUS}\n`), { admin: null, metrics: { port: 7000 } });
  });

  test("is told without its secrets", () => {
    const text = "a=1\nssl.keyStore.password=hunter2\\\n  more\nssl.keyStore.passwordPath=/p\n sessionSecret : x\nb=2";
    assert.equal(withoutSecrets(text), "a=1\nssl.keyStore.password=***\nssl.keyStore.passwordPath=/p\nsessionSecret=***\nb=2");
  });
});

test("the command serves both, and a port that is taken is told and no more", { timeout: 60_000 }, async () => {
  const [adminPort, metricsPort] = [await freePort(), await freePort()];
  const taken = createServer().listen(metricsPort, "127.0.0.1");
  try {
    const config = {
      "admin.enableServer": true,
      "admin.serverPort": adminPort,
      "metricsProvider.className": PROMETHEUS,
      "metricsProvider.httpPort": metricsPort,
    };
    await using server = await startServer({ kind: "ours", config });
    assert.match(server.logs(), new RegExp(`Cannot serve metrics on port ${metricsPort}`));
    assert.deepEqual(JSON.parse(await textOf(adminPort, "/readyz")), { ready: true, mode: "standalone" });
    assert.match(await textOf(adminPort, "/metrics"), /^znode_count 5$/m);
    assert.match(await textOf(adminPort, "/commands/icfg"), /tickTime=2000/);
    assert.equal((await fetch(`http://127.0.0.1:${adminPort}/commands/stat_reset`)).status, 403);
  } finally {
    taken.close();
  }
});

describe("beside Apache's admin server", { timeout: 120_000 }, () => {
  const apache = findAdminServer();

  test("every command has the same fields, asked live", { skip: apache.skip }, async () => {
    const [ours, theirs] = [await freePort(), await freePort()];
    const configOf = (port: number) => ({
      "admin.enableServer": true,
      "admin.serverAddress": "127.0.0.1",
      "admin.serverPort": port,
    });
    await using _apache = await startServer({ kind: "apache", config: configOf(theirs) });
    await using _ours = await startServer({ kind: "ours", config: configOf(ours) });
    const list = await textOf(theirs, "/commands");
    assert.equal(await textOf(ours, "/commands"), list);
    const OWN = ["environment", "system_properties", "monitor"];
    for (const [, name = ""] of list.matchAll(/">(\w+)<\/a>/g)) {
      if (OWN.includes(name) || name.endsWith("_reset") || name === "set_trace_mask") continue;
      const [mine, real] = [await textOf(ours, `/commands/${name}`), await textOf(theirs, `/commands/${name}`)];
      assert.deepEqual(shapeOf(mine), shapeOf(real), name);
    }
  });
});

test("promtool finds nothing but ZooKeeper's own names", { timeout: 60_000, skip: findPromtool().skip }, async () => {
  const port = await freePort();
  await using _server = await startServer({ kind: "ours", config: { "admin.enableServer": true, "admin.serverPort": port } });
  const { stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
    input: await textOf(port, "/metrics"),
    encoding: "utf8",
  });
  const complaints = `${stdout}${stderr}`.split("\n").filter((line) => line !== "");
  // ZooKeeper's names are its own: counts without _total, and gauges that end in _count.
  const OF_NAMES =
    /(counter metrics should have "_total" suffix|non-histogram and non-summary metrics should not have "_count" suffix)$/;
  assert.deepEqual(
    complaints.filter((line) => !OF_NAMES.test(line) || /^(process_|zookernel_)/.test(line)),
    [],
  );
});
