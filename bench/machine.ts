/**
 * Description of what the figures were measured on: machine, runtimes, versions. Without it no figure says anything.
 */

import { spawnSync } from "node:child_process";
import { closeSync, fdatasyncSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { dirname, join } from "node:path";
import { findJavaZooKeeper } from "../test/support/peers.ts";
import { projectPath, projectRoot } from "../test/support/root.ts";
import { median } from "./metrics.ts";
import { loadRuntime, RUNTIMES, versionOf } from "./runtimes.ts";

/** Facts in the order they are printed. */
export type Machine = Readonly<Record<string, string>>;

/** @param folder where the servers will keep their data: its disk is probed. */
export function describeMachine(folder: string): Machine {
  const processors = cpus();
  return {
    machine: `${processors.length} × ${processors[0]?.model.trim() ?? "unknown CPU"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`,
    "load average": `${loadavg()[0]!.toFixed(2)} as the run begins`,
    disk: `fdatasync of 4 KB takes ${fdatasyncMicroseconds(folder).toFixed(0)} µs (median)`,
    zookernel: `${projectVersion()} on ${RUNTIMES.map((runtime) => `${runtime} ${versionOf(runtime) ?? "(missing)"}`).join(", ")}`,
    apache: apacheVersion(),
    "load generator": `a process of its own on ${loadRuntime()}`,
  };
}

function projectVersion(): string {
  const { version } = JSON.parse(readFileSync(projectPath("package.json"), "utf8"));
  const commit = spawnSync("git", ["describe", "--always", "--dirty"], { cwd: projectRoot, encoding: "utf8" });
  return commit.status === 0 ? `${version} (${commit.stdout.trim()})` : version;
}

function apacheVersion(): string {
  const apache = findJavaZooKeeper();
  if (apache.skip !== false) return apache.skip;
  // Debian's zookeeper.jar is a link whose siblings carry the version.
  const jars = readdirSync(dirname(apache.classpath)).map((file) => /^zookeeper-(\d.*)\.jar$/.exec(file)?.[1]);
  const jar = jars.find((version) => version !== undefined) ?? "of unknown version";
  const java = spawnSync(apache.java, ["-version"], { encoding: "utf8" }).stderr.split("\n")[0];
  return `ZooKeeper ${jar}, ${java}, the JVM's default options, no logging`;
}

function fdatasyncMicroseconds(folder: string): number {
  const probe = mkdtempSync(join(folder, "disk-"));
  const file = openSync(join(probe, "probe"), "w");
  const block = Buffer.alloc(4096);
  const times = Array.from({ length: 51 }, (_, index) => {
    writeSync(file, block, 0, block.length, (index % 8) * block.length);
    const before = performance.now();
    fdatasyncSync(file);
    return (performance.now() - before) * 1000;
  });
  closeSync(file);
  rmSync(probe, { recursive: true });
  return median(times);
}
