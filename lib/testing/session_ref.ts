/**
 * Reference of a test to a session: by the handle that has it, or by its id, which is all there is of another program's client.
 */

import { argumentError, describe } from "../base/validate.ts";
import type { SessionId } from "../model/types.ts";

/** A client handle, or a session id. */
export type SessionRef = SessionId | { readonly sessionId: SessionId };

/** @throws TypeError for what names no session */
export function sessionIdOf(session: SessionRef): SessionId {
  const id =
    typeof session === "bigint" ? session : (session as { readonly sessionId?: unknown } | null | undefined)?.sessionId;
  if (typeof id === "bigint") return id;
  throw argumentError("find the session", `it is named by its handle, or by its id such as 0x1n, not by ${describe(session)}`);
}
