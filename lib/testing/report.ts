/**
 * Report at the end of a test of what it has left undone.
 */
import type { Kernel } from "../kernel/kernel.ts";
import type { SessionId } from "../model/types.ts";
import { sessionText } from "./text.ts";

/** What the end of a test server brought to light: faults that never struck, sessions that were left open. */
export class ReportError extends Error {
  /** One sentence each. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.length === 1 ? problems[0] : `${problems.length} problems:\n  ${problems.join("\n  ")}`);
    this.name = "ReportError";
    this.problems = problems;
  }
}

/**
 * Sessions that nobody has closed, with their ephemerals and watches.
 *
 * @param all the kernel that decides, and those of the other members: each knows the watches of those who are connected to it
 */
export function leftovers(all: readonly [Kernel, ...Kernel[]]): string[] {
  const [{ sessions, database }] = all;
  return Array.from(sessions.all())
    .filter(({ closing }) => !closing)
    .map(({ id }) => {
      const ephemerals = [...database.tree.ephemeralsOf(id)];
      const watches = all.flatMap((kernel) => watchedBy(kernel, id));
      const owns = ephemerals.length === 0 ? "" : `, with the ephemerals ${ephemerals.sort().join(", ")}`;
      const watching = watches.length === 0 ? "" : `, watching ${watches.sort().join(", ")}`;
      return `Session ${sessionText(id)} was left open${owns}${watching}`;
    });
}

function watchedBy({ connections, watches }: Kernel, session: SessionId): string[] {
  const its = [...connections.values()].filter((connection) => connection.session?.id === session);
  return its.flatMap(({ id }) => [...watches.pathsOf(id)]);
}
