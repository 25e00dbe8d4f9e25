/**
 * Place of named work in the tree: where `once` and `every` keep what they know of it.
 */

const ROOT = "/zookernel/tasks";

/** The path of a task. Its name may be any text: what a path can't hold is escaped. */
export function taskPath(root: string | undefined, name: string): string {
  if (typeof name !== "string" || name === "") throw new TypeError('A task has a name, such as "nightly-report"');
  return `${root ?? ROOT}/${encodeURIComponent(name).replace(/^\.{1,2}$/, (dots) => dots.replaceAll(".", "%2E"))}`;
}
