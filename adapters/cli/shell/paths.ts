/**
 * Paths as they are typed: valid, or refused in the words that zkCli.sh has for it.
 *
 * Not here: the rules (lib/model/path.ts).
 */
import { pathProblem } from "../../../lib/model/path.ts";
import { CommandFailure, EXIT } from "./failures.ts";
import type { Style } from "./style.ts";

/**
 * @param sequential a number follows, so that a slash may be the last character
 * @throws CommandFailure
 */
export function checkedPath(path: string, style: Style, sequential = false): string {
  const problem = pathProblem(sequential ? `${path}1` : path);
  if (problem === null) return path;
  const text = javaWords(path, problem);
  const hint = path.startsWith("/") ? null : `paths begin at the root: "/${path}"`;
  throw new CommandFailure(
    style === "3.4" ? `Command failed: java.lang.IllegalArgumentException: ${text}` : text,
    EXIT.refused,
    {
      ...{ code: "BadArguments", path, hint },
    },
  );
}

function javaWords(path: string, problem: string): string {
  if (path === "") return "Path length must be > 0";
  const at = Number(problem.slice(problem.lastIndexOf(" ") + 1));
  return Number.isNaN(at) ? problem : `Invalid path string "${path}" caused by ${reason(path, problem, at)}`;
}

function reason(path: string, problem: string, at: number): string {
  if (problem.includes("empty name")) return `empty node name specified @${at}`;
  if (problem.includes("relative name")) return `relative paths not allowed @${path[at + 1] === "." ? at + 1 : at}`;
  return path[at] === "\0" ? `null character not allowed @${at}` : `invalid character @${at}`;
}

/** The path of a child. */
export function childOf(path: string, name: string): string {
  return path === "/" ? `/${name}` : `${path}/${name}`;
}
