/** The longest txn that is made: what would be longer is refused with a zxid, whoever asks; the end of a session is never refused. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AclInterner } from "../../../lib/acl/intern.ts";
import { OPEN_ACL_UNSAFE } from "../../../lib/acl/perms.ts";
import type { CreateOp, MultiWriteOp, Op, SubmittedAcl } from "../../../lib/model/ops.ts";
import { proposalLength } from "../../../lib/model/txn_size.ts";
import type { Proposal } from "../../../lib/model/txns.ts";
import type { AuthId } from "../../../lib/model/types.ts";
import { Connection } from "../../../lib/session/connection.ts";
import { Leading } from "../../support/leading.ts";

/** With the smallest extra: no txn is longer than 2,048 bytes. */
const SMALL = { limits: { frameBytesMax: 1024 } };
const BYTES_MAX = 2048;
const AUTH: SubmittedAcl = { perms: 31, scheme: "auth", id: "" };

function create(path: string, more: Partial<CreateOp> = {}): CreateOp {
  return { kind: "create", path, data: null, acl: OPEN_ACL_UNSAFE, flags: 0, ttl: 0, ...more };
}

function identities(count: number, length: number): AuthId[] {
  return Array.from({ length: count }, (_, at) => ({ scheme: "digest", id: `${at}:`.padEnd(length, "x") }));
}

function codeOf({ txn }: Proposal): string {
  return txn.kind === "error" ? txn.code : txn.kind;
}

/** Refused by a txn that has the next zxid, and leaves nothing behind. */
function refuses(leading: Leading, op: Op, ids: readonly AuthId[] = []): void {
  const before = leading.commit(leading.forward(create(`/mark${leading.next}`)));
  const refused = leading.forward(op, ids);
  assert.equal(codeOf(refused), "MarshallingError");
  assert.equal(refused.header.zxid, before.header.zxid + 1n);
  leading.commit(refused);
  assert.equal(leading.tree.get("/a"), undefined);
  assert.equal(codeOf(leading.commit(leading.forward(create("/a")))), "create", "nothing of it is pending");
}

describe("a txn that no member could read is refused", () => {
  test("a create of too much data, and of all data that a txn can hold, none", () => {
    const longest = BYTES_MAX - proposalLength(new Leading(SMALL).forward(create("/a")));
    const leading = new Leading(SMALL);
    refuses(leading, create("/a", { data: new Uint8Array(longest + 13) }));
    const whole = new Leading(SMALL);
    assert.equal(codeOf(whole.forward(create("/a", { data: new Uint8Array(longest - 12) }))), "create");
  });

  test("a path that is short in characters, and long in bytes", () => {
    refuses(new Leading(SMALL), create(`/${"ℵ".repeat(700)}`));
  });

  test("an `auth` entry for three long identities", () => {
    refuses(new Leading(SMALL), create("/a", { acl: [AUTH] }), identities(3, 1000));
    refuses(new Leading(SMALL), { kind: "setACL", path: "/zookeeper", acl: [AUTH], version: -1 }, identities(3, 1000));
  });

  test("more data for a znode, and nothing of it is pending", () => {
    const leading = new Leading(SMALL);
    leading.commit(leading.forward(create("/b")));
    refuses(leading, { kind: "setData", path: "/b", data: new Uint8Array(BYTES_MAX), version: -1 });
    assert.equal(leading.tree.get("/b")!.version, 0);
  });

  test("a multi whose parts would each do", () => {
    const ops: MultiWriteOp[] = [
      create("/a"),
      create("/a/b", { data: new Uint8Array(1000) }),
      create("/a/c", { data: new Uint8Array(1000) }),
    ];
    refuses(new Leading(SMALL), { kind: "multi", ops });
    assert.equal(codeOf(new Leading(SMALL).forward({ kind: "multi", ops: ops.slice(0, 2) })), "multi");
  });

  test("a multi of 1,500 creates by somebody with 1,200 identities, at the usual limit and without making it", () => {
    const ops = Array.from({ length: 1500 }, (_, at) => create(`/n${at}`, { acl: [AUTH] }));
    refuses(new Leading(), { kind: "multi", ops }, identities(1200, 40));
  });

  test("60,000 `auth` entries for 500 identities: no list of 30 million is made", () => {
    const acl = Array.from({ length: 60_000 }, (_, at) => ({ ...AUTH, id: `${at}` }));
    refuses(new Leading(), create("/a", { acl }), identities(500, 40));
  });
});

