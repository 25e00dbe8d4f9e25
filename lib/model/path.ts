/**
 * Znode paths: whether one is valid, its parts, the suffix of sequential names, and the chroot of a client.
 *
 * Nothing here normalises: ZooKeeper has no relative paths, and "/a//b" is not another spelling of "/a/b" but an error. A path
 * that is only looked up needs no check at all, since a malformed one names no znode.
 *
 * Invariant: a path without a {@link pathProblem} can be encoded as UTF-8 and decoded again without loss.
 */

const SLASH = 0x2f;
const DOT = 0x2e;

/** What {@link pathProblem} may be told. */
export interface PathRules {
  /** Accept the ends of the forbidden ranges (U+001F, U+007F, U+009F, U+F8FF, U+FFF0, U+FFFF), as ZooKeeper 3.4 does by mistake. */
  readonly allowRangeEnds?: boolean;
}

/**
 * Why the path is not valid, in words; null if it is valid.
 *
 * Forbidden are control characters, surrogates (so every character beyond U+FFFF), the private use area and U+FFF0 to U+FFFF.
 * There is no limit of length; the size of a request is the limit. Answered to clients as `BadArguments`.
 *
 * @example
 * ```ts
 * pathProblem("/app/config"); // null
 * pathProblem("/app/"); // "Path must not end with / character"
 * ```
 */
export function pathProblem(path: string, rules?: PathRules): string | null {
  const length = path.length;
  if (length === 0) return "Path must not be empty";
  if (path.charCodeAt(0) !== SLASH) return "Path must start with / character";
  if (length === 1) return null;
  if (path.charCodeAt(length - 1) === SLASH) return "Path must not end with / character";
  let nameStart = 1;
  for (let i = 1; i < length; i++) {
    const code = path.charCodeAt(i);
    if (code === SLASH) {
      const problem = nameProblem(path, nameStart, i);
      if (problem !== null) return problem;
      nameStart = i + 1;
    } else if ((code < 0x20 || code > 0x7e) && isForbidden(code, rules)) {
      return `Path has the forbidden character U+${code.toString(16).toUpperCase().padStart(4, "0")} at ${i}`;
    }
  }
  return nameProblem(path, nameStart, length);
}

/** The problem of the name in `path[start, end)`, its characters aside. */
function nameProblem(path: string, start: number, end: number): string | null {
  if (start === end) return `Path has an empty name at ${start}`;
  if (path.charCodeAt(start) !== DOT) return null;
  const isRelative = end === start + 1 || (end === start + 2 && path.charCodeAt(start + 1) === DOT);
  return isRelative ? `Path has a relative name (. or ..) at ${start}` : null;
}

/** Whether the UTF-16 code unit may not occur in a path. Only asked for units outside printable ASCII. */
function isForbidden(code: number, rules: PathRules | undefined): boolean {
  const forbidden =
    code <= 0x1f || (code >= 0x7f && code <= 0x9f) || (code >= 0xd800 && code <= 0xf8ff) || (code >= 0xfff0 && code <= 0xffff);
  return forbidden && !(rules?.allowRangeEnds && isRangeEnd(code));
}

/** U+D800 is an end too, but half a surrogate pair cannot be encoded: it stays forbidden. */
function isRangeEnd(code: number): boolean {
  return code === 0x1f || code === 0x7f || code === 0x9f || code === 0xf8ff || code === 0xfff0 || code === 0xffff;
}

/**
 * Whether the path passes the loose check with which `create` and `delete` begin: it has a slash and no U+0000. All the rest is
 * checked by {@link pathProblem}, for `create` only after the parent was found and the sequence suffix appended.
 */
export function hasCreatableForm(path: string): boolean {
  return path.includes("/") && !path.includes("\0");
}

/**
 * The path of the parent: "/a" → "/", "/a/b" → "/a". Of the root: the root. The path must have a slash; it need not be valid,
 * so "/a//b" → "/a/", which names no znode.
 */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
}

/** What follows the last slash: "/a/b" → "b"; of the root: "". */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/**
 * The ten digits appended to a sequential name: the parent's counter of creations as Java's `%010d` prints it. A negative
 * counter (3.4 wraps at 2³¹) is padded to ten places with its sign among them.
 */
export function sequenceSuffix(counter: number): string {
  if (counter >= 0) return String(counter).padStart(10, "0");
  return `-${String(-counter).padStart(9, "0")}`;
}

/**
 * The server's path for a client's path. A chroot of "" or "/" is none.
 *
 * @example
 * ```ts
 * withChroot("/app", "/config"); // "/app/config"
 * withChroot("/app", "/"); // "/app"
 * ```
 */
export function withChroot(chroot: string, path: string): string {
  if (chroot === "" || chroot === "/") return path;
  return path === "/" ? chroot : chroot + path;
}

/** The client's path for a server's path. A path outside the chroot is returned as it is. */
export function withoutChroot(chroot: string, path: string): string {
  if (chroot === "" || chroot === "/") return path;
  if (path === chroot) return "/";
  return path.startsWith(chroot) && path.charCodeAt(chroot.length) === SLASH ? path.slice(chroot.length) : path;
}
