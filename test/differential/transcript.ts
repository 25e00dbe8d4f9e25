/**
 * What one server says, as lines that another server's can be compared with.
 *
 * Left out of the lines is only what no two runs share: times and session ids. A session is told by its number, counted from the
 * server's first. A time is told by whether it is that of the txn it belongs to, which is as good as comparing it. Lists without
 * an order are put in one.
 *
 * Invariant: two messages with the same line are the same bytes, but for those parts. A body that our own codec can't reproduce
 * from what it read is added as it came.
 */

import { ERROR_NUMBERS, errorCodeOf } from "../../lib/model/errors.ts";
import type { MultiResult, Op, Outcome } from "../../lib/model/ops.ts";
import type { AclList, Stat } from "../../lib/model/types.ts";
import { sessionPassword } from "../../lib/session/identity.ts";
import { NOTIFICATION_XID, readResponse, readWelcome, writeReply, writeWelcome } from "../../lib/wire/codec.ts";
import { JuteError, JuteReader } from "../../lib/wire/jute.ts";
import { replyHeader, watcherEvent } from "../../lib/wire/records.ts";
import { bytesOf } from "../support/frame_connection.ts";
import { toHex } from "../support/golden.ts";
import { describeValue } from "./script.ts";

export class Transcriber {
  /** How often each op was answered in each way. */
  readonly answers: Map<string, number> = new Map();
  #firstSession: bigint | null = null;
  /** Of each zxid, the time that a Stat told of it first. */
  readonly #times = new Map<bigint, number>();

  /** A session as its number. */
  session(id: bigint): string {
    if (id === 0n) return "none";
    this.#firstSession ??= id;
    return `#${id - this.#firstSession}`;
  }

  welcome(body: Uint8Array, short: boolean): string {
    const { sessionId, passwd, ...rest } = readWelcome(new JuteReader(body));
    const expected = sessionId === 0n ? new Uint8Array(16) : sessionPassword(sessionId, null);
    const password = toHex(passwd) === toHex(expected) ? "its own" : toHex(passwd);
    const line = `welcome ${describeValue({ ...rest, session: this.session(sessionId), password })}`;
    const again = bytesOf((out) => writeWelcome(out, { sessionId, passwd, ...rest }, short)).subarray(4);
    return line + differenceOf(body, again);
  }

  event(body: Uint8Array): string {
    const reader = new JuteReader(body);
    const { zxid } = replyHeader(reader);
    const event = watcherEvent(reader);
    this.#count("event", `type ${event.type}`);
    return `event ${describeValue({ ...event, zxid })}`;
  }

  reply(body: Uint8Array, op: Op["kind"]): string {
    const reader = new JuteReader(body);
    const { xid, zxid, err } = replyHeader(reader);
    const head = `reply ${xid} zxid ${zxid} ${errorText(err)}`;
    this.#count(op, errorText(err));
    try {
      const outcome = readResponse(reader, op, err);
      if (outcome.kind === "multi") {
        for (const it of outcome.results) this.#count(`${op}: ${it.kind}`, it.kind === "error" ? it.code : "Ok");
      }
      const again = bytesOf((out) => writeReply(out, xid, zxid, outcome)).subarray(4);
      const text = outcome.kind === "error" || outcome.kind === "done" ? "" : ` ${describeValue(this.#shared(outcome))}`;
      return head + text + differenceOf(body, again);
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      return `${head} unreadable ${toHex(body.subarray(16))}`;
    }
  }

  #count(what: string, how: string): void {
    const key = `${what} ${how}`;
    this.answers.set(key, (this.answers.get(key) ?? 0) + 1);
  }

  #shared(outcome: Outcome): unknown {
    switch (outcome.kind) {
      case "stat":
      case "data":
      case "pathStat":
        return { ...outcome, stat: this.#stat(outcome.stat) };
      case "acl":
        return { acl: inOrder(outcome.acl), stat: this.#stat(outcome.stat) };
      case "children":
        return outcome.children.toSorted();
      case "childrenStat":
        return { children: outcome.children.toSorted(), stat: this.#stat(outcome.stat) };
      case "ephemerals":
        return outcome.ephemerals.toSorted();
      case "clientInfo":
        return outcome.clientInfo.map(describeValue).toSorted();
      case "multi":
        return outcome.results.map((result) => this.#sharedResult(result));
      default:
        return outcome;
    }
  }

  #sharedResult(result: MultiResult): unknown {
    if ("stat" in result) return { ...result, stat: this.#stat(result.stat) };
    return result.kind === "getChildren" ? { ...result, children: result.children.toSorted() } : result;
  }

  #stat(stat: Stat): unknown {
    const { czxid, mzxid, ctime, mtime, ephemeralOwner } = stat;
    const [created, modified] = [this.#time(czxid, ctime), this.#time(mzxid, mtime)];
    return { ...stat, ctime: created, mtime: modified, ephemeralOwner: this.session(ephemeralOwner) };
  }

  #time(zxid: bigint, time: number): string {
    const known = this.#times.get(zxid) ?? time;
    this.#times.set(zxid, known);
    return known === time ? "of the txn" : `${time - known} ms after the txn`;
  }
}

/** Whether a frame is a notification. */
export function isEvent(body: Uint8Array): boolean {
  const { xid, err } = replyHeader(new JuteReader(body));
  return xid === NOTIFICATION_XID && err === 0;
}

function errorText(err: number): string {
  const code = errorCodeOf(err);
  return err === 0 ? "Ok" : ERROR_NUMBERS[code] === err ? code : `error ${err}`;
}

/** A list of permissions as text: what the identities of one connection became has no order among itself. */
export function inOrder(acl: AclList): unknown[] {
  const entries: { readonly scheme: string; readonly perms: number; readonly ids: string[] }[] = [];
  for (const { perms, scheme, id } of acl) {
    const last = entries.at(-1);
    if (scheme === "digest" && last?.scheme === scheme && last.perms === perms) last.ids.push(id);
    else entries.push({ perms, scheme, ids: [id] });
  }
  return entries.map((entry) => ({ ...entry, ids: entry.ids.toSorted() }));
}

function differenceOf(body: Uint8Array, again: Uint8Array): string {
  const is = toHex(body);
  return is === toHex(again) ? "" : ` as ${is}`;
}
