import assert from "node:assert/strict";
import { until } from "../../support/until.ts";
import type { Verb } from "./suite.ts";

export const session: Verb = {
  verb: "session",
  cases: {
    "has an id, and a timeout within the server's limits": async ({ zk, connect }) => {
      const [short, long] = [await connect({ sessionTimeoutMs: 1 }), await connect({ sessionTimeoutMs: 1_000_000 })];
      assert.ok(zk.sessionId !== 0n && zk.sessionId !== short.sessionId);
      assert.equal(short.sessionTimeoutMs, 400);
      assert.equal(long.sessionTimeoutMs, 4000);
      assert.equal(zk.state, "connected");
    },

    "lives on while nothing is asked": async ({ connect }) => {
      const quiet = await connect({ sessionTimeoutMs: 1600 });
      const states: string[] = [];
      quiet.onState(({ state }) => states.push(state));
      const started = performance.now();
      await until(() => performance.now() - started > 4000, "four seconds, more than two timeouts");
      assert.deepEqual(states, []);
      await quiet.exists("/");
    },

    "closed, answers nothing more and can be closed again": async ({ connect }) => {
      const zk = await connect();
      const states = zk.states();
      const late = zk.close();
      await Promise.all([late, zk.close()]);
      assert.equal(zk.state, "closed");
      assert.equal((await states.next()).value?.state, "closed");
      assert.equal((await states.next()).done, true);
      await assert.rejects(zk.getData("/"), { code: "SessionExpired", applied: false });
      await assert.rejects(zk.create("/a"), { code: "SessionExpired", applied: false });
      assert.equal((await zk.watch("/").next()).done, true);
    },

    "closed, answers what was asked before": async ({ zk, connect }) => {
      const leaving = await connect();
      const writes = Array.from({ length: 50 }, (_, i) => leaving.create(`/n${i}`));
      await leaving.close();
      await Promise.all(writes);
      assert.equal((await zk.getChildren("/")).children.length, 50);
    },

    "has seen the zxid of what it wrote": async ({ zk }) => {
      const before = zk.lastZxid;
      const { stat } = await zk.createWithStat("/a");
      assert.ok(stat.czxid > before);
      assert.equal(zk.lastZxid, stat.czxid);
    },
  },
};
