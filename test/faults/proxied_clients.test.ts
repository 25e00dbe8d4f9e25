/**
 * Clients behind a proxy that spoils their connections byte by byte, against ours and against Apache ZooKeeper. The program that drives them must
 * end by itself. Few seeds here; ZOOKERNEL_SEEDS sets another number, and ZOOKERNEL_SEED where they begin.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { describe, test } from "node:test";
import { tcp } from "../../adapters/tcp/mod.ts";
import { open } from "../../mod.ts";
import { campaign } from "../support/campaign.ts";
import { findJavaZooKeeper } from "../support/peers.ts";
import { programCommand } from "../support/runtime.ts";
import { startServer } from "../support/server_process.ts";

const TICK_MS = 200;
const SEEDS = String(campaign("ZOOKERNEL_SEEDS", { quick: 10, all: 30 }));
const FIRST = process.env.ZOOKERNEL_SEED ?? "1";
/** A program that something keeps alive would run for ever. */
const KILLED_AFTER_MS = 600_000;

/** What the program printed; rejects unless it ended well and by itself. */
function drive(port: number, ...more: readonly string[]): Promise<string> {
  const { command, args } = programCommand("test/faults/proxied_clients.ts", String(port), FIRST, SEEDS, ...more);
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const timer = setTimeout(() => child.kill("SIGKILL"), KILLED_AFTER_MS);
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(said.trim());
      else reject(new Error(`it ended with ${code ?? signal}, having said:\n${said}`));
    });
  });
}

/** A server on a port of its own. */
interface Running {
  readonly port: number;
  stop(): Promise<unknown>;
}

async function startOurs(): Promise<Running> {
  const server = await open({ tickTimeMs: TICK_MS, limits: { connectionsPerAddressMax: 0 } });
  const { port } = await server.listen(tcp({ port: 0 }));
  return { port, stop: () => server.close() };
}

async function startApache(): Promise<Running> {
  const server = await startServer({ kind: "apache", config: { tickTime: TICK_MS, maxClientCnxns: 0 } });
  return { port: server.port, stop: () => server.stop("SIGKILL") };
}

describe("clients behind a proxy that spoils their connections", () => {
  for (const { name, skip, start } of [
    { name: "our server", skip: false as const, start: startOurs },
    { name: "Apache ZooKeeper", skip: findJavaZooKeeper().skip, start: startApache },
  ]) {
    for (const [title, ...more] of [
      [`of ${name}`],
      [`of ${name}, when bytes are sent twice: every request is answered all the same`, "duplicates"],
    ] as const) {
      test(title, { skip, timeout: KILLED_AFTER_MS }, async (t) => {
        const server = await start();
        try {
          const said = await drive(server.port, ...more);
          t.diagnostic(said);
          assert.match(said, / 0 failures$/);
        } finally {
          await server.stop();
        }
      });
    }
  }
});
