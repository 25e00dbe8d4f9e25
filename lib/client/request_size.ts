/**
 * Check of a request's length where no bytes are sent: a server in this process takes what it would take over a socket, and no more.
 *
 * Not here: the limit (limits.frameBytesMax). Invariant: it says of every request what the encoder would.
 */
import type { CreateOp, Op, SubmittedAcl } from "../model/ops.ts";
import type { ClientOp } from "../wire/client_conn.ts";
import { writeRequest } from "../wire/codec.ts";
import { JuteWriter } from "../wire/jute.ts";

const LENGTH_BYTES = 4;
/** Header and fixed fields of any request, or of any op in a multi. */
const FIXED_BYTES_MAX = 48;
const ACL_ENTRY_BYTES_MAX = 12;
/** Of a character, in UTF-8: a pair of surrogates has four bytes. */
const CHARACTER_BYTES_MAX = 3;

/** How many bytes the request has, if these are more than may be; null for nearly all, which need not be encoded to know it. */
export function excessLength(op: Op, bytesMax: number): number | null {
  if (lengthMax(op) <= bytesMax) return null;
  const out = new JuteWriter();
  writeRequest(out, 0, op as ClientOp);
  const length = out.length - LENGTH_BYTES;
  return length > bytesMax ? length : null;
}

/** No less than the request has; infinite where only the encoder can tell. */
function lengthMax(op: Op): number {
  switch (op.kind) {
    case "create":
    case "create2":
    case "createContainer":
    case "createTTL":
      return createLengthMax(op);
    case "setData":
      return textLengthMax(op.path) + (op.data?.length ?? 0) + FIXED_BYTES_MAX;
    case "multi":
      return op.ops.reduce((length, sub) => length + lengthMax(sub), FIXED_BYTES_MAX);
    case "exists":
    case "getData":
    case "getChildren":
    case "getChildren2":
    case "getACL":
    case "delete":
    case "check":
    case "sync":
      return textLengthMax(op.path) + FIXED_BYTES_MAX;
    default:
      return Number.POSITIVE_INFINITY;
  }
}

function createLengthMax({ path, data, acl }: CreateOp): number {
  return textLengthMax(path) + (data?.length ?? 0) + aclLengthMax(acl ?? []) + FIXED_BYTES_MAX;
}

function aclLengthMax(acl: readonly SubmittedAcl[]): number {
  let length = 0;
  for (const { scheme, id } of acl) length += ACL_ENTRY_BYTES_MAX + textLengthMax(scheme) + textLengthMax(id);
  return length;
}

function textLengthMax(text: string | null): number {
  return text === null ? 0 : CHARACTER_BYTES_MAX * text.length;
}
