/**
 * A member that is told to cut its log where it has no snapshot to begin with: ours keeps what it has until a whole database has come, Apache's ends.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { isAll } from "../support/campaign.ts";
import { findJavaZooKeeper } from "../support/peers.ts";
import { programCommand } from "../support/runtime.ts";
import type { ServerKind } from "../support/server_process.ts";
import { skipReason } from "../support/skip.ts";
import { assertSameTrees } from "./load.ts";
import { EnsembleProcesses } from "./processes.ts";
import { diesWithATail } from "./tail.ts";

const MINUTE_MS = 60_000;
const LATER = "a log that can't be cut takes an ensemble a while: test:all has it";
if (!isAll) skipReason(LATER);
const OURS = { kind: "ours" } as const;

/** Members of ours, and the third, which is down with a snapshot of its tail and nothing else. */
async function withUncuttable(kind: ServerKind): Promise<EnsembleProcesses> {
  const ensemble = await EnsembleProcesses.of({ 1: OURS, 2: OURS, 3: { kind } });
  await ensemble.start(1, 3);
  assert.equal(await ensemble.serving(1, 3), 3);
  await ensemble.start(2);
  await ensemble.serving();
  await diesWithATail(ensemble, 3);
  const { command, args } = programCommand("adapters/cli/main.ts", "snapshot", "take", ensemble.dataFolder(3));
  execFileSync(command, args, { stdio: "ignore" });
  const folder = join(ensemble.dataFolder(3), "version-2");
  const zxidOf = (name: string): bigint => BigInt(`0x${name.split(".")[1]}`);
  const snapshots = readdirSync(folder).filter((name) => name.startsWith("snapshot."));
  const [newest] = snapshots.sort((one, other) => (zxidOf(one) > zxidOf(other) ? -1 : 1));
  for (const name of readdirSync(folder)) if (/^(log|snapshot)\./.test(name) && name !== newest) rmSync(join(folder, name));
  await ensemble.start(1, 2);
  await ensemble.serving(1, 2);
  await ensemble.start(3);
  return ensemble;
}

describe("told to cut where it can't", { timeout: 5 * MINUTE_MS }, () => {
  test("ours gets a whole database", { skip: isAll ? false : LATER }, async () => {
    await using ensemble = await withUncuttable("ours");
    await ensemble.serving();
    assert.match(ensemble.log(3), /nothing can be cut there[\s\S]*A whole database came/);
    const servers = ensemble.ids.map((id) => ensemble.connectString(id));
    await assertSameTrees(servers, ["/kept"], ["/lost-0", "/lost-4"]);
  });

  test("Apache's ends", { skip: isAll ? findJavaZooKeeper().skip : LATER }, async () => {
    await using ensemble = await withUncuttable("apache");
    const { code, log } = await ensemble.ended(3);
    assert.match(log, /Not able to truncate the log/);
    assert.equal(code, 13);
  });
});
