/** The protocol on the wire: frames, envelopes, opcodes nobody knows, bodies that make no sense. */

import assert from "node:assert/strict";
import { describe } from "node:test";
import { writeHello, writeRequest } from "../../lib/wire/codec.ts";
import { bytesOf, FrameConnection } from "../support/frame_connection.ts";
import { auth, CLOSE_SESSION, create, getData, PING, type SendableOp, setData, sync } from "../support/ops.ts";
import { NEW_SESSION } from "../support/raw_client.ts";
import { type RuleClient, rule } from "./rules.ts";

const FRAME_BYTES_MAX = 0xfffff;

/** Sends bytes, and waits for the connection's end; tells how many answers came before it. */
async function ended(zk: RuleClient, bytes: Uint8Array): Promise<number> {
  zk.raw.send(bytes);
  await zk.raw.ended;
  return zk.raw.received.length;
}

const frameOf = (op: SendableOp, xid = 1): Uint8Array => bytesOf((out) => writeRequest(out, xid, op));

/** A create of /big whose whole frame, without its length, is so long. */
function createFrame(length: number): Uint8Array {
  const empty = frameOf(create("/big")).length - 4;
  return frameOf(create("/big", { data: "x".repeat(length - empty) }));
}

describe("frames", () => {
  rule("a negative length ends the connection without a word", async (server) => {
    assert.equal(await ended(await server.client(), Buffer.from("ffffffff", "hex")), 0);
  });

  rule("a frame of 1,048,575 bytes is taken, one byte more ends the connection without a word", async (server) => {
    const zk = await server.client();
    assert.equal((await zk.raw.requestFrame(createFrame(FRAME_BYTES_MAX), 1, "create")).err, 0);
    assert.equal(await ended(await server.client(), createFrame(FRAME_BYTES_MAX + 1).subarray(0, 64)), 0);
  });

  rule("a reply may be longer than any request", async (server) => {
    const zk = await server.client();
    await zk.raw.requestFrame(createFrame(FRAME_BYTES_MAX), 1, "create");
    const { body } = await zk.ask(getData("/big"));
    assert.equal(body.length + 16, 1_048_612);
  });

  rule("a frame too short for a header ends the connection without a word", async (server) => {
    assert.equal(await ended(await server.client(), Buffer.from("00000000", "hex")), 0);
    assert.equal(await ended(await server.client(), Buffer.from("0000000700000001000000", "hex")), 0);
  });

  rule("bytes behind a request's body are not looked at", async (server) => {
    const zk = await server.client();
    const frame = Buffer.concat([frameOf(getData("/")), Buffer.from("surplus")]);
    frame.writeInt32BE(frame.length - 4, 0);
    assert.equal((await zk.raw.requestFrame(frame, 1, "getData")).err, 0);
  });

  rule("a body that ends too early is a marshalling error, and the connection stays", async (server) => {
    const zk = await server.client();
    const frame = Buffer.from(frameOf(getData("/abc")).subarray(0, -3));
    frame.writeInt32BE(frame.length - 4, 0);
    const { err, body } = await zk.raw.requestFrame(frame, 1, "getData");
    assert.deepEqual([err, body.length], [-5, 0]);
    assert.equal(await zk.result(getData("/")), "Ok");
  });

  rule("what makes no sense in place of a handshake ends the connection without a word", async (server) => {
    for (const bytes of ["0000000400000000", "ffffffff", "7fffffff", "6162636465"]) {
      const zk = await server.open();
      assert.equal(await ended(zk, Buffer.from(bytes, "hex")), 0, bytes);
    }
  });
});

