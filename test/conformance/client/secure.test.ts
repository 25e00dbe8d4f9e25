/**
 * What keeps clients and servers honest, the same on ours and on Apache ZooKeeper: TLS with host names and client certificates, and SASL.
 */
import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectPlain } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect, type RemoteConnectOptions, tcp } from "../../../adapters/tcp/mod.ts";
import { type OpenOptions, open, type Server } from "../../../mod.ts";
import { findJavaZooKeeper } from "../../support/peers.ts";
import { Lines } from "../../support/remote_handle.ts";
import { projectPath } from "../../support/root.ts";
import {
  fourLetterWord,
  freePort,
  type ServerKind,
  type ServerOptions,
  type ServerProcess,
  spawnServer,
  startServer,
  type ZooConfig,
} from "../../support/server_process.ts";
import { until } from "../../support/until.ts";

const file = (name: string): string => projectPath("test", "support", "tls", `${name}.pem`);
const pem = (name: string): string => readFileSync(file(name), "utf8");
const certificate = (name: string): { cert: string; key: string } => ({ cert: pem(name), key: pem(name) });
const USERS = { bob: "bobsecret", zoë: "pässwörd" };
const CLIENT_SUBJECT = "1.2.840.113549.1.9.1=#160d63406578616d706c652e6f7267,CN=client one,O=Test\\, Inc.,ST=A State,C=XX";

/** A server, and its ports. */
interface Running {
  readonly plain: number;
  readonly secure: number;
  stop(): Promise<unknown>;
}

interface Kind {
  readonly name: string;
  readonly skip: string | false;
  /** Serves TLS with the named certificate. */
  startTls(certificateName: string, options?: { unified?: boolean; clientAuth?: "need" | "want" | "none" }): Promise<Running>;
  startSasl(): Promise<Running>;
}

const ours: Kind = {
  name: "our server",
  skip: false,
  async startTls(name, { unified = false, clientAuth = "need" } = {}) {
    const server = await open({ tickTimeMs: 500, acl: { x509Registered: true } });
    const tls = { ...certificate(name), ca: pem("ca"), clientAuth, unified };
    const { port: secure } = await server.listen(tcp({ port: 0, tls }));
    const plain = unified ? secure : (await server.listen(tcp({ port: 0 }))).port;
    return { plain, secure, stop: () => server.close() };
  },
  async startSasl() {
    return await plainOurs({ tickTimeMs: 500, sasl: { users: USERS } });
  },
};

async function plainOurs(options: OpenOptions): Promise<Running> {
  const server: Server = await open(options);
  const { port } = await server.listen(tcp({ port: 0 }));
  return { plain: port, secure: 0, stop: () => server.close() };
}

/** Without a port that is secure Apache's does not know certificates unless it is told to. */
const UNIFIED: ZooConfig = {
  "client.portUnification": true,
  "authProvider.x509": "org.apache.zookeeper.server.auth.X509AuthenticationProvider",
};

/** The same zoo.cfg for Apache's server and for ours as a command. */
function byConfig(kind: ServerKind, name: string, skip: string | false): Kind {
  const optionsOf = (config: ZooConfig): ServerOptions => ({ kind, config: { tickTime: 500, ...config } });
  const start = (config: ZooConfig): Promise<ServerProcess> => startServer(optionsOf(config));
  const spawn = (config: ZooConfig): Promise<ServerProcess> => spawnServer(optionsOf(config));
  return {
    ...{ name, skip },
    async startTls(name, { unified = false, clientAuth = "need" } = {}) {
      const secure = await freePort();
      // On a unified port Apache's answers four-letter words only after five seconds. Clients wait for its start without them.
      const server = await (unified ? spawn : start)({
        serverCnxnFactory: "org.apache.zookeeper.server.NettyServerCnxnFactory",
        ...{ "ssl.keyStore.location": file(name), "ssl.trustStore.location": file("ca"), "ssl.clientAuth": clientAuth },
        ...(unified ? UNIFIED : { secureClientPort: secure, secureClientPortAddress: "127.0.0.1" }),
      });
      return { plain: server.port, secure: unified ? server.port : secure, stop: () => server.stop("SIGKILL") };
    },
    async startSasl() {
      const folder = mkdtempSync(join(tmpdir(), "zookernel-jaas-"));
      const jaas = join(folder, "jaas.conf");
      const users = Object.entries(USERS).map(([name, password]) => `user_${name}="${password}"`);
      writeFileSync(jaas, `Server { org.apache.zookeeper.server.auth.DigestLoginModule required ${users.join(" ")}; };\n`);
      const server = await start({
        "java.security.auth.login.config": jaas,
        "authProvider.1": "org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
      });
      const stop = async (): Promise<void> => {
        await server.stop("SIGKILL");
        rmSync(folder, { recursive: true });
      };
      return { plain: server.port, secure: 0, stop };
    },
  };
}

const command = byConfig("ours", "our command", false);
const apache = byConfig("apache", "Apache ZooKeeper", findJavaZooKeeper().skip);

