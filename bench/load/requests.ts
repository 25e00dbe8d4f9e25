/**
 * Closed loops: each connection keeps a fixed number of requests outstanding and sends one for every reply.
 *
 * Requests that become due during one read are written together, as real pipelining clients do. Replies are checked against the
 * xid that is due and for an error; bodies are not read.
 *
 * Invariant: replies come in the order of the requests, so the reply due is always the oldest outstanding one.
 */

import type { Metrics } from "../metrics.ts";
import { PING_XID, patchXid, sync } from "./frames.ts";
import type { RequestsJob, Target } from "./job.ts";
import { Meter } from "./meter.ts";
import { prepareNodes } from "./prepare.ts";
import { type FrameSink, replyError, replyXid } from "./replies.ts";
import { type Script, script } from "./script.ts";
import { Session } from "./session.ts";

export async function runRequests(job: RequestsJob, target: Target): Promise<Metrics> {
  await prepareNodes(target.port, job);
  const meter = new Meter(target);
  const loops: RequestLoop[] = [];
  for (let connection = 0; connection < job.connections; connection++) {
    const session = await Session.open(target.ports[connection % target.ports.length]!);
    await session.call(sync("/")); // what was prepared has come to this member
    loops.push(new RequestLoop(session, script(job, connection), meter));
  }
  for (const loop of loops) loop.start(job.outstanding);
  const metrics = await meter.run();
  await Promise.all(loops.map((loop) => loop.stop()));
  return metrics;
}

export class RequestLoop implements FrameSink {
  readonly #session: Session;
  readonly #script: Script;
  readonly #meter: Meter;
  readonly #xidsDue: Int32Array;
  readonly #sentAt: Float64Array;
  #xid = 0;
  #nextToSend = 0;
  #nextToHear = 0;
  #outstanding = 0;
  #answered = 0;
  #now = 0;
  #stopped: (() => void) | null = null;

  constructor(session: Session, script: Script, meter: Meter) {
    this.#session = session;
    this.#script = script;
    this.#meter = meter;
    // A ping is told by its xid, which stays; all others get the next number each time they are sent.
    this.#xidsDue = Int32Array.from({ length: script.length }, (_, at) => replyXid(script.frames, script.starts[at]! + 4));
    this.#sentAt = new Float64Array(script.length);
  }

  start(outstanding: number): void {
    this.#session.attach(this, this.#meter.broken);
    this.#now = performance.now();
    this.#send(outstanding);
  }

  /** Lets outstanding requests finish, then closes the session. */
  async stop(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#stopped = resolve;
      this.#session.attach(this, reject);
    });
    await this.#session.close();
  }

  frame(buffer: Buffer, start: number): void {
    if (this.#answered === 0) this.#now = performance.now();
    const due = this.#nextToHear;
    const error = replyError(buffer, start);
    if (error !== 0) this.#meter.failed(`a request was answered with error ${error}`);
    const xid = replyXid(buffer, start);
    if (xid !== this.#xidsDue[due]) this.#meter.failed(`reply ${xid} came when ${this.#xidsDue[due]} was due`);
    this.#meter.done(this.#now - this.#sentAt[due]!);
    this.#nextToHear = due + 1 === this.#script.length ? 0 : due + 1;
    this.#outstanding--;
    this.#answered++;
  }

  readDone(): void {
    const answered = this.#answered;
    this.#answered = 0;
    if (this.#stopped === null) this.#send(answered);
    else if (!this.#script.mayStopAt[this.#nextToSend]) this.#send(1);
    else if (this.#outstanding === 0) this.#stopped();
  }

  #send(count: number): void {
    const { frames, starts, length } = this.#script;
    let from = this.#nextToSend;
    for (let left = count; left > 0; left--) {
      const at = this.#nextToSend;
      if (this.#xidsDue[at] !== PING_XID) {
        this.#xid = (this.#xid % 0x7fffffff) + 1;
        this.#xidsDue[at] = this.#xid;
        patchXid(frames, starts[at]!, this.#xid);
      }
      this.#sentAt[at] = this.#now;
      this.#nextToSend = at + 1 === length ? 0 : at + 1;
      if (this.#nextToSend === 0) {
        this.#session.write(frames.subarray(starts[from]!));
        from = 0;
      }
    }
    if (this.#nextToSend > from) this.#session.write(frames.subarray(starts[from]!, starts[this.#nextToSend]!));
    this.#outstanding += count;
  }
}
