/** Which check comes first, operation by operation: where several things are wrong, the first decides the error. */

import assert from "node:assert/strict";
import { describe } from "node:test";
import {
  acl,
  CLOSE_SESSION,
  check,
  create,
  exists,
  Flags,
  getAcl,
  getChildren,
  getData,
  remove,
  removeWatches,
  type SendableOp,
  setAcl,
  setData,
} from "../support/ops.ts";
import { type RuleClient, rule } from "./rules.ts";

const NOBODY = acl(31, "digest", "nobody:x");
const BAD_ACL = [acl(31, "none", "x")];

/** /closed with a child, both closed to everybody; /eph, an ephemeral. */
async function world(zk: RuleClient): Promise<void> {
  const closed = ["/closed", "/closed/child"];
  await zk.results(...closed.map((path) => create(path)), create("/eph", { flags: Flags.ephemeral }));
  for (const path of closed) await zk.ok(setAcl(path, [NOBODY]));
}

/** Ops of which each has one thing less wrong than the one before. */
function order(name: string, ops: readonly (readonly [SendableOp, string])[], compat: "3.4" | "3.8" | "3.9" = "3.8"): void {
  const errors = ops.map(([, error]) => error);
  rule(
    `${name}: ${errors.join(", ")}`,
    async (server) => {
      const zk = await server.client();
      await world(zk);
      assert.equal(await zk.results(...ops.map(([op]) => op)), errors.join(" "));
    },
    { compat },
  );
}

describe("checks in their order", () => {
  order("create", [
    [create("x", { flags: 9, acl: BAD_ACL }), "BadArguments"],
    [create("x", { flags: Flags.ttl, acl: BAD_ACL }), "Unimplemented"],
    [create("x", { acl: BAD_ACL }), "BadArguments"],
    [create("/none/", { acl: BAD_ACL }), "InvalidACL"],
    [create("/none/"), "NoNode"],
    [create("/closed/"), "NoAuth"],
    [create("/closed/child"), "NoAuth"],
    [create("/eph/"), "BadArguments"],
    [create("/closed"), "NodeExists"],
    [create("/eph/x"), "NoChildrenForEphemerals"],
    [create("/x"), "Ok"],
  ]);
  order(
    "create in 3.4, where flags come late",
    [
      [create("x", { flags: 9, acl: BAD_ACL }), "BadArguments"],
      [create("/none/", { flags: 9, acl: BAD_ACL }), "InvalidACL"],
      [create("/none/", { flags: 9 }), "NoNode"],
      [create("/closed", { flags: 9 }), "BadArguments"],
      [create("/closed"), "NodeExists"],
    ],
    "3.4",
  );
  order("delete", [
    [remove("none", 7), "BadArguments"],
    [remove("/zookeeper", 7), "BadArguments"],
    [remove("/none/x", 7), "NoNode"],
    [remove("/closed/none", 7), "NoAuth"],
    [remove("/none", 7), "NoNode"],
    [remove("/closed", 7), "BadVersion"],
    [remove("/closed"), "NotEmpty"],
    [remove("/eph"), "Ok"],
  ]);
  order("delete in 3.4, where the znode is looked for first", [[remove("/closed/none", 7), "NoNode"]], "3.4");
  order("setData", [
    [setData("/none/", "", 7), "BadArguments"],
    [setData("/none", "", 7), "NoNode"],
    [setData("/closed", "", 7), "NoAuth"],
    [setData("/eph", "", 7), "BadVersion"],
    [setData("/eph"), "Ok"],
  ]);
  order("setACL", [
    [setAcl("/none/", BAD_ACL, 7), "BadArguments"],
    [setAcl("/none", BAD_ACL, 7), "InvalidACL"],
    [setAcl("/none", undefined, 7), "NoNode"],
    [setAcl("/closed", undefined, 7), "NoAuth"],
    [setAcl("/eph", undefined, 7), "BadVersion"],
    [setAcl("/eph"), "Ok"],
  ]);
  order("check", [
    [check("/none/", 7), "BadArguments"],
    [check("/none", 7), "NoNode"],
    [check("/closed", 7), "NoAuth"],
    [check("/eph", 7), "BadVersion"],
  ]);
  order("getData, getChildren and getACL", [
    [getData("/none"), "NoNode"],
    [getData("/closed"), "NoAuth"],
    [getChildren("/closed"), "NoAuth"],
    [getAcl("/none"), "NoNode"],
    [getAcl("/closed"), "NoAuth"],
  ]);
  order("exists needs no permission", [
    [exists("/closed"), "Ok"],
    [exists("/none"), "NoNode"],
  ]);
  order("exists needs READ since 3.9", [[exists("/closed"), "NoAuth"]], "3.9");
  order("removeWatches", [
    [removeWatches("/none", 9), "MarshallingError"],
    [removeWatches("/none"), "NoWatcher"],
  ]);
});

describe("requests of a session that has ended", () => {
  rule("closeSession is answered, and what stands behind it is not", async (server) => {
    const zk = await server.client();
    const [closed, behind] = await Promise.allSettled([zk.ask(CLOSE_SESSION), zk.ask(getData("/"))]);
    assert.equal(closed.status, "fulfilled");
    assert.equal(behind.status, "rejected");
    await zk.raw.ended;
  });
});
