/** Clients behind listeners, with streams and time that the test holds in its hands. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryStorage } from "../../adapters/storage/memory.ts";
import { create, HELLO, join, PING, REPLY_BYTES, request, Stage, WELCOME_BYTES } from "../support/stage.ts";

test("a chunk of requests is answered with one write, the handshake behind it included", async () => {
  const stage = await Stage.open();
  const stream = stage.connect();
  stream.say(join(HELLO, PING, PING, PING));
  assert.deepEqual(stream.lengths, [WELCOME_BYTES + 3 * REPLY_BYTES]);
  stream.say(join(PING, PING));
  assert.deepEqual(stream.lengths, [WELCOME_BYTES + 3 * REPLY_BYTES, 2 * REPLY_BYTES]);
  await stage.server.close();
});

test("so are writes that a log takes at once", async () => {
  const stage = await Stage.open({ storage: memoryStorage() });
  const stream = stage.connect();
  stream.say(HELLO);
  stream.say(join(create("/a"), create("/b"), PING));
  const pathBytes = 4 + "/a".length;
  assert.deepEqual(stream.lengths, [WELCOME_BYTES, 3 * REPLY_BYTES + 2 * pathBytes]);
  await stage.server.close();
});

test("requests are found in any pieces", async () => {
  const stage = await Stage.open();
  const stream = stage.connect();
  for (const byte of join(HELLO, PING)) stream.say(Uint8Array.of(byte));
  assert.deepEqual(stream.lengths, [WELCOME_BYTES, REPLY_BYTES]);
  await stage.server.close();
});

test("events for others go out at the end of the same turn, in one piece each", async () => {
  const stage = await Stage.open();
  const [watcher, writer] = [stage.connect(), stage.connect()];
  watcher.say(HELLO, join(...["/a", "/b"].map((path, at) => request(at, { kind: "exists", path, watch: true }))));
  writer.say(HELLO);
  const before = watcher.writes.length;
  writer.say(join(create("/a"), create("/b")));
  assert.equal(watcher.writes.length, before + 1);
  await stage.server.close();
});

test("a word is answered and the stream ended; monitors see who asks", async () => {
  const stage = await Stage.open();
  const client = stage.connect();
  client.say(HELLO, PING);
  const asker = stage.connect();
  asker.say(Buffer.from("st"), Buffer.from("at"));
  assert.equal(asker.state, "ended");
  assert.match(
    asker.text,
    /^Zookeeper version: 3\.8\.0-.*\nClients:\n \/127\.0\.0\.1:40000\[1\]\(queued=0,recved=2,sent=2\)\n/,
  );
  assert.match(asker.text, /\n \/127\.0\.0\.1:40001\[0\]\(queued=0,recved=1,sent=0\)\n\nLatency min\/avg\/max: 0\/0\.0\/0\n/);
  assert.match(
    asker.text,
    /\nReceived: 3\nSent: 2\nConnections: 2\nOutstanding: 0\nZxid: 0x1\nMode: standalone\nNode count: 5\n$/,
  );
  await stage.server.close();
});

test("a word that is not on the list is refused at once, the mask that it would need included", async () => {
  const stage = await Stage.open({ fourLetterWords: ["ruok"] });
  for (const word of ["stmk", "gtmk"])
    assert.equal(stage.ask(word), `${word} is not executed because it is not in the whitelist.\n`);
  await stage.server.close();
});

test("latencies are 0 before the first answer", async () => {
  const stage = await Stage.open();
  assert.match(stage.ask("srvr"), /\nLatency min\/avg\/max: 0\/0\.0\/0\n/);
  await stage.server.close();
});

test("crst and srst begin to count anew", async () => {
  const stage = await Stage.open();
  const client = stage.connect("127.0.0.2");
  client.say(HELLO, PING);
  assert.equal(stage.ask("crst"), "Connection stats reset.\n");
  assert.match(stage.ask("cons"), / \/127\.0\.0\.2:40000\[1\]\(queued=0,recved=0,sent=0,/);
  assert.equal(stage.ask("srst"), "Server stats reset.\n");
  assert.match(stage.ask("srvr"), /\nReceived: 1\nSent: 1\n/);
  await stage.server.close();
});

test("dump tells when sessions and connections fall due", async () => {
  const stage = await Stage.open();
  const client = stage.connect();
  client.say(HELLO);
  const dump = stage.ask("dump");
  assert.match(
    dump,
    /^SessionTracker dump:\nSession Sets \(1\)\/\(1\):\n1 expire at .* 2026:\n\t0x1[0-9a-f]+\nephemeral nodes dump:\n/,
  );
  assert.match(
    dump,
    /Connections Sets \(2\)\/\(2\):\n1 expire .*\n\tip: \/127\.9\.9\.9:40001 sessionId: 0x0\n1 expire .*\n\tip: \/127\.0\.0\.1:40000 sessionId: 0x1/,
  );
  await stage.server.close();
});

test("maxClientCnxns: one address may not have more, others may; a closed one makes room", async () => {
  const stage = await Stage.open({ limits: { connectionsPerAddressMax: 2 } });
  const [first, , third, fourth] = [stage.connect(), stage.connect(), stage.connect(), stage.connect()];
  assert.deepEqual([first.state, third.state, fourth.state], ["open", "destroyed", "destroyed"]);
  assert.equal(stage.connect("127.0.0.2").state, "open");
  assert.deepEqual(stage.logged, [
    "Too many connections: maxClientCnxns 2 from 127.0.0.1; another one from 127.0.0.1 was refused",
  ]);
  third.handler.closed();
  assert.equal(stage.connect().state, "destroyed");
  first.handler.closed();
  assert.equal(stage.connect().state, "open");
  assert.match(stage.ask("mntr"), /\nzk_connection_rejected\t3\n/);
  await stage.server.close();
});

test("a flood of refused connections is a line at once, and then one a minute for as long as it lasts", async () => {
  const stage = await Stage.open({ limits: { connectionsPerAddressMax: 1 } });
  const addresses = Array.from({ length: 6 }, (_, at) => `127.0.0.${at + 2}`);
  for (const address of addresses) stage.connect(address);
  for (let time = 0; time < 10_000; time++) stage.connect(addresses[time % 6]);
  assert.equal(stage.logged.length, 1);
  stage.clock.advance(60_000);
  assert.equal(stage.logged.length, 2);
  assert.match(
    stage.logged[1]!,
    /in the last minute more were refused: \d+ for maxClientCnxns 1 from 127\.0\.0\.\d, .* for other reasons$/,
  );
  stage.clock.advance(60_000);
  stage.clock.advance(60_000);
  assert.equal(stage.logged.length, 2);
  await stage.server.close();
});

test("maxCnxns: no more than that in all", async () => {
  const stage = await Stage.open({ limits: { connectionsMax: 2 } });
  assert.deepEqual(
    ["127.0.0.1", "127.0.0.2", "127.0.0.3"].map((address) => stage.connect(address).state),
    ["open", "open", "destroyed"],
  );
  await stage.server.close();
});

test("who does not shake hands in time is cut off, whatever it sent; who did stays", async () => {
  const stage = await Stage.open({ limits: { handshakeTimeoutMs: 500 } });
  const silent = stage.connect();
  stage.clock.advance(100);
  const greeted = stage.connect();
  greeted.say(HELLO);
  const partial = stage.connect();
  partial.say(HELLO.subarray(0, 20));
  stage.clock.advance(399);
  assert.deepEqual([silent.state, partial.state], ["open", "open"]);
  stage.clock.advance(1);
  assert.deepEqual([silent.state, partial.state], ["destroyed", "open"]);
  stage.clock.advance(100);
  assert.deepEqual([greeted.state, partial.state], ["open", "destroyed"]);
  assert.match(stage.ask("mntr"), /\nzk_sessionless_connections_expired\t2\n/);
  await stage.server.close();
});

test("who does not take its last words is cut off in the end", async () => {
  const stage = await Stage.open({ limits: { handshakeTimeoutMs: 500 } });
  const stream = stage.connect();
  stream.say(Buffer.from("ruok"));
  assert.deepEqual([stream.state, stream.text], ["ended", "imok"]);
  stage.clock.advance(500);
  assert.equal(stream.state, "destroyed");
  stream.handler.closed();
  assert.match(stage.ask("mntr"), /\nzk_sessionless_connections_expired\t0\n/);
  await stage.server.close();
});

test("a slow reader is not read from until it has taken what was sent", async () => {
  const stage = await Stage.open({ limits: { outputBytesPause: 2000 } });
  const stream = stage.connect();
  stream.say(HELLO);
  stream.unsent = 2001;
  stream.say(PING);
  assert.equal(stream.paused, true);
  stream.unsent = 0;
  stream.handler.drained();
  assert.equal(stream.paused, false);
  await stage.server.close();
});

test("bytes that make no sense end their own connection and nothing else", async () => {
  const stage = await Stage.open();
  const [good, bad] = [stage.connect(), stage.connect()];
  good.say(HELLO);
  bad.say(HELLO, Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1, 2, 3));
  assert.deepEqual([good.state, bad.state], ["open", "ended"]);
  good.say(PING);
  assert.equal(good.writes.length, 2);
  await stage.server.close();
});

test("a stream that is gone takes its connection along, and leaves its session", async () => {
  const stage = await Stage.open();
  const stream = stage.connect();
  stream.say(HELLO);
  stream.handler.closed();
  assert.match(stage.ask("mntr"), /\nzk_num_alive_connections\t1\n[\s\S]*\nzk_global_sessions\t1\n/);
  await stage.server.close();
});

test("an IPv6 client is labelled with brackets", async () => {
  const stage = await Stage.open();
  stage.connect("::1");
  assert.match(stage.ask("cons"), /^ \/\[::1\]:40000\[1\]\(/);
  await stage.server.close();
});

test("nothing is armed and nothing served after close", async () => {
  const stage = await Stage.open();
  stage.connect().say(HELLO);
  stage.connect();
  await stage.server.close();
  assert.equal(stage.connect().state, "destroyed");
  stage.clock.advance(100_000);
  assert.equal(stage.clock.armedCount, 0);
});
