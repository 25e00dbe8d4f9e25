/**
 * Messages by which members of an ensemble prove who they are, as ZooKeeper's QuorumAuthPacket carries it: before anything else on the
 * quorum port, right behind the first message on the election port.
 *
 * Not here: what the tokens mean (sasl/).
 */
import { JuteError, JuteReader, JuteWriter } from "./jute.ts";

export type QuorumAuthStatus = "inProgress" | "success" | "error";

export interface QuorumAuthPacket {
  readonly status: QuorumAuthStatus;
  readonly token: Uint8Array;
}

const MAGIC = 0x5f2435013501edccn;
const STATUS: readonly (readonly [QuorumAuthStatus, number])[] = [
  ["inProgress", 0],
  ["success", 1],
  ["error", -1],
];
const MAGIC_BYTES = 8;
const HEAD_BYTES = 16;
const TOKEN_BYTES_MAX = 4096;
const NO_BYTES: Uint8Array = new Uint8Array(0);

export function quorumAuthBytes({ status, token }: QuorumAuthPacket): Uint8Array {
  const out = new JuteWriter(HEAD_BYTES + token.length);
  out.long(MAGIC);
  out.int(STATUS.find(([name]) => name === status)![1]);
  out.buffer(token);
  return out.copy();
}

/** Whether a peer begins to prove who it is; null while too little has come to tell. */
export function beginsQuorumAuth(bytes: Uint8Array): boolean | null {
  if (bytes.length < MAGIC_BYTES) return null;
  return new JuteReader(bytes).long() === MAGIC;
}

/**
 * The packet that the bytes begin with and how many they are; null until it is all there.
 *
 * @throws JuteError where they are none
 */
export function readQuorumAuth(bytes: Uint8Array): { readonly packet: QuorumAuthPacket; readonly length: number } | null {
  if (beginsQuorumAuth(bytes) === false) throw new JuteError("what is no proof of who speaks");
  if (bytes.length < HEAD_BYTES) return null;
  const reader = new JuteReader(bytes);
  reader.long();
  const number = reader.int();
  const status = STATUS.find(([, known]) => known === number)?.[0];
  if (status === undefined) throw new JuteError(`a proof of status ${number}`);
  const length = reader.peekInt();
  if (length > TOKEN_BYTES_MAX) throw new JuteError(`a proof of ${length} bytes`);
  if (reader.remaining - 4 < length) return null;
  const token = reader.buffer() ?? NO_BYTES;
  return { packet: { status, token }, length: reader.offset };
}
