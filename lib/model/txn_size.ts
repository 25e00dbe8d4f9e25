/**
 * Encoded length of txns, from their parts: how long a record of the log and a packet to a member will be, without writing either.
 *
 * Not here: the encoding (wire/txn_records.ts). Invariant: the number is the one that the encoder comes to; a test holds the two together.
 */
import type { MultiTxn, Proposal, Txn } from "./txns.ts";
import type { Acl, AclList } from "./types.ts";

/** ZooKeeper's own minimum of what a txn may have more than the request that it came of: there is more around it. */
export const FRAME_BYTES_EXTRA_MIN = 1024;
/** A header and the txn's type stand before each txn, and the tree's digest behind most. */
const HEAD_BYTES = 32;
const DIGEST_BYTES = 12;
/** What a proposal has beside its txn, at most. */
export const PROPOSAL_BYTES: number = HEAD_BYTES + DIGEST_BYTES;
/** Type and length, before each txn of a multi. */
export const SUB_TXN_HEAD_BYTES = 8;
/** Before a list, such as that of a multi's txns. */
export const LIST_LENGTH_BYTES = 4;
const LENGTH_BYTES = 4;

/** Measures a string, with the length that stands before it. */
type TextMeasure = (text: string) => number;

/** Of a proposal as it is logged and sent. */
export function proposalLength({ txn, digest, bytes }: Proposal): number {
  return bytes?.length ?? HEAD_BYTES + txnLength(txn) + (digest === null ? 0 : DIGEST_BYTES);
}

/** Whether a txn without its header has more bytes than may be. Most have so many less that no character is looked at. */
export function isLongerThan(txn: Txn, bytesMax: number): boolean {
  return txnLength(txn, textLengthMax) > bytesMax && txnLength(txn) > bytesMax;
}

/** Of a txn without its header. */
export function txnLength(txn: Txn, measure: TextMeasure = textLength): number {
  switch (txn.kind) {
    case "create":
    case "create2":
      return measure(txn.path) + bufferLength(txn.data) + aclLength(txn.acl, measure) + 5;
    case "createContainer":
      return measure(txn.path) + bufferLength(txn.data) + aclLength(txn.acl, measure) + 4;
    case "createTTL":
      return measure(txn.path) + bufferLength(txn.data) + aclLength(txn.acl, measure) + 12;
    case "delete":
    case "deleteContainer":
      return measure(txn.path);
    case "setData":
    case "reconfig":
      return measure(txn.path) + bufferLength(txn.data) + 4;
    case "setACL":
      return measure(txn.path) + aclLength(txn.acl, measure) + 4;
    case "check":
      return measure(txn.path) + 4;
    case "createSession":
    case "error":
      return 4;
    case "closeSession":
      return txn.paths === null ? 0 : pathsLength(txn.paths, measure);
    case "multi":
      return multiLength(txn, measure);
  }
}

function multiLength({ txns }: MultiTxn, measure: TextMeasure): number {
  let length = LENGTH_BYTES;
  for (const txn of txns) length += SUB_TXN_HEAD_BYTES + txnLength(txn, measure);
  return length;
}

function aclLength(acl: AclList, measure: TextMeasure): number {
  let length = LENGTH_BYTES;
  for (const entry of acl) length += aclEntryLength(entry, measure);
  return length;
}

/** Of an entry of an access control list. */
export function aclEntryLength({ scheme, id }: Acl, measure: TextMeasure = textLength): number {
  return 4 + measure(scheme) + measure(id);
}

function pathsLength(paths: readonly string[], measure: TextMeasure): number {
  let length = LENGTH_BYTES;
  for (const path of paths) length += measure(path);
  return length;
}

function bufferLength(data: Uint8Array | null): number {
  return LENGTH_BYTES + (data?.length ?? 0);
}

/** What a string has at most. */
function textLengthMax(text: string): number {
  return LENGTH_BYTES + 3 * text.length;
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
