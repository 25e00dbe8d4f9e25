/**
 * Watch fan-out: one writer changes nodes that many sessions watch.
 *
 * A watcher that hears of a change reads the node and watches it again; once all watchers of a node do, the writer sets it anew.
 * One operation is one event delivered and its watch set again.
 *
 * Invariant: a node is only set while all watchers watch it, so every set fires exactly one event per watcher, and no event is
 * ever missing from the count.
 */

import type { Metrics } from "../metrics.ts";
import { EVENT_XID, getData, setData } from "./frames.ts";
import type { FanOutJob, Target } from "./job.ts";
import { Meter } from "./meter.ts";
import { ensure } from "./prepare.ts";
import { type FrameSink, REPLY_HEADER_BYTES, replyError, replyXid } from "./replies.ts";
import { PARENT_PATH } from "./script.ts";
import { Session } from "./session.ts";

const DATA = Buffer.alloc(100, "z");
const WATCHED_PATH = `${PARENT_PATH}/watched`;

export async function runFanOut(job: FanOutJob, target: Target): Promise<Metrics> {
  const paths = await prepareWatched(target.port, job.nodes);
  const meter = new Meter(target);
  const writer = new Writer(await Session.open(target.port), paths, job.watchers, meter);
  const watchers: Watcher[] = [];
  for (let index = 0; index < job.watchers; index++) {
    watchers.push(new Watcher(await Session.open(target.port), paths, writer, meter));
  }
  for (const watcher of watchers) watcher.start();
  const metrics = await meter.run();
  await writer.stop();
  await Promise.all(watchers.map((watcher) => watcher.stop()));
  return metrics;
}

/** Paths of equal length: an event tells its node by the last digits. */
async function prepareWatched(port: number, nodes: number): Promise<string[]> {
  const session = await Session.open(port);
  await ensure(session, PARENT_PATH, DATA);
  await ensure(session, WATCHED_PATH, DATA);
  const paths = Array.from({ length: nodes }, (_, node) => `${WATCHED_PATH}/${String(node).padStart(4, "0")}`);
  for (const path of paths) await ensure(session, path, DATA);
  await session.close();
  return paths;
}

class Writer implements FrameSink {
  readonly #session: Session;
  readonly #meter: Meter;
  readonly #sets: readonly Buffer[];
  readonly #watchers: number;
  /** Watchers that watch the node as it is now. */
  readonly #ready: number[];
  readonly #setAt: number[];
  #unanswered = 0;
  #stopped: (() => void) | null = null;

  constructor(session: Session, paths: readonly string[], watchers: number, meter: Meter) {
    this.#session = session;
    this.#meter = meter;
    this.#sets = paths.map((path) => setData(path, DATA));
    this.#watchers = watchers;
    this.#ready = paths.map(() => 0);
    this.#setAt = paths.map(() => 0);
    session.attach(this, meter.broken);
  }

  /** An event about `node` arrived somewhere. */
  heard(node: number): void {
    this.#meter.done(performance.now() - this.#setAt[node]!);
  }

  /** A watcher watches `node` (again). */
  watched(node: number): void {
    this.#ready[node]!++;
    if (this.#ready[node] !== this.#watchers || this.#stopped !== null) return;
    this.#ready[node] = 0;
    this.#setAt[node] = performance.now();
    this.#unanswered++;
    this.#session.write(this.#sets[node]!);
  }

  frame(buffer: Buffer, start: number): void {
    const error = replyError(buffer, start);
    if (error !== 0) this.#meter.failed(`setData was answered with error ${error}`);
    this.#unanswered--;
  }

  readDone(): void {
    if (this.#unanswered === 0) this.#stopped?.();
  }

  /** Sets no more; returns when all sets are answered. */
  async stop(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#stopped = resolve;
      this.#session.attach(this, reject);
      this.readDone();
    });
    await this.#session.close();
  }
}

class Watcher implements FrameSink {
  readonly #session: Session;
  readonly #writer: Writer;
  readonly #meter: Meter;
  readonly #reads: readonly Buffer[];
  /** Nodes whose reads are unanswered, oldest first. */
  readonly #reading: number[] = [];
  #toSend: Buffer[] = [];

  constructor(session: Session, paths: readonly string[], writer: Writer, meter: Meter) {
    this.#session = session;
    this.#writer = writer;
    this.#meter = meter;
    this.#reads = paths.map((path) => getData(path, true));
  }

  start(): void {
    this.#session.attach(this, this.#meter.broken);
    this.#reads.forEach((_, node) => {
      this.#watch(node);
    });
    this.readDone();
  }

  stop(): Promise<void> {
    return this.#session.close();
  }

  frame(buffer: Buffer, start: number, end: number): void {
    if (replyXid(buffer, start) === EVENT_XID) {
      const node = nodeOfEvent(buffer, start, end);
      this.#writer.heard(node);
      this.#watch(node);
      return;
    }
    const error = replyError(buffer, start);
    if (error !== 0) this.#meter.failed(`getData was answered with error ${error}`);
    this.#writer.watched(this.#reading.shift()!);
  }

  readDone(): void {
    if (this.#toSend.length === 0) return;
    this.#session.write(this.#toSend.length === 1 ? this.#toSend[0]! : Buffer.concat(this.#toSend));
    this.#toSend = [];
  }

  #watch(node: number): void {
    this.#reading.push(node);
    this.#toSend.push(this.#reads[node]!);
  }
}

/** The body of an event is type, state and path; the path ends in four digits. */
function nodeOfEvent(buffer: Buffer, start: number, end: number): number {
  const isDataChange = buffer.readInt32BE(start + REPLY_HEADER_BYTES) === 3;
  if (!isDataChange) throw new Error("an event came that is not NodeDataChanged");
  return Number(buffer.toString("latin1", end - 4, end));
}
