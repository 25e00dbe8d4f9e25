/**
 * Observation of a test's world, whether one server is in it or an ensemble: its sessions, its tree, its events, and why things went as they did.
 *
 * Not here: how the world comes about, and what the test does to it. Invariant: to ask changes nothing, but for {@link ObservedWorld.expire}.
 */

import { argumentError, describe } from "../base/validate.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { ZkError } from "../model/errors.ts";
import type { SessionId, Zxid } from "../model/types.ts";
import { takeOptions, znodePath } from "../options/shape.ts";
import type { Inspected, Server } from "../server/server.ts";
import { dumpKernel } from "./dump.ts";
import { EVENTS, type ExpectedTree, expectEvents, expectTree } from "./expect.ts";
import { explain } from "./explain.ts";
import { type JsonTree, toJson } from "./fixture.ts";
import { type EntryOf, type History, type HistoryEntry, separateHistory } from "./history.ts";
import { drawTree } from "./picture.ts";
import type { Recorder } from "./recorder.ts";
import { type SessionRef, sessionIdOf } from "./session_ref.ts";
import type { TestHost } from "./test_host.ts";
import { sessionText } from "./text.ts";
import { WATCH, type WatchRef, whyNot } from "./why_not.ts";

/** A server that runs, and what pumps it. */
export interface Running {
  readonly server: Server;
  readonly host: TestHost;
}

export abstract class ObservedWorld {
  readonly #recorder: Recorder;
  /** How much had happened when a session's events were last looked at; of the others, when this world began. */
  readonly #seen = new Map<SessionId, number>();
  readonly #begun: number;

  /** @internal */
  constructor(recorder: Recorder) {
    this.#recorder = recorder;
    this.#begun = recorder.count;
  }

  /** @internal The server that decides: the only one, or the leader. */
  protected abstract get running(): Running;

  /** @internal */
  protected get kernel(): Kernel {
    return this.running.host.member.kernel;
  }

  /**
   * Ends a session from the server's side, as happens when it has been silent for too long: its ephemerals go and their watches fire. Its client
   * loses the connection, and hears on its return that the session is over.
   *
   * @throws Error if there is no such session
   */
  expire(session: SessionRef): void {
    const id = sessionIdOf(session);
    if (this.kernel.sessions.get(id) === undefined) throw new Error(`There is no session ${sessionText(id)} to expire`);
    this.running.host.expire(id);
  }

  /** The sessions there are, whoever has them. */
  sessions(): SessionId[] {
    return Array.from(this.kernel.sessions.all(), ({ id }) => id);
  }

  /** Everything there is, as bytes for `load()` of a test server: znodes with Stat and ACL, sessions, the last zxid. */
  dump(): Uint8Array {
    return dumpKernel(this.kernel, this.running.host.clock.now());
  }

  /** The znodes as plain data for `JSON.stringify`, and for `fixture()`; without ephemerals, Stats and `/zookeeper`. */
  toJSON(): JsonTree {
    return toJson(this.kernel.database.tree);
  }

  /** A look at a znode, past all permissions; null if there is none. */
  inspect(path: string): Inspected | null {
    return this.running.server.inspect(path);
  }

  /** The tree below a path as text, the same for equal trees. */
  picture(path = "/"): string {
    znodePath(path, "draw the tree", "path");
    return drawTree(this.kernel.database.tree, path);
  }

  /**
   * Holds the tree below a path against znodes, or against a {@link picture}.
   *
   * @throws ExpectationError that says all that differs
   *
   * @example
   * ```ts
   * zk.expectTree({ "/config": "v2", "/locks": { kind: "container" } });
   * ```
   */
  expectTree(expected: string | ExpectedTree, path = "/"): void {
    znodePath(path, "compare the tree", "path");
    expectTree(this.kernel.database.tree, path, expected);
  }

  /**
   * Holds the events that were sent to a session, since the last time this was asked or since the world began, against a list:
   * `"NodeDeleted /lock"`.
   *
   * @throws ExpectationError that shows both; TypeError for a session that there never was, or what is no list of events
   */
  expectEvents(session: SessionRef, expected: readonly string[]): void {
    const id = sessionIdOf(session);
    const wanted = EVENTS(expected, "compare events", "expected");
    const { count } = this.#recorder;
    const { entries } = this.#recorder.history();
    if (!this.#isKnown(id, entries)) throw argumentError("compare events", `there has been no session ${sessionText(id)}`);
    const fresh = entries.slice(Math.max((this.#seen.get(id) ?? this.#begun) - (count - entries.length), 0));
    this.#seen.set(id, count);
    const isIts = (entry: HistoryEntry): entry is EntryOf<"event"> => entry.kind === "event" && entry.session === id;
    expectEvents(
      fresh.filter(isIts).map(({ type, path }) => `${type} ${path}`),
      wanted,
    );
  }

  /** Whether there is such a session, or was as far back as the history goes. */
  #isKnown(id: SessionId, entries: readonly HistoryEntry[]): boolean {
    const has = (entry: HistoryEntry): boolean => "session" in entry && entry.session === id;
    return id !== 0n && (this.kernel.sessions.get(id) !== undefined || this.#seen.has(id) || entries.some(has));
  }

  /** What has happened so far: a copy, of which nothing is shared. */
  history(): History {
    return separateHistory(this.#recorder.history());
  }

  /** In words: who asked for a txn, what it did, which watches it fired; or why the server refused what failed with an error. */
  explain(what: Zxid | ZkError): string {
    if (typeof what !== "bigint" && !(what instanceof ZkError))
      throw argumentError("explain", `it must be a zxid such as 5n or a ZkError, not ${describe(what)}`);
    return explain(this.#recorder.history(), what);
  }

  /** In words: why a watch has not fired. */
  whyNot(watch: WatchRef): string {
    return whyNot(this.#recorder.history(), takeOptions("explain a watch", watch, WATCH));
  }
}
