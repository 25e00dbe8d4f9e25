/** Streams of events: order, bounded memory, ends. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EventStream, type EventStreamOptions } from "../../../lib/client/event_stream.ts";

function stream(options: Partial<EventStreamOptions<string>> = {}): EventStream<string> {
  return new EventStream({ capacity: 2, overflow: "dropOldest", gap: () => "gap", released: () => {}, ...options });
}

describe("event stream", () => {
  test("gives events in order, to readers that wait and to those that come later", async () => {
    const events = stream();
    const early = events.next();
    events.push("a");
    events.push("b");
    assert.deepEqual(await early, { done: false, value: "a" });
    assert.deepEqual(await events.next(), { done: false, value: "b" });
  });

  test("says where it forgot something", async () => {
    const events = stream();
    for (const event of ["a", "b", "c"]) events.push(event);
    events.end();
    const read: string[] = [];
    for await (const event of events) read.push(event);
    assert.deepEqual(read, ["gap", "b", "c"]);
  });

  test("ends with an error if it may not forget", async () => {
    const events = stream({ overflow: "fail" });
    for (const event of ["a", "b", "c"]) events.push(event);
    assert.equal((await events.next()).value, "a");
    assert.equal((await events.next()).value, "b");
    await assert.rejects(events.next(), /More than 2 events/);
    assert.equal((await events.next()).done, true);
  });

  test("is released once, when its reader leaves", async () => {
    let released = 0;
    const events = stream({ released: () => released++ });
    events.push("a");
    for await (const _ of events) break;
    await events.return();
    assert.equal(released, 1);
    events.push("b");
    assert.equal((await events.next()).done, true);
  });
});
