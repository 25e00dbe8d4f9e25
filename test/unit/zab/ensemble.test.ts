/** Quorums, by majority and by groups, and the configuration as ZooKeeper writes it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { Ensemble, type EnsembleMember, type WeightedGroups } from "../../../lib/broadcast/zab/ensemble.ts";
import { ensembleText } from "../../../lib/broadcast/zab/ensemble_text.ts";
import { projectPath } from "../../support/root.ts";

function member(id: number, role: EnsembleMember["role"] = "participant"): EnsembleMember {
  const addresses = [{ host: "127.0.0.1", quorumPort: 22820 + id, electionPort: 22830 + id }];
  return { id: BigInt(id), addresses, role, client: { host: "127.0.0.1", port: 22810 + id } };
}

function ensembleOf(members: readonly EnsembleMember[], hierarchy: WeightedGroups | null = null): Ensemble {
  return new Ensemble({ members, hierarchy, version: 0n });
}

const ids = (...numbers: readonly number[]): bigint[] => numbers.map(BigInt);

describe("a quorum", () => {
  test("is more than half of those who vote", () => {
    const three = ensembleOf([member(1), member(2), member(3), member(4, "observer")]);
    assert.equal(three.isQuorum(ids(1, 2)), true);
    assert.equal(three.isQuorum(ids(1, 1)), false);
    assert.equal(three.isQuorum(ids(1, 4, 9)), false);
    const four = ensembleOf([1, 2, 3, 4].map((id) => member(id)));
    assert.equal(four.isQuorum(ids(1, 2)), false);
    assert.equal(four.isQuorum(ids(1, 2, 3)), true);
  });

  test("by groups is more than half of the weight in more than half of the groups that weigh anything", () => {
    const groups = new Map([
      [1n, ids(1, 2, 3)],
      [2n, ids(4, 5, 6)],
      [3n, ids(7, 8, 9)],
    ]);
    const nine = Array.from({ length: 9 }, (_, at) => member(at + 1));
    const equal = ensembleOf(nine, { groups, weights: new Map() });
    assert.equal(equal.isQuorum(ids(1, 2, 4, 5)), true);
    assert.equal(equal.isQuorum(ids(1, 2, 3, 4, 7)), false);
    const weighted = ensembleOf(nine, {
      groups,
      weights: new Map([
        [7n, 0],
        [8n, 0],
        [9n, 0],
        [1n, 3],
      ]),
    });
    assert.equal(weighted.isQuorum(ids(1, 4, 5)), true, "the third group weighs nothing, and two are more than half of two");
    assert.equal(weighted.isQuorum(ids(2, 3, 4, 5, 6)), false, "1 outweighs 2 and 3");
    assert.equal(weighted.weightOf(7n), 0);
    assert.equal(weighted.weightOf(2n), 1);
  });
});

describe("the configuration's text", () => {
  test("is what Apache's members of the recorded ensembles said", () => {
    const [vector] = goldenVectors().filter(({ name }) => name === "election/notification-LOOKING");
    const members = [member(4, "observer"), member(1), member(2), member(3)];
    assert.equal(ensembleText(ensembleOf(members)), vector!.fields.config);
  });

  test("has groups and weights, brackets around IPv6, and no client where none is known", () => {
    const six = {
      id: 6n,
      addresses: [{ host: "::1", quorumPort: 1, electionPort: 2 }],
      role: "participant",
      client: null,
    } as const;
    const hierarchy = { groups: new Map([[1n, [6n]]]), weights: new Map([[6n, 2]]) };
    assert.equal(
      ensembleText(ensembleOf([six], hierarchy)),
      "server.6=[::1]:1:2:participant\ngroup.1=6\nweight.6=2\nversion=0",
    );
  });
});

interface Vector {
  readonly name: string;
  readonly fields: { readonly config?: string };
}

function goldenVectors(): readonly Vector[] {
  return JSON.parse(readFileSync(projectPath("test", "golden", "quorum", "vectors.json"), "utf8")) as Vector[];
}
