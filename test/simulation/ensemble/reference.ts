/**
 * What the committed txns make of the tree, written down a second time and without any of the product's code: each znode as it was after each
 * zxid.
 *
 * With it every read has its place in the history: the zxid that it was answered with. It judges the txns, too: versions count up, ephemerals
 * live exactly as long as their session, sequential names never come again, requests of a session stand in their order.
 */
import type { Proposal, SubTxn, Txn } from "../../../lib/model/txns.ts";
import type { SessionId, Zxid } from "../../../lib/model/types.ts";
import { formatZxid } from "../../../lib/model/zxid.ts";
import { Violation } from "./violation.ts";

export interface Znode {
  readonly czxid: Zxid;
  readonly mzxid: Zxid;
  readonly version: number;
  readonly owner: SessionId;
  readonly data: Uint8Array | null;
}

/** One path, through all of time. */
class Line {
  /** Oldest first; null: it was not there. */
  readonly states: { readonly zxid: Zxid; readonly node: Znode | null }[] = [];
  readonly children = new Set<string>();
  readonly changes: { readonly zxid: Zxid; readonly name: string; readonly added: boolean }[] = [];
  /** Names with a number that were given away under it, since it was created. */
  readonly numbered = new Set<string>();

  get node(): Znode | null {
    return this.states.at(-1)?.node ?? null;
  }
}

export class Reference {
  readonly #lines = new Map<string, Line>();
  readonly #sessions = new Map<SessionId, { readonly ephemerals: Set<string>; lastCxid: number }>();

  constructor() {
    this.#line("/").states.push({ zxid: 0n, node: { czxid: 0n, mzxid: 0n, version: 0, owner: 0n, data: null } });
  }

  hasSession(session: SessionId): boolean {
    return this.#sessions.has(session);
  }

  // ── what was read ──

  /** The znode after that zxid. */
  at(path: string, zxid: Zxid): Znode | null {
    const states = this.#lines.get(path)?.states ?? [];
    for (let at = states.length - 1; at >= 0; at--) if (states[at]!.zxid <= zxid) return states[at]!.node;
    return null;
  }

  childrenAt(path: string, zxid: Zxid): ReadonlySet<string> {
    const line = this.#lines.get(path);
    if (line === undefined) return new Set();
    const { changes } = line;
    if (changes.length === 0 || changes.at(-1)!.zxid <= zxid) return line.children;
    const children = new Set(line.children);
    for (let at = changes.length - 1; at >= 0 && changes[at]!.zxid > zxid; at--) {
      if (changes[at]!.added) children.delete(changes[at]!.name);
      else children.add(changes[at]!.name);
    }
    return children;
  }

  /** When the znode, or the list of its children, was changed first after that zxid; null: not yet. */
  changeAfter(path: string, zxid: Zxid, what: "data" | "children"): Zxid | null {
    const line = this.#lines.get(path);
    if (line === undefined) return null;
    const ofNode = firstAfter(line.states, zxid, ({ node }) => what === "data" || node === null);
    if (what === "data") return ofNode;
    const ofChildren = firstAfter(line.changes, zxid, () => true);
    return ofNode !== null && (ofChildren === null || ofNode < ofChildren) ? ofNode : ofChildren;
  }

  // ── what was committed ──

  apply({ header, txn }: Proposal): void {
    const { zxid, session, cxid } = header;
    try {
      this.#inOrder(session, cxid, txn);
      this.#apply(zxid, session, txn);
    } catch (error) {
      throw error instanceof Violation ? new Violation(`${formatZxid(zxid)}: ${error.message}`) : error;
    }
  }

