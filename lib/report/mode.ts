/**
 * Mode of a server at the moment, by the word that ZooKeeper's own scripts say.
 */
import type { Host } from "../member/host.ts";
import type { ServerMode } from "./report.ts";

/** null: it serves nobody, such as a member without a leader. */
export function modeOf(host: Host): ServerMode | null {
  const { role } = host.member.kernel;
  if (host.isStopped || role === "looking") return null;
  return role === "readOnly" ? "read-only" : role;
}
