/**
 * Apache Curator, and the Java client beneath it, against the server under test: recipes, transactions, watches, sessions.
 *
 * The cases are written in Java, in the folder curator, and compiled when the tests run; here each becomes a test. Their names are
 * read from the sources: asking the program for them would mean compiling it before anything is known to run.
 */

import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { findCurator } from "../support/peers.ts";
import { projectPath } from "../support/root.ts";
import { type ServerProcess, serverName, startServer } from "../support/server_process.ts";
import { type CaseRun, startCases } from "./case_script.ts";

const curator = findCurator();
const CASE_NAME = /cases\.test\("([^"]+)"/g;

const sources = readdirSync(projectPath("test/clients/curator"))
  .filter((name) => name.endsWith(".java"))
  .sort()
  .map((name) => projectPath("test/clients/curator", name));
const caseNames = sources.flatMap((file) => [...readFileSync(file, "utf8").matchAll(CASE_NAME)].map((match) => match[1] ?? ""));

const CONFIG = {
  tickTime: 200,
  maxSessionTimeout: 40_000,
  extendedTypesEnabled: true,
  "znode.container.checkIntervalMs": 100,
};

describe(`Curator on ${serverName()}`, { skip: curator.skip, concurrency: 1 }, () => {
  const classes = mkdtempSync(join(tmpdir(), "zookernel-curator-"));
  let server: ServerProcess | undefined;
  let run: Promise<CaseRun>;

  async function start(): Promise<CaseRun> {
    if (curator.skip !== false) throw new Error(curator.skip);
    const { java, javac, classpath } = curator;
    await promisify(execFile)(javac, ["-nowarn", "-cp", classpath, "-d", classes, ...sources]);
    server = await startServer({ config: CONFIG });
    const options = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m"];
    return startCases(java, [...options, "-cp", [classes, classpath].join(delimiter), "Cases", server.address]);
  }

  before(() => {
    // Not awaited: compiling takes longer than some runners give a hook. Each test waits for it.
    run = start();
    run.catch(() => {});
  });
  after(async () => {
    await run.then((cases) => cases.stop()).catch(() => {});
    await server?.stop();
    rmSync(classes, { recursive: true, force: true });
  });

  for (const name of caseNames) test(name, { timeout: 120_000 }, async () => (await run).passed(name));
});
