/**
 * Bugs that ZooKeeper has had in elections, in what members say on their ports, and in how they notice one another's end, each by its JIRA number:
 * that they are not to be had here.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { BroadcastEffect } from "../../../lib/broadcast/contract.ts";
import { Ensemble } from "../../../lib/broadcast/zab/ensemble.ts";
import { ensembleText } from "../../../lib/broadcast/zab/ensemble_text.ts";
import { History } from "../../../lib/broadcast/zab/history.ts";
import type { Notification, Vote } from "../../../lib/broadcast/zab/messages.ts";
import { Zab } from "../../../lib/broadcast/zab/zab.ts";
import { makeZxid } from "../../../lib/model/zxid.ts";
import { initialBytes, notificationBytes, readInitial, readNotification } from "../../../lib/wire/votes.ts";
import { active, established, Rig } from "../../support/zab_rig.ts";
import { configOf } from "./conditions.ts";

const VOTE: Vote = { leader: 3n, zxid: 5n, round: 1n, epoch: 1n };

function says(rig: Rig, from: number, state: Notification["state"], vote: Partial<Vote> = {}): string[] {
  const notification = { state, vote: { ...VOTE, ...vote }, version: 2, config: null };
  return rig.step({ kind: "notified", from: BigInt(from), notification });
}

describe("an election", () => {
  test("ZOOKEEPER-1732, 1805: those who have a leader agree on it, whatever zxids and rounds they remember", () => {
    const rig = new Rig(1);
    says(rig, 2, "following", { zxid: 4n, round: 9n });
    assert.deepEqual(says(rig, 3, "leading", { zxid: 7n, round: 2n }), ["dial 3"]);
  });

  test("ZOOKEEPER-2164: a vote in a member's own name changes nothing", () => {
    const rig = new Rig(1);
    rig.takeTold();
    says(rig, 1, "looking", { leader: 2n, zxid: 99n });
    assert.deepEqual(rig.pass(100), []);
    assert.deepEqual(rig.takeTold(), []);
  });

  test("ZOOKEEPER-3056: who has lost what it knew, and says so by zxid -1, has no vote", () => {
    const rig = new Rig(2);
    says(rig, 1, "looking", { leader: 2n, zxid: -1n });
    assert.deepEqual(rig.pass(10_000), [], "nobody is elected");
  });

  test("a member without a vote that asks in a circle is answered now and then", () => {
    const rig = new Rig(1);
    rig.takeTold();
    for (let at = 0; at < 100; at++) says(rig, 4, "looking");
    assert.deepEqual(rig.takeTold(), [4n]);
    rig.mono += 50;
    for (let at = 0; at < 100; at++) says(rig, 4, "looking");
    assert.deepEqual(rig.takeTold(), [4n]);
  });

  test("ZOOKEEPER-1783: a configuration that was never in force gives way to one that was, and never the other way round", () => {
    const before = new Ensemble(configOf(3, 0));
    const after = new Ensemble(configOf(5, 0)).withVersion(makeZxid(1, 0));
    const config = (ensemble: Ensemble): Notification => ({
      state: "looking",
      vote: VOTE,
      version: 2,
      config: ensembleText(ensemble),
    });
    const joiner = zabOf(before);
    joiner.step({ kind: "notified", from: 2n, notification: config(after) }, { mono: 0, wall: 0 });
    assert.equal(joiner.membership.committed.version, makeZxid(1, 0));
    assert.equal(joiner.membership.committed.voters.size, 5);
    const member = zabOf(after);
    member.step({ kind: "notified", from: 2n, notification: config(before) }, { mono: 0, wall: 0 });
    assert.equal(member.membership.committed, after);
  });
});

describe("an election while a reconfiguration is on its way", () => {
  test("seed 10088: is won by a voter of what is committed, since others know no other: who is to join stands for nobody, and agrees", () => {
    const joiner = zabOf(new Ensemble(configOf(2, 0)), 3n, new Ensemble(configOf(3, 0)).withVersion(makeZxid(1, 0)));
    const votes = joiner.step({ kind: "notified", from: 2n, notification: looking(2n) }, NOW);
    assert.deepEqual(leadersIn(votes), [2n, 2n]);
    const old = zabOf(new Ensemble(configOf(2, 0)), 1n, new Ensemble(configOf(3, 0)).withVersion(makeZxid(1, 0)));
    assert.deepEqual(leadersIn(old.step({ kind: "notified", from: 3n, notification: looking(3n) }, NOW)), []);
  });
});

describe("what is said on the election port", () => {
  test("ZOOKEEPER-3720: the first message is one that older members understand, and both forms are understood", () => {
    const bytes = initialBytes(3n, "127.0.0.1:3888");
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    assert.equal(view.getBigInt64(0), -65536n);
    view.setBigInt64(0, -65535n);
    assert.equal(readInitial(bytes)!.id, 3n);
    view.setBigInt64(0, 7n);
    assert.equal(readInitial(bytes)!.id, 7n, "members of 3.4 say no more than that");
  });

  test("ZOOKEEPER-3769: a vote that is cut off or says impossible lengths is passed over", () => {
    const whole = notificationBytes({ state: "looking", vote: VOTE, version: 2, config: "version=0" }).slice();
    // What frames it is no part of it.
    const content = whole.subarray(whole.length - (44 + "version=0".length));
    assert.equal(readNotification(content)!.config, "version=0");
    for (let length = 0; length < 28; length++) assert.equal(readNotification(content.subarray(0, length)), null);
    const view = new DataView(content.buffer, content.byteOffset);
    for (const length of [-1, -(2 ** 31), 2 ** 31 - 1, content.length]) {
      view.setInt32(40, length);
      assert.equal(readNotification(content), null, String(length));
    }
  });
});

describe("a stream that is dead and does not say so", () => {
  test("is given up by a learner that hears nothing for syncLimit ticks", () => {
    const rig = active();
    assert.deepEqual(rig.pass(4999), []);
    assert.deepEqual(rig.pass(1), ["role looking", "cut"]);
  });

  test("does not count for a leader that hears nothing for syncLimit ticks", () => {
    const rig = established();
    const said: string[] = [];
    while (rig.mono < 10_000 && !said.includes("role looking")) said.push(...rig.pass(500));
    assert.ok(said.includes("role looking"), said.join(", "));
  });

  test("is given up by a leader that waits for an acknowledgement for syncLimit ticks, pings or not", () => {
    const rig = established();
    rig.step({ kind: "propose", proposal: { header: header(1), txn: { kind: "delete", path: "/a" }, digest: null } });
    const said: string[] = [];
    while (rig.mono < 10_000 && !said.includes("cut")) {
      rig.packet(1, { kind: "pong", zxid: 0n, touched: [] });
      said.push(...rig.pass(500));
    }
    assert.ok(said.includes("cut"), said.join(", "));
  });
});

describe("a learner's sessions", () => {
  test("are told with the answer to a ping, at once, and each once", () => {
    const rig = active();
    rig.step({ kind: "touch", session: 7n, timeoutMs: 4000 });
    const pings = [1, 2].map(() => rig.zab.step({ kind: "packet", link: -1, packet: { kind: "ping", zxid: 0n } }, NOW));
    const touched = pings
      .flat()
      .map((effect) => (effect.kind === "send" && "touched" in effect.packet ? effect.packet.touched : null));
    assert.deepEqual(touched, [[{ session: 7n, timeoutMs: 4000 }], []]);
  });
});

const NOW = { mono: 0, wall: 0 };

function header(counter: number): { session: bigint; cxid: number; zxid: bigint; time: number } {
  return { session: 1n, cxid: counter, zxid: makeZxid(1, counter), time: 0 };
}

function looking(leader: bigint): Notification {
  return { state: "looking", vote: { ...VOTE, leader }, version: 2, config: null };
}

/** Whom the votes say that are told. */
function leadersIn(effects: readonly BroadcastEffect[]): bigint[] {
  return effects.flatMap((effect) => (effect.kind === "notify" ? [effect.notification.vote.leader] : []));
}

/** A member of an ensemble that may be reconfigured, looking for a leader. */
function zabOf(ensemble: Ensemble, me = 1n, lastSeen: Ensemble = ensemble): Zab {
  const zab = new Zab({
    me,
    ensemble,
    lastSeen,
    reconfiguration: { votersMin: 2 },
    limits: { tickMs: 1000, initLimit: 10, syncLimit: 5, txnBytesMax: 2 ** 21 },
    history: new History(0n, []),
    acceptedEpoch: 0,
    currentEpoch: 0,
  });
  zab.step({ kind: "due" }, NOW);
  return zab;
}
