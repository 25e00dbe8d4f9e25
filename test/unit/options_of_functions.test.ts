/**
 * Options of every public function but the verbs of a handle: what is misspelt or of a wrong type is refused by name, alone, and before anything
 * has begun.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runInNewContext } from "node:vm";
import { fileStorage, memoryStorage, StorageError } from "../../adapters/storage/mod.ts";
import { connect, parseJaas, tcp, tcpPeers } from "../../adapters/tcp/mod.ts";
import {
  type EnsembleConfig,
  type EnsembleOptions,
  ensembleConfig,
  InvalidValueError,
  open,
  type Server,
  ZkError,
} from "../../mod.ts";

/** What a caller without types may write. */
// biome-ignore lint/suspicious/noExplicitAny: that is the point
type Any = any;

const CONFIG = ensembleConfig(["server.1=127.0.0.1:28881:38881"]);
const member = (changed: object): EnsembleOptions => ({ id: 1, config: CONFIG, peers: tcpPeers(), ...changed });
const opened = (options: unknown): Promise<Server> => open(options as Any);
const joined = async (ensemble: unknown, storage: unknown = memoryStorage()): Promise<void> => {
  await using server = await open();
  await server.join(ensemble as Any, storage as Any);
};
const onServer = (run: (server: Server) => unknown) => async (): Promise<void> => {
  await using server = await open();
  await run(server);
};

