/**
 * Runs the test suite: as many test files at once as there are cores, each in a process of its own.
 *
 *     node dist/test/runtimes/run.js [--all] [--minutes=4] bun node deno:smoke … [part of a test file's path …]
 *
 * A runtime by its name runs every file; with `:smoke` those in which runtimes could differ. `--all` asks for all that takes long (what `campaign()`
 * of `support/campaign.ts` tells tests), and makes a missing peer or runtime a failure. `--minutes` is how long a file may take. The files are listed here
 * rather than left to each runner's own search, so all three run the same ones, and a test that was built once and then deleted is not run from
 * dist/ for ever.
 */

import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { projectPath } from "../support/root.ts";
import type { RuntimeName } from "../support/runtime.ts";
import { findBinary } from "./binaries.ts";
import { Progress } from "./progress.ts";
import { runTestFile, type TestFile } from "./test_file.ts";

/** Where runtimes could differ: programs, packages, sockets, files. */
const SMOKE = [
  "test/runtimes/",
  "test/package",
  "test/storage/file",
  "test/unit/tcp/",
  "test/testing/",
  "test/conformance/client/client",
];
/** Run when all others are done, one at a time: peers' own tests, which give a server a few seconds to answer. */
const ALONE = "test/clients/kazoo_suite";
/** Begun first, so that the last processes end at about the same time. */
const LONG = ["test/ensemble/", "test/simulation/", "test/faults/", "test/conformance/", "test/clients/", "test/storage/"];

const PROGRESS_EVERY_MS = 5_000;
const TARGET = /^(bun|deno|node)(:smoke)?$/;
const USAGE = "usage: run.js [--all] [--minutes=N] bun|deno|node[:smoke] … [part of a test file's path …]";

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1)); // test files end with us
process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { all: { type: "boolean", default: false }, minutes: { type: "string", default: "4" } },
  });
  const minutesMax = Number(values.minutes);
  const targets = positionals.filter((word) => TARGET.test(word));
  const parts = positionals.filter((word) => !TARGET.test(word));
  if (targets.length === 0 || !(minutesMax > 0)) {
    console.error(USAGE);
    return 2;
  }
  if (values.all) Object.assign(process.env, { ZOOKERNEL_ALL: "1", ZOOKERNEL_REQUIRE_PEERS: "1" });
  const chosen = listTests().filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)));
  if (chosen.length === 0) {
    console.error(`no test file below test/ matches ${parts.join(" ")}`);
    return 1;
  }
  const plans = targets.map((target) => plan(target, chosen));
  const progress = await runAll(
    plans.flatMap(({ files }) => files),
    minutesMax,
  );
  console.log(progress.summary());
  const missing = plans.flatMap((each) => each.missing ?? []);
  for (const runtime of missing)
    console.log(`${runtime}: its npm package brought no binary that starts on this machine; skipped`);
  const mayMiss = process.env.ZOOKERNEL_REQUIRE_PEERS !== "1";
  return progress.isPassed() && (missing.length === 0 || mayMiss) ? 0 : 1;
}

/** The files that a target stands for; or the runtime, if it is missing. */
function plan(target: string, chosen: readonly string[]): { readonly files: TestFile[]; readonly missing?: RuntimeName } {
  const [, name, smoke] = TARGET.exec(target)!;
  const runtime = name as RuntimeName;
  const binary = findBinary(runtime);
  if (binary === null) return { files: [], missing: runtime };
  const files = smoke === undefined ? chosen : chosen.filter((file) => SMOKE.some((start) => file.startsWith(start)));
  return { files: files.map((file) => ({ runtime, binary, file })) };
}

function listTests(): string[] {
  const rank = (file: string): number => LONG.findIndex((start) => file.startsWith(start)) >>> 0; // none: last
  return readdirSync(projectPath("test"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => `test/${file.replaceAll("\\", "/")}`)
    .sort()
    .sort((one, other) => rank(one) - rank(other));
}

/** Runs the files, and prints how far it is: on a terminal in place, elsewhere a line every few seconds. */
async function runAll(files: readonly TestFile[], minutesMax: number): Promise<Progress> {
  const slots = Math.min(availableParallelism(), files.length);
  const progress = new Progress(files.length);
  const inPlace = process.stdout.isTTY === true;
  const width = process.stdout.columns ?? 80;
  const print = (): void => {
    if (inPlace) process.stdout.write(`\r\x1b[K${progress.line().slice(0, width - 1)}`);
    else console.log(progress.line());
  };
  console.log(`${files.length} test files, ${slots} at a time`);
  const timer = setInterval(print, inPlace ? 500 : PROGRESS_EVERY_MS);
  const work = async (waiting: TestFile[], slot: number): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      progress.start(file);
      const result = await runTestFile(file, minutesMax, { ZOOKERNEL_PORT_SLOT: `${slot}/${slots}` });
      const text = progress.end(file, result);
      if (text !== "") console.log(inPlace ? `\r\x1b[K${text}` : text);
    }
  };
  const together = files.filter(({ file }) => !file.startsWith(ALONE));
  await Promise.all(Array.from({ length: slots }, (_, slot) => work(together, slot)));
  await work(
    files.filter(({ file }) => file.startsWith(ALONE)),
    0,
  );
  clearInterval(timer);
  print();
  return progress;
}
