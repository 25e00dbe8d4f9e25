/**
 * How a rule of ZooKeeper is tested: on a server of its own, through raw clients, by a test whose name is the rule.
 *
 * `ZOOKERNEL_TEST_SERVER=apache` holds the same rules against the real server, with the same configuration; a rule of another version,
 * or one that ours keeps differently on purpose, says so and is skipped there.
 */

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import type { Hello, Welcome } from "../../lib/kernel/messages.ts";
import type { Compat } from "../../lib/model/compat.ts";
import { type ErrorCode, errorCodeOf } from "../../lib/model/errors.ts";
import type { Outcome } from "../../lib/model/ops.ts";
import type { Stat } from "../../lib/model/types.ts";
import { exists, getAcl, getChildren, getData, type SendableOp } from "../support/ops.ts";
import { ConnectionEnded, RawClient, type Reply } from "../support/raw_client.ts";
import { serverUnderTest } from "../support/server_process.ts";
import { type GoldenConfig, startApache, startOurs } from "./servers.ts";

const onApache = serverUnderTest === "apache";

export interface RuleOptions {
  readonly config?: GoldenConfig;
  /** Makes the data directory that the server starts from; it is removed in the end. Default: it starts from nothing. */
  readonly folder?: () => Promise<string>;
  /** Whose rule it is; default 3.8. */
  readonly compat?: Compat;
  /** Why the real server of 3.8.0 doesn't keep it. */
  readonly notOnApache?: string;
}

/** A rule, and how to see that it is kept. */
export function rule(name: string, run: (server: RuleServer) => Promise<void>, options: RuleOptions = {}): void {
  const { config = {}, folder, compat = "3.8", notOnApache } = options;
  const skip = onApache && (notOnApache ?? (compat === "3.8" ? false : `it is a rule of ${compat}`));
  test(name, { skip, timeout: 60_000 }, async () => {
    const dataDir = await folder?.();
    const address = await (onApache ? startApache : startOurs(compat))(dataDir === undefined ? config : { ...config, dataDir });
    const server = new RuleServer(address);
    try {
      await run(server);
    } finally {
      await server.drop();
      await address.stop();
      if (dataDir !== undefined) rmSync(dataDir, { recursive: true, force: true });
    }
  });
}

export class RuleServer {
  readonly host: string;
  readonly port: number;
  readonly #clients: RuleClient[] = [];

  constructor({ host, port }: { readonly host: string; readonly port: number }) {
    this.host = host;
    this.port = port;
  }

  /** A client with a session. */
  async client(hello: Partial<Hello> = {}): Promise<RuleClient> {
    const client = await this.open();
    await client.raw.hello(hello);
    return client;
  }

  /** A client that has not said anything. */
  async open(): Promise<RuleClient> {
    const client = new RuleClient(await RawClient.open(this));
    this.#clients.push(client);
    return client;
  }

  /** Takes a client's session to a new connection. */
  attach({ sessionId, passwd, timeOut }: Welcome, hello: Partial<Hello> = {}): Promise<RuleClient> {
    return this.client({ sessionId, passwd, timeOut, ...hello });
  }

  async drop(): Promise<void> {
    await Promise.all(this.#clients.map(({ raw }) => raw.drop()));
  }
}

/** What an op came to: the error's name, or `Ok`; `ended` where the connection ended instead. */
export type Result = ErrorCode | "Ok" | "ended";

export class RuleClient {
  readonly raw: RawClient;

  constructor(raw: RawClient) {
    this.raw = raw;
  }

  get session(): Welcome {
    return this.raw.welcome;
  }

  ask(op: SendableOp): Promise<Reply> {
    return op.kind === "ping" ? this.raw.ping() : this.raw.request(op);
  }

  /** The error of an op, or `Ok`. */
  async result(op: SendableOp): Promise<Result> {
    try {
      const { err } = await this.ask(op);
      return err === 0 ? "Ok" : errorCodeOf(err);
    } catch (error) {
      if (error instanceof ConnectionEnded) return "ended";
      throw error;
    }
  }

  /** The errors of ops that are asked one after the other, as one line. */
  async results(...ops: readonly SendableOp[]): Promise<string> {
    const results: Result[] = [];
    for (const op of ops) results.push(await this.result(op));
    return results.join(" ");
  }

  /** What an op is answered; it must succeed. */
  async ok(op: SendableOp): Promise<Outcome> {
    const { err, outcome } = await this.ask(op);
    assert.equal(err === 0 ? "Ok" : errorCodeOf(err), "Ok", `${op.kind} of ${"path" in op ? op.path : "no path"}`);
    return outcome;
  }

  /** The zxid in the reply to an op, whatever it came to. */
  async zxid(op: SendableOp): Promise<number> {
    return Number((await this.ask(op)).zxid);
  }

  /** The path that an op has created. */
  async created(op: SendableOp): Promise<string | null> {
    const outcome = await this.ok(op);
    return outcome.kind === "path" || outcome.kind === "pathStat" ? outcome.path : null;
  }

  async stat(path: string): Promise<Stat> {
    const outcome = await this.ok(exists(path));
    assert.equal(outcome.kind, "stat");
    return outcome.kind === "stat" ? outcome.stat : assert.fail();
  }

  /** A znode's data as text; null is null. */
  async data(path: string): Promise<string | null> {
    const outcome = await this.ok(getData(path));
    if (outcome.kind !== "data") assert.fail();
    return outcome.data === null ? null : Buffer.from(outcome.data).toString("utf8");
  }

  async children(path: string): Promise<readonly string[]> {
    const outcome = await this.ok(getChildren(path));
    return outcome.kind === "children" ? outcome.children.toSorted() : assert.fail();
  }

  /** A znode's ACL, an entry as `perms:scheme:id`. */
  async acl(path: string): Promise<readonly string[]> {
    const outcome = await this.ok(getAcl(path));
    return outcome.kind === "acl" ? outcome.acl.map(({ perms, scheme, id }) => `${perms}:${scheme}:${id}`) : assert.fail();
  }

  /** Events since the last call, each as `NodeCreated /a`. All that earlier requests of anybody have caused have come by then. */
  async events(): Promise<readonly string[]> {
    await this.raw.ping();
    const events = this.raw.received.flatMap((one) => (one.kind === "event" ? [`${one.event.type} ${one.event.path}`] : []));
    this.raw.received.length = 0;
    return events;
  }

  /** Events and replies since the last call, in their order: replies as `reply 3`, by xid. */
  async history(): Promise<readonly string[]> {
    await this.raw.ping();
    const history = this.raw.received.map((one) =>
      one.kind === "event" ? `${one.event.type} ${one.event.path}` : `reply ${one.xid}`,
    );
    this.raw.received.length = 0;
    return history.filter((line) => line !== "reply -2");
  }
}
