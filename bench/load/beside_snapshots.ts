/**
 * A reader with one request at a time beside a writer that makes the server write one snapshot after the other: how long the reader has to wait
 * while that goes on.
 */

import type { Metrics } from "../metrics.ts";
import type { BesideSnapshotsJob, RequestsJob, Target } from "./job.ts";
import { Meter } from "./meter.ts";
import { prepareNodes } from "./prepare.ts";
import { RequestLoop } from "./requests.ts";
import { script } from "./script.ts";
import { Session } from "./session.ts";

const DATA_BYTES = 100;
const SETS_OUTSTANDING = 32;

export async function runBesideSnapshots({ seconds }: BesideSnapshotsJob, target: Target): Promise<Metrics> {
  const reads: RequestsJob = { kind: "requests", connections: 1, outstanding: 1, mix: { getData: 1 }, dataBytes: DATA_BYTES };
  const sets: RequestsJob = { ...reads, outstanding: SETS_OUTSTANDING, mix: { setData: 1 } };
  await prepareNodes(target.port, reads);
  const meter = new Meter({ ...target, seconds });
  const unmeasured = new Meter(target);
  const reader = new RequestLoop(await Session.open(target.port), script(reads, 0), meter);
  const writer = new RequestLoop(await Session.open(target.port), script(sets, 1), unmeasured);
  reader.start(reads.outstanding);
  writer.start(sets.outstanding);
  const metrics = await meter.run();
  await Promise.all([reader.stop(), writer.stop()]);
  return metrics;
}
