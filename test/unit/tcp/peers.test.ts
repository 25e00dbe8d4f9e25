/** Whom a member's port lets in by certificate, and from where. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { tcpPeers } from "../../../adapters/tcp/mod.ts";
import type { DuplexHandler } from "../../../lib/ports.ts";
import { projectPath } from "../../support/root.ts";
import { until } from "../../support/until.ts";

const pem = (name: string): string => readFileSync(projectPath("test", "support", "tls", `${name}.pem`), "utf8");
const tls = (name: string) => ({ cert: pem(name), key: pem(name), ca: pem("ca") });

for (const [title, name, hosts, isLetIn] of [
  ["for a member's name", "server", () => ["zk1", "localhost"], true],
  ["for a member's address", "server", () => ["127.0.0.1"], true],
  ["for nobody's name", "server", () => ["zk1", "10.0.0.1"], false],
  ["for the address it comes from, where that is allowed", "server", (from: string) => ["zk1", from], true],
  ["for another name, from wherever", "elsewhere", (from: string) => ["zk1", from], false],
  ["for no host at all", "client", () => ["client one"], false],
] as const) {
  test(`a certificate ${title} is ${isLetIn ? "let in" : "refused"}`, { timeout: 30_000 }, async () => {
    const lines: string[] = [];
    const server = tcpPeers({ tls: tls("server"), logger: { warn: (line) => lines.push(line) } });
    const listener = server.listener({ host: "127.0.0.1", port: 0 }, hosts);
    let accepted = 0;
    let hasClosed = false;
    const handler: DuplexHandler = {
      data() {},
      drained() {},
      closed() {
        hasClosed = true;
      },
    };
    const { port } = await listener.start(() => {
      accepted++;
      return handler;
    });
    try {
      tcpPeers({ tls: tls(name) }).dialer.dial({ host: "localhost", port }, () => handler, assert.fail);
      await until(() => accepted === 1 || hasClosed, "to be let in, or not");
      assert.equal(accepted === 1, isLetIn);
      assert.equal(lines.length, isLetIn ? 0 : 1, lines.join());
    } finally {
      await listener.stop();
    }
  });
}
