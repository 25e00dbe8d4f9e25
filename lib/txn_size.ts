/**
 * Encoded length of txns, from their parts: how long a record of the log and a packet to a member will be, without writing either.
 *
 * Not here: the encoding (wire/txn_records.ts). Invariant: the number is the one that the encoder comes to; a test holds the two together.
 */
import type { MultiTxn, Proposal, SubTxn, Txn } from "./txns.ts";
import type { Acl, AclList } from "./types.ts";

/** A header and the txn's type stand before each txn, and the tree's digest behind most. */
const HEAD_BYTES = 32;
const DIGEST_BYTES = 12;
/** What a proposal has beside its txn, at most. */
export const PROPOSAL_BYTES: number = HEAD_BYTES + DIGEST_BYTES;
/** Type and length, before each txn of a multi. */
export const SUB_TXN_HEAD_BYTES = 8;
const LENGTH_BYTES = 4;

/** Of a proposal as it is logged and sent. */
export function proposalLength({ txn, digest, bytes }: Proposal): number {
  return bytes?.length ?? HEAD_BYTES + txnLength(txn) + (digest === null ? 0 : DIGEST_BYTES);
}

/** Of a txn without its header. */
export function txnLength(txn: Txn): number {
  switch (txn.kind) {
    case "create":
    case "create2":
      return textLength(txn.path) + bufferLength(txn.data) + aclLength(txn.acl) + 5;
    case "createContainer":
      return textLength(txn.path) + bufferLength(txn.data) + aclLength(txn.acl) + 4;
    case "createTTL":
      return textLength(txn.path) + bufferLength(txn.data) + aclLength(txn.acl) + 12;
    case "delete":
    case "deleteContainer":
      return textLength(txn.path);
    case "setData":
    case "reconfig":
      return textLength(txn.path) + bufferLength(txn.data) + 4;
    case "setACL":
      return textLength(txn.path) + aclLength(txn.acl) + 4;
    case "check":
      return textLength(txn.path) + 4;
    case "createSession":
    case "error":
      return 4;
    case "closeSession":
      return txn.paths === null ? 0 : textsLength(txn.paths);
    case "multi":
      return multiLength(txn);
  }
}

function multiLength({ txns }: MultiTxn): number {
  return txns.reduce((length, txn: SubTxn) => length + SUB_TXN_HEAD_BYTES + txnLength(txn), LENGTH_BYTES);
}

export function aclLength(acl: AclList): number {
  return acl.reduce((length, entry) => length + aclEntryLength(entry), LENGTH_BYTES);
}

export function aclEntryLength({ scheme, id }: Acl): number {
  return 4 + textLength(scheme) + textLength(id);
}

/** Of a list of strings. */
export function textsLength(texts: readonly string[]): number {
  return texts.reduce((length, text) => length + textLength(text), LENGTH_BYTES);
}

function bufferLength(data: Uint8Array | null): number {
  return LENGTH_BYTES + (data?.length ?? 0);
}

/** Of a string, with the length before it: one to three bytes for each of its units, and four for a pair of surrogates. */
export function textLength(text: string): number {
  let length = LENGTH_BYTES + text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    if (unit < 0x800) length += 1;
    else if (isPair(text, at, unit)) {
      length += 2;
      at++;
    } else length += 2;
  }
  return length;
}

function isPair(text: string, at: number, unit: number): boolean {
  if (unit < 0xd800 || unit > 0xdbff || at + 1 === text.length) return false;
  const next = text.charCodeAt(at + 1);
  return next >= 0xdc00 && next <= 0xdfff;
}
