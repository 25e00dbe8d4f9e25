/**
 * Members that prove who they are to one another: two of Apache ZooKeeper and ours, from one zoo.cfg. Ours leads, is killed, and comes back to
 * follow, so that each dials the other on either port.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { connect } from "../../adapters/tcp/mod.ts";
import { findJavaZooKeeper } from "../support/peers.ts";
import { projectPath } from "../support/root.ts";
import { fourLetterWord, freePort, type ServerProcess, spawnServer, type ZooConfig } from "../support/server_process.ts";
import { until } from "../support/until.ts";

const file = (name: string): string => projectPath("test", "support", "tls", `${name}.pem`);
const MODULE = "org.apache.zookeeper.server.auth.DigestLoginModule required";
const JAAS = `QuorumServer { ${MODULE} user_member="a secret of members"; };
QuorumLearner { ${MODULE} username="member" password="a secret of members"; };
`;
const TLS: ZooConfig = {
  sslQuorum: true,
  serverCnxnFactory: "org.apache.zookeeper.server.NettyServerCnxnFactory",
  "ssl.quorum.keyStore.location": file("server"),
  "ssl.quorum.trustStore.location": file("ca"),
};
const SASL: ZooConfig = {
  "quorum.auth.enableSasl": true,
  "quorum.auth.learnerRequireSasl": true,
  "quorum.auth.serverRequireSasl": true,
};
const OURS = 3;

/** Three members; the last, which the first election makes the leader, is ours. */
class Members implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "zookernel-secure-"));
  readonly #jaas = join(this.#folder, "jaas.conf");
  readonly #configs = new Map<number, ZooConfig>();
  readonly #running = new Map<number, ServerProcess>();

  static async start(security: ZooConfig): Promise<Members> {
    const members = new Members();
    writeFileSync(members.#jaas, JAAS);
    const lines: Record<string, string> = {};
    for (const id of [1, 2, OURS]) lines[`server.${id}`] = `127.0.0.1:${await freePort()}:${await freePort()}`;
    const all = { tickTime: 500, "4lw.commands.whitelist": "*", ...security, ...lines };
    for (const id of [1, 2, OURS]) members.#configs.set(id, { ...all, clientPort: await freePort() });
    // Ours waits for the others, so that it takes part in the first election.
    for (const id of [OURS, 1, 2]) await members.spawn(id);
    return members;
  }

  async spawn(id: number): Promise<void> {
    const kind = id === OURS ? "ours" : "apache";
    const folder = join(this.#folder, String(id));
    this.#running.set(id, await spawnServer({ kind, config: this.#configs.get(id)!, jaas: this.#jaas, folder, myid: id }));
  }

  async kill(id: number): Promise<void> {
    const server = this.#running.get(id)!;
    this.#running.delete(id);
    await server.stop("SIGKILL");
  }

  address(id: number): string {
    return this.#running.get(id)!.address;
  }

  /** Resolves once these serve, with the leader's number. */
  async serving(...ids: readonly number[]): Promise<number> {
    let modes: string[] = [];
    await until(
      async () => {
        const answers = ids.map((id) => fourLetterWord(this.#running.get(id)!.port, "srvr", 1000).catch(() => ""));
        modes = (await Promise.all(answers)).map((answer) => /^Mode: (\w+)$/m.exec(answer)?.[1] ?? "");
        return modes.includes("leader") && !modes.includes("");
      },
      () =>
        `${ids} to serve, which are ${modes}:\n${[...this.#running.values()].map((one) => one.logs().slice(-4000)).join("\n\n")}`,
      60_000,
    );
    return ids[modes.indexOf("leader")]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running.keys()].map((id) => this.kill(id)));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

describe("members of ours and of Apache's prove who they are", { skip: findJavaZooKeeper().skip }, () => {
  for (const [title, security] of [
    ["by TLS", TLS],
    ["by SASL", SASL],
    ["by TLS and SASL, on ports that take members in the clear as well", { ...TLS, ...SASL, portUnification: true }],
  ] as const) {
    test(title, { timeout: 240_000 }, async () => {
      await using members = await Members.start(security);
      assert.equal(await members.serving(1, 2, OURS), OURS);
      await using zk = await connect(`${members.address(1)},${members.address(2)}`);
      await zk.create("/before", "");
      await members.kill(OURS);
      assert.notEqual(await members.serving(1, 2), OURS);
      await until(
        () =>
          zk.create("/meanwhile").then(
            () => true,
            ({ code }) => code === "NodeExists",
          ),
        "a write among the two",
      );
      await members.spawn(OURS);
      assert.notEqual(await members.serving(1, 2, OURS), OURS);
      await using ours = await connect(members.address(OURS));
      await ours.sync("/");
      assert.notEqual(await ours.exists("/before"), null);
      assert.notEqual(await ours.exists("/meanwhile"), null);
      await ours.create("/after");
    });
  }
});
