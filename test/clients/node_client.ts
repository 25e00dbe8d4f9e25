/**
 * npm's node-zookeeper-client, with promises and types around the parts that the tests use.
 *
 * Nothing is added to what it does: no retries, no caching. It numbers its requests from 0, never reads a reply's length twice, and
 * hangs up on an xid that it doesn't expect, which makes it a strict reader of what a server sends.
 */

import type { EventEmitter } from "node:events";
import { createRequire } from "node:module";

/** 64-bit numbers come as eight bytes. */
export interface NodeStat {
  readonly czxid: Buffer;
  readonly mzxid: Buffer;
  readonly ctime: Buffer;
  readonly mtime: Buffer;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  readonly ephemeralOwner: Buffer;
  readonly dataLength: number;
  readonly numChildren: number;
  readonly pzxid: Buffer;
}

export interface NodeAcl {
  readonly permission: number;
  readonly id: { readonly scheme: string; readonly id: string };
}

export interface NodeEvent {
  readonly name: string;
  readonly path: string;
}

export interface NodeTransaction {
  create(path: string, data: Buffer, mode?: number): NodeTransaction;
  setData(path: string, data: Buffer, version?: number): NodeTransaction;
  check(path: string, version?: number): NodeTransaction;
  remove(path: string, version?: number): NodeTransaction;
  commit(callback: (error: Error | null, results: readonly NodeTransactionResult[]) => void): void;
}

export interface NodeTransactionResult {
  readonly type: number;
  readonly path?: string;
  readonly err?: number;
}

type Watcher = ((event: NodeEvent) => void) | undefined;

interface RawClient extends EventEmitter {
  connect(): void;
  close(): void;
  getSessionId(): Buffer;
  getSessionPassword(): Buffer;
  getSessionTimeout(): number;
  addAuthInfo(scheme: string, auth: Buffer): void;
  transaction(): NodeTransaction;
  readonly connectionManager: { readonly socket: { destroy(): void }; connect(): void };
  readonly [method: string]: unknown;
}

export interface NodeClientOptions {
  readonly sessionTimeout?: number;
  readonly spinDelay?: number;
  readonly sessionId?: Buffer;
  readonly sessionPassword?: Buffer;
}

interface Library {
  createClient(address: string, options?: NodeClientOptions): RawClient;
  readonly ACL: new (permission: number, id: unknown) => NodeAcl;
  readonly Id: new (scheme: string, id: string) => unknown;
  readonly Permission: Readonly<Record<"READ" | "WRITE" | "CREATE" | "DELETE" | "ADMIN" | "ALL", number>>;
  readonly CreateMode: Readonly<Record<"PERSISTENT" | "PERSISTENT_SEQUENTIAL" | "EPHEMERAL" | "EPHEMERAL_SEQUENTIAL", number>>;
}

const SILENCE_MS_MAX = 20_000;

// It is CommonJS without types of its own.
export const zookeeper: Library = createRequire(import.meta.url)("node-zookeeper-client") as Library;

export class NodeClient implements AsyncDisposable {
  readonly raw: RawClient;
  /** Names of the states it went through: `SYNC_CONNECTED`, `DISCONNECTED`, `EXPIRED`, … */
  readonly states: string[] = [];

  constructor(address: string, options?: NodeClientOptions) {
    this.raw = zookeeper.createClient(address, options);
    this.raw.on("state", (state: { readonly name: string }) => this.states.push(state.name));
  }

  /** Connects and resolves once the session is established. */
  static async connect(address: string, options?: NodeClientOptions): Promise<NodeClient> {
    const client = new NodeClient(address, options);
    const connected = client.next("connected");
    client.raw.connect();
    await connected;
    return client;
  }

  /** Resolves at the next `connected`, `disconnected`, `expired` or `authenticationFailed`. */
  next(event: "connected" | "disconnected" | "expired" | "authenticationFailed"): Promise<void> {
    return new Promise((resolve, reject) => {
      const silence = setTimeout(() => reject(new Error(`not ${event} in ${SILENCE_MS_MAX} ms`)), SILENCE_MS_MAX);
      this.raw.once(event, () => {
        clearTimeout(silence);
        resolve();
      });
    });
  }

