import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { Proposal } from "../../../lib/model/txns.ts";
import { JuteError, JuteReader, JuteWriter } from "../../../lib/wire/jute.ts";
import { readProposal, readTxn, txnTypeOf, writeProposal, writeTxn } from "../../../lib/wire/txn_records.ts";
import { fromHex, toHex } from "../../support/golden.ts";
import { projectPath } from "../../support/root.ts";

interface LogEntry {
  readonly name: string;
  readonly source: string;
  readonly offset: number;
  /** As in the log: checksum, length, the txn, and the byte 0x42. */
  readonly hex: string;
  readonly fields: {
    readonly hdr: { clientId: string; cxid: number; zxid: string; time: number; type: number };
    readonly digest?: { readonly version: number; readonly treeDigest: string } | null;
  };
}

const vectors = projectPath("test", "golden", "persistence", "vectors.json");
const { entries } = JSON.parse(readFileSync(vectors, "utf8")) as { readonly entries: readonly LogEntry[] };

function written(write: (out: JuteWriter) => void): string {
  const out = new JuteWriter();
  write(out);
  return toHex(out.written());
}

describe("txns that real servers logged", () => {
  for (const { name, source, offset, hex, fields } of entries) {
    test(`${name}, ${source} at ${offset}`, () => {
      const body = hex.slice(24, -2);
      const reader = new JuteReader(fromHex(body));
      const proposal = readProposal(reader);
      const { hdr, digest } = fields;
      assert.equal(reader.remaining, 0);
      const { session, ...header } = proposal.header;
      assert.deepEqual(header, { cxid: hdr.cxid, zxid: BigInt(hdr.zxid), time: hdr.time });
      assert.equal(BigInt.asUintN(64, session), BigInt(hdr.clientId));
      assert.equal(txnTypeOf(proposal.txn.kind), hdr.type);
      assert.equal(proposal.digest, digest ? BigInt(digest.treeDigest) : null);
      assert.equal(
        written((out) => writeProposal(out, proposal)),
        body,
      );
    });
  }
});

describe("txns that nobody writes", () => {
  test("multis within multis are refused, however deep they go", () => {
    const out = new JuteWriter();
    for (let depth = 0; depth < 20_000; depth++) out.raw(Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 14, 0x7f, 0xff, 0xff, 0xff));
    const bytes = out.copy();
    const view = new DataView(bytes.buffer);
    for (let at = 8; at < bytes.length; at += 12) view.setInt32(at, bytes.length - at - 4);
    assert.throws(() => readTxn(new JuteReader(bytes), 14), JuteError);
  });
});

describe("txns of other versions", () => {
  test("create of 3.3 ends before parentCVersion", () => {
    const txn = readTxn(new JuteReader(fromHex("000000022f61ffffffff0000000000")), 1);
    assert.deepEqual(txn, { kind: "create", path: "/a", data: null, acl: [], ephemeral: false, parentCVersion: -1 });
  });

  test("closeSession before 3.6 holds no paths, with and without a digest behind it", () => {
    const bare = new JuteReader(new Uint8Array(0));
    assert.deepEqual(readTxn(bare, -11), { kind: "closeSession", paths: null });
    const header = "0000000000000001000000000000000000000002000000000000000afffffff5";
    const proposal: Proposal = {
      header: { session: 1n, cxid: 0, zxid: 2n, time: 10 },
      txn: { kind: "closeSession", paths: null },
      digest: 5n,
    };
    const hex = `${header}000000020000000000000005`;
    assert.deepEqual(readProposal(new JuteReader(fromHex(hex))), proposal);
    assert.equal(
      written((out) => writeProposal(out, proposal)),
      hex,
    );
  });

  test("a digest of another version is not compared", () => {
    const hex = "0000000000000001000000000000000000000002000000000000000afffffff60000000a000000010000000000000005";
    assert.equal(readProposal(new JuteReader(fromHex(hex))).digest, null);
  });

  test("an error inside a failed multi may be followed by the body of the op it replaced", () => {
    const multi = "00000001ffffffff00000008ffffff9a00000099";
    const txn = readTxn(new JuteReader(fromHex(multi)), 14);
    assert.deepEqual(txn, { kind: "multi", txns: [{ kind: "error", code: "NoAuth" }] });
    assert.equal(
      written((out) => writeTxn(out, txn)),
      "00000001ffffffff00000004ffffff9a",
    );
  });

  test("what can't be a txn is refused", () => {
    const bad: readonly [number, string][] = [
      [99, ""],
      [1, "000000022f61"],
      [14, "00000001fffffff6000000040000000a"], // a session inside a multi
      [14, "000000010000000e0000000400000000"], // a multi inside a multi
      [14, "7fffffff"],
    ];
    for (const [type, hex] of bad)
      assert.throws(() => readTxn(new JuteReader(fromHex(hex)), type), JuteError, `${type} ${hex}`);
  });
});
