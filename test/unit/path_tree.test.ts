/** The tree of paths beside a plain map of them: the same values, whatever is set and deleted in whatever order. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PathTree } from "../../lib/base/path_tree.ts";

const name = fc.constantFrom("", "a", "aa", "b", "ab", "é");
const path = fc.array(name, { minLength: 0, maxLength: 6 }).map((names) => `/${names.join("/")}`);
const step = fc.record({ path, value: fc.option(fc.integer(), { nil: undefined }) });

function above(path: string): string[] {
  const names = path.slice(1).split("/");
  return names.map((_, at) => `/${names.slice(0, at + 1).join("/")}`).filter((each) => each !== "/");
}

test("what is set is found by its path and along the way to those below", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), path, (steps, asked) => {
      const tree = new PathTree<number>();
      const model = new Map<string, number>();
      for (const { path, value } of steps) {
        if (value === undefined) tree.delete(path);
        else tree.set(path, value);
        if (value === undefined || path === "/") model.delete(path);
        else model.set(path, value);
        for (const each of [path, asked]) {
          const along = each === "/" ? [] : above(each).flatMap((up) => (model.has(up) ? [model.get(up)] : []));
          assert.deepEqual(tree.along(each), along);
          assert.equal(tree.get(each), model.get(each));
        }
        assert.equal(tree.size, model.size);
        assert.deepEqual([...tree.values()].sort(), [...model.values()].sort());
      }
    }),
    { numRuns: 500 },
  );
});
