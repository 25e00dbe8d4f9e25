import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { withDynamicFile } from "../../../adapters/cli/dynamic_config.ts";
import { parseZooCfg, type ZooCfg, ZooCfgError, zooCfgOfArguments } from "../../../adapters/cli/zoo_cfg.ts";

const BASE = "dataDir=/d\nclientPort=2181\n";

/** BASE is two lines, so what a test adds begins on line 3. */
function read(more: string): ZooCfg {
  return parseZooCfg(BASE + more, "zoo.cfg");
}

function problems(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ZooCfgError) return error.problems;
    throw error;
  }
  return [];
}

function notices(more: string): string[] {
  return read(more).notices.map(({ level, message }) => `${level}: ${message}`);
}

describe("zoo.cfg", () => {
  test("the sample file of ZooKeeper reads without a warning", () => {
    const text = [
      "# The number of milliseconds of each tick",
      "tickTime=2000",
      "initLimit=10",
      "syncLimit=5",
      "dataDir=/tmp/zookeeper",
      "clientPort=2181",
      "#maxClientCnxns=60",
    ].join("\n");
    const { settings, notices } = parseZooCfg(text, "zoo.cfg");
    assert.deepEqual(settings, { tickTime: 2000, initLimit: 10, syncLimit: 5, dataDir: "/tmp/zookeeper", clientPort: 2181 });
    assert.deepEqual(notices, []);
  });

  test("served values have their types", () => {
    const { settings } = read(
      [
        "clientPortAddress = 0.0.0.0 ",
        "maxClientCnxns=0",
        "minSessionTimeout=+4000",
        "maxSessionTimeout=-1",
        "4lw.commands.whitelist=ruok, srvr,,mntr",
        "jute.maxbuffer=0x9fffff",
        "skipACL=yes",
        "extendedTypesEnabled=TRUE",
        "DigestAuthenticationProvider.superDigest=super:UdxDQl4f9v5oITwcAsO9bmWgHSI=",
      ].join("\n"),
    );
    assert.deepEqual(settings, {
      dataDir: "/d",
      clientPort: 2181,
      clientPortAddress: "0.0.0.0",
      maxClientCnxns: 0,
      minSessionTimeout: 4000,
      maxSessionTimeout: -1,
      "4lw.commands.whitelist": ["ruok", "srvr", "mntr"],
      "jute.maxbuffer": 0x9fffff,
      skipACL: true,
      extendedTypesEnabled: true,
      "DigestAuthenticationProvider.superDigest": "super:UdxDQl4f9v5oITwcAsO9bmWgHSI=",
    });
  });

  test("a key set twice: the later one counts, and is told", () => {
    const { settings } = read("clientPort=2182\n");
    assert.equal(settings.clientPort, 2182);
    assert.deepEqual(notices("clientPort=2182\n"), ["warn: zoo.cfg:2: clientPort is set again at zoo.cfg:3, which counts"]);
  });

  test("an unknown key is told once, with a hint where only the case is wrong", () => {
    assert.deepEqual(notices("fooBar=1\nticktime=2000\n"), [
      'warn: zoo.cfg:3: unknown key "fooBar" has no effect',
      'warn: zoo.cfg:4: unknown key "ticktime" has no effect; did you mean tickTime?',
    ]);
  });

  test("keys that are not served are told by reason, losses as warnings", () => {
    assert.deepEqual(
      notices(
        "flushDelay=10\nmaxBatchSize=1\nssl.ciphersuites=x\nauthProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider\nserverCnxnFactory=x\n",
      ),
      [
        "info: not served, as what waits is always written at once, and together: flushDelay (zoo.cfg:3), maxBatchSize (zoo.cfg:4)",
        "warn: not served, as TLS 1.2 and 1.3 are served, with the runtime's own choice of ciphers: ssl.ciphersuites (zoo.cfg:5)",
        "info: not served, as it tunes a Java machine, its threads, caches or classes: serverCnxnFactory (zoo.cfg:7)",
      ],
    );
  });
});

