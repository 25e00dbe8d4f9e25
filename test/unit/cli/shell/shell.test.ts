/**
 * The shell in this process: what goes to which stream, how it ends, JSON, and input of every odd kind.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { after, before, describe, test } from "node:test";
import { clientConfiguration } from "../../../../adapters/cli/shell/client_configuration.ts";
import { complete } from "../../../../adapters/cli/shell/completion.ts";
import { keepLine, readHistory } from "../../../../adapters/cli/shell/history.ts";
import { linesOf } from "../../../../adapters/cli/shell/script.ts";
import { wantsColour } from "../../../../adapters/cli/shell/system.ts";
import { wordsOf } from "../../../../adapters/cli/shell/words.ts";
import { until } from "../../../support/until.ts";
import { type Ran, runInProcess, serverWithPort } from "./in_process.ts";

let server: Awaited<ReturnType<typeof serverWithPort>>;
let folder: string;
before(async () => {
  server = await serverWithPort();
  folder = mkdtempSync(join(tmpdir(), "zookernel-shell-"));
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const run = (...args: readonly string[]): Promise<Ran> => runInProcess(["-server", server.address, ...args]);
const script = (...lines: readonly string[]): Promise<Ran> => runInProcess(["-server", server.address], lines);

describe("a command of its own", () => {
  test("answers on standard output alone", async () => {
    const created = await run("create", "/streams", "x");
    assert.deepEqual([created.exitCode, created.stdout], [0, "Created /streams\n"]);
    assert.match(created.stderr, /^Connecting to .*\n\nWATCHER::\n\nWatchedEvent state:SyncConnected type:None path:null\n$/);
    assert.equal((await run("get", "/streams")).stdout, "x\n");
  });

  for (const [args, exitCode, complaint] of [
    [["get", "/none"], 1, /^Node does not exist: \/none$/m],
    [["create", "/"], 1, /^Node already exists: \/$/m],
    [["get", "none"], 1, /^Path must start with \/ character$/m],
    [["nosuch"], 127, /^Command not found: Command not found nosuch$/m],
    [["get"], 127, /^get \[-s\] \[-w\] path$/m],
    [["get", "-q", "/"], 127, /Unrecognized option: -q$/m],
    [["set", "-v", "x", "/", "y"], 127, /^-v argument must be an int value, not x$/m],
    [["-timeout", "0", "ls", "/"], 127, /^zookernel cli: -timeout takes milliseconds such as 30000, not 0$/m],
    [["-bogus", "ls", "/"], 127, /^zookernel cli: there is no option -bogus$/m],
    [["-constructor", "ls", "/"], 127, /there is no option -constructor$/m],
    [["-server=127.0.0.1:1", "-timeout=200", "-toString=1"], 127, /there is no option -toString=1$/m],
    [["--style", "3.5", "ls", "/"], 127, /takes 3.8 or 3.4 or 3.9, not 3.5$/m],
    [["-server"], 127, /-server needs a value$/m],
    [["-server", "a:b", "ls", "/"], 127, /"a:b" is not host:port/],
    [["-client-configuration", "/none", "ls", "/"], 127, /no such file/i],
  ] as const)
    test(`ends with ${exitCode}: ${args.join(" ")}`, async () => {
      const { stdout, stderr, ...ran } = await run(...args);
      assert.deepEqual([ran.exitCode, stdout], [exitCode, ""]);
      assert.match(stderr, complaint);
    });

  test("ends with 2 where no server answers", async () => {
    const ran = await runInProcess(["-server", "127.0.0.1:1", "-timeout", "200", "ls", "/"]);
    assert.deepEqual([ran.exitCode, ran.stdout], [2, ""]);
    assert.match(ran.stderr, /Cannot connect to 127.0.0.1:1: not within 200 ms; -server host:port names another server/);
  });

  test("sees what is below its chroot", async () => {
    await run("create", "/chroot");
    const below = ["-server", `${server.address}/chroot`];
    assert.equal((await runInProcess([...below, "create", "/a"])).stdout, "Created /a\n");
    assert.equal((await run("ls", "/chroot")).stdout, "[a]\n");
  });

  test("tells how it is used", async () => {
    assert.match((await runInProcess(["--help"])).stdout, /^Usage: zookernel cli/);
    const { stdout } = await run("help", "create");
    assert.match(stdout, /^create \[-s\] .*Example: create \/app/s);
    assert.equal((await run("help", "nosuch")).exitCode, 127);
  });
});

describe("a script", () => {
  test("ends with the last command's code, with or without quit", async () => {
    assert.equal((await script("get /none", "ls /")).exitCode, 0);
    assert.equal((await script("ls /", "get /none")).exitCode, 1);
    assert.equal((await script("ls /", "nosuch", "quit", "ls /")).exitCode, 127);
    assert.equal((await script("get /none", "ls /", "exit")).exitCode, 0);
  });

  test("goes on behind lines of every odd kind", async () => {
    const odd = [
      '"',
      "'",
      '""',
      "-",
      "--",
      "- -",
      "\\",
      "#",
      "get",
      `get "`,
      "get ''",
      "\t",
      "\u00a0",
      "\u{1f600}",
      "ls -\u0000 /",
    ];
    const ran = await script(
      ...odd,
      `create /long${"x".repeat(200)} ${"y".repeat(300_000)}`,
      'create "/with space" \'a "b" c\'',
      'get "/with space"',
    );
    assert.equal(ran.exitCode, 0);
    assert.match(ran.stdout, /^Created \/longx+\nCreated \/with space\na "b" c\n$/);
  });

  test("may end its lines as Windows does, and its last one not at all", async () => {
    async function* bytes(): AsyncGenerator<Uint8Array> {
      for (const byte of new TextEncoder().encode("create /crlf ä\r\n\r\nget /crlf")) yield Uint8Array.of(byte);
    }
    const ran = await runInProcess(["-server", server.address], bytes());
    assert.equal(ran.stdout, "Created /crlf\nä\n");
  });

  test("is told of znodes that it watches, in order", async () => {
    const { stdout } = await script(
      "create /watched a",
      "get -w /watched",
      "set /watched b",
      "printwatches off",
      "get -w /watched",
      "set /watched c",
    );
    assert.equal(
      stdout,
      "Created /watched\na\n\nWATCHER::\n\nWatchedEvent state:SyncConnected type:NodeDataChanged path:/watched\nb\n",
    );
  });
});

describe("data", () => {
  test("that are no text come out in Base64 and as a table, and go in as Base64", async () => {
    const ran = await script("create /bytes", "set -b /bytes AP8QgA==", "get -b /bytes", "get -x /bytes", "set -b /bytes ???");
    assert.equal(ran.exitCode, 127);
    const [, base64, , , , row] = ran.stdout.split("\n");
    assert.deepEqual([base64, row], ["AP8QgA==", `|00000000| 00 ff 10 80${" ".repeat(37)}|....            |`]);
    const { data, encoding } = JSON.parse((await run("--json", "get", "/bytes")).stdout);
    assert.deepEqual([data, encoding], ["AP8QgA==", "base64"]);
  });

  test("don't drive a terminal", async () => {
    await run("create", "/escape", "\x1b]0;title\x07");
    const seen: string[] = [];
    const out = { isTerminal: true, write: (text: string) => void seen.push(text) };
    await runInProcess(["-server", server.address, "get", "/escape"], [], { out });
    assert.equal(seen.join(""), "\\x1b]0;title\\x07\n");
  });
});

describe("--json", () => {
  test("is a document a command, refused ones among them", async () => {
    const lines = [
      "create /json a",
      "get /json",
      "stat /json",
      "set /json b",
      "ls /",
      "ls -R /json",
      "getAcl /json",
      "whoami",
      "sync /",
      "config",
    ];
    const more = [
      "setquota -n 5 /json",
      "listquota /json",
      "delquota /json",
      "get /none",
      "nosuch",
      "get",
      "history",
      "help get",
      "redo 0",
      "delete /json",
      "quit",
    ];
    const ran = await runInProcess(["-server", server.address, "--json"], [...lines, ...more]);
    const documents = ran.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      documents.map(({ command, exitCode }) => `${command} ${exitCode}`),
      [...lines, ...more].map(
        (line) => `${line.split(" ")[0]} ${{ "get /none": 1, nosuch: 127, get: 127, "redo 0": 1 }[line] ?? 0}`,
      ),
    );
    assert.equal(typeof documents[1].stat.mzxid, "string");
    assert.deepEqual(documents[13].error, {
      message: "Node does not exist: /none",
      code: "NoNode",
      path: "/none",
      hint: documents[13].error.hint,
    });
  });
});

test("events are told on standard error where answers are JSON", async () => {
  const lines = ["create /told a", "get -w /told", "set /told b"];
  const ran = await runInProcess(["-server", server.address, "--json"], lines);
  assert.equal(ran.stdout.trimEnd().split("\n").length, lines.length);
  assert.match(ran.stderr, /^\{"event":\{"state":"SyncConnected","type":"NodeDataChanged","path":"\/told","zxid":"-1"\}\}$/m);
});

test("NO_COLOR turns colours off, unless it is empty", () => {
  assert.deepEqual([undefined, "", "1", "0"].map(wantsColour), [true, true, false, false]);
});

describe("--style 3.4", () => {
  test("prints Stats unasked, and takes versions behind", async () => {
    const old = ["-server", server.address, "--style", "3.4"];
    const ran = await runInProcess(old, [
      "create /old a",
      "get /old",
      "set /old b 7",
      "set /old b 0",
      "ls2 /old",
      "get",
      "quit",
    ]);
    assert.match(
      ran.stdout,
      /^Created \/old\na\ncZxid = .*numChildren = 0\ncZxid = .*dataVersion = 1\n.*\n\[\]\ncZxid = .*\nQuitting...\n$/s,
    );
    assert.match(ran.stderr, /version No is not valid : \/old/);
  });
});

describe("words of a line", () => {
  for (const [line, words] of [
    ["", []],
    ["  ls   / ", ["ls", "/"]],
    [`create /a "two words" 'and two'`, ["create", "/a", "two words", "and two"]],
    [`create /a ""`, ["create", "/a", ""]],
    [`a"b c"d`, ['a"b', 'c"d']],
    [`"it's"'so'`, ["it's", "so"]],
    [`get "/a`, ["get", "/a"]],
    [`get '"`, ["get"]],
    ["a\\ b", ["a\\", "b"]],
    ["a\u00a0b", ["a\u00a0b"]],
  ] as const)
    test(JSON.stringify(line), () => assert.deepEqual(wordsOf(line), words));

  test("take time in proportion", () => {
    for (const text of ['"', "'", `"'`, " "]) assert.ok(wordsOf(text.repeat(200_000)).length <= 200_000);
  });
});

test("lines are whole however their bytes arrive", async () => {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (const piece of ["a\nb", "c\n", "\n", "d"]) yield new TextEncoder().encode(piece);
  }
  const lines: string[] = [];
  for await (const line of linesOf(pieces())) lines.push(line);
  assert.deepEqual(lines, ["a", "bc", "", "d"]);
});

describe("the history", () => {
  test("is its owner's alone, and has no secrets", () => {
    const file = join(folder, "history");
    writeFileSync(file, "ls /\n", { mode: 0o644 });
    for (const line of [
      "get /a",
      "addauth digest ada:secret",
      '  "addauth" digest ada:secret',
      "ADDAUTH digest ada:secret",
      "",
    ])
      keepLine(file, line);
    assert.deepEqual(readHistory(file), ["ls /", "get /a"]);
    if (process.platform !== "win32") assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  test("keeps its last thousand lines, and may be missing", () => {
    const file = join(folder, "long");
    writeFileSync(file, Array.from({ length: 1500 }, (_, at) => `line ${at}\n`).join(""));
    assert.deepEqual([readHistory(file).length, readHistory(file)[0]], [1000, "line 500"]);
    assert.equal(readFileSync(file, "utf8").split("\n").length, 1001);
    assert.deepEqual(readHistory(join(folder, "none")), []);
    keepLine(join(folder, "none", "below"), "ls /");
  });
});

describe("completion", () => {
  test("knows commands, options and paths", async () => {
    assert.deepEqual((await complete("getA", null))[0], ["getAcl ", "getAllChildrenNumber "]);
    assert.deepEqual((await complete("help de", null))[0], ["delete ", "deleteall ", "delquota "]);
    assert.deepEqual((await complete("create -", null))[0], ["-s ", "-e ", "-c ", "-t "]);
    const zk = await connected();
    await zk.mkdirp("/completed/inside");
    assert.deepEqual(await complete("get /comp", zk), [["/completed"], "/comp"]);
    assert.deepEqual(await complete("ls -s /completed/", zk), [["/completed/inside"], "/completed/"]);
    assert.deepEqual(await complete("ls /none/a", zk), [[], "/none/a"]);
    assert.deepEqual(await complete("nosuch x", zk), [[], "x"]);
    await zk.close();
  });
});

async function connected(): Promise<Parameters<typeof complete>[1] & object> {
  const { connect } = await import("../../../../adapters/tcp/mod.ts");
  return await connect(server.address);
}

describe("at a terminal", () => {
  /** What a person sees, and what they type. */
  function terminal(args: readonly string[], historyFile: string) {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const seen: string[] = [];
    output.setEncoding("utf8").on("data", (text: string) => void seen.push(text));
    const sink = { isTerminal: true, write: (text: string) => void output.write(text) };
    const ended = runInProcess(args, [], { out: sink, err: sink, historyFile, keyboard: () => ({ input, output }) });
    const sees = (text: string): Promise<void> => until(() => seen.join("").includes(text), text);
    return { type: (text: string) => void input.write(text), sees, ended, forget: () => void seen.splice(0) };
  }

  test("there is a prompt, a history that stays, completion, and advice", { timeout: 30_000 }, async () => {
    const file = join(folder, "typed");
    const one = terminal(["-server", server.address], file);
    await one.sees("(CONNECTED) 0] ");
    one.type("create /typed/none\r");
    await one.sees("Hint: ls shows what is there");
    await one.sees("(CONNECTED) 1] ");
    one.type("addauth digest ada:secret\r");
    await one.sees("(CONNECTED) 2] ");
    one.type("exit\r");
    assert.equal((await one.ended).exitCode, 0);
    assert.equal(readFileSync(file, "utf8"), "create /typed/none\nexit\n");
    const other = terminal(["-server", server.address], file);
    await other.sees("(CONNECTED) 0] ");
    other.type("\x1b[A\x1b[A");
    await other.sees("create /typed/none");
    other.type("\x03");
    other.type("quit\r");
    assert.equal((await other.ended).exitCode, 0);
  });

  test("Ctrl-C ends the command and not the shell", { timeout: 30_000 }, async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as { port: number };
    const it = terminal(["-server", `127.0.0.1:${port}`, "-waitforconnection"], join(folder, "interrupted"));
    await it.sees("(CONNECTING) 0] ");
    it.type("ls /\r");
    await it.sees("ls /");
    it.forget();
    it.type("\x03");
    await it.sees("Interrupted");
    await it.sees("(CONNECTING) 1] ");
    it.type("quit\r");
    assert.equal((await it.ended).exitCode, 1);
    silent.close();
  });
});

describe("-client-configuration", () => {
  test("has TLS and SASL in Java's properties", () => {
    const [pem, jaas, file] = ["ca.pem", "jaas.conf", "client.cfg"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(pem, "-----BEGIN CERTIFICATE-----\n");
    writeFileSync(
      jaas,
      'Client { org.apache.zookeeper.server.auth.DigestLoginModule required username="ada" password="secret"; };\n',
    );
    writeFileSync(
      file,
      `zookeeper.client.secure=true\nzookeeper.ssl.trustStore.location=${pem}\njava.security.auth.login.config=${jaas}\n`,
    );
    const { tls, sasl } = clientConfiguration(file);
    assert.deepEqual([String(tls?.ca), sasl?.username], ["-----BEGIN CERTIFICATE-----\n", "ada"]);
    writeFileSync(pem, "\xfe\xed\xfe\xed");
    assert.throws(() => clientConfiguration(file), /trustStore.location: .* is not in PEM/);
    assert.deepEqual(clientConfiguration(null), {});
  });
});
