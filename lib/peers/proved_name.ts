/**
 * Rule by which a name that a peer has proved by SASL fits the member that it says it is.
 *
 * A name may tell its host, as a principal of Kerberos does: `zkquorum/zk1.example.com@EXAMPLE.COM`. Then the member's own addresses must have
 * that host. A principal without one fits nobody (CVE-2023-44981: ZooKeeper took any); a plain name, which members of an ensemble may share, says
 * nothing of which of them it is.
 */
import type { EnsembleMember } from "../broadcast/zab/ensemble.ts";

/**
 * Why this name can't be that member's; null if it can.
 *
 * @param name null where nothing had to be proved
 * @param hosts of the member that the peer says it is, or of all that it may be
 */
export function misfit(name: string | null, hosts: readonly string[]): string | null {
  if (name === null) return null;
  const [principal = ""] = name.split("@", 1);
  const slash = principal.indexOf("/");
  if (slash === -1) return name.includes("@") ? `the name ${name} tells no host` : null;
  const instance = principal.slice(slash + 1);
  return hosts.includes(instance)
    ? null
    : `the name ${name} is not one of ${hosts.length === 0 ? "a member" : hosts.join(", ")}`;
}

/** Where a member can be. */
export function hostsOf(member: EnsembleMember | undefined): string[] {
  return member?.addresses.map(({ host }) => host) ?? [];
}