describe("the end of a session", () => {
  const ephemeral = (path: string): CreateOp => create(path, { flags: 1 });
  const paths = Array.from({ length: 30 }, (_, at) => `/${"e".repeat(95)}${at}`);

  test("names its ephemerals while they fit, and none where they don't: they are gone all the same", () => {
    for (const [count, named] of [
      [10, 10],
      [30, null],
    ] as const) {
      const leading = new Leading(SMALL);
      for (const path of paths.slice(0, count)) leading.commit(leading.forward(ephemeral(path)));
      const end = leading.forward({ kind: "closeSession" });
      assert.equal(end.txn.kind === "closeSession" && (end.txn.paths?.length ?? null), named);
      assert.ok(proposalLength(end) <= BYTES_MAX);
      leading.commit(end);
      assert.equal(leading.tree.ephemeralCount, 0);
    }
  });

  test("takes what is on its way with it, named or not", () => {
    const leading = new Leading(SMALL);
    const onTheirWay = paths.map((path) => leading.forward(ephemeral(path)));
    const end = leading.forward({ kind: "closeSession" });
    for (const proposal of onTheirWay) leading.commit(proposal);
    leading.commit(end);
    assert.equal(leading.tree.ephemeralCount, 0);
    assert.equal(leading.tree.get(paths[0]!), undefined);
  });

  test("may be kept nameable by a limit on the bytes of a session's ephemerals", () => {
    const leading = new Leading({ limits: { ephemeralBytesMax: 1000 } });
    const codes = paths.map((path) => codeOf(leading.forward(ephemeral(path))));
    assert.deepEqual([...new Set(codes.slice(0, 9))], ["create"]);
    assert.deepEqual([...new Set(codes.slice(9))], ["QuotaExceeded"]);
    assert.equal(codeOf(leading.forward(create("/persistent"))), "create");
  });

  test("… which a delete gives back, and a multi that failed never took", () => {
    const leading = new Leading({ limits: { ephemeralBytesMax: 205 } });
    const [one, two, three] = paths as [string, string, string];
    const code = (op: Op): string => codeOf(leading.commit(leading.forward(op)));
    assert.equal(code(ephemeral(one)), "create");
    assert.equal(code({ kind: "multi", ops: [ephemeral(two), { kind: "delete", path: "/none", version: -1 }] }), "multi");
    assert.equal(code(ephemeral(two)), "create");
    assert.equal(code(ephemeral(three)), "QuotaExceeded");
    assert.equal(code({ kind: "delete", path: one, version: -1 }), "delete");
    assert.equal(code(ephemeral(three)), "create");
    assert.equal(code(ephemeral(one)), "QuotaExceeded");
  });
});

test("access control lists that are remembered are bounded in bytes", () => {
  const interner = new AclInterner();
  const long = (seed: number) =>
    Array.from({ length: 30_000 }, (_, at) => ({ perms: 1, scheme: "digest", id: `${seed}.${at}` }));
  const first = long(0);
  assert.equal(interner.intern(first), first);
  for (let seed = 1; seed < 30; seed++) interner.intern(long(seed));
  const again = long(0);
  assert.equal(interner.intern(again), again, "the first is forgotten");
  assert.equal(interner.intern(long(0)), again);
});

test("identities of a connection are bounded in bytes: one more is not taken, those that are known cost nothing", () => {
  const connection = new Connection(1, { address: "10.0.0.1", label: "", authIds: [] }, [], 0);
  const identity = (at: number) => ({ scheme: "digest", id: `${at}${"x".repeat(1_000_000)}:y` });
  for (let at = 0; at < 16; at++) assert.equal(connection.prove([identity(at)]), true);
  assert.equal(connection.prove([identity(16)]), false);
  assert.equal(connection.prove([identity(3)]), true);
  assert.equal(connection.authIds.length, 16);
});