describe("handshakes on the wire", () => {
  rule("without the readOnly byte the answer has none either", async (server) => {
    for (const [short, length] of [
      [true, 36],
      [false, 37],
    ] as const) {
      const connection = await FrameConnection.open(server);
      connection.send(bytesOf((out) => writeHello(out, NEW_SESSION, short)));
      assert.equal((await connection.next())?.length, length);
      await connection.drop();
    }
  });

  rule("any protocol version is answered with 0; an empty or null password will do for a new session", async (server) => {
    const connection = await FrameConnection.open(server);
    const frame = Buffer.from(bytesOf((out) => writeHello(out, NEW_SESSION)));
    frame.writeInt32BE(1, 4);
    connection.send(frame);
    assert.deepEqual([...(await connection.next())!.subarray(0, 4)], [0, 0, 0, 0]);
    await connection.drop();
    for (const passwd of [null, new Uint8Array(0)]) assert.ok((await server.client({ passwd })).session.timeOut > 0);
  });

  rule("requests pipelined behind the handshake are answered", async (server) => {
    const connection = await FrameConnection.open(server);
    const hello = bytesOf((out) => writeHello(out, NEW_SESSION));
    connection.send(Buffer.concat([hello, frameOf(create("/a"), 1), frameOf(getData("/a"), 2)]));
    const bodies = [await connection.next(), await connection.next(), await connection.next()];
    assert.deepEqual(
      bodies.slice(1).map((body) => body![3]),
      [1, 2],
    );
    await connection.drop();
  });

  rule("a second handshake is an opcode nobody knows", async (server) => {
    const zk = await server.client();
    const hello = bytesOf((out) => writeHello(out, NEW_SESSION));
    const { err } = await zk.raw.requestFrame(hello, 0, "unknown");
    assert.equal(err, -6);
    await zk.raw.ended;
  });
});

describe("envelopes", () => {
  rule("any xid is echoed, but for a ping's reply, whose is always -2", async (server) => {
    const zk = await server.client();
    for (const xid of [0, -7, 2 ** 31 - 1, -(2 ** 31)]) assert.equal((await zk.raw.request(getData("/"), xid)).xid, xid);
    const ping = zk.raw.requestFrame(frameOf(PING, 77), -2, "ping");
    assert.equal((await ping).xid, -2);
  });

  rule("an error's reply is its header alone", async (server) => {
    const zk = await server.client();
    const { err, body } = await zk.ask(getData("/none"));
    assert.deepEqual([err, body.length], [-101, 0]);
  });

  rule("opcodes nobody knows: -6 with zxid -1, and the connection ends; the session lives on", async (server) => {
    for (const opcode of [-1, 0, 10, 23, 99, 108, 1000]) {
      const zk = await server.client();
      const { err, zxid } = await zk.ask({ kind: "unknown", opcode });
      assert.deepEqual([err, zxid], [-6, -1n], String(opcode));
      await zk.raw.ended;
      assert.ok((await server.attach(zk.session)).session.timeOut > 0);
    }
  });

  rule(
    "an opcode that came later is one nobody knows",
    async (server) => {
      const zk = await server.client();
      const { err, zxid } = await zk.ask({ kind: "whoAmI" });
      assert.deepEqual([err, zxid], [-6, -1n]);
      await zk.raw.ended;
    },
    { compat: "3.6" },
  );

  rule("auth is answered with zxid 0, whatever its xid", async (server) => {
    const zk = await server.client();
    await zk.ok(setData("/"));
    const { xid, zxid, err } = await zk.raw.request(auth("u:p"), -4);
    assert.deepEqual([xid, zxid, err], [-4, 0n, 0]);
  });

  rule("an auth packet that can't be read ends the connection without a word", async (server) => {
    const zk = await server.client();
    const frame = Buffer.from(frameOf(auth("u:p")).subarray(0, -2));
    frame.writeInt32BE(frame.length - 4, 0);
    assert.equal(await ended(zk, frame), 0);
  });

  rule("requests behind closeSession get no reply", async (server) => {
    const zk = await server.client();
    const bytes = Buffer.concat([frameOf(CLOSE_SESSION, 1), frameOf(sync("/"), 2)]);
    const answered = zk.raw.requestFrame(bytes, 1, "closeSession");
    assert.equal((await answered).xid, 1);
    await zk.raw.ended;
    assert.equal(zk.raw.received.length, 1);
  });
});
