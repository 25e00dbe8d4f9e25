/**
 * Every frame that real clients and servers of 3.8.0, 3.9.5 and 3.4.14 were recorded with is read and written again: the same
 * bytes must come out. What can't be is counted, with the reason.
 */

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { errorCodeOf } from "../../../lib/model/errors.ts";
import type { Op } from "../../../lib/model/ops.ts";
import {
  NOTIFICATION_XID,
  readEvent,
  readHello,
  readRequest,
  readResponse,
  readWelcome,
  writeEvent,
  writeHello,
  writeReply,
  writeRequest,
  writeWelcome,
} from "../../../lib/wire/codec.ts";
import { JuteReader, JuteWriter } from "../../../lib/wire/jute.ts";
import { replyHeader } from "../../../lib/wire/records.ts";
import { FOUR_LETTER_WORDS } from "../../../lib/wire/server_conn.ts";
import { type ClientRow, fromHex, goldenRows, toHex } from "../../support/golden.ts";
import { projectPath } from "../../support/root.ts";

/** Reads and writes one frame of a connection; a string says why it can't. */
type Frame = (body: JuteReader, out: JuteWriter) => string | undefined;

/** What a connection's recording is at. */
class Recorded {
  /** The first frame each way is the handshake; "words" is a connection that spoke four letters instead. */
  state: "hello" | "welcome" | "open" | "words" = "hello";
  short = false;
  /** Requests whose replies have not come, by xid: setWatches and pings share theirs. */
  readonly asked = new Map<number, Op[]>();

  readonly clientFrame: Frame = (body, out) => {
    if (this.state === "hello") {
      if (body.peekInt() !== 0) {
        this.state = "welcome";
        return "a protocol version other than the one we write";
      }
      const { hello, short } = readHello(body);
      this.state = "welcome";
      this.short = short;
      writeHello(out, hello, short);
      return undefined;
    }
    const xid = body.int();
    const op = readRequest(body.int(), body);
    this.asked.set(xid, [...(this.asked.get(xid) ?? []), op]);
    if (op.kind === "unreadable") return "a body that can't be read, recorded as such";
    if (op.kind === "multiRead" && op.ops === null) return "a multiRead of writes: they are dropped when read";
    writeRequest(out, xid, op);
    return body.remaining > 0 ? "surplus bytes or an opcode not served" : undefined;
  };

  readonly serverFrame: Frame = (body, out) => {
    if (this.state === "welcome") {
      this.state = "open";
      if (body.remaining === 16) return "the bare header that 3.8 answers a read-only client's handshake with";
      writeWelcome(out, readWelcome(body), this.short);
      return undefined;
    }
    const { xid, zxid, err } = replyHeader(body);
    if (xid === NOTIFICATION_XID && err === 0) {
      writeEvent(out, readEvent(body, zxid));
      return undefined;
    }
    const op = this.asked.get(xid)?.shift();
    if (op === undefined) return "a reply to a request that was recorded in part or not at all";
    const outcome = readResponse(body, op.kind, err);
    if (outcome.kind === "error" && errorCodeOf(err) === "SystemError" && err !== -1) return "an error number without a name";
    writeReply(out, xid, zxid, outcome);
    return undefined;
  };
}

describe("recorded frames, read and written again", () => {
  for (const file of readdirSync(projectPath("test", "golden", "client")).filter((name) => name.endsWith(".jsonl"))) {
    test(file, (t) => {
      const connections = new Map<number, Recorded>();
      const skipped = new Map<string, number>();
      let same = 0;
      for (const row of goldenRows<ClientRow>("client", file)) {
        if (row.dir === "comment" || row.hex === "") continue;
        const recorded = connections.get(row.conn!) ?? new Recorded();
        connections.set(row.conn!, recorded);
        const reason = passThrough(recorded, row);
        if (reason === undefined) same++;
        else skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
      }
      const reasons = [...skipped].map(([reason, count]) => `; ${count} not: ${reason}`);
      t.diagnostic(`${file}: ${same} frames the same${reasons.join("")}`);
    });
  }
});

function passThrough(recorded: Recorded, row: ClientRow): string | undefined {
  const frame = fromHex(row.hex);
  const word = Buffer.from(frame.subarray(0, 4)).toString("latin1");
  if (recorded.state === "hello" && FOUR_LETTER_WORDS.has(word)) recorded.state = "words";
  if (recorded.state === "words") return "four-letter words";
  if (row.truncatedAt !== undefined) return "recorded in part";
  const body = new JuteReader(frame);
  const length = body.int();
  if (length !== body.remaining) return "a length that is not the frame's, recorded as such";
  if (length < 8) return "too short for a header, recorded as such";
  const out = new JuteWriter();
  if (recorded.state === "hello" && length < 28) return "a handshake that can't be read, recorded as such";
  const reason = row.dir === "c2s" ? recorded.clientFrame(body, out) : recorded.serverFrame(body, out);
  if (reason === undefined) assert.equal(toHex(out.written()), row.hex, row.note);
  return reason;
}
