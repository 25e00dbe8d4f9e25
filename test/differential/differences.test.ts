/** Each difference that is listed is really there, where a script can show it: its script on Apache ZooKeeper and on ours, each on a server of its own. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findJavaZooKeeper } from "../support/peers.ts";
import { DIFFERENCES } from "./differences.ts";
import type { Script } from "./script.ts";
import { type RunningServer, SETUPS, startApache, startOurs } from "./servers.ts";
import { Side } from "./side.ts";

/** Some answers never come. */
const ANSWER_MS_MAX = 2000;

/** What Apache ZooKeeper does is now and then a matter of chance, though a small one. */
const TRIES_MAX = 5;

describe("intended differences", { skip: findJavaZooKeeper().skip }, () => {
  for (const { what, shown } of DIFFERENCES) {
    if (typeof shown === "string") continue;
    test(what, { timeout: 60_000 }, async () => {
      let apache = "";
      for (let tries = 0; tries < TRIES_MAX && !shown.apache.test(apache); tries++)
        apache = await outcomeOf("Apache", await startApache(SETUPS.plain), shown.script, shown.word);
      const ours = await outcomeOf("ours", await startOurs(SETUPS.plain), shown.script, shown.word);
      assert.match(apache, shown.apache, "Apache ZooKeeper does what the table says");
      assert.match(ours, shown.ours, "ours does what the table says");
      assert.doesNotMatch(ours, shown.apache, "ours does not do the same");
    });
  }

  test("the others say why no script shows them", (t) => {
    for (const { what, shown } of DIFFERENCES) if (typeof shown === "string") t.diagnostic(`${what}: ${shown}`);
  });
});

/** All that the first client is told, or what a four-letter word says afterwards. */
async function outcomeOf(name: string, server: RunningServer, script: Script, word?: string): Promise<string> {
  const side = new Side(name, server, false, ANSWER_MS_MAX);
  try {
    await side.begin("/r");
    side.takeLines();
    for (const step of script) await side.play(step, "/r");
    return word === undefined ? side.takeLines()[0]!.join("\n") : await side.word(word);
  } finally {
    await side.drop();
    await server.stop();
    server.forget();
  }
}