  async create(
    path: string,
    data: string | null = null,
    options: { acls?: readonly NodeAcl[]; mode?: number } = {},
  ): Promise<string> {
    const { acls, mode = zookeeper.CreateMode.PERSISTENT } = options;
    const [created] = await this.#call<[string]>("create", path, bytes(data), ...(acls === undefined ? [] : [acls]), mode);
    return created;
  }

  async remove(path: string, version = -1): Promise<void> {
    await this.#call<[]>("remove", path, version);
  }

  async exists(path: string, watcher?: Watcher): Promise<NodeStat | null> {
    const [stat] = await this.#call<[NodeStat | null]>("exists", path, watcher);
    return stat;
  }

  async getData(path: string, watcher?: Watcher): Promise<{ data: string | null; stat: NodeStat }> {
    const [data, stat] = await this.#call<[Buffer | null | undefined, NodeStat]>("getData", path, watcher);
    return { data: data?.toString("utf8") ?? null, stat };
  }

  async setData(path: string, data: string | null, version = -1): Promise<NodeStat> {
    const [stat] = await this.#call<[NodeStat]>("setData", path, bytes(data), version);
    return stat;
  }

  async getChildren(path: string, watcher?: Watcher): Promise<{ children: readonly string[]; stat: NodeStat }> {
    const [children, stat] = await this.#call<[string[], NodeStat]>("getChildren", path, watcher);
    return { children: [...children].sort(), stat };
  }

  async getACL(path: string): Promise<{ acls: readonly NodeAcl[]; stat: NodeStat }> {
    const [acls, stat] = await this.#call<[NodeAcl[], NodeStat]>("getACL", path);
    return { acls, stat };
  }

  async setACL(path: string, acls: readonly NodeAcl[], version = -1): Promise<NodeStat> {
    const [stat] = await this.#call<[NodeStat]>("setACL", path, acls, version);
    return stat;
  }

  async mkdirp(path: string): Promise<void> {
    await this.#call<[]>("mkdirp", path);
  }

  async removeRecursive(path: string): Promise<void> {
    await this.#call<[]>("removeRecursive", path);
  }

  /** Resolves with the outcome and, where there is one, the error: a failed transaction has results too. */
  transaction(
    build: (transaction: NodeTransaction) => void,
  ): Promise<{ error: Error | null; results: readonly NodeTransactionResult[] }> {
    const transaction = this.raw.transaction();
    build(transaction);
    return new Promise((resolve) => transaction.commit((error, results) => resolve({ error, results })));
  }

  /** Closes the session and resolves once the server has hung up. */
  async close(): Promise<void> {
    const disconnected = this.next("disconnected");
    this.raw.close();
    await disconnected;
  }

  /** Hangs up without a word and stays away: what a client does that has crashed. */
  fallSilent(): void {
    this.raw.connectionManager.connect = () => {};
    this.raw.connectionManager.socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.states.at(-1) === "SYNC_CONNECTED") await this.close();
    else this.raw.close();
  }

  #call<Results extends unknown[]>(method: string, ...args: unknown[]): Promise<Results> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, ...results: Results): void => (error === null ? resolve(results) : reject(error));
      // An absent watcher must be left out: the library counts arguments.
      const given = args.filter((arg) => arg !== undefined);
      (this.raw[method] as (...args: unknown[]) => void).call(this.raw, ...given, done);
    });
  }
}

/** An ACL entry: `acl("READ", "ip", "127.0.0.1")`. */
export function acl(permission: keyof Library["Permission"], scheme: string, id: string): NodeAcl {
  return new zookeeper.ACL(zookeeper.Permission[permission], new zookeeper.Id(scheme, id));
}

/** A stat without its times, its 64-bit numbers in hexadecimal. */
export function statWithoutTimes(stat: NodeStat): Record<string, string | number> {
  const { czxid, mzxid, pzxid, ephemeralOwner } = stat;
  const { version, cversion, aversion, dataLength, numChildren } = stat;
  const hex = Object.entries({ czxid, mzxid, pzxid, ephemeralOwner }).map(([name, value]) => [name, value.toString("hex")]);
  return { ...Object.fromEntries(hex), version, cversion, aversion, dataLength, numChildren };
}

function bytes(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text);
}
