/** When sessions fall due: rounded up to ticks, and put off by each touch. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Sessions } from "../../../lib/session/sessions.ts";

describe("sessions", () => {
  test("live between their timeout and one tick more", () => {
    const sessions = new Sessions(500);
    const session = sessions.add(1n, 1000, false, 100);
    assert.equal(session.deadline, 1500);
    assert.equal(sessions.nextDeadline, 1500);
    assert.deepEqual(sessions.due(1499), []);
    assert.deepEqual(sessions.due(1500), [session]);
  });

  test("are put off when heard of", () => {
    const sessions = new Sessions(500);
    const session = sessions.add(1n, 1000, false, 0);
    sessions.touch(session, 900);
    assert.equal(session.deadline, 2000);
    assert.deepEqual(sessions.due(1999), []);
    assert.deepEqual(sessions.due(2000), [session]);
  });

  test("fall due together, in ticks", () => {
    const sessions = new Sessions(500);
    const early = [sessions.add(1n, 1000, false, 10), sessions.add(2n, 1000, false, 400)];
    sessions.add(3n, 3000, false, 10);
    assert.deepEqual(sessions.due(1700), early);
    assert.equal(sessions.nextDeadline, 3500);
  });

  test("that are closing don't fall due, and can't be touched", () => {
    const sessions = new Sessions(500);
    const session = sessions.add(1n, 1000, false, 0);
    sessions.startClosing(session);
    sessions.touch(session, 5000);
    assert.deepEqual(sessions.due(99_999), []);
    assert.equal(sessions.nextDeadline, null);
    sessions.remove(1n);
    assert.equal(sessions.get(1n), undefined);
  });

  test("fall due in any number: a restart gives 200,000 clients that never come back one tick", () => {
    const timeouts = new Map(Array.from({ length: 200_000 }, (_, at) => [BigInt(at + 1), 1000]));
    const sessions = Sessions.starting(timeouts, 500, 0);
    assert.equal(sessions.due(1500).length, 200_000);
  });
});
