/**
 * What every Listener must do, whatever it is built on. An adapter's own test file calls this with a factory.
 *
 * The other end is always a plain `node:net` socket: nothing of ours is on both sides.
 */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import type { Duplex, DuplexHandler, ListenAddress, Listener } from "../../lib/ports.ts";
import { until } from "../support/until.ts";

/** Makes a listener for a port of 127.0.0.1; 0 stands for any free one. */
export type ListenerFactory = (port: number) => Listener;

/** Opens the other end. */
export type Dial = (port: number) => Socket;

const plain: Dial = (port) => connect(port, "127.0.0.1");

/** One accepted stream and all it was told. */
interface Accepted extends DuplexHandler {
  readonly duplex: Duplex;
  readonly received: number[];
  closedCount: number;
  drainedCount: number;
  /** Calls that came after `closed`, or data after `destroy`. */
  late: number;
}

/** @param dial opens the other end; it says `connect` when it has a port, and may be used when the listener has accepted it */
export function listenerContract(name: string, make: ListenerFactory, dial: Dial = plain): void {
  const check = (what: string, run: (at: Stage) => Promise<void>): void => {
    test(`${name}: ${what}`, async () => {
      const stage = await Stage.open(make, dial);
      try {
        await run(stage);
      } finally {
        await stage.close();
      }
    });
  };

  check("tells the port it got, and each peer's address", async (at) => {
    assert.equal(at.address.host, "127.0.0.1");
    assert.ok(at.address.port > 0);
    const { socket, stream } = await at.connected();
    assert.equal(stream.duplex.remoteAddress, "127.0.0.1");
    assert.equal(stream.duplex.remotePort, socket.localPort);
  });

  check("tells piece by piece what the other end has taken of one long write, and when it has taken all", async (at) => {
    const { socket, stream } = await at.connected();
    const { duplex } = stream;
    const long = new Uint8Array(40_000_000).fill(1);
    duplex.write(long);
    duplex.write(Uint8Array.of(2));
    const seen = new Set<number>();
    let taken = 0;
    let last = 0;
    socket.on("data", (bytes: Uint8Array) => {
      taken += bytes.length;
      last = bytes.at(-1)!;
      seen.add(duplex.bufferedBytes());
    });
    await until(() => taken === long.length + 1, "all bytes out");
    assert.equal(last, 2);
    assert.ok(seen.size > 3, `${seen.size} steps`); // the system itself takes megabytes at a time
    await until(() => stream.drainedCount > 0 && duplex.bufferedBytes() === 0, "the end of it");
  });

  check("ends behind what was written, however long", async (at) => {
    const { socket, stream } = await at.connected();
    let taken = 0;
    let closed = false;
    socket.on("data", (bytes: Uint8Array) => {
      taken += bytes.length;
    });
    socket.on("close", () => {
      closed = true;
    });
    stream.duplex.write(new Uint8Array(3_000_000));
    stream.duplex.end();
    await until(() => closed, "its end");
    assert.equal(taken, 3_000_000);
  });

  check("carries bytes both ways, in order", async (at) => {
    const { socket, stream } = await at.connected();
    const sent = Uint8Array.from({ length: 300_000 }, (_, i) => i * 7);
    socket.write(sent);
    await until(() => stream.received.length === sent.length, "all bytes in");
    assert.deepEqual(Uint8Array.from(stream.received), sent);
    for (let from = 0; from < sent.length; from += 1000) stream.duplex.write(sent.subarray(from, from + 1000));
    assert.deepEqual(await bytesOf(socket, sent.length), sent);
  });

  check("keeps what a slow reader does not take, and tells when it is gone", async (at) => {
    const { socket, stream } = await at.connected();
    socket.pause();
    const big = new Uint8Array(1 << 20).fill(7);
    let written = 0;
    // The system's own buffers take a few MiB first.
    while (stream.duplex.bufferedBytes() < 4 * big.length) {
      stream.duplex.write(big);
      written += big.length;
      assert.ok(written < 512 * big.length, "bufferedBytes() never grows");
    }
    assert.equal(stream.drainedCount, 0);
    assert.equal((await bytesOf(socket, written)).length, written);
    await until(() => stream.drainedCount === 1, "drained");
    assert.equal(stream.duplex.bufferedBytes(), 0);
  });

  check("pauses and resumes what comes in", async (at) => {
    const { socket, stream } = await at.connected();
    stream.duplex.pause();
    socket.write("x");
    const other = await at.connected();
    other.socket.write("y");
    await until(() => other.stream.received.length === 1, "another stream goes on");
    assert.equal(stream.received.length, 0);
    stream.duplex.resume();
    await until(() => stream.received.length === 1, "the held byte");
  });

  check("delivers what was written before end()", async (at) => {
    const { socket, stream } = await at.connected();
    stream.duplex.write(new Uint8Array(3_000_000));
    stream.duplex.end();
    stream.duplex.write(new Uint8Array(1)); // too late: ignored
    assert.equal((await bytesOf(socket, Number.POSITIVE_INFINITY)).length, 3_000_000);
    await until(() => stream.closedCount === 1, "closed");
  });

  check("answers a peer that has ended its side already", async (at) => {
    const { socket, stream } = await at.connected((duplex, bytes) => {
      duplex.write(bytes);
      duplex.end();
    });
    socket.end("ruok");
    assert.equal(new TextDecoder().decode(await bytesOf(socket, Number.POSITIVE_INFINITY)), "ruok");
    await until(() => stream.closedCount === 1, "closed");
  });

  check("takes a peer's end for the end of the stream", async (at) => {
    const { socket, stream } = await at.connected();
    socket.end("bye");
    await until(() => stream.closedCount === 1, "closed");
    assert.equal(stream.received.length, 3);
  });

  check("survives a peer's reset", async (at) => {
    const { socket, stream } = await at.connected();
    stream.duplex.write(new Uint8Array(100_000)); // unread at the peer: its close is a reset
    socket.pause();
    socket.destroy();
    await until(() => stream.closedCount === 1, "closed");
    stream.duplex.write(new Uint8Array(10));
    stream.duplex.end();
    stream.duplex.destroy();
  });

  check("destroy() cuts at once, and nothing comes after", async (at) => {
    const { socket, stream } = await at.connected((duplex) => duplex.destroy());
    socket.on("error", () => {});
    socket.write(new Uint8Array(200_000));
    await until(() => socket.destroyed && stream.closedCount === 1, "both ends gone");
    assert.ok(stream.received.length <= 200_000);
  });

  check("may refuse a stream inside accept", async (at) => {
    at.refuseNext = true;
    const { socket, stream } = await at.connected();
    await until(() => socket.destroyed && stream.closedCount === 1, "both ends gone");
  });

  check("takes a burst of connections", async (at) => {
    const all = await Promise.all(Array.from({ length: 200 }, () => at.connected()));
    assert.equal(new Set(all.map(({ stream }) => stream.duplex.remotePort)).size, 200);
  });

  check("says what to do about a port in use", async (at) => {
    const { port } = at.address;
    const second = make(port);
    await assert.rejects(second.start(refused), (error: NodeJS.ErrnoException) => {
      assert.equal(error.code, "EADDRINUSE");
      assert.match(error.message, new RegExp(`^Cannot listen on 127\\.0\\.0\\.1:${port}: .*choose another port`));
      return true;
    });
    await second.stop(); // nothing to release
  });

  check("stop() cuts idle and busy streams, and frees the port", async (at) => {
    const idle = await at.connected();
    const busy = await at.connected();
    busy.socket.pause();
    busy.stream.duplex.write(new Uint8Array(8 << 20));
    await at.listener.stop();
    await at.listener.stop(); // once more is no harm
    await until(() => idle.stream.closedCount === 1 && busy.stream.closedCount === 1, "both closed");
    const next = make(at.address.port);
    assert.equal((await next.start(refused)).port, at.address.port);
    await next.stop();
  });

  check("release() frees the port for others, and leaves open streams as they are until stop()", async (at) => {
    const { port } = at.address;
    const { socket, stream } = await at.connected();
    await at.listener.release();
    await at.listener.release(); // once more is no harm
    const next = make(port);
    const came: Accepted[] = [];
    await next.start((duplex) => {
      const accepted = recorder(duplex, () => {});
      came.push(accepted);
      return accepted;
    });
    const other = dial(port);
    other.on("error", () => {});
    await until(() => came.length === 1, "the next to accept on the port");
    socket.write(Uint8Array.of(1, 2, 3));
    await until(() => stream.received.length === 3, "bytes of the stream that is open");
    stream.duplex.write(Uint8Array.of(4));
    assert.deepEqual(await bytesOf(socket, 1), Uint8Array.of(4));
    other.destroy();
    await next.stop();
    assert.equal(stream.closedCount, 0);
    await at.listener.stop();
    await until(() => stream.closedCount === 1, "the stream to be closed");
  });

  check("starts again after release(), and stop() ends what came before and after", async (at) => {
    const before = await at.connected();
    await at.listener.release();
    at.address = await at.listener.start(at.accept);
    const after = await at.connected();
    await at.listener.stop();
    await until(() => before.stream.closedCount === 1 && after.stream.closedCount === 1, "both closed");
  });

  check("starts again after stop()", async (at) => {
    await at.listener.stop();
    at.address = await at.listener.start(at.accept);
    await at.connected();
  });
}

