/** Layers against plain maps: whatever is frozen or forked, and however often, each view keeps its own content. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Frozen, Layers } from "../../../lib/tree/layers.ts";

type Command =
  | { readonly kind: "set"; readonly map: number; readonly key: string; readonly value: number }
  | { readonly kind: "delete"; readonly map: number; readonly key: string }
  | { readonly kind: "freeze" | "fork" | "release"; readonly map: number };

/** Enough of them that layers of several sizes lie on one another. */
const KEYS = "abcdefghijklmnopqrstuvwxyz";
const key = fc.constantFrom(...KEYS);
const map = fc.nat(20);
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), map, key, value: fc.nat(9) }),
  fc.record({ kind: fc.constant("delete" as const), map, key }),
  fc.record({ kind: fc.constantFrom("freeze" as const, "fork" as const, "release" as const), map }),
);

function sorted(entries: Iterable<[string, number]>): [string, number][] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
}

describe("layers", () => {
  test("behave as independent maps through any series of changes, freezes, forks and releases", () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 200, size: "max" }), (commands) => {
        const maps: { layers: Layers<number>; model: Map<string, number> }[] = [{ layers: new Layers(), model: new Map() }];
        const views: { frozen: Frozen<number>; model: Map<string, number> }[] = [];
        for (const next of commands) {
          const { layers, model } = maps[next.map % maps.length]!;
          if (next.kind === "set") {
            if (model.has(next.key)) layers.replace(next.key, next.value);
            else layers.add(next.key, next.value);
            model.set(next.key, next.value);
          } else if (next.kind === "delete") {
            if (model.delete(next.key)) layers.delete(next.key);
          } else if (next.kind === "freeze") {
            views.push({ frozen: layers.freeze(), model: new Map(model) });
          } else if (next.kind === "fork") {
            maps.push({ layers: layers.fork(), model: new Map(model) });
          } else if (views.length > 0) {
            views.splice(next.map % views.length, 1)[0]!.frozen.release();
          }
        }
        for (const { layers, model } of maps) {
          assert.equal(layers.size, model.size);
          assert.deepEqual(sorted(layers.entries()), sorted(model));
          for (const name of KEYS) assert.equal(layers.get(name), model.get(name));
        }
        for (const { frozen, model } of views) {
          assert.equal(frozen.size, model.size);
          assert.deepEqual(sorted(frozen.entries()), sorted(model));
        }
      }),
      { numRuns: 500 },
    );
  });

  test("hand out a copy to change where a frozen view holds the value", () => {
    const layers = new Layers<Set<string>>();
    layers.add("a", new Set(["x"]));
    assert.equal(
      layers.owned("a", (set) => new Set(set)),
      layers.get("a"),
      "nobody else holds it: no copy",
    );
    const frozen = layers.freeze();
    layers.owned("a", (set) => new Set(set))!.add("y");
    assert.deepEqual([...frozen.get("a")!], ["x"]);
    assert.deepEqual([...layers.get("a")!], ["x", "y"]);
  });
});
