/**
 * Clients that write for as long as they are let, and remember what was acknowledged; and whole trees, to compare members by.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "../../adapters/tcp/mod.ts";
import { ZkError } from "../../lib/model/errors.ts";
import type { ZooKeeper } from "../../mod.ts";
import { projectPath } from "../support/root.ts";

/** Several clients with an ephemeral each, creating one znode after the other. */
export class Load {
  readonly acknowledged: string[] = [];
  readonly #clients: ZooKeeper[] = [];
  readonly #running: Promise<void>[] = [];
  #expired = 0;
  #isOver = false;

  static async start(servers: string, folder: string, clients = 3): Promise<Load> {
    const load = new Load();
    for (let at = 0; at < clients; at++) {
      const zk = await connect(servers, { sessionTimeoutMs: 15_000 });
      zk.onState(({ state }) => {
        if (state === "expired") load.#expired++;
      });
      if (at === 0) await zk.create(folder, "");
      await zk.create(`${folder}/ephemeral-${at}`, "", { mode: "ephemeral" });
      load.#clients.push(zk);
    }
    load.#running.push(...load.#clients.map((zk, at) => load.#write(zk, `${folder}/node-${at}-`)));
    // What goes wrong is told by `stop`; a test that has failed before it must not fail those behind it, too.
    for (const running of load.#running) running.catch(() => {});
    return load;
  }

  async #write(zk: ZooKeeper, prefix: string): Promise<void> {
    for (let count = 0; !this.#isOver; count++) {
      const path = `${prefix}${count}`;
      try {
        await zk.create(path, path);
        this.acknowledged.push(path);
      } catch (error) {
        // Cut off: it may have happened or not, and is no part of what was promised.
        if (!(error instanceof ZkError) || error.code !== "ConnectionLoss") throw error;
      }
    }
  }

  /** Ends the writing; the sessions must have lived through it, and their ephemerals with them. */
  async stop(folder: string): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
    const [first] = this.#clients;
    await first!.sync(folder);
    const { children } = await first!.getChildren(folder);
    const ephemerals = children.filter((name) => name.startsWith("ephemeral-"));
    assert.equal(this.#expired, 0, "sessions expired");
    assert.equal(ephemerals.length, this.#clients.length, "ephemerals are gone");
    for (const zk of this.#clients) await zk.close();
  }
}

/** kazoo as such a client: a process of its own. */
export class KazooLoad {
  readonly acknowledged: string[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #stderr = "";

  constructor(python: string, servers: string, folder: string) {
    this.#child = spawn(python, ["-B", projectPath("test/ensemble/kazoo_load.py"), servers, folder], { stdio: "pipe" });
    let rest = "";
    this.#child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      this.acknowledged.push(...lines);
    });
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.#ended = new Promise((resolve) => this.#child.once("close", resolve));
  }

  /** Ends the writing; its session must have lived through it, and its ephemeral with it. */
  async stop(): Promise<void> {
    this.#child.stdin!.end();
    assert.equal(await this.#ended, 0, this.#stderr);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}

/** Every znode but ZooKeeper's own: data, stat and ACL as text, by path. */
export async function treeOf(server: string): Promise<Map<string, string>> {
  await using zk = await connect(server, { sessionTimeoutMs: 15_000 });
  await zk.sync("/");
  const tree = new Map<string, string>();
  const waiting = ["/"];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (path === "/zookeeper") continue;
    const [{ data, stat }, { children }, { acl }] = await Promise.all([
      zk.getData(path),
      zk.getChildren(path),
      zk.getACL(path),
    ]);
    const shown = Object.entries(stat).map(([key, value]) => `${key}=${value}`);
    tree.set(path, `${Buffer.from(data ?? []).toString("hex")} ${shown.join(" ")} ${JSON.stringify(acl)}`);
    for (const name of children) waiting.push(path === "/" ? `/${name}` : `${path}/${name}`);
  }
  return tree;
}

/** Fails where the members' trees differ, where one lacks what was acknowledged, or has what was not. */
export async function assertSameTrees(
  servers: readonly string[],
  acknowledged: readonly string[] = [],
  lost: readonly string[] = [],
): Promise<void> {
  const [first, ...others] = await Promise.all(servers.map(treeOf));
  for (const path of acknowledged) assert.ok(first!.has(path), `${path} was acknowledged, and ${servers[0]} does not have it`);
  for (const path of lost) assert.ok(!first!.has(path), `${path} was lost, and ${servers[0]} has it`);
  for (const [at, other] of others.entries()) {
    for (const [path, node] of first!) assert.equal(other.get(path), node, `${path} on ${servers[at + 1]}`);
    assert.equal(other.size, first!.size, `znodes on ${servers[at + 1]}`);
  }
}