/** What is added to a good file, and what is said about it. */
const REFUSED: readonly (readonly [lines: string, problem: string])[] = [
  ["tickTime=abc", 'zoo.cfg:3: tickTime: "abc" is not accepted; allowed: a whole number from 1 to 2147483647 (milliseconds)'],
  ["tickTime=0", 'zoo.cfg:3: tickTime: "0" is not accepted; allowed: a whole number from 1 to 2147483647 (milliseconds)'],
  [
    "tickTime=2000 ms",
    'zoo.cfg:3: tickTime: "2000 ms" is not accepted; allowed: a whole number from 1 to 2147483647 (milliseconds)',
  ],
  ["tickTime=", 'zoo.cfg:3: tickTime: "" is not accepted; allowed: a whole number from 1 to 2147483647 (milliseconds)'],
  [
    "tickTime=3000000000",
    'zoo.cfg:3: tickTime: "3000000000" is not accepted; allowed: a whole number from 1 to 2147483647 (milliseconds)',
  ],
  [
    "#\nclientPort=65536",
    'zoo.cfg:4: clientPort: "65536" is not accepted; allowed: a whole number from 0 to 65535; 0 for none',
  ],
  [
    "maxClientCnxns=-1",
    'zoo.cfg:3: maxClientCnxns: "-1" is not accepted; allowed: a whole number from 0 to 2147483647; 0 for no limit',
  ],
  ["extendedTypesEnabled=yes", 'zoo.cfg:3: extendedTypesEnabled: "yes" is not accepted; allowed: true or false'],
  ["skipACL=true", 'zoo.cfg:3: skipACL: "true" is not accepted; allowed: yes or no'],
  [
    "jute.maxbuffer=1k",
    'zoo.cfg:3: jute.maxbuffer: "1k" is not accepted; allowed: a number of bytes from 1 to 1073741824, decimal or 0x…',
  ],
  ["electionAlg=0", 'zoo.cfg:3: electionAlg: "0" is not accepted; allowed: 3'],
  ["dataDir=", 'zoo.cfg:3: dataDir: "" is not accepted; allowed: a folder, not nothing'],
  [
    "minSessionTimeout=50000\nmaxSessionTimeout=40000",
    "zoo.cfg:3: minSessionTimeout (50000) must not be larger than maxSessionTimeout (40000)",
  ],
  ["maxSessionTimeout=100", "zoo.cfg:3: minSessionTimeout (6000) must not be larger than maxSessionTimeout (100)"],
  ["secureClientPortAddress=::1", "zoo.cfg:3: secureClientPortAddress is set but secureClientPort is not set"],
  ["enforce.auth.enabled=true", "zoo.cfg:3: enforce.auth.enabled is set but enforce.auth.schemes is not set"],
  [
    "ssl.keyStore.type=JKS",
    'zoo.cfg:3: ssl.keyStore.type: "JKS" is not accepted; allowed: PEM (JKS, PKCS12 and BCFKS stores are not read: keytool -importkeystore makes a JKS store a PKCS12 one, openssl pkcs12 -noenc that a PEM file)',
  ],
  [
    "DigestAuthenticationProvider.superDigest=",
    "zoo.cfg:3: DigestAuthenticationProvider.superDigest: the value is not accepted; allowed: super:HASH, not nothing",
  ],
  ["server.1=a:1:2:observer", "zoo.cfg:3: an observer needs participants to follow, and none is listed"],
  ["server.1=a:1:2\nserver.2=b:1:2\ninitLimit=1", "zoo.cfg:3: an ensemble needs syncLimit, which is not set"],
  ["server.1=a:1:2\nstandaloneEnabled=false\nsyncLimit=1", "zoo.cfg:3: an ensemble needs initLimit, which is not set"],
  ["server.256=a:1:2\nserver.2=b:1:2\ninitLimit=1\nsyncLimit=1", "zoo.cfg:3: server.256: the number must be from 0 to 255"],
  [
    "server.255=a:1:2\nserver.2=b:1:2\ninitLimit=1\nsyncLimit=1\nextendedTypesEnabled=true",
    "zoo.cfg:3: server.255: 255 is above 254: with extendedTypes true the ephemerals of its sessions could not be told from TTL znodes",
  ],
  [
    "emulate353TTLNodes=true\nserver.1=a:1:2\nserver.128=b:1:2\ninitLimit=1\nsyncLimit=1\nextendedTypesEnabled=true",
    "zoo.cfg:5: server.128: 128 is above 127: with extendedTypes 3.5.3 the ephemerals of its sessions could not be told from TTL znodes",
  ],
  ["server.1=a:1:2\nserver.2=b:1:2\ngroup.1=1\ninitLimit=1\nsyncLimit=1", "zoo.cfg:3: server.2 is in no group"],
  [
    "server.1=a:1:2\nserver.2=b:1:2\ngroup.1=1:2:3\ninitLimit=1\nsyncLimit=1",
    "zoo.cfg:3: a group or weight names server 3, which is not listed",
  ],
  ["server.1=a:1:2;2182", "zoo.cfg:3: the client address :2182 differs from that of clientPort, :2181"],
  [
    "server.1=a:1",
    'zoo.cfg:3: server.1: "a:1" is not accepted; it does not have the form server_config or server_config;client_config, where server_config is host:port:port or host:port:port:role, and client_config is port or host:port',
  ],
  ["server.1=a:1:2:boss", 'zoo.cfg:3: server.1: "a:1:2:boss" is not accepted; Unrecognised peertype: boss'],
  ["server.1=a:1:x", 'zoo.cfg:3: server.1: "a:1:x" is not accepted; Address unresolved: a:x'],
  ["server.1=a:1:1", 'zoo.cfg:3: server.1: "a:1:1" is not accepted; quorum port and election port must be different'],
  ["server.x=a:1:2", 'zoo.cfg:3: server.x: "a:1:2" is not accepted; the key must be server. and a whole number'],
  ["group.1=1;2", 'zoo.cfg:3: group.1: "1;2" is not accepted; allowed: group.<number>=<id>:<id>… and weight.<id>=<votes>'],
  ["\\u12=1", "zoo.cfg:3: \\u must be followed by four hexadecimal digits"],
];