const REFUSED: readonly (readonly [what: string, run: () => unknown, says: RegExp])[] = [
  [
    "ZkError: no code",
    () => new ZkError("toString" as Any, { operation: "x" }),
    /ZkError: code must be a code such as "NoNode", not "toString"/,
  ],
  ["ZkError: a number", () => new ZkError(-101 as Any, { operation: "x" }), /code must be a code such as "NoNode", not -101/],
  ["ZkError: no detail", () => new (ZkError as Any)("NoNode"), /detail must be an object such as .*, not undefined/],
  [
    "InvalidValueError: no issues",
    () => new (InvalidValueError as Any)("get", "/a", null),
    /issues must be an array such as .*, not null/,
  ],
  ["StorageError: a text", () => new (StorageError as Any)("gone"), /it takes an object such as .*, not "gone"/],
  ["open: no object", () => opened(5), /Cannot open a server: options must be an object such as .*, not 5/],
  ["open: an array", () => opened([]), /options must be an object such as .*, not an Array/],
  ["open: a Promise", () => opened(Promise.resolve({})), /is an await missing/],
  ["open: a wrong type", () => opened({ tickTimeMs: "500" }), /tickTimeMs/],
  ["open: a key that there isn't", () => opened({ tickTime: 500 }), /there is no "tickTime"; "tickTimeMs" is probably meant/],
  ["open: a port misspelt", () => opened({ lgoger: console }), /there is no "lgoger"; "logger" is probably meant/],
  ["open: an inherited name", () => opened({ toString: 1 }), /there is no "toString"/],
  ["open: an inherited version", () => opened({ compat: "constructor" }), /compat: /],
  ["open: in a group", () => opened({ limits: { frameByteMax: 4096 } }), /limits: there is no "frameByteMax"; "frameBytesMax"/],
  [
    "open: in a group of a group",
    () => opened({ throttle: { connectionWeights: { global: 1, local: 1, renew: 1, locl: 1 } } }),
    /throttle\.connectionWeights: there is no "locl"; "local"/,
  ],
  [
    "open: a logger that lacks a method",
    () => opened({ logger: { warn() {}, error() {} } }),
    /logger must be .*debug, info is missing/,
  ],
  ["open: a clock that is none", () => opened({ clock: Date }), /clock must be an object with now, wakeAt/],
  [
    "open: a storage that is a path",
    () => opened({ storage: "./data" }),
    /storage must be .* fileStorage\("\.\/data"\), not "\.\/data"/,
  ],
  ["open: a storage that was not made", () => opened({ storage: memoryStorage }), /storage must be .*, not a function/],
  [
    "open: an ensemble that is none",
    () => opened({ storage: memoryStorage(), ensemble: 1 }),
    /must be an object such as \{ id: 1/,
  ],
  [
    "open: a member's key",
    () => opened({ storage: memoryStorage(), ensemble: member({ initLimt: 5 }) }),
    /"initLimt"; "initLimit"/,
  ],
  [
    "open: a member's number",
    () => opened({ storage: memoryStorage(), ensemble: member({ id: "1" }) }),
    /id must be a whole number/,
  ],
  [
    "open: a member without peers",
    () => opened({ storage: memoryStorage(), ensemble: { id: 1, config: CONFIG } }),
    /peers is missing/,
  ],
  [
    "open: peers without a dialer",
    () => opened({ storage: memoryStorage(), ensemble: member({ peers: { listener() {} } }) }),
    /peers\.dialer must be an object with dial/,
  ],
  [
    "open: lines instead of a configuration",
    () => opened({ storage: memoryStorage(), ensemble: member({ config: ["server.1=127.0.0.1:1:2"] }) }),
    /config must be an object such as ensembleConfig\(/,
  ],
  [
    "open: a configuration with a number for an id",
    () =>
      opened({
        storage: memoryStorage(),
        ensemble: member({ config: { ...CONFIG, members: [{ ...CONFIG.members[0], id: 1 }] } }),
      }),
    /config\.members\[0\]\.id must be a bigint/,
  ],
  ["join: no options", () => joined(undefined), /Cannot open a member of an ensemble: options must be an object/],
  ["join: a key that there isn't", () => joined(member({ peer: 1 })), /"peer"; "peers" is probably meant/],
  ["join: a storage that is none", () => joined(member({}), {}), /storage must be an object with open, /],
  [
    "connect in process: a wrong type",
    onServer((server) => server.connect({ sessionTimeoutMs: "5000" } as Any)),
    /sessionTimeoutMs must be a whole number from 1 to 2147483647, not "5000"/,
  ],
  [
    "connect in process: not whole",
    onServer((server) => server.connect({ sessionTimeoutMs: 0.5 })),
    /sessionTimeoutMs must be a whole number/,
  ],
  [
    "connect in process: a key",
    onServer((server) => server.connect({ timeout: 5000 } as Any)),
    /options have no "timeout"; there are sessionTimeoutMs, /,
  ],
  [
    "connect in process: a chroot",
    onServer((server) => server.connect({ chroot: 5 } as Any)),
    /chroot must be a string such as "\/app", not 5/,
  ],
  [
    "connect in process: a signal",
    onServer((server) => server.connect({ signal: new AbortController() } as Any)),
    /signal must be an AbortSignal/,
  ],
  ["connect in process: no object", onServer((server) => server.connect(null as Any)), /options must be an object/],
  [
    "listen: a port's number",
    onServer((server) => server.listen(2181 as Any)),
    /listener must be .* tcp\(\{ port: 2181 \}\), not 2181/,
  ],
  ["unlisten: nothing", onServer((server) => server.unlisten(undefined as Any)), /listener must be /],
  [
    "restore: another snapshot",
    onServer((server) => server.restore({ zxid: 1n } as Any)),
    /it must be one that snapshot\(\) of a server has made/,
  ],
  ["inspect: a path that is none", onServer((server) => server.inspect("lock")), /Path must start with \//],
  ["connect: no text", () => connect(2181 as Any), /must be a string/],
  ["connect: a key", () => connect("127.0.0.1:1", { sesionTimeoutMs: 1 } as Any), /"sesionTimeoutMs"; "sessionTimeoutMs"/],
  ["connect: the chroot apart", () => connect("127.0.0.1:1", { chroot: "/app" } as Any), /options have no "chroot"/],
  [
    "connect: TLS that is true",
    () => connect("127.0.0.1:1", { tls: true } as Any),
    /tls must be an object such as \{ ca \}, not true/,
  ],
  [
    "connect: a key of TLS",
    () => connect("127.0.0.1:1", { tls: { rejectUnauthorized: false } } as Any),
    /tls have no "rejectUnauthorized"|tls has no/,
  ],
  [
    "connect: a certificate that is a number",
    () => connect("127.0.0.1:1", { tls: { ca: [5] } } as Any),
    /tls\.ca\[0\] must be a string or bytes/,
  ],
  ["connect: no password", () => connect("127.0.0.1:1", { sasl: { username: "bob" } } as Any), /sasl\.password is missing/],
  [
    "tcp: a key",
    () => tcp({ port: 0, hots: "::1" } as Any),
    /Cannot use tcp\(\): options have no "hots"; "host" is probably meant/,
  ],
  ["tcp: nothing", () => tcp(undefined as Any), /options must be an object such as \{ port: 2181 \}, not undefined/],
  ["tcp: a number", () => tcp(2181 as Any), /options must be an object such as \{ port: 2181 \}, not 2181/],
  ["tcp: no port", () => tcp({} as Any), /port is missing, as in \{ port: 2181 \}/],
  ["tcp: a port that is text", () => tcp({ port: "2181" } as Any), /port must be a number, not "2181"/],
  ["tcp: a host that is none", () => tcp({ port: 0, host: 127 } as Any), /host must be a string/],
  ["tcp: keepAlive in words", () => tcp({ port: 0, keepAlive: "yes" } as Any), /keepAlive must be true or false, not "yes"/],
  [
    "tcp: who must prove",
    () => tcp({ port: 0, tls: { key: "", cert: "", clientAuth: "needed" } } as Any),
    /tls\.clientAuth must be one of need, want, none, not "needed"; "need" is probably meant/,
  ],
  [
    "tcp: an inherited version",
    () => tcp({ port: 0, tls: { key: "", cert: "", minVersion: "toString" } } as Any),
    /tls\.minVersion must be one of/,
  ],
  [
    "tcpPeers: a key",
    () => tcpPeers({ ssl: {} } as Any),
    /options have no "ssl"; "(tls|sasl)" is probably meant|there are tls/,
  ],
  [
    "tcpPeers: users without passwords",
    () => tcpPeers({ sasl: { credentials: null, users: { bob: 5 } } } as Any),
    /sasl\.users\["bob"\] must be a string$/,
  ],
  [
    "fileStorage: a number",
    () => fileStorage(5 as Any),
    /Cannot use fileStorage\(\): options must be an object such as \{ dataDir: "\.\/data" \}, not 5/,
  ],
  ["fileStorage: no name", () => fileStorage(""), /dataDir must be a folder's path such as "\.\/data", not ""/],
  [
    "fileStorage: no name of the log's folder",
    () => fileStorage({ dataDir: "/tmp/x", dataLogDir: "" }),
    /dataLogDir must be a folder's path/,
  ],
  [
    "fileStorage: a key",
    () => fileStorage({ datadir: "/tmp/x" } as Any),
    /options have no "datadir"; "dataDir" is probably meant/,
  ],
  [
    "fileStorage: a packing",
    () => fileStorage({ dataDir: "/tmp/x", compression: "gz" } as Any),
    /compression must be one of none, gzip, snappy, not "gz"/,
  ],
  [
    "fileStorage: forceSync in words",
    () => fileStorage({ dataDir: "/tmp/x", forceSync: "no" } as Any),
    /forceSync must be true or false/,
  ],
  [
    "ensembleConfig: one text",
    () => ensembleConfig("server.1=127.0.0.1:1:2" as Any),
    /lines must be an array such as \["server\.1=10\.0\.0\.1:2888:3888"\]/,
  ],
  ["ensembleConfig: a line that is none", () => ensembleConfig(["server.1"]), /Cannot read the ensemble's configuration: /],
  ["ensembleConfig: a line twice", () => ensembleConfig(["server.1=a:1:2", "server.1=b:1:2"]), /server\.1 stands there twice/],
  ["parseJaas: bytes", () => parseJaas(new Uint8Array(3) as Any), /text must be a string/],
];

describe("refused by name:", () => {
  for (const [what, run, says] of REFUSED) {
    test(what, async () => {
      await assert.rejects(
        async () => await run(),
        (error: Error) => {
          assert.ok(error instanceof TypeError, String(error));
          assert.match(error.message, says);
          return true;
        },
      );
    });
  }

  test("a promise is rejected, and nothing thrown", async () => {
    await using server = await open();
    const calls = [
      () => open(5 as Any),
      () => server.connect(5 as Any),
      () => server.listen(5 as Any),
      () => server.unlisten(5 as Any),
      () => server.join(5 as Any),
      () => connect(5 as Any),
    ];
    for (const call of calls) await assert.rejects(call(), TypeError);
  });
});

describe("accepted:", () => {
  test("a key without a value is one that is not there", async () => {
    await using server = await open({ tickTimeMs: undefined, nonsense: undefined, limits: { frames: undefined } } as Any);
    await using _ = await server.connect({ chroot: undefined, what: undefined } as Any);
    tcp({ port: 0, hots: undefined } as Any);
    tcpPeers({ tls: undefined } as Any);
    fileStorage({ dataDir: "/tmp/x", dataLogDir: undefined } as Any);
  });

  test("options and certificates of another realm", async () => {
    await using server = await open(runInNewContext("({ tickTimeMs: 500, limits: { frameBytesMax: 4096 } })"));
    await using _ = await server.connect(runInNewContext("({ sessionTimeoutMs: 5000 })"));
    tcp(runInNewContext("({ port: 0, tls: { key: new Uint8Array(3), cert: [new Uint8Array(3), 'x'] } })"));
  });
});

describe("what a caller changes after the call changes nothing:", () => {
  test("settings", async () => {
    const given = { tickTimeMs: 500, limits: { frameBytesMax: 4096 }, acl: { superUsers: ["bob"] } };
    const opening = open(given);
    given.limits.frameBytesMax = -1;
    (given as Any).acl.superUsers[0] = 7;
    await using server = await opening;
    await using zk = await server.connect({ sessionTimeoutMs: 1 });
    assert.equal(zk.sessionTimeoutMs, 1000);
  });

  test("the members of an ensemble", async () => {
    const config: Any = structuredClone(ensembleConfig(["server.7=127.0.0.1:0:1"])) as EnsembleConfig;
    const opening = opened({ storage: memoryStorage(), ensemble: { id: 8, config, peers: tcpPeers() } });
    config.members[0].id = 8n;
    await assert.rejects(opening, /id: 8 is not among the members 7/);
  });
});

describe("members whose sessions could not be told from TTL znodes:", () => {
  const ofMember = (id: number, extendedTypes: boolean | "3.5.3", own = id): Promise<Server> => {
    const config = ensembleConfig([`server.${own}=127.0.0.1:1:2`, `server.${id}=127.0.0.1:3:4`].slice(own === id ? 1 : 0));
    return open({ extendedTypes, storage: memoryStorage(), ensemble: { id: own, config, peers: tcpPeers() } });
  };
  const WHY = /members: (255 is above 254|128 is above 127): with extendedTypes .* could not be told from TTL znodes/;

  test("are refused, oneself and others", async () => {
    await assert.rejects(ofMember(255, true), WHY);
    await assert.rejects(ofMember(255, true, 1), WHY);
    await assert.rejects(ofMember(128, "3.5.3"), WHY);
  });

  test("are refused where a server joins", async () => {
    const config = ensembleConfig(["server.255=127.0.0.1:1:2"]);
    await assert.rejects(joined({ id: 255, config, peers: tcpPeers() }), WHY);
  });

  test("are refused where a server stands alone", async () => {
    await assert.rejects(open({ serverId: 128, extendedTypes: "3.5.3" }), /serverId: 128 is above 127: .* TTL znodes/);
    await (await open({ serverId: 127, extendedTypes: "3.5.3" })).close();
    await (await open({ serverId: 254 })).close();
  });
});

describe("a listener", () => {
  test("that is listened on twice is let go of all the same", async () => {
    const server = await open();
    const listener = tcp({ port: 0 });
    const { port } = await server.listen(listener);
    await assert.rejects(server.listen(listener), /Already listening/);
    await server.close();
    await using next = await open();
    await next.listen(tcp({ port }));
  });
});
