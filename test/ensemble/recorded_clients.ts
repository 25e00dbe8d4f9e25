/**
 * Clients that write and read a few registers while an ensemble is in trouble, and remember what they were told and when; and the rules that their
 * history must keep.
 *
 * Invariant: an operation is in the history before it is sent. What was never answered may have happened or not.
 */
import assert from "node:assert/strict";
import { connect } from "../../adapters/tcp/mod.ts";
import { ZkError, type ZooKeeper } from "../../mod.ts";
import type { Random } from "../support/random.ts";

const REGISTERS = 4;
const SESSION_TIMEOUT_MS = 12_000;
const PAUSE_MS = 2;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

interface Write {
  readonly path: string;
  readonly value: string;
  readonly begun: number;
  ended: number;
  outcome: "unknown" | "done" | "not done";
  /** Of the znode and of the txn, where it is done. */
  version: number;
  zxid: bigint;
}

interface Read {
  readonly path: string;
  readonly value: string;
  readonly version: number;
}

/** One after the other, what one session was told of a register: by reads, and by its own writes. */
type SessionReads = Map<string, number>;

export class RecordedClients {
  readonly #servers: string;
  readonly #folder: string;
  readonly #random: Random;
  readonly #writes: Write[] = [];
  readonly #writers = new Map<string, Write>();
  readonly #reads: Read[] = [];
  readonly #created: string[] = [];
  readonly #running: Promise<void>[] = [];
  readonly #sessions = new Set<ZooKeeper>();
  /** Ephemerals of sessions that live, and of those that have expired. */
  readonly #ephemerals = new Map<string, boolean>();
  #isOver = false;
  #count = 0;
  #expired = 0;

  private constructor(servers: string, folder: string, random: Random) {
    this.#servers = servers;
    this.#folder = folder;
    this.#random = random;
  }

