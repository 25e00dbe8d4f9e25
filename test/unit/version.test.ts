import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { VERSION, versionText } from "../../lib/report/version.ts";
import { projectPath } from "../support/root.ts";

test("every file says the same version", () => {
  for (const file of ["package.json", "deno.json"]) {
    assert.equal(JSON.parse(readFileSync(projectPath(file), "utf8")).version, VERSION, file);
  }
});

test("monitors find ZooKeeper's version ahead of the first dash", () => {
  assert.match(versionText("3.8"), /^3\.8\.\d+-zookernel-\d+\.\d+\.\d+, built on \d{4}-\d\d-\d\d \d\d:\d\d UTC$/);
  assert.match(versionText("3.4"), /^3\.4\.\d+-zookernel-\d+\.\d+\.\d+, built on \d\d\/\d\d\/\d{4} \d\d:\d\d GMT$/);
});
