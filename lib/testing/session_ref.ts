/**
 * How tests name a session: by the handle that has it, or by its id, which is all there is of another program's client.
 */
import type { SessionId } from "../types.ts";

/** A client handle, or a session id. */
export type SessionRef = SessionId | { readonly sessionId: SessionId };

export function sessionIdOf(session: SessionRef): SessionId {
  return typeof session === "bigint" ? session : session.sessionId;
}