  #inOrder(session: SessionId, cxid: number, txn: Txn): void {
    const known = this.#sessions.get(session);
    // What comes late through a member that the client has left is refused, and counts for nothing.
    if (known === undefined || cxid === 0 || txn.kind === "error") return;
    if (cxid <= known.lastCxid)
      throw new Violation(`request ${cxid} of session ${session} comes after ${known.lastCxid} (${txn.kind})`);
    known.lastCxid = cxid;
  }

  #apply(zxid: Zxid, session: SessionId, txn: Txn): void {
    switch (txn.kind) {
      case "createSession":
        this.#sessions.set(session, { ephemerals: new Set(), lastCxid: 0 });
        return;
      case "closeSession":
        return this.#close(zxid, session, txn.paths ?? []);
      case "multi":
        if (txn.txns.every(({ kind }) => kind !== "error")) for (const sub of txn.txns) this.#applySub(zxid, session, sub);
        return;
      default:
        this.#applySub(zxid, session, txn);
    }
  }

  #applySub(zxid: Zxid, session: SessionId, txn: SubTxn): void {
    switch (txn.kind) {
      case "create":
      case "create2":
        return this.#create(zxid, txn.path, txn.data, txn.ephemeral ? session : 0n);
      case "delete":
        return this.#delete(zxid, txn.path);
      case "setData": {
        const node = this.#existing(txn.path);
        if (txn.version !== node.version + 1)
          throw new Violation(`${txn.path} goes from version ${node.version} to ${txn.version}`);
        this.#line(txn.path).states.push({ zxid, node: { ...node, mzxid: zxid, version: txn.version, data: txn.data } });
        return;
      }
      case "check": {
        // As in ZooKeeper the txn holds the version after the one that was checked.
        const { version } = this.#existing(txn.path);
        if (txn.version !== version + 1)
          throw new Violation(`a check of ${txn.path} holds for version ${txn.version - 1} at ${version}`);
        return;
      }
      case "error":
      case "reconfig":
        return;
      default:
        throw new Violation(`nobody asked for a ${txn.kind}`);
    }
  }

  #create(zxid: Zxid, path: string, data: Uint8Array | null, owner: SessionId): void {
    const { parent, name } = split(path);
    const line = this.#line(path);
    if (line.node !== null) throw new Violation(`${path} is created twice`);
    if (this.#existing(parent).owner !== 0n) throw new Violation(`${path} is created under an ephemeral`);
    const parentLine = this.#line(parent);
    if (/\d{10}$/.test(name)) {
      if (parentLine.numbered.has(name)) throw new Violation(`${path}: its number was given away before`);
      parentLine.numbered.add(name);
    }
    if (owner !== 0n) {
      const session = this.#sessions.get(owner);
      if (session === undefined) throw new Violation(`${path} belongs to a session that is over`);
      session.ephemerals.add(path);
    }
    line.numbered.clear();
    line.states.push({ zxid, node: { czxid: zxid, mzxid: zxid, version: 0, owner, data } });
    parentLine.children.add(name);
    parentLine.changes.push({ zxid, name, added: true });
  }

  #delete(zxid: Zxid, path: string): void {
    const { parent, name } = split(path);
    const { owner } = this.#existing(path);
    const line = this.#line(path);
    if (line.children.size > 0) throw new Violation(`${path} is deleted with its children`);
    line.states.push({ zxid, node: null });
    this.#sessions.get(owner)?.ephemerals.delete(path);
    const parentLine = this.#line(parent);
    parentLine.children.delete(name);
    parentLine.changes.push({ zxid, name, added: false });
  }

  #close(zxid: Zxid, session: SessionId, paths: readonly string[]): void {
    const ephemerals = this.#sessions.get(session)?.ephemerals ?? new Set<string>();
    this.#sessions.delete(session);
    const left = new Set(ephemerals);
    for (const path of paths) {
      if (!left.delete(path)) throw new Violation(`session ${session} ends and takes ${path} with it, which is not its own`);
      this.#delete(zxid, path);
    }
    for (const path of left) throw new Violation(`session ${session} ends, and ${path} stays`);
  }

  #existing(path: string): Znode {
    const node = this.#lines.get(path)?.node ?? null;
    if (node === null) throw new Violation(`there is no ${path}`);
    return node;
  }

  #line(path: string): Line {
    const known = this.#lines.get(path);
    if (known !== undefined) return known;
    const line = new Line();
    this.#lines.set(path, line);
    return line;
  }
}

function split(path: string): { readonly parent: string; readonly name: string } {
  const cut = path.lastIndexOf("/");
  return { parent: cut === 0 ? "/" : path.slice(0, cut), name: path.slice(cut + 1) };
}

function firstAfter<T extends { readonly zxid: Zxid }>(
  changes: readonly T[],
  zxid: Zxid,
  counts: (change: T) => boolean,
): Zxid | null {
  let first: Zxid | null = null;
  for (let at = changes.length - 1; at >= 0 && changes[at]!.zxid > zxid; at--)
    if (counts(changes[at]!)) first = changes[at]!.zxid;
  return first;
}
