/**
 * ZooKeeper request frames, made by hand: length, xid, opcode, body.
 *
 * This is the load generator's own encoder. It shares nothing with the project's codec, so a mistake there cannot hide by being
 * made on both sides, and it is used before the clock runs, so it is written to be plain.
 *
 * Invariant: every frame carries its xid at byte 4, where `patchXid` replaces it without encoding anything again.
 */

export const PING_XID = -2;
export const EVENT_XID = -1;

/** Offset of the xid in a request frame. */
const XID_AT = 4;

const OPEN_ACL: Buffer = concat(int(1), int(31), text("world"), text("anyone"));

/** The first frame of a connection: asks for a new session. */
export function connectRequest(sessionTimeoutMs: number): Buffer {
  const noSession = Buffer.alloc(8);
  const noPassword = Buffer.alloc(16);
  return withLength(concat(int(0), Buffer.alloc(8), int(sessionTimeoutMs), noSession, bytes(noPassword), Buffer.of(0)));
}

export function create(path: string, data: Uint8Array): Buffer {
  return request(1, concat(text(path), bytes(data), OPEN_ACL, int(0)));
}

/** `delete`, whatever the version. */
export function remove(path: string): Buffer {
  return request(2, concat(text(path), int(-1)));
}

export function exists(path: string, watch = false): Buffer {
  return request(3, concat(text(path), flag(watch)));
}

export function getData(path: string, watch = false): Buffer {
  return request(4, concat(text(path), flag(watch)));
}

/** `setData`, whatever the version. */
export function setData(path: string, data: Uint8Array): Buffer {
  return request(5, concat(text(path), bytes(data), int(-1)));
}

export function getChildren(path: string): Buffer {
  return request(8, concat(text(path), flag(false)));
}

export function sync(path: string): Buffer {
  return request(9, text(path));
}

export function ping(): Buffer {
  const frame = request(11, Buffer.alloc(0));
  patchXid(frame, 0, PING_XID);
  return frame;
}

export function closeSession(): Buffer {
  return request(-11, Buffer.alloc(0));
}

/** Writes `xid` into the request frame that starts at `frameAt`. */
export function patchXid(buffer: Buffer, frameAt: number, xid: number): void {
  buffer.writeInt32BE(xid, frameAt + XID_AT);
}

function request(opcode: number, body: Buffer): Buffer {
  return withLength(concat(int(0), int(opcode), body));
}

function withLength(payload: Buffer): Buffer {
  return concat(int(payload.length), payload);
}

function concat(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}

function int(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

function flag(value: boolean): Buffer {
  return Buffer.of(value ? 1 : 0);
}

function bytes(value: Uint8Array): Buffer {
  return concat(int(value.length), value);
}

function text(value: string): Buffer {
  return bytes(Buffer.from(value, "utf8"));
}
