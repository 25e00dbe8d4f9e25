import assert from "node:assert/strict";
import { test } from "node:test";
import { readme } from "./readme.ts";

test("the README's tables are those of the sources: if not, bun test/conformance/readme_write.ts", () => {
  const { is, ought } = readme();
  assert.equal(is, ought);
});
