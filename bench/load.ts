/**
 * The load generator: a process of its own that does one job against one server and prints what it saw as a line of JSON.
 *
 *     load.ts '<Job as JSON>' '<Target as JSON>'
 *
 * It speaks ZooKeeper's protocol with frames of its own, so that it costs less than any server it loads. It does not start
 * servers, repeat anything or judge results.
 */

import { runBesideSnapshots } from "./load/beside_snapshots.ts";
import { runConnects } from "./load/connects.ts";
import { runFailOver } from "./load/fail_over.ts";
import { runFanOut } from "./load/fan_out.ts";
import type { Job, Target } from "./load/job.ts";
import { runRequests } from "./load/requests.ts";
import { runSessions } from "./load/sessions.ts";
import { runZnodes } from "./load/znodes.ts";
import type { Metrics } from "./metrics.ts";

function run(job: Job, target: Target): Promise<Metrics> {
  switch (job.kind) {
    case "requests":
      return runRequests(job, target);
    case "failOver":
      return runFailOver(target);
    case "fanOut":
      return runFanOut(job, target);
    case "connects":
      return runConnects(job, target);
    case "sessions":
      return runSessions(job, target);
    case "znodes":
      return runZnodes(job, target);
    case "besideSnapshots":
      return runBesideSnapshots(job, target);
  }
}

try {
  const [job, target] = process.argv.slice(2).map((argument) => JSON.parse(argument));
  const metrics = await run(job, target);
  console.log(JSON.stringify(metrics));
  process.exitCode = 0;
} catch (error) {
  console.error(`load: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
