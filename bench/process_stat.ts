/**
 * Figures of the operating system about a process: CPU time and resident memory, read from /proc.
 *
 * Only Linux has it; elsewhere every figure is NaN and is shown as missing. Nothing here is asked of the process itself, so a
 * server cannot flatter its own numbers and all servers are measured alike.
 */

import { readFileSync } from "node:fs";

/** Linux reports CPU time to user space in hundredths of a second on every architecture Node runs on. */
const TICKS_PER_SECOND = 100;

/** User and system time of all threads of the processes since they started, in seconds. */
export function cpuSeconds(pids: readonly number[]): number {
  return sum(pids, (pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the command name may hold anything; field 3 follows it
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  });
}

/** Resident memory of the processes, in bytes. */
export function residentBytes(pids: readonly number[]): number {
  return sum(pids, (pid) => {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  });
}

function sum(pids: readonly number[], read: (pid: number) => number): number {
  try {
    return pids.reduce((total, pid) => total + read(pid), 0);
  } catch {
    return Number.NaN;
  }
}