  static async start(servers: string, folder: string, random: Random, clients = 5): Promise<RecordedClients> {
    const recorded = new RecordedClients(servers, folder, random);
    await using zk = await connect(servers, { sessionTimeoutMs: SESSION_TIMEOUT_MS });
    await zk.create(folder, "");
    for (let at = 0; at < REGISTERS; at++) await zk.create(`${folder}/register-${at}`, "");
    for (let at = 0; at < clients; at++) recorded.#running.push(recorded.#client());
    for (const running of recorded.#running) running.catch(() => {});
    return recorded;
  }

  /** How many writes were acknowledged, for reports. */
  get acknowledged(): number {
    return this.#writes.filter(({ outcome }) => outcome === "done").length + this.#created.length;
  }

  get expired(): number {
    return this.#expired;
  }

  /** Paths that were acknowledged. */
  get created(): readonly string[] {
    return this.#created;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
  }

  async close(): Promise<void> {
    for (const zk of this.#sessions) await zk.close();
  }

  /** One session after the other, each for as long as it lives. */
  async #client(): Promise<void> {
    while (!this.#isOver) {
      const zk = await connect(this.#servers, { sessionTimeoutMs: SESSION_TIMEOUT_MS, logger: SILENT });
      this.#sessions.add(zk);
      const ephemeral = `${this.#folder}/ephemeral-${this.#count++}`;
      try {
        await this.#session(zk, ephemeral);
        return;
      } catch (error) {
        if (!(error instanceof ZkError) || error.code !== "SessionExpired") throw error;
        this.#expired++;
        this.#sessions.delete(zk);
        if (this.#ephemerals.has(ephemeral)) this.#ephemerals.set(ephemeral, false);
        await zk.close().catch(() => {});
      }
    }
  }

  async #session(zk: ZooKeeper, ephemeral: string): Promise<void> {
    const seen: SessionReads = new Map();
    for (let count = 0; !this.#isOver; count++) {
      try {
        if (count === 0) {
          await zk.create(ephemeral, "", { mode: "ephemeral" });
          this.#ephemerals.set(ephemeral, true);
        }
        await this.#step(zk, seen);
      } catch (error) {
        if (!(error instanceof ZkError) || error.code !== "ConnectionLoss") throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async #step(zk: ZooKeeper, seen: SessionReads): Promise<void> {
    const path = `${this.#folder}/register-${this.#random.below(REGISTERS)}`;
    const kind = this.#random.below(10);
    if (kind < 4) return await this.#read(zk, path, seen);
    if (kind < 8) return await this.#write(zk, path, seen);
    const created = await zk.create(`${this.#folder}/node-`, "", { mode: "persistent_sequential" });
    this.#created.push(created);
  }

  async #read(zk: ZooKeeper, path: string, seen: SessionReads): Promise<void> {
    const { data, stat } = await zk.getData(path);
    this.#reads.push({ path, value: new TextDecoder().decode(data!), version: stat.version });
    this.#sees(path, stat.version, seen);
  }

  #sees(path: string, version: number, seen: SessionReads): void {
    const before = seen.get(path) ?? 0;
    assert.ok(version >= before, `${path}: a session saw version ${version} after ${before}`);
    seen.set(path, version);
  }

  /** Half of them only where nobody was faster. */
  async #write(zk: ZooKeeper, path: string, seen: SessionReads): Promise<void> {
    const value = `value-${this.#count++}`;
    const expected = this.#random.below(2) === 0 ? seen.get(path) : undefined;
    const write: Write = { path, value, begun: performance.now(), ended: Infinity, outcome: "unknown", version: -1, zxid: -1n };
    this.#writes.push(write);
    this.#writers.set(value, write);
    try {
      const stat = await zk.setData(path, value, { version: expected ?? -1 });
      if (expected !== undefined) assert.equal(stat.version, expected + 1, `${path}: a conditional write`);
      Object.assign(write, { outcome: "done", version: stat.version, zxid: stat.mzxid, ended: performance.now() });
      this.#sees(path, stat.version, seen);
    } catch (error) {
      if (!(error instanceof ZkError)) throw error;
      if (error.applied === false) write.outcome = "not done";
      if (error.code !== "BadVersion") throw error;
    }
  }

  /** @throws AssertionError that says which rule the history breaks; `zk` is a client of the ensemble once all is well */
  async check(zk: ZooKeeper): Promise<void> {
    this.#checkOrder();
    const versions = this.#checkVersions();
    for (const { path, value, version } of this.#reads) this.#checkRead(path, value, version, versions);
    await zk.sync(this.#folder);
    for (let at = 0; at < REGISTERS; at++) {
      const path = `${this.#folder}/register-${at}`;
      const { data, stat } = await zk.getData(path);
      this.#checkRead(path, new TextDecoder().decode(data!), stat.version, versions);
      const acked = Math.max(0, ...this.#writes.filter((write) => write.path === path).map(({ version }) => version));
      assert.ok(stat.version >= acked, `${path} ends at version ${stat.version}, and ${acked} was acknowledged`);
      const maybe = this.#writes.filter((write) => write.path === path && write.outcome !== "not done").length;
      assert.ok(stat.version <= maybe, `${path} ends at version ${stat.version} after ${maybe} writes`);
    }
    for (const [path, lives] of this.#ephemerals) {
      if (lives) assert.notEqual(await zk.exists(path), null, `${path} is gone, and its session lives`);
    }
  }

  /** What was acknowledged before another write was begun stands before it. */
  #checkOrder(): void {
    const done = this.#writes.filter(({ outcome }) => outcome === "done");
    const byEnd = [...done].sort((one, other) => one.ended - other.ended);
    let [at, latest] = [0, -1n];
    for (const write of [...done].sort((one, other) => one.begun - other.begun)) {
      for (let before = byEnd[at]; before !== undefined && before.ended < write.begun; before = byEnd[++at])
        if (before.zxid > latest) latest = before.zxid;
      assert.ok(write.zxid > latest, `${write.path} was written at ${write.zxid}, after ${latest} had been acknowledged`);
    }
  }

  /** Each version of a register has one value, and later ones have later zxids. */
  #checkVersions(): Map<string, string> {
    const versions = new Map<string, string>();
    const done = this.#writes.filter(({ outcome }) => outcome === "done");
    for (const { path, version, value } of done) {
      const key = `${path}@${version}`;
      assert.equal(versions.get(key) ?? value, value, `${key} was acknowledged twice`);
      versions.set(key, value);
    }
    const last = new Map<string, number>();
    for (const { path, version, zxid } of done.sort((one, other) => (one.zxid < other.zxid ? -1 : 1))) {
      assert.ok(version > (last.get(path) ?? 0), `${path}: version ${version} at ${zxid} behind ${last.get(path)}`);
      last.set(path, version);
    }
    return versions;
  }

  /** What is read was written, is the same for everybody, and was not refused. */
  #checkRead(path: string, value: string, version: number, versions: Map<string, string>): void {
    if (version === 0) return assert.equal(value, "", path);
    const key = `${path}@${version}`;
    assert.equal(value, versions.get(key) ?? value, `${key} was read`);
    versions.set(key, value);
    const writer = this.#writers.get(value);
    assert.ok(writer?.path === path && writer.outcome !== "not done", `${key} is ${value}, which nobody wrote`);
  }
}
