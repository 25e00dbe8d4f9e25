/** The network of a test's ensemble: what arrives, in which order, and what does not. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Duplex, DuplexHandler } from "../../lib/ports.ts";
import { Network } from "../../lib/testing/network.ts";
import { seededRandom } from "../../lib/testing/random.ts";

const PORT = 1;
const UTF8 = new TextDecoder();

/** One end of a stream, and what it has heard. */
class Witness implements DuplexHandler {
  readonly heard: string[] = [];
  duplex: Duplex | null = null;

  data(bytes: Uint8Array): void {
    this.heard.push(UTF8.decode(bytes));
  }
  drained(): void {}
  closed(): void {
    this.heard.push("closed");
  }
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const never = (): never => assert.fail("nobody was to be told");

function network(): Network {
  return new Network(seededRandom(1), nextTurn);
}

/** A stream between two machines, both ends of it. */
async function stream(net: Network): Promise<{ near: Witness; far: Witness }> {
  const [here, there] = [net.plug("here"), net.plug("there")];
  const [near, far] = [new Witness(), new Witness()];
  await there.listener({ port: PORT }).start((duplex) => Object.assign(far, { duplex }));
  const opened = (duplex: Duplex): Witness => Object.assign(near, { duplex });
  here.dialer.dial({ host: "there", port: PORT }, opened, never);
  await nextTurn();
  return { near, far };
}

describe("a network in memory", () => {
  test("keeps the order on a stream, and what was written before its end", async () => {
    const { near, far } = await stream(network());
    for (const text of ["a", "b", "c"]) near.duplex!.write(bytes(text));
    near.duplex!.end();
    near.duplex!.write(bytes("too late"));
    await nextTurn();
    assert.deepEqual(far.heard, ["a", "b", "c", "closed"]);
    assert.deepEqual(near.heard, ["closed"]);
  });

  test("holds up what crosses a partition, the end of a stream included, until it is healed", async () => {
    const net = network();
    const { near, far } = await stream(net);
    const partition = net.partition([["here"], ["there"]], () => {});
    near.duplex!.write(bytes("late"));
    far.duplex!.end();
    await nextTurn();
    assert.deepEqual([near.heard, far.heard], [[], ["closed"]]);
    partition.heal();
    await nextTurn();
    assert.deepEqual(near.heard, ["closed"]);
  });

  test("does not deliver to who does not read", async () => {
    const { near, far } = await stream(network());
    far.duplex!.pause();
    near.duplex!.write(bytes("four"));
    await nextTurn();
    assert.deepEqual(far.heard, []);
    assert.equal(near.duplex!.bufferedBytes(), 4);
    far.duplex!.resume();
    await nextTurn();
    assert.deepEqual(far.heard, ["four"]);
    assert.equal(near.duplex!.bufferedBytes(), 0);
  });

  test("refuses where nobody listens or no machine is on, and tells nobody of a machine that goes off but the others", async () => {
    const net = network();
    const { near, far } = await stream(net);
    const dial = (port: number): Promise<string> =>
      new Promise((resolve) => net.machine("here")!.dialer.dial({ host: "there", port }, never, resolve));
    assert.equal(await dial(2), "connection refused");
    net.machine("there")!.switchOff();
    far.duplex!.write(bytes("from beyond"));
    await nextTurn();
    assert.deepEqual([near.heard, far.heard], [["closed"], []]);
    assert.equal(await dial(PORT), "connection refused");
  });

  test("calls nobody back whose attempt was given up", async () => {
    const net = network();
    await stream(net);
    net.machine("here")!.dialer.dial({ host: "there", port: PORT }, never, never)();
    await nextTurn();
  });

  test("lets others have their turn while two talk without end", async () => {
    const { near, far } = await stream(network());
    const echo = (end: Witness): void => {
      end.data = (heard) => end.duplex!.write(heard.slice());
    };
    echo(near);
    echo(far);
    near.duplex!.write(bytes("ping"));
    await nextTurn();
    far.duplex!.end();
    await nextTurn();
    assert.deepEqual(near.heard, ["closed"]);
  });
});
