/**
 * The shell with servers of other kinds: behind TLS and SASL, one that goes away, a member of an ensemble.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { memoryStorage } from "../../../../adapters/storage/mod.ts";
import { parseJaas, tcp, tcpPeers } from "../../../../adapters/tcp/mod.ts";
import { ensembleConfig, open } from "../../../../mod.ts";
import { projectPath } from "../../../support/root.ts";
import { freePort } from "../../../support/server_process.ts";
import { runInProcess, serverWithPort, TypedShell } from "./in_process.ts";

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "zookernel-shell-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const pemFile = (name: string): string => projectPath("test", "support", "tls", `${name}.pem`);
const pem = (name: string): string => readFileSync(pemFile(name), "utf8");
const JAAS = `Server { org.apache.zookeeper.server.auth.DigestLoginModule required user_ada="ada's secret"; };
Client { org.apache.zookeeper.server.auth.DigestLoginModule required username="ada" password="ada's secret"; };
`;

test("TLS and SASL, by Java's properties", { timeout: 60_000 }, async () => {
  const [jaas, properties] = [join(folder, "jaas.conf"), join(folder, "client.properties")];
  writeFileSync(jaas, JAAS);
  const lines = [
    "zookeeper.client.secure=true",
    "zookeeper.clientCnxnSocket=org.apache.zookeeper.ClientCnxnSocketNetty",
    `zookeeper.ssl.trustStore.location=${pemFile("ca")}`,
    `zookeeper.ssl.keyStore.location=${pemFile("client")}`,
    `java.security.auth.login.config=${jaas}`,
  ];
  writeFileSync(properties, lines.join("\n"));
  const { users } = parseJaas(JAAS);
  await using server = await open({ sasl: { users: users! } });
  const tls = { key: pem("server"), cert: pem("server"), ca: pem("ca"), clientAuth: "need" } as const;
  const { port } = await server.listen(tcp({ port: 0, tls }));
  const args = ["-server", `127.0.0.1:${port}`, "-client-configuration", properties];
  const ran = await runInProcess(args, ["create /mine x sasl:ada:cdrwa", "get /mine", "whoami"]);
  assert.equal(ran.exitCode, 0);
  assert.match(ran.stdout, /^Created \/mine\nx\nAuth scheme: User\n/);
  assert.match(ran.stdout, /^sasl: ada$/m);
  writeFileSync(properties, [...lines, "zookeeper.ssl.crl=true"].join("\n"));
  const refused = await runInProcess([...args, "ls", "/"]);
  assert.deepEqual([refused.exitCode, refused.stdout], [127, ""]);
  assert.match(refused.stderr, /zookeeper.ssl.crl is not served/);
});

test("a server that goes away, and comes back", { timeout: 60_000 }, async () => {
  const port = await freePort();
  const first = await open();
  await first.listen(tcp({ port }));
  const shell = new TypedShell(["-server", `127.0.0.1:${port}`]);
  assert.match((await shell.type("create /a")).stdout, /Created/);
  await shell.type("ls -w /a");
  await first.close();
  assert.match((await shell.type("removewatches /a")).stderr, /KeeperErrorCode = ConnectionLoss for \/a$/m);
  assert.match((await shell.type("removewatches /a -c -l")).stdout, /type:ChildWatchRemoved path:\/a$/m);
  assert.match((await shell.type("removewatches /a -c -l")).stderr, /No such watcher for \/a$/m);
  const { stdout, stderr } = await shell.type("get /a");
  assert.equal(stdout, "");
  assert.match(stderr, /^KeeperErrorCode = (ConnectionLoss|Session expired) for \/a$|^Not connected$/m);
  assert.match((await shell.type("removewatches /a -l")).stderr, /No such watcher for \/a$/m);
  await using second = await open();
  await second.listen(tcp({ port }));
  await shell.type("connect");
  assert.equal((await shell.type("ls /")).stdout, "[zookeeper]\n");
  assert.equal(await shell.end(), 0);
});

test("a member of an ensemble: config and reconfig", { timeout: 60_000 }, async () => {
  const [quorum, election, client] = [await freePort(), await freePort(), await freePort()];
  const line = `server.1=127.0.0.1:${quorum}:${election}:participant;127.0.0.1:${client}`;
  await using server = await open({
    ...{ storage: memoryStorage(), reconfigEnabled: true, acl: { skip: true } },
    ensemble: { id: 1, config: ensembleConfig([line]), peers: tcpPeers(), mayVoteAlone: true },
  });
  await server.listen(tcp({ host: "127.0.0.1", port: client }));
  const added = `server.2=127.0.0.1:${await freePort()}:${await freePort()}:observer;127.0.0.1:2`;
  const file = join(folder, "zoo.cfg.dynamic");
  writeFileSync(file, `# members\n${line}\n`);
  const lines = [
    "config",
    "config -c",
    `reconfig -add ${added}`,
    "config -c",
    "reconfig -remove 2",
    `reconfig -members ${line},${added}`,
  ];
  const more = [
    `reconfig -file ${file}`,
    "reconfig -v 1 -remove 2",
    "reconfig -remove x",
    "reconfig",
    "reconfig -file /none",
    "reconfig -remove 1 -file x",
  ];
  const { stdout, stderr } = await runInProcess(["-server", `127.0.0.1:${client}`], [...lines, ...more]);
  const shown = stdout
    .replaceAll(/[0-9a-f]+00000[0-9a-f]+/g, "V")
    .replaceAll(line, "ONE")
    .replaceAll(added, "TWO")
    .replaceAll(String(client), "C");
  const committed = "Committed new configuration:\n";
  const both = `${committed}ONE\nTWO\nversion=V\n`;
  const one = `${committed}ONE\nversion=V\n`;
  assert.equal(shown, `ONE\nversion=V\nV 127.0.0.1:C\n${both}V 127.0.0.1:C,127.0.0.1:2\n${one}${both}${one}`);
  const complaints = stderr
    .split("\n")
    .filter((text) => text !== "")
    .slice(-5)
    .map((text) => text.slice(0, 30));
  assert.deepEqual(complaints, [
    "version No is not valid : ",
    "-remove takes numbers of membe",
    "reconfig [-s] [-v version] [[-",
    "Error processing /none: ENOENT",
    "Can't use -file or -members to",
  ]);
});

test("the first walk of anybody", { timeout: 30_000 }, async () => {
  const walk = JSON.parse(readFileSync(projectPath("test/golden/walkthrough/zkcli.json"), "utf8"));
  await using server = await serverWithPort();
  const { exitCode, ...said } = await runInProcess(["-server", server.address], walk.lines);
  assert.equal(exitCode, walk.exit);
  const answers = said.stdout.replaceAll(/^(ctime|mtime) = .*$/gm, "$1 = <date>");
  assert.equal(answers.replace(walk.stderr, ""), walk.stdout.replace(/^(.*\n){3}/, ""));
});
