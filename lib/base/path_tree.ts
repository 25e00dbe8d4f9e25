/**
 * Values by path, found along the way to another path: the quotas above a znode, the recursive watches above it.
 *
 * Invariant: a search is linear in the path's length, however deep it is. Asking for each path above it would read half a megabyte of path a
 * quarter of a million times.
 */

interface Branch<Value> {
  value: Value | undefined;
  readonly below: Map<string, Branch<Value>>;
}

export class PathTree<Value> {
  #root: Branch<Value> = { value: undefined, below: new Map() };
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Only paths below the root are kept: what has no slash first is no znode's, and so is above none. */
  set(path: string, value: Value): void {
    if (!isBelowRoot(path)) return;
    let branch = this.#root;
    for (const name of path.slice(1).split("/")) {
      let next = branch.below.get(name);
      if (next === undefined) {
        next = { value: undefined, below: new Map() };
        branch.below.set(name, next);
      }
      branch = next;
    }
    if (branch.value === undefined) this.#size++;
    branch.value = value;
  }

  get(path: string): Value | undefined {
    if (!isBelowRoot(path)) return undefined;
    let branch: Branch<Value> | undefined = this.#root;
    for (const name of path.slice(1).split("/")) branch = branch?.below.get(name);
    return branch?.value;
  }

  delete(path: string): void {
    if (!isBelowRoot(path)) return;
    const names = path.slice(1).split("/");
    const branches = [this.#root];
    for (const name of names) {
      const next = branches[branches.length - 1]!.below.get(name);
      if (next === undefined) return;
      branches.push(next);
    }
    const last = branches[names.length]!;
    if (last.value !== undefined) this.#size--;
    last.value = undefined;
    for (let at = names.length; at > 0 && isEmpty(branches[at]!); at--) branches[at - 1]!.below.delete(names[at - 1]!);
  }

  /** The values of the path and of those above it, the deepest last. */
  along(path: string): Value[] {
    const found: Value[] = [];
    if (this.#size === 0 || !isBelowRoot(path)) return found;
    let branch: Branch<Value> | undefined = this.#root;
    for (let start = 1; start <= path.length; ) {
      const slash = path.indexOf("/", start);
      const end = slash < 0 ? path.length : slash;
      branch = branch.below.get(path.slice(start, end));
      if (branch === undefined) break;
      if (branch.value !== undefined) found.push(branch.value);
      start = end + 1;
    }
    return found;
  }

  /** Every value, in no order that means anything. */
  *values(): IterableIterator<Value> {
    const waiting = [this.#root];
    for (let branch = waiting.pop(); branch !== undefined; branch = waiting.pop()) {
      if (branch.value !== undefined) yield branch.value;
      for (const next of branch.below.values()) waiting.push(next);
    }
  }
}

function isBelowRoot(path: string): boolean {
  return path.length > 1 && path[0] === "/";
}

function isEmpty({ value, below }: Branch<unknown>): boolean {
  return value === undefined && below.size === 0;
}
