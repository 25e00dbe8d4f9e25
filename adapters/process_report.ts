/**
 * Report of the process and its machine, the same on Node, Bun and Deno: what four-letter words add to a server's own.
 *
 * Loaded with the first listener, since nobody else asks. It asks for no permission that the program does not have.
 */
import { readdirSync, readFileSync } from "node:fs";
import { arch, homedir, hostname, type as osType, release, tmpdir, totalmem, userInfo } from "node:os";
import process from "node:process";
import type { ProcessReport } from "../lib/report/report.ts";
import { isGranted, type Permission } from "./permissions.ts";

/** What is not there, in Java's own words. */
const NOT_AVAILABLE = "<NA>";
/** Java's names of processors, where they differ. */
const JAVA_ARCH: Readonly<Record<string, string>> = { x64: "amd64", arm64: "aarch64", ia32: "x86" };

/** The process and its machine, for the words `envi` and `mntr`. Java's keys are all there, since monitors look for them. */
export function describeProcess(): ProcessReport {
  const { heapTotal, heapUsed } = process.memoryUsage();
  return {
    environment: [
      ["host.name", known(hostname, { name: "sys", kind: "hostname" })],
      ["java.version", NOT_AVAILABLE],
      ["java.vendor", NOT_AVAILABLE],
      ["java.home", NOT_AVAILABLE],
      ["java.class.path", NOT_AVAILABLE],
      ["java.library.path", NOT_AVAILABLE],
      ["java.io.tmpdir", known(tmpdir, { name: "env", variable: "TMPDIR" })],
      ["java.compiler", NOT_AVAILABLE],
      ["os.name", known(osType)],
      ["os.arch", known(() => JAVA_ARCH[arch()] ?? arch())],
      ["os.version", known(release, { name: "sys", kind: "osRelease" })],
      ["user.name", userName()],
      ["user.home", known(homedir, { name: "sys", kind: "homedir" })],
      ["user.dir", known(process.cwd)],
      ["os.memory.free", megabytes(heapTotal - heapUsed)],
      ["os.memory.max", known(() => megabytes(totalmem()), { name: "sys", kind: "systemMemoryInfo" })],
      ["os.memory.total", megabytes(heapTotal)],
      ["runtime.name", runtimeName()],
      ["runtime.version", process.versions[runtimeName()] ?? NOT_AVAILABLE],
    ],
    fileDescriptors: fileDescriptors(),
  };
}

function runtimeName(): "bun" | "deno" | "node" {
  return "bun" in process.versions ? "bun" : "deno" in process.versions ? "deno" : "node";
}

/** Not every runtime lets every program know everything. */
function known(read: () => string, ...needed: readonly Permission[]): string {
  try {
    return needed.every(isGranted) ? read() : NOT_AVAILABLE;
  } catch {
    return NOT_AVAILABLE;
  }
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / 2 ** 20)}MB`;
}

/** Linux tells them in files. */
function fileDescriptors(): ProcessReport["fileDescriptors"] {
  if (!isGranted({ name: "read", path: "/proc/self" })) return null;
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
    return { open: readdirSync("/proc/self/fd").length, max: Number(limit?.[1] ?? 0) };
  } catch {
    return null;
  }
}

/** Who runs this process. */
export function userName(): string {
  return known(() => userInfo().username, { name: "sys", kind: "userInfo" });
}