describe("zoo.cfg is refused", () => {
  for (const [lines, problem] of REFUSED) {
    test(lines.replaceAll("\n", " ⏎ "), () =>
      assert.deepEqual(
        problems(() => read(`${lines}\n`)),
        [problem],
      ),
    );
  }

  test("where dataDir or clientPort is missing", () => {
    assert.deepEqual(
      problems(() => parseZooCfg("clientPortAddress=::1", "my.cfg")),
      ["my.cfg: dataDir is not set; it must name a folder", "my.cfg:1: clientPortAddress is set but clientPort is not set"],
    );
  });

  test("with all that is wrong at once", () => {
    assert.equal(problems(() => read("tickTime=x\nmaxCnxns=y\nserver.1=z\n")).length, 3);
  });
});

describe("server lines", () => {
  test("one participant runs standalone, and is told so", () => {
    assert.deepEqual(notices("server.1=[::1]:2888:3888:participant\n"), [
      "warn: zoo.cfg:3: only one server is listed: it runs standalone, without a quorum",
    ]);
  });

  test("its client address counts where clientPort does not say", () => {
    const { settings } = parseZooCfg("dataDir=/d\nserver.1=a:1:2;[::1]:2182", "zoo.cfg");
    assert.deepEqual(settings, { dataDir: "/d", clientPort: 2182, clientPortAddress: "::1" });
    const { settings: portOnly } = parseZooCfg("dataDir=/d\nserver.1=a:1:2;2182", "zoo.cfg");
    assert.deepEqual(portOnly, { dataDir: "/d", clientPort: 2182 });
  });
});

