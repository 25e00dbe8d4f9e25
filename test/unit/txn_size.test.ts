/** The length of txns, computed and encoded. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { textLength, txnLength } from "../../lib/model/txn_size.ts";
import type { SubTxn, Txn } from "../../lib/model/txns.ts";
import { JuteWriter } from "../../lib/wire/jute.ts";
import { writeTxn } from "../../lib/wire/txn_records.ts";

/** One to four bytes a character, halves of pairs, and both halves in the wrong order. */
const TEXTS = ["", "/a", "/é", "/ℵ", "/𝄞", "/\ud834", "/\udd1e\ud834", "/\ud834\ud834\udd1e"];

const path = TEXTS.join("");
const data = new Uint8Array(300);
const acl = TEXTS.map((id, perms) => ({ perms, scheme: "digest", id }));
const CREATES: readonly SubTxn[] = [
  { kind: "create", path, data, acl, ephemeral: true, parentCVersion: 3 },
  { kind: "create2", path, data: null, acl: [], ephemeral: false, parentCVersion: -1 },
  { kind: "createContainer", path, data, acl, parentCVersion: 0 },
  { kind: "createTTL", path, data, acl, parentCVersion: 0, ttl: 5 },
];
const OTHERS: readonly SubTxn[] = [
  { kind: "delete", path },
  { kind: "deleteContainer", path },
  { kind: "setData", path, data, version: 1 },
  { kind: "reconfig", path, data, version: -1 },
  { kind: "setACL", path, acl, version: 1 },
  { kind: "check", path, version: 1 },
  { kind: "error", code: "NoNode" },
];
const WHOLE: readonly Txn[] = [
  { kind: "createSession", timeOut: 4000 },
  { kind: "closeSession", paths: TEXTS },
  { kind: "closeSession", paths: null },
  { kind: "multi", txns: [...CREATES, ...OTHERS] },
  { kind: "multi", txns: [] },
];

describe("the length of a txn is that of its encoding", () => {
  for (const [at, txn] of [...CREATES, ...OTHERS, ...WHOLE].entries()) {
    test(`${txn.kind} (${at})`, () => {
      const out = new JuteWriter();
      writeTxn(out, txn);
      assert.equal(txnLength(txn), out.length);
    });
  }

  for (const text of TEXTS) {
    test(`text ${JSON.stringify(text)}`, () => {
      const out = new JuteWriter();
      out.text(text);
      assert.equal(textLength(text), out.length);
    });
  }
});
