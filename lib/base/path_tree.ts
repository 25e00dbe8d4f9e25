/**
 * Values by path, found along the way to another path: the quotas above a znode, the recursive watches above it.
 *
 * A branch stands only where a value does or where paths part, so that a path costs its bytes, however many names it has.
 *
 * Invariant: every operation is linear in its path's length. Asking for each path above it would read half a megabyte of path a quarter of a
 * million times.
 */

interface Branch<Value> {
  /** What leads here from the branch above: whole names, a slash before each; "" at the root. */
  label: string;
  value: Value | undefined;
  /** By the first name of their labels. */
  below: Map<string, Branch<Value>>;
}

export class PathTree<Value> {
  readonly #root: Branch<Value> = newBranch("");
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Only paths below the root are kept: what has no slash first is no znode's, and so is above none. */
  set(path: string, value: Value): void {
    if (!isBelowRoot(path)) return;
    let branch = this.#root;
    for (let at = 0; at < path.length; at += branch.label.length) branch = nextOrNew(branch, path, at);
    if (branch.value === undefined) this.#size++;
    branch.value = value;
  }

  get(path: string): Value | undefined {
    return isBelowRoot(path) ? this.#to(path)?.at(-1)?.value : undefined;
  }

  delete(path: string): void {
    const way = isBelowRoot(path) ? this.#to(path) : undefined;
    const branch = way?.at(-1);
    if (way === undefined || branch?.value === undefined) return;
    branch.value = undefined;
    this.#size--;
    const above = way.at(-2)!;
    if (branch.below.size === 0) above.below.delete(firstName(branch.label, 0));
    else joinOnly(branch);
    if (above !== this.#root && above.value === undefined) joinOnly(above);
  }

  /** The values of the path and of those above it, the deepest last. */
  along(path: string): Value[] {
    const found: Value[] = [];
    if (this.#size === 0 || !isBelowRoot(path)) return found;
    let at = 0;
    for (let branch = next(this.#root, path, at); branch !== undefined; branch = next(branch, path, at)) {
      if (branch.value !== undefined) found.push(branch.value);
      at += branch.label.length;
    }
    return found;
  }

  /** Every value, in no order that means anything. */
  *values(): IterableIterator<Value> {
    const waiting = [this.#root];
    for (let branch = waiting.pop(); branch !== undefined; branch = waiting.pop()) {
      if (branch.value !== undefined) yield branch.value;
      for (const each of branch.below.values()) waiting.push(each);
    }
  }

  /** The branches on the way to the path, its own last; undefined if none stands there. */
  #to(path: string): Branch<Value>[] | undefined {
    const way = [this.#root];
    for (let at = 0; at < path.length; at += way.at(-1)!.label.length) {
      const branch = next(way.at(-1)!, path, at);
      if (branch === undefined) return undefined;
      way.push(branch);
    }
    return way;
  }
}

function newBranch<Value>(label: string): Branch<Value> {
  return { label, value: undefined, below: new Map() };
}

/** The branch below, if the path has all of its label at `at`. */
function next<Value>({ below }: Branch<Value>, path: string, at: number): Branch<Value> | undefined {
  if (at >= path.length) return undefined;
  const branch = below.get(firstName(path, at));
  return branch !== undefined && commonLength(branch.label, path, at) === branch.label.length ? branch : undefined;
}

/** The branch below that the path leads to, made if there is none: where a label goes on otherwise than the path does, it is split. */
function nextOrNew<Value>(above: Branch<Value>, path: string, at: number): Branch<Value> {
  const name = firstName(path, at);
  const there = above.below.get(name);
  const common = there === undefined ? path.length - at : commonLength(there.label, path, at);
  if (there !== undefined && common === there.label.length) return there;
  const branch = newBranch<Value>(path.slice(at, at + common));
  above.below.set(name, branch);
  if (there !== undefined) {
    there.label = there.label.slice(common);
    branch.below.set(firstName(there.label, 0), there);
  }
  return branch;
}

/** A branch without a value and with one below is no parting of ways: the two become one. */
function joinOnly<Value>(branch: Branch<Value>): void {
  if (branch.below.size !== 1) return;
  const [only] = branch.below.values();
  branch.label += only!.label;
  branch.value = only!.value;
  branch.below = only!.below;
}

/** The name behind the slash at `at`. */
function firstName(path: string, at: number): string {
  const end = path.indexOf("/", at + 1);
  return path.slice(at + 1, end < 0 ? path.length : end);
}

/** How much of a label, in whole names, the path has at `at`. */
function commonLength(label: string, path: string, at: number): number {
  const lengthMax = Math.min(label.length, path.length - at);
  let length = 0;
  while (length < lengthMax && label[length] === path[at + length]) length++;
  if (isEndOfName(label, length) && isEndOfName(path, at + length)) return length;
  return label.lastIndexOf("/", length - 1);
}

function isEndOfName(text: string, at: number): boolean {
  return at === text.length || text[at] === "/";
}

function isBelowRoot(path: string): boolean {
  return path.length > 1 && path[0] === "/";
}
