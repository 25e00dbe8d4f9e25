/** Passwords and ids as a ZooKeeper server (golden vectors) and java.util.Random (the rest) made them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { firstSessionId, passwordMatches, sessionPassword } from "../../lib/session/identity.ts";
import { projectPath } from "../support/root.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("passwords of the golden vectors", () => {
  const file = readFileSync(projectPath("test", "golden", "persistence", "vectors.json"), "utf8");
  const { sessionPasswords } = JSON.parse(file) as { sessionPasswords: { sessionId: string; passwd: string }[] };
  assert.ok(sessionPasswords.length > 0);
  for (const { sessionId, passwd } of sessionPasswords) assert.equal(hex(sessionPassword(BigInt(sessionId), null)), passwd);
});

test("passwords of ids at the edges", () => {
  for (const [id, password] of [
    [1n, "054cc74a37327db215e702e20c73f005"],
    [-1n, "20f62cb5648dc2d771471c8a2486a9ee"],
    [-0x7fffffffffffffffn, "054cc74a37327db215e702e20c73f005"],
    [BigInt.asIntN(64, 0xff00123456789abcn), "e673bc9940b4e7724864ecd8054f6ff4"],
    [0x7fffffffffffffffn, "20f62cb5648dc2d771471c8a2486a9ee"],
  ] as const) {
    assert.equal(hex(sessionPassword(id, null)), password);
  }
});

test("a password matches its own session only", () => {
  const id = 0x100000f9f5d0000n;
  assert.equal(passwordMatches(id, sessionPassword(id, null), null), true);
  assert.equal(passwordMatches(id + 1n, sessionPassword(id, null), null), false);
  assert.equal(passwordMatches(id, new Uint8Array(16), null), false);
  assert.equal(passwordMatches(id, new Uint8Array(0), null), false);
  assert.equal(passwordMatches(id, null, null), false);
  assert.equal(passwordMatches(id, Uint8Array.from([...sessionPassword(id, null), 0]), null), false);
  assert.equal(passwordMatches(0n, sessionPassword(0n, null), null), false);
});

test("the first id: server, 40 bits of the clock, 16 bits to count", () => {
  for (const [serverId, ms, id] of [
    [1, 1795339232284, 0x1a2028ea41c0000n],
    [1, 1795339232284.75, 0x1a2028ea41c0000n],
    [0, 1, 0x10000n],
    [254, 5, 0xfe00000000050000n],
    [255, 1099511627775, 0xffffffffffff0000n],
    [3, 0x8000000000, 0x380000000000000n],
    [3, 0x18000000000, 0x380000000000000n],
    [1, 1099511627776, 0x100000000000000n],
    [128, 0, 0x8000000000000001n], // not ...00: that is a container's owner
  ] as const) {
    assert.equal(firstSessionId(serverId, ms), BigInt.asIntN(64, id));
  }
});
