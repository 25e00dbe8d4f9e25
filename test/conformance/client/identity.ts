import assert from "node:assert/strict";
import type { Verb } from "./suite.ts";

export const identity: Verb = {
  verb: "identity",
  cases: {
    "whoAmI tells what was proved, and no secret": async ({ zk }) => {
      assert.deepEqual(await zk.whoAmI(), [{ scheme: "ip", id: "127.0.0.1" }]);
      await zk.addAuth("digest", "user:password");
      const ids = [...(await zk.whoAmI())].sort((one, other) => one.scheme.localeCompare(other.scheme));
      assert.deepEqual(ids, [
        { scheme: "digest", id: "user" },
        { scheme: "ip", id: "127.0.0.1" },
      ]);
    },

    "an unknown scheme ends the handle": async ({ connect }) => {
      const zk = await connect();
      const states: string[] = [];
      zk.onState(({ state }) => states.push(state));
      await assert.rejects(zk.addAuth("nobody", "x"), { code: "AuthFailed", operation: "addAuth" });
      assert.deepEqual(states, ["authFailed"]);
      await assert.rejects(zk.exists("/"), { code: "AuthFailed" });
      await assert.rejects(zk.addAuth("digest", "user:password"), { code: "AuthFailed" });
    },
  },
};
