/**
 * What is particular to the C client: it numbers its requests from the time of day. And what only a lost connection shows: it sets its
 * watches again, and keeps its session. What it prints, command by command, is compared in walkthrough.test.ts.
 */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { findCliMt } from "../support/peers.ts";
import { type ServerProcess, serverName, startServer } from "../support/server_process.ts";
import { startCliMt } from "./cli_mt.ts";
import { NodeClient } from "./node_client.ts";

const cliMt = findCliMt();
const TIMEOUT = { timeout: 90_000 };

describe(`cli_mt on ${serverName()}`, { skip: cliMt.skip, concurrency: 1 }, () => {
  const command = cliMt.skip === false ? cliMt.command : "";
  const folder = mkdtempSync(join(tmpdir(), "zookernel-cli_mt-"));
  let server: ServerProcess;

  before(async () => {
    server = await startServer({ config: { tickTime: 200, maxSessionTimeout: 40_000 }, folder });
  });
  after(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("its xids are the time of day, and are answered as they are", TIMEOUT, async () => {
    const { cli } = await startCliMt(command, ["-d", "-h", server.address]);
    await using _ = cli;
    const printed = await cli.ask("create /xid");
    const sent = /Sending request xid=(0x[0-9a-f]+)/.exec(printed)?.[1];
    assert.ok(Number(sent) > 0x6000_0000, printed);
    assert.match(printed, new RegExp(`Calling COMPLETION_STRING for xid=${sent} failed=0`));
  });

  test("it sets its watches again on a new connection, and hears what it has missed", TIMEOUT, async () => {
    await using line = await Line.to(server.port);
    await using other = await NodeClient.connect(server.address);
    const { cli } = await startCliMt(command, ["-h", `127.0.0.1:${line.port}`]);
    await using _ = cli;
    await cli.ask("create /missed");
    await cli.ask("create /later");
    await cli.ask("get /missed"); // every get of this shell watches
    await cli.ask("get /later");
    line.cut();
    await other.setData("/missed", "x");
    // What it said while it was cut off may come in pieces; what counts is that both are said.
    const told = await cli.askUntil("", (printed) => /CHANGED_EVENT .* for path \/missed/.test(printed));
    assert.match(told, /SESSION_EVENT state = CONNECTING_STATE/);
    await other.setData("/later", "x");
    await cli.askUntil("", (printed) => /CHANGED_EVENT .* for path \/later/.test(printed));
  });

  test("its session outlives a restart of the server", TIMEOUT, async () => {
    const { cli } = await startCliMt(command, ["-h", server.address]);
    await using _ = cli;
    await cli.ask("create +e /outlives");
    const owner = /ephemeralOwner = .*/.exec(await cli.ask("get /outlives"))?.[0];
    const config = { tickTime: 200, maxSessionTimeout: 40_000, clientPort: server.port };
    await server.stop();
    server = await startServer({ config, folder });
    await cli.askUntil("", (printed) => printed.includes("SESSION_EVENT state = CONNECTED_STATE"));
    assert.equal(/ephemeralOwner = .*/.exec(await cli.ask("get /outlives"))?.[0], owner);
  });
});

/** A line to a server that can be cut: the client's end is told at once, and a new connection goes through. */
class Line implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  readonly #listener = createServer((socket) => this.#carry(socket));
  #target = 0;

  static async to(target: number): Promise<Line> {
    const line = new Line();
    line.#target = target;
    await new Promise<void>((resolve) => line.#listener.listen(0, "127.0.0.1", resolve));
    return line;
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#listener.close(resolve));
  }

  #carry(client: Socket): void {
    const server = connect(this.#target, "127.0.0.1");
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on("error", () => {}); // its close says the same
      from.once("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  }
}
