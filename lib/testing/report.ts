/**
 * What a test has left undone, told at the end.
 */
import type { Kernel } from "../kernel/kernel.ts";
import type { Session } from "../session/sessions.ts";
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

/** Sessions that nobody has closed, with their ephemerals and watches. */
export function leftovers(kernel: Kernel): string[] {
  return Array.from(kernel.sessions.all())
    .filter(({ closing }) => !closing)
    .map((session) => {
      const ephemerals = [...kernel.database.tree.ephemeralsOf(session.id)];
      const watches = watchedBy(kernel, session);
      const owns = ephemerals.length === 0 ? "" : `, with the ephemerals ${ephemerals.sort().join(", ")}`;
      const watching = watches.length === 0 ? "" : `, watching ${watches.sort().join(", ")}`;
      return `Session ${sessionText(session.id)} was left open${owns}${watching}`;
    });
}

function watchedBy({ watches }: Kernel, { connection }: Session): string[] {
  return connection === null ? [] : [...watches.pathsOf(connection.id)];
}
