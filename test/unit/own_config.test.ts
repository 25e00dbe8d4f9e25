/** The configuration that a member goes by: of its file, its log, and what it had seen proposed. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Ensemble, type EnsembleConfig } from "../../lib/broadcast/zab/ensemble.ts";
import { ensembleConfig, ensembleText } from "../../lib/broadcast/zab/ensemble_text.ts";
import { Database } from "../../lib/kernel/database.ts";
import { OwnConfig } from "../../lib/server/own_config.ts";
import { CONFIG_NODE, Tree } from "../../lib/tree/tree.ts";
import { ManualClock } from "../support/manual_clock.ts";

const LINES = ["server.1=10.0.0.1:2888:3888", "server.2=10.0.0.2:2888:3888"];
const config = (version: bigint, ...more: readonly string[]): EnsembleConfig => ({
  ...ensembleConfig([...LINES, ...more]),
  version,
});
const KEPT = config(1n);
const SEEN = config(5n, "server.3=10.0.0.3:2888:3888");
const LOGGED = config(7n, "server.4=10.0.0.4:2888:3888");

/** A member with these, and what it keeps. */
function member(lastSeen: EnsembleConfig | null, logged: EnsembleConfig | null, reconfigEnabled = true) {
  const database = new Database(new Tree({ digest: false, extendedTypes: true, configNode: true, counterWraps: true }));
  database.tree.ensureConfigNode();
  if (logged !== null) {
    const data = new TextEncoder().encode(ensembleText(new Ensemble(logged)));
    database.tree.setData(CONFIG_NODE, data, -1, logged.version, 0);
  }
  const kept: string[] = [];
  const store = {
    saveCommitted: async ({ version }: EnsembleConfig) => void kept.push(`committed ${version}`),
    saveProposed: async ({ version }: EnsembleConfig) => void kept.push(`proposed ${version}`),
  };
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  const options = { id: 1n, config: KEPT, lastSeen, reconfigEnabled, store, clock: new ManualClock(), logger };
  return { own: new OwnConfig(options, database), database, kept };
}

describe("what was last seen", () => {
  test("is the later one of what was proposed and of what the log has", () => {
    const versionOf = (...args: Parameters<typeof member>): bigint => member(...args).own.membership.lastSeen.version;
    assert.equal(versionOf(SEEN, null), 5n, "also without its txn in the log");
    assert.equal(versionOf(SEEN, LOGGED), 7n);
    assert.equal(versionOf(null, LOGGED), 7n);
    assert.equal(versionOf(config(0n), null), 1n, "not an earlier one than what counts");
    assert.equal(versionOf(SEEN, LOGGED, false), 1n, "nor where nothing may change");
  });

  test("is kept, and does not come again once its txn was cut off", async () => {
    const { own, database, kept } = member(SEEN, null);
    assert.equal(own.change(own.membership.sees(new Ensemble(LOGGED)), database), false);
    assert.equal(own.change(own.membership.sees(new Ensemble(KEPT)), database), false);
    assert.equal(own.membership.isChanging, false);
    await own.kept;
    assert.deepEqual(kept, ["proposed 7", "proposed 1"]);
  });

  test("is kept behind what is committed, and of that alone where it is the same", async () => {
    const { own, database, kept } = member(null, null);
    own.change(own.membership.sees(new Ensemble(LOGGED)), database);
    assert.equal(own.change(own.membership.commits(new Ensemble(SEEN)), database), true);
    own.change(own.membership.commits(new Ensemble(LOGGED)), database);
    await own.kept;
    assert.deepEqual(kept, ["proposed 7", "committed 5", "proposed 7", "committed 7"]);
  });
});
