/**
 * One folder with one zoo.cfg, TLS and SASL in it, served by Apache ZooKeeper and by ours in turn. The clients of both find what was kept under
 * their names, whoever serves it.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { connect } from "../../adapters/tcp/mod.ts";
import { findJavaZooKeeper, findKazoo, findZkCli } from "../support/peers.ts";
import { projectPath } from "../support/root.ts";
import {
  fourLetterWord,
  freePort,
  type ServerProcess,
  serverName,
  startServer,
  type ZooConfig,
} from "../support/server_process.ts";
import { runZkCli } from "./zkcli.ts";

const pemFile = (name: string): string => projectPath("test", "support", "tls", `${name}.pem`);
const pem = (name: string): string => readFileSync(pemFile(name), "utf8");
const TLS = { ca: pem("ca"), cert: pem("client"), key: pem("client") };
const BOB = { username: "bob", password: "b0b's secret" };
const JAAS = `Server { org.apache.zookeeper.server.auth.DigestLoginModule required user_bob="${BOB.password}"; };
Client { org.apache.zookeeper.server.auth.DigestLoginModule required username="bob" password="${BOB.password}"; };
`;
const TIMEOUT = { timeout: 90_000 };
const run = promisify(execFile);

const apache = findJavaZooKeeper();
const zkCli = findZkCli();
const kazoo = findKazoo();
const folder = mkdtempSync(join(tmpdir(), "zookernel-secure-"));
const jaas = join(folder, "jaas.conf");
let config: ZooConfig;

before(async () => {
  writeFileSync(jaas, JAAS);
  config = {
    tickTime: 500,
    clientPort: await freePort(),
    secureClientPort: await freePort(),
    secureClientPortAddress: "127.0.0.1",
    serverCnxnFactory: "org.apache.zookeeper.server.NettyServerCnxnFactory",
    "ssl.keyStore.location": pemFile("server"),
    "ssl.trustStore.location": pemFile("ca"),
    "ssl.clientAuth": "need",
    "authProvider.1": "org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
    "authProvider.2": "org.apache.zookeeper.server.auth.X509AuthenticationProvider",
    "4lw.commands.whitelist": "*",
  };
});
after(() => rmSync(folder, { recursive: true }));

const texts: string[] = [];
const text = (data: Uint8Array | null): string => new TextDecoder().decode(data ?? undefined);

for (const [turn, kind] of (["apache", "ours", "apache"] as const).entries()) {
  const skip = kind === "apache" ? apache.skip : false;
  describe(`turn ${turn + 1}: ${serverName(kind)}`, { skip, concurrency: 1 }, () => {
    let server: ServerProcess;
    before(async () => {
      if (skip !== false) return;
      server = await startServer({ kind, config, jaas, folder });
      texts.push(readFileSync(join(folder, "zoo.cfg"), "utf8"));
    });
    after(async () => {
      await server?.stop();
    });
    const secure = (): string => `localhost:${config.secureClientPort}`;

    test("takes the same file, and tells both ports", TIMEOUT, async () => {
      assert.equal(texts.at(-1), texts[0]);
      const conf = await fourLetterWord(server.port, "conf");
      assert.match(conf, new RegExp(`^clientPort=${config.clientPort}\nsecureClientPort=${config.secureClientPort}\n`));
    });

    test("our client proves a certificate and a name", TIMEOUT, async () => {
      await using zk = await connect(secure(), { tls: TLS, sasl: BOB });
      const schemes = (await zk.whoAmI()).map(({ scheme }) => scheme);
      assert.deepEqual(schemes.toSorted(), ["ip", "sasl", "x509"]);
      const acl = [{ perms: 31, scheme: "sasl", id: "bob" }];
      if ((await zk.exists("/of-bob")) === null) await zk.create("/of-bob", "of our client", { acl });
      assert.deepEqual((await zk.getACL("/of-bob")).acl, acl);
      await zk.setData("/of-bob", "of our client");
      await using clear = await connect(`localhost:${config.clientPort}`, { sasl: BOB });
      assert.equal(text((await clear.getData("/of-bob")).data), "of our client");
      await using nobody = await connect(secure(), { tls: TLS });
      await assert.rejects(nobody.getData("/of-bob"), { code: "NoAuth" });
    });

    test("zkCli.sh", { ...TIMEOUT, skip: zkCli.skip }, async () => {
      if (zkCli.skip !== false) return;
      const heard = await runZkCli(
        zkCli.command,
        ["-server", secure()],
        ["whoami", "getAcl /of-bob", "get /of-bob", "set /of-bob of-zkCli.sh", "get /of-bob", "quit"],
        [
          // What TLS needs is missing from the class path that Debian wrote into ZooKeeper's jar.
          `-cp ${["zookeeper", "netty-codec", "netty-resolver"].map((name) => `/usr/share/java/${name}.jar`).join(":")}`,
          "-Dzookeeper.clientCnxnSocket=org.apache.zookeeper.ClientCnxnSocketNetty -Dzookeeper.client.secure=true",
          `-Dzookeeper.ssl.keyStore.location=${pemFile("client")} -Dzookeeper.ssl.trustStore.location=${pemFile("ca")}`,
          `-Djava.security.auth.login.config=${jaas}`,
        ],
      );
      for (const line of [/^sasl: bob$/m, /^x509: .*CN=client one/m, /^'sasl,'bob$/m, /^of our client$/m, /^of-zkCli.sh$/m])
        assert.match(heard.stdout, line, JSON.stringify(heard));
    });

    test("kazoo", { ...TIMEOUT, skip: kazoo.skip }, async () => {
      if (kazoo.skip !== false) return;
      const script = projectPath("test", "clients", "kazoo_secure.py");
      const args = [secure(), pemFile("ca"), pemFile("client"), BOB.username, BOB.password, "/of-bob"];
      const { stdout } = await run(kazoo.python, ["-B", script, ...args], { timeout: 60_000 });
      const { data, acl } = JSON.parse(stdout) as { data: string; acl: string[][] };
      assert.match(data, /^of( our client|-zkCli.sh)$/);
      assert.deepEqual(acl, [["sasl", "bob"]]);
      await using zk = await connect(secure(), { tls: TLS, sasl: BOB });
      assert.equal(text((await zk.getData("/of-bob")).data), "of kazoo");
    });
  });
}