/** Tries to connect until there is a reason why not, and tells that. A port that isn't open yet is none. */
async function refusal(address: string, options: RemoteConnectOptions): Promise<string> {
  const logger = new Lines();
  const controller = new AbortController();
  const connecting = connect(address, { sessionTimeoutMs: 4000, ...options, logger, signal: controller.signal });
  const failed = assert.rejects(connecting, /enough/);
  const reason = (): string | undefined => logger.lines.find((line) => !line.includes("ECONNREFUSED"));
  await until(() => reason() !== undefined, "a reason");
  controller.abort(new Error("enough"));
  await failed;
  return reason()!;
}

for (const kind of [ours, command, apache]) {
  describe(`TLS with ${kind.name}`, { skip: kind.skip }, () => {
    let server: Running;
    before(async () => {
      server = await kind.startTls("server");
    });
    after(() => server?.stop());
    const trusted = { ca: pem("ca"), ...certificate("client") };

    test("by name and by address; the client's certificate is an identity", { timeout: 60_000 }, async () => {
      for (const host of ["localhost", "127.0.0.1"]) {
        await using zk = await connect(`${host}:${server.secure}`, { tls: trusted });
        assert.equal((await zk.whoAmI()).find(({ scheme }) => scheme === "x509")?.id, CLIENT_SUBJECT);
        const path = `/of-${host}`;
        await zk.create(path, "x", { acl: [{ perms: 31, scheme: "x509", id: CLIENT_SUBJECT }] });
        await using other = await connect(`127.0.0.1:${server.plain}`);
        await assert.rejects(other.getData(path), { code: "NoAuth" });
        assert.equal((await zk.getData(path)).data?.length, 1);
        await zk.addAuth("x509", "");
      }
    });

    test("names with every special character are the same", { timeout: 60_000 }, async () => {
      await using zk = await connect(`localhost:${server.secure}`, { tls: { ...trusted, ...certificate("odd") } });
      assert.equal(
        (await zk.whoAmI()).find(({ scheme }) => scheme === "x509")?.id,
        'CN=odd,2.5.4.5=#13023737,STREET=1 Way,L=x+CN=one,OU=grün,O=\\ a\\, b\\; \\"c\\" \\<d\\> \\\\\\#e\\=f\\+g\\ ,UID=u1,DC=example,DC=org',
      );
    });

    test("many requests, and large ones", { timeout: 60_000 }, async () => {
      await using zk = await connect(`localhost:${server.secure}`, { tls: trusted });
      const data = Uint8Array.from({ length: 900_000 }, (_, i) => i * 31);
      await zk.create("/large", data);
      assert.deepEqual((await zk.getData("/large")).data, data);
      await Promise.all(Array.from({ length: 500 }, (_, i) => zk.create(`/many-${i}`)));
    });

    test("a server whose certificate nobody vouches for is refused", { timeout: 60_000 }, async () => {
      const address = `localhost:${server.secure}`;
      assert.match(await refusal(address, { tls: certificate("client") }), /certificate|issuer/i);
      assert.match(await refusal(address, { tls: { ca: pem("stranger"), ...certificate("client") } }), /certificate|issuer/i);
    });

    test("a server of another name is refused", { timeout: 60_000 }, async () => {
      const tls = { ...trusted, servername: "other.example" };
      assert.match(await refusal(`127.0.0.1:${server.secure}`, { tls }), /does not match certificate's altnames/);
    });

    test("clients without a certificate, or with a forged one, are refused", { timeout: 60_000 }, async () => {
      await refusal(`localhost:${server.secure}`, { tls: { ca: pem("ca") } });
      await refusal(`localhost:${server.secure}`, { tls: { ca: pem("ca"), ...certificate("forged") } });
    });

    test("clients in the clear are refused on the secure port, and the other way round", { timeout: 60_000 }, async () => {
      await refusal(`localhost:${server.secure}`, {});
      await refusal(`localhost:${server.plain}`, { tls: trusted });
    });

    test("an auth packet of scheme x509 proves nothing in the clear", { timeout: 60_000 }, async () => {
      await using zk = await connect(`127.0.0.1:${server.plain}`);
      await assert.rejects(zk.addAuth("x509", ""), { code: "AuthFailed" });
    });
  });

  describe(`TLS with ${kind.name}, elsewhere`, { skip: kind.skip }, () => {
    test("no name is looked up for an address, and the subject's common name is no host", { timeout: 60_000 }, async () => {
      const server = await kind.startTls("elsewhere");
      try {
        const trusted = { ca: pem("ca"), ...certificate("client") };
        for (const host of ["localhost", "127.0.0.1"])
          assert.match(await refusal(`${host}:${server.secure}`, { tls: trusted }), /does not match certificate's altnames/);
        await using zk = await connect(`127.0.0.1:${server.secure}`, { tls: { ...trusted, servername: "elsewhere.example" } });
        await zk.sync();
      } finally {
        await server.stop();
      }
    });

    test("one port for both: TLS and the clear, and four-letter words", { timeout: 60_000 }, async () => {
      const server = await kind.startTls("server", { unified: true });
      try {
        await using secure = await connect(`localhost:${server.secure}`, { tls: { ca: pem("ca"), ...certificate("client") } });
        await using plain = await connect(`localhost:${server.plain}`);
        await secure.create("/a", "x");
        await plain.sync("/a");
        assert.equal((await plain.getData("/a")).data?.length, 1);
        assert.match(await fourLetterWord(server.plain, "srvr"), /^Zookeeper version/);
        assert.ok((await secure.whoAmI()).some(({ scheme }) => scheme === "x509"));
        assert.ok((await plain.whoAmI()).every(({ scheme }) => scheme === "ip"));
      } finally {
        await server.stop();
      }
    });

    test("certificates that are wanted, or not asked for", { timeout: 60_000 }, async () => {
      for (const clientAuth of ["want", "none"] as const) {
        const server = await kind.startTls("server", { clientAuth });
        try {
          await using nobody = await connect(`localhost:${server.secure}`, { tls: { ca: pem("ca") } });
          assert.ok((await nobody.whoAmI()).every(({ scheme }) => scheme === "ip"));
          await using somebody = await connect(`localhost:${server.secure}`, {
            tls: { ca: pem("ca"), ...certificate("client") },
          });
          const isKnown = (await somebody.whoAmI()).some(({ scheme }) => scheme === "x509");
          assert.equal(isKnown, clientAuth === "want");
          if (clientAuth === "want")
            await refusal(`localhost:${server.secure}`, { tls: { ca: pem("ca"), ...certificate("forged") } });
        } finally {
          await server.stop();
        }
      }
    });
  });

  describe(`SASL with ${kind.name}`, { skip: kind.skip }, () => {
    let server: Running;
    before(async () => {
      server = await kind.startSasl();
    });
    after(() => server?.stop());

    for (const [username, password] of Object.entries(USERS)) {
      test(`${username} is known, and nobody else has what is theirs`, { timeout: 60_000 }, async () => {
        const address = `127.0.0.1:${server.plain}`;
        await using zk = await connect(address, { sasl: { username, password } });
        assert.ok((await zk.whoAmI()).some(({ scheme, id }) => scheme === "sasl" && id === username));
        const path = `/of-${username}`;
        await zk.create(path, "x", { acl: [{ perms: 31, scheme: "sasl", id: username }] });
        await using other = await connect(address);
        await assert.rejects(other.getData(path), { code: "NoAuth" });
        await zk.getData(path);
      });
    }

    test("a wrong password and an unknown user are refused, without a word of them", { timeout: 60_000 }, async () => {
      for (const sasl of [
        { username: "bob", password: "wrong-secret" },
        { username: "eve", password: "wrong-secret" },
      ]) {
        const logger = new Lines();
        await assert.rejects(connect(`127.0.0.1:${server.plain}`, { sasl, logger }), (error: Error & { code?: string }) => {
          assert.equal(error.code, "AuthFailed");
          assert.ok(!`${error.stack}${logger.lines}`.includes("wrong-secret"));
          return true;
        });
      }
    });
  });
}

test("TLS without a key is refused when it is asked for", () => {
  assert.throws(() => tcp({ port: 0, tls: { cert: pem("server") } }), /^TypeError: tcp\(\): tls needs a key and a certificate/);
});

test("keys under a passphrase, at both ends", { timeout: 60_000 }, async () => {
  const locked = (name: string): string => {
    const [key = ""] = pem(name).split("-----BEGIN CERTIFICATE-----");
    const lock = { cipher: "aes-256-cbc", passphrase: `${name}'s own` };
    return String(createPrivateKey(key).export({ type: "pkcs8", format: "pem", ...lock }));
  };
  await using server = await open();
  const key = { key: locked("server"), cert: pem("server"), ca: pem("ca") };
  const { port, secure } = await server.listen(tcp({ port: 0, tls: { ...key, passphrase: "server's own" } }));
  assert.equal(secure, true);
  const tls = { ca: pem("ca"), cert: pem("client"), key: locked("client"), passphrase: "client's own" };
  await using zk = await connect(`localhost:${port}`, { tls });
  assert.ok((await zk.whoAmI()).length > 0);
  const wrong = { ...tls, passphrase: "of-another" };
  const refused = (error: Error): boolean => /can't be opened/.test(error.message) && !error.message.includes("of-another");
  await assert.rejects(connect(`localhost:${port}`, { tls: wrong }), refused);
  await assert.rejects(server.listen(tcp({ port: 0, tls: { ...key, passphrase: "of-another" } })), refused);
});

test("a TLS port that is stopped leaves nothing, not even of clients that said nothing", { timeout: 60_000 }, async () => {
  for (const unified of [false, true]) {
    const server = await ours.startTls("server", { unified });
    const socket = connectPlain(server.secure, "127.0.0.1");
    const closed = new Promise<void>((resolve) => socket.on("error", () => {}).on("close", () => resolve()));
    await new Promise((resolve) => socket.once("connect", resolve));
    await server.stop();
    await closed;
  }
});
