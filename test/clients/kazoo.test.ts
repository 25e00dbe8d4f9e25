/**
 * kazoo against the server under test: its recipes, and all that it does as a client, on threads, gevent and eventlet.
 *
 * The cases are written in Python, in kazoo_recipes.py and kazoo_client.py; here each becomes a test.
 */

import { execFileSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { findKazooHandlers } from "../support/peers.ts";
import { projectPath } from "../support/root.ts";
import { type ServerProcess, serverName, startServer } from "../support/server_process.ts";
import { type CaseRun, startCases } from "./case_script.ts";

const kazoo = findKazooHandlers();

const CONFIG = {
  // Sessions expire soon, and yet may be long enough for a machine that is busy with other things.
  tickTime: 200,
  maxSessionTimeout: 40_000,
  "4lw.commands.whitelist": "*",
  reconfigEnabled: true,
  "DigestAuthenticationProvider.superDigest": "super:D/InIHSb7yEEbrWz8b9l71RjZJU=", // super:test
};

for (const script of ["kazoo_recipes.py", "kazoo_client.py"]) {
  // -B: no compiled files beside the sources.
  const args = ["-B", projectPath("test/clients", script)];
  const cases =
    kazoo.skip === false
      ? (JSON.parse(execFileSync(kazoo.python, [...args, "--list"], { encoding: "utf8" })) as string[])
      : ["all cases"];

  for (const handler of ["threading", "gevent", "eventlet"])
    describe(`${script} with ${handler} on ${serverName()}`, { skip: kazoo.skip, concurrency: 1 }, () => {
      let server: ServerProcess;
      let run: CaseRun;

      before(async () => {
        if (kazoo.skip !== false) return;
        server = await startServer({ config: CONFIG });
        run = startCases(kazoo.python, [...args, server.address, handler]);
      });
      after(async () => {
        await run?.stop();
        await server?.stop();
      });

      for (const name of cases) test(name, { timeout: 120_000 }, () => run.passed(name));
    });
}
