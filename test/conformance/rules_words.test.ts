/** Four-letter words on the wire: which are answered, and that they tell of what is there. Their exact texts: test/unit/wire/words.test.ts. */

import assert from "node:assert/strict";
import { describe } from "node:test";
import { CLOSE_SESSION, create, exists, Flags, getChildren } from "../support/ops.ts";
import { fourLetterWord } from "../support/server_process.ts";
import { type RuleServer, rule } from "./rules.ts";

const ALL = { "4lw.commands.whitelist": "*" };
const ask = (server: RuleServer, word: string): Promise<string> => fourLetterWord(server.port, word);

describe("four-letter words", () => {
  rule("only srvr is answered unless others are allowed", async (server) => {
    assert.match(await ask(server, "srvr"), /^Zookeeper version: .*\n(.*\n)*Node count: 5\n$/);
    for (const word of ["ruok", "stat", "mntr", "wchp"])
      assert.equal(await ask(server, word), `${word} is not executed because it is not in the whitelist.\n`);
  });

  rule(
    "a list of them allows those and srvr",
    async (server) => {
      assert.equal(await ask(server, "ruok"), "imok");
      assert.match(await ask(server, "srvr"), /Mode: standalone/);
      assert.match(await ask(server, "dump"), /not in the whitelist/);
    },
    { config: { "4lw.commands.whitelist": "ruok, isro" } },
  );

  rule(
    "ruok and isro end without a line's end",
    async (server) => {
      assert.deepEqual([await ask(server, "ruok"), await ask(server, "isro")], ["imok", "rw"]);
    },
    { config: ALL },
  );

  rule(
    "a word nobody knows is the length of a frame, and too long",
    async (server) => {
      assert.equal(await ask(server, "nope"), "");
    },
    { config: ALL },
  );

  rule("srvr: the root counts twice, the connection that asks counts", async (server) => {
    const zk = await server.client();
    await zk.results(create("/a"), create("/a/b"));
    const text = await ask(server, "srvr");
    assert.match(text, /^Node count: 7$/m);
    assert.match(text, /^Connections: 2$/m);
    assert.match(text, /^Zxid: 0x3$/m);
  });

  rule(
    "dump names sessions and their ephemerals",
    async (server) => {
      const zk = await server.client();
      await zk.ok(create("/e", { flags: Flags.ephemeral }));
      const id = `0x${zk.session.sessionId.toString(16)}`;
      assert.match(
        await ask(server, "dump"),
        new RegExp(
          `Session Sets \\(1\\)/\\(1\\):\n1 expire at [^\n]*:\n\t${id}\nephemeral nodes dump:\nSessions with Ephemerals \\(1\\):\n${id}:\n\t/e\n`,
        ),
      );
    },
    { config: ALL },
  );

  rule(
    "wchs, wchc and wchp tell of data watches alone",
    async (server) => {
      const zk = await server.client();
      await zk.results(exists("/x", true), exists("/y", true), getChildren("/", true));
      const id = `0x${zk.session.sessionId.toString(16)}`;
      assert.equal(await ask(server, "wchs"), "1 connections watching 2 paths\nTotal watches:2\n");
      assert.deepEqual((await ask(server, "wchc")).split("\n").toSorted(), ["", "", "\t/x", "\t/y", id]);
      assert.deepEqual((await ask(server, "wchp")).split("\n").toSorted(), ["", "", `\t${id}`, `\t${id}`, "/x", "/y"]);
    },
    { config: ALL },
  );

  rule(
    "stat and cons list connections, crst and srst begin counting anew",
    async (server) => {
      const zk = await server.client();
      await zk.ok(create("/a"));
      assert.match(await ask(server, "stat"), /\nClients:\n(.*\n)* \/127\.0\.0\.1:\d+\[1\]\(queued=0,recved=2,sent=2\)\n/);
      assert.match(
        await ask(server, "cons"),
        /sid=0x[0-9a-f]+,lop=CREA,est=\d+,to=30000,lcxid=0x1,lzxid=0x2,lresp=\d+,llat=\d+,minlat=0,/,
      );
      assert.equal(await ask(server, "crst"), "Connection stats reset.\n");
      assert.equal(await ask(server, "srst"), "Server stats reset.\n");
      assert.match(await ask(server, "stat"), /\(queued=0,recved=0,sent=0\)\n/);
    },
    { config: ALL },
  );

  rule(
    "mntr counts znodes, watches of both tables, ephemerals, bytes and sessions",
    async (server) => {
      const [zk, other] = [await server.client(), await server.client()];
      await zk.results(
        create("/a", { data: "12345" }),
        create("/e", { flags: Flags.ephemeral }),
        exists("/x", true),
        getChildren("/", true),
      );
      const values = async (): Promise<Record<string, string>> =>
        Object.fromEntries((await ask(server, "mntr")).split("\n").map((line) => line.split("\t") as [string, string]));
      const before = await values();
      assert.deepEqual(
        [
          "znode_count",
          "watch_count",
          "ephemerals_count",
          "approximate_data_size",
          "global_sessions",
          "num_alive_connections",
        ].map((key) => before[`zk_${key}`]),
        ["7", "2", "1", "53", "2", "3"],
      );
      await other.ok(CLOSE_SESSION);
      assert.equal((await values()).zk_global_sessions, "1");
    },
    { config: ALL },
  );

  rule(
    "the trace mask: gtmk tells it, stmk sets it",
    async (server) => {
      assert.equal(await ask(server, "gtmk"), "306");
    },
    { config: ALL },
  );
});