describe("an ensemble", () => {
  const SERVERS = "server.1=a:1:2\nserver.2=b:1:2\nserver.3=[::1]:1:2:observer;2183\ninitLimit=10\nsyncLimit=5\n";

  test("is the servers that are listed", () => {
    const { ensemble } = read(SERVERS);
    assert.deepEqual(
      ensemble!.members.map(({ id, role }) => [id, role]),
      [
        [1n, "participant"],
        [2n, "participant"],
        [3n, "observer"],
      ],
    );
    assert.equal(ensemble!.hierarchy, null);
  });

  test("may count votes by groups and weights", () => {
    const { hierarchy } = read(`${SERVERS}group.1=1:3\ngroup.2=2\nweight.1=2\n`).ensemble!;
    assert.deepEqual(
      [...hierarchy!.groups],
      [
        [1n, [1n, 3n]],
        [2n, [2n]],
      ],
    );
    assert.deepEqual([...hierarchy!.weights], [[1n, 2]]);
  });

  test("of one takes standaloneEnabled=false", () => {
    assert.equal(read("server.1=a:1:2\n").ensemble, null);
    const alone = read("server.1=a:1:2\nstandaloneEnabled=false\ninitLimit=10\nsyncLimit=5\n");
    assert.equal(alone.ensemble!.members.length, 1);
  });
});

describe("members in a file of their own", () => {
  const THREE = "server.1=a:1:2:participant;2181\nserver.2=b:1:2\nserver.3=c:1:2:observer";
  const parse = (text: string, dynamic = THREE) =>
    parseZooCfg(`dataDir=/d\ninitLimit=10\nsyncLimit=5\n${text}`, "zoo.cfg", () => dynamic);

  test("have the version that its name ends with", () => {
    const { members, version } = parse("dynamicConfigFile=/etc/zoo.cfg.dynamic.100000003").ensemble!;
    assert.deepEqual([members.map(({ id }) => id), version], [[1n, 2n, 3n], 0x100000003n]);
    assert.equal(parse("dynamicConfigFile=/etc/zoo.cfg.dynamic").ensemble!.version, 0n);
  });

  test("stand there alone, and nothing else does", () => {
    assert.deepEqual(
      problems(() => parse("server.4=d:1:2\ndynamicConfigFile=/m", `${THREE}\nversion=5\ntickTime=1`)),
      [
        "zoo.cfg:4: server.4 must stand in /m, as other members do",
        '/m:4: "version" does not belong in a file that lists members',
        '/m:5: "tickTime" does not belong in a file that lists members',
      ],
    );
  });

  test("are moved there from zoo.cfg, which keeps all the rest as it is written", () => {
    const text =
      "# ours\ntickTime=2000\nserver.1=a:1:2\\\n  :observer\n\nclientPort=2181\n#server.9=x\npeerType = observer\nweight.1=2\nsyncLimit: 5\n\n";
    assert.equal(
      withDynamicFile(text, "/c/zoo.cfg.dynamic.5", false),
      "# ours\ntickTime=2000\n\nclientPort=2181\n#server.9=x\nsyncLimit: 5\ndynamicConfigFile=/c/zoo.cfg.dynamic.5\n",
    );
    assert.doesNotMatch(withDynamicFile(text, "/c/d.5", true), /clientPort/);
    const again = withDynamicFile(withDynamicFile(text, "/c/d.5", true), "/c/d.6", true);
    assert.deepEqual(again.match(/dynamicConfigFile.*/g), ["dynamicConfigFile=/c/d.6"]);
  });
});

describe("the command line's form", () => {
  test("port, dataDir, tickTime, maxClientCnxns", () => {
    assert.deepEqual(zooCfgOfArguments(["2181", "/d"]).settings, { clientPort: 2181, dataDir: "/d" });
    assert.deepEqual(zooCfgOfArguments(["2181", "/d", "2000", "7"]).settings, {
      clientPort: 2181,
      dataDir: "/d",
      tickTime: 2000,
      maxClientCnxns: 7,
    });
  });

  test("problems name the argument", () => {
    assert.deepEqual(
      problems(() => zooCfgOfArguments(["x", "/d", "0"])),
      [
        'argument 1: clientPort: "x" is not accepted; allowed: a whole number from 0 to 65535; 0 for none',
        'argument 3: tickTime: "0" is not accepted; allowed: a whole number from 1 to 2147483647 (milliseconds)',
      ],
    );
  });
});
