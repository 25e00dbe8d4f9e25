/** Options of recipes that are none, or of the wrong kind: each is named, with the right one, and nothing is asked of the server. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { testServer } from "../../adapters/testing/mod.ts";
import * as recipes from "../../lib/recipes/mod.ts";
import type { ZooKeeper } from "../../mod.ts";

/** Options as a program without types hands them in. */
const given = (options: unknown): never => options as never;

const WRONG: readonly (readonly [name: string, call: (zk: ZooKeeper) => unknown, message: RegExp])[] = [
  ["mutex: unknown", (zk) => recipes.mutex(zk, "/a", given({ layuot: "kazoo" })), /"layuot"; "layout" is probably meant/],
  [
    "mutex: layout",
    (zk) => recipes.mutex(zk, "/a", given({ layout: "java" })),
    /layout must be "curator" or "kazoo", not "java"/,
  ],
  ["mutex: rule", (zk) => recipes.mutex(zk, "/a", given({ rule: "leaseend" })), /rule must be "suspended" or "leaseEnd"/],
  ["mutex: id", (zk) => recipes.mutex(zk, "/a", given({ id: 1 })), /id must be a string/],
  ["mutex: no options", (zk) => recipes.mutex(zk, "/a", given(null)), /options must be an object/],
  ["acquire", (zk) => recipes.mutex(zk, "/a").acquire(given({ timeout: 5 })), /no "timeout"; "timeoutMs" is probably meant/],
  ["acquire: time", (zk) => recipes.mutex(zk, "/a").acquire(given({ timeoutMs: "5s" })), /timeoutMs must be .* not "5s"/],
  ["acquire: signal", (zk) => recipes.mutex(zk, "/a").acquire(given({ signal: null })), /signal must be an AbortSignal/],
  ["read-write lock", (zk) => recipes.readWriteLock(zk, "/a", given({ name: "x" })), /no "name"; there are layout, id, rule/],
  ["semaphore", (zk) => recipes.semaphore(zk, "/a", given({ leases: 1, layouts: "kazoo" })), /"layouts"; "layout"/],
  ["election", (zk) => recipes.election(zk, "/a", given({ layout: "curator" })), /"latch" or "selector" or "kazoo"/],
  ["leaderOnly", (zk) => recipes.leaderOnly(zk, "/a", () => {}, given({ rul: "leaseEnd" })), /"rul"; "rule"/],
  ["withLock", (zk) => recipes.withLock(zk, "/a", () => {}, given({ timeoutMS: 5 })), /"timeoutMS"; "timeoutMs"/],
  ["withLock: layout", (zk) => recipes.withLock(zk, "/a", () => {}, given({ layout: "" })), /layout must be/],
  ["multi-lock", (zk) => recipes.multiLock(zk, ["/a"], given({ ids: "x" })), /"ids"; "id"/],
  ["once", (zk) => recipes.once(zk, "a", () => {}, given({ ttl: 5 })), /"ttl"/],
  ["every", (zk) => recipes.every(zk, "a", "1m", () => {}, given({ timeZone: "UTC" })), /"timeZone"; "timezone"/],
  ["barrier", (zk) => recipes.barrier(zk, "/a").wait(given({ timeout: 5 })), /Cannot pass the barrier: .*"timeoutMs"/],
  ["work queue: rule", (zk) => recipes.workQueue(zk, "/a", given({ rule: "" })), /rule must be/],
  ["queue", (zk) => recipes.queue(zk, "/a").take(given({ timeOutMs: 5 })), /"timeOutMs"; "timeoutMs"/],
];

test("a wrong option is named, and nothing is created", async () => {
  await using server = await testServer();
  const zk = await server.connect();
  for (const [name, call, message] of WRONG)
    await assert.rejects(async () => void (await call(zk)), { name: "TypeError", message }, name);
  assert.deepEqual((await zk.getChildren("/")).children, ["zookeeper"]);
});