/** A started listener, with the streams it accepted by their peers' ports. */
class Stage {
  readonly listener: Listener;
  address: ListenAddress = { host: "", port: 0, secure: false };
  refuseNext = false;
  readonly #accepted = new Map<number, Accepted>();
  readonly #onData = new Map<number, (duplex: Duplex, bytes: Uint8Array) => void>();
  readonly #sockets: Socket[] = [];

  readonly #dial: Dial;

  constructor(listener: Listener, dial: Dial) {
    this.listener = listener;
    this.#dial = dial;
  }

  static async open(make: ListenerFactory, dial: Dial): Promise<Stage> {
    const stage = new Stage(make(0), dial);
    stage.address = await stage.listener.start(stage.accept);
    return stage;
  }

  readonly accept = (duplex: Duplex): DuplexHandler => {
    const accepted = recorder(duplex, (bytes) => this.#onData.get(duplex.remotePort)?.(duplex, bytes));
    this.#accepted.set(duplex.remotePort, accepted);
    if (this.refuseNext) duplex.destroy();
    return accepted;
  };

  /** A new connection, seen from both ends. */
  async connected(onData?: (duplex: Duplex, bytes: Uint8Array) => void): Promise<{ socket: Socket; stream: Accepted }> {
    const socket = this.#dial(this.address.port);
    this.#sockets.push(socket);
    socket.on("error", () => {});
    let port = 0;
    socket.on("connect", () => {
      port = socket.localPort ?? 0;
    });
    await until(() => port > 0, "connected");
    if (onData) this.#onData.set(port, onData);
    await until(() => this.#accepted.has(port), "accepted");
    return { socket, stream: this.#accepted.get(port)! };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.listener.stop();
    await until(() => [...this.#accepted.values()].every((stream) => stream.closedCount > 0), "every stream closed");
    for (const stream of this.#accepted.values()) assert.deepEqual([stream.closedCount, stream.late], [1, 0]);
  }
}

function recorder(duplex: Duplex, onData: (bytes: Uint8Array) => void): Accepted {
  const accepted: Accepted = {
    duplex,
    received: [],
    closedCount: 0,
    drainedCount: 0,
    late: 0,
    data(bytes) {
      accepted.late += accepted.closedCount;
      for (const byte of bytes) accepted.received.push(byte);
      onData(bytes);
    },
    drained() {
      accepted.late += accepted.closedCount;
      accepted.drainedCount++;
    },
    closed: () => void accepted.closedCount++,
  };
  return accepted;
}

function refused(): never {
  throw new Error("nobody connects here");
}

/** The next `count` bytes of a socket, or all until it ends. */
async function bytesOf(socket: Socket, count: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  socket.on("data", (chunk) => {
    chunks.push(chunk);
    length += chunk.length;
  });
  socket.resume();
  await until(() => length >= count || socket.readableEnded || socket.destroyed, `${count} bytes`);
  return new Uint8Array(Buffer.concat(chunks));
}
