import assert from "node:assert/strict";
import { CREATOR_ALL_ACL, OPEN_ACL_UNSAFE, Perms, READ_ACL_UNSAFE } from "../../../mod.ts";
import type { Verb } from "./suite.ts";

export const acl: Verb = {
  verb: "ACL",
  cases: {
    "is open unless told, and can be read": async ({ zk }) => {
      await zk.create("/a");
      const { acl, stat } = await zk.getACL("/a");
      assert.deepEqual(acl, OPEN_ACL_UNSAFE);
      assert.equal(stat.aversion, 0);
    },

    "is set by whoever may, at the version they name": async ({ zk }) => {
      await zk.create("/a");
      const stat = await zk.setACL("/a", [{ perms: Perms.READ | Perms.ADMIN, scheme: "world", id: "anyone" }]);
      assert.equal(stat.aversion, 1);
      await assert.rejects(zk.setData("/a", "x"), { code: "NoAuth" });
      await assert.rejects(zk.setACL("/a", OPEN_ACL_UNSAFE, { version: 0 }), { code: "BadVersion" });
      await zk.setACL("/a", READ_ACL_UNSAFE, { version: 1 });
      await assert.rejects(zk.setACL("/a", OPEN_ACL_UNSAFE), { code: "NoAuth" });
      await zk.getData("/a");
    },

    "that makes no sense is refused": async ({ zk }) => {
      for (const acl of [[], [{ perms: 31, scheme: "nobody", id: "x" }], [{ perms: 31, scheme: "digest", id: "x" }]]) {
        await assert.rejects(zk.create("/a", "", { acl }), { code: "InvalidACL" });
      }
    },

    "of the creator keeps everybody else out": async ({ zk, connect }) => {
      const owner = await connect();
      await assert.rejects(owner.create("/a", "", { acl: CREATOR_ALL_ACL }), { code: "InvalidACL" });
      await owner.addAuth("digest", "user:password");
      await owner.create("/a", "secret", { acl: CREATOR_ALL_ACL });
      await assert.rejects(zk.getData("/a"), { code: "NoAuth" });
      await assert.rejects(zk.getChildren("/a"), { code: "NoAuth" });
      await zk.addAuth("digest", "user:wrong");
      await assert.rejects(zk.getData("/a"), { code: "NoAuth" });
      await zk.addAuth("digest", new TextEncoder().encode("user:password"));
      await zk.getData("/a");
      const { acl } = await zk.getACL("/a");
      assert.deepEqual(
        acl.map(({ perms, scheme, id }) => `${perms} ${scheme} ${id.split(":")[0]}`),
        ["31 digest user"],
      );
    },
  },
};
