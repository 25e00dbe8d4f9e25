/**
 * Replays a recorded exchange, `golden/client/*.jsonl`, against a server: sends what the clients sent, and compares what comes back
 * byte for byte, but for what no two runs share (the README there lists it).
 *
 * Frames go out in the recorded order, each after everything recorded before it has come in, so zxids fall as they fell. What
 * clients did past the recorder is done by a client of our own, see {@link Script}.
 */

import type { Op, Outcome } from "../../lib/model/ops.ts";
import type { Stat } from "../../lib/model/types.ts";
import {
  readHello,
  readRequest,
  readResponse,
  readWelcome,
  writeHello,
  writeReply,
  writeRequest,
  writeWelcome,
} from "../../lib/wire/codec.ts";
import { JuteReader } from "../../lib/wire/jute.ts";
import { replyHeader } from "../../lib/wire/records.ts";
import { type Address, bytesOf, FrameConnection } from "../support/frame_connection.ts";
import { type ClientRow, fromHex, toHex } from "../support/golden.ts";
import type { SendableOp } from "../support/ops.ts";
import { RawClient } from "../support/raw_client.ts";
import { fourLetterWord } from "../support/server_process.ts";
import { type Passwords, SaslTokens } from "./sasl_tokens.ts";
import { comparableAnswer } from "./word_answers.ts";

/** A row that came out differently. */
export interface RowDifference {
  readonly caption: string;
  readonly row: ClientRow;
  readonly actual: string;
}

export interface ReplayResult {
  readonly framesSent: number;
  /** Frames from the server, and ends of connections, that were as recorded. */
  readonly same: number;
  readonly differences: readonly RowDifference[];
  /** Answers not compared, by why. */
  readonly onPurpose: ReadonlyMap<string, number>;
}

/** What the rows don't hold: rows are counted from 0. */
export interface Script {
  /** Before a row: ops of a client that was not recorded, which connects at the first; or cut a connection. */
  readonly before?: Readonly<Record<number, { readonly ops?: readonly SendableOp[]; readonly cut?: number }>>;
  /** Texts that stand in this run for recorded ones of the same length, in frames of both directions. */
  readonly inPlaceOf?: readonly (readonly [recorded: string, actual: string])[];
  /** Of those who prove who they are by SASL. */
  readonly passwords?: Passwords;
  /** Answers that are meant to be different, or to be missing, and why. */
  readonly onPurpose?: readonly { readonly rows: readonly number[]; readonly why: string }[];
}

/** @param address of the server, or of each connection's */
export async function replay(
  rows: readonly ClientRow[],
  address: Address | ((conn: number) => Address),
  script: Script = {},
): Promise<ReplayResult> {
  const addressOf = typeof address === "function" ? address : () => address;
  const replaying = new Replay(addressOf, script, recordedAnswers(rows));
  try {
    for (const [at, row] of rows.entries()) await replaying.row(at, row);
  } finally {
    await replaying.end();
  }
  return replaying;
}

/** Answers to four-letter words by connection: text to the connection's end, in as many rows as it came. */
function recordedAnswers(rows: readonly ClientRow[]): ReadonlyMap<number, string> {
  const answers = new Map<number, string>();
  for (const { dir, conn, hex, note } of rows) {
    if (dir === "c2s" && note.startsWith("four-letter word")) answers.set(conn!, "");
    const answer = answers.get(conn!);
    if (dir === "s2c" && answer !== undefined) answers.set(conn!, answer + textOf(hex));
  }
  return answers;
}

function textOf(hex: string): string {
  return Buffer.from(hex, "hex").toString("latin1");
}

/** How long an answer may take on a busy machine. */
const ANSWER_MS_MAX = 10_000;

class Replay implements ReplayResult {
  framesSent = 0;
  same = 0;
  readonly differences: RowDifference[] = [];
  readonly onPurpose = new Map<string, number>();
  readonly #addressOf: (conn: number) => Address;
  readonly #script: Script;
  readonly #answers: ReadonlyMap<number, string>;
  readonly #connections = new Map<number, Connection>();
  readonly #sessions = new Sessions();
  #unrecorded: RawClient | null = null;
  #caption = "";

  constructor(addressOf: (conn: number) => Address, script: Script, answers: ReadonlyMap<number, string>) {
    this.#addressOf = addressOf;
    this.#script = script;
    this.#answers = answers;
  }

  async row(at: number, row: ClientRow): Promise<void> {
    await this.#beforeRow(at);
    if (row.dir === "comment") {
      this.#caption = row.note;
      return;
    }
    const answer = this.#answers.get(row.conn!);
    if (answer !== undefined) {
      if (row.dir === "c2s") await this.#word(row, answer);
      return;
    }
    const connection = await this.#connection(row.conn!);
    if (row.dir === "c2s" && row.hex === "") return await connection.stream.drop();
    if (row.dir === "c2s") {
      this.framesSent++;
      connection.stream.send(connection.outgoing(this.#inThisRun(wholeFrame(row))));
      return;
    }
    const purpose = this.#script.onPurpose?.find(({ rows }) => rows.includes(at));
    if (purpose !== undefined) {
      this.onPurpose.set(purpose.why, (this.onPurpose.get(purpose.why) ?? 0) + 1);
      await connection.passOver(row);
      return;
    }
    const actual = row.hex === "" ? await connection.expectEnd() : await connection.compareNext(row);
    if (actual === null) this.same++;
    else this.differences.push({ caption: this.#caption, row, actual });
  }

  #inThisRun(bytes: Uint8Array): Uint8Array {
    return exchanged(bytes, this.#script.inPlaceOf ?? []);
  }

  #asRecorded(bytes: Uint8Array): Uint8Array {
    const pairs = this.#script.inPlaceOf ?? [];
    return exchanged(
      bytes,
      pairs.map(([recorded, actual]) => [actual, recorded]),
    );
  }

  async #word(row: ClientRow, recorded: string): Promise<void> {
    this.framesSent++;
    const asked = textOf(row.hex);
    const actual = await fourLetterWord(this.#addressOf(row.conn!).port, asked);
    const [expected, given] = [recorded, actual].map((text) => comparableAnswer(asked.slice(0, 4), text));
    if (given === expected) this.same++;
    else this.differences.push({ caption: this.#caption, row, actual: `${given}\nwhere this was expected:\n${expected}` });
  }

  async end(): Promise<void> {
    await Promise.all([...this.#connections.values()].map(({ stream }) => stream.drop()));
    await this.#unrecorded?.drop();
  }

  async #beforeRow(at: number): Promise<void> {
    const { ops, cut } = this.#script.before?.[at] ?? {};
    if (cut !== undefined) await this.#connections.get(cut)!.stream.drop();
    if (ops === undefined) return;
    this.#unrecorded ??= await RawClient.connect(this.#addressOf(0), { timeOut: 10_000 });
    for (const op of ops) await this.#unrecorded.request(op);
  }

  async #connection(number: number): Promise<Connection> {
    const known = this.#connections.get(number);
    if (known !== undefined) return known;
    const connection = new Connection(
      await FrameConnection.open(this.#addressOf(number)),
      this.#sessions,
      new SaslTokens(this.#script.passwords ?? {}),
      (body) => this.#asRecorded(body),
    );
    this.#connections.set(number, connection);
    return connection;
  }
}

/** Sessions of this run, by the ids that were recorded. */
class Sessions {
  readonly #byRecorded = new Map<bigint, { readonly id: bigint; readonly recorded: string; readonly passwd: Uint8Array }>();

  /** Pairs the two answers to a new session's handshake. */
  pair(recorded: JuteReader, actual: JuteReader): void {
    const was = readWelcome(recorded);
    const is = readWelcome(actual);
    if (was.sessionId === 0n || this.#byRecorded.has(was.sessionId)) return;
    this.#byRecorded.set(was.sessionId, { id: is.sessionId, recorded: toHex(was.passwd), passwd: is.passwd });
  }

  idOf(recorded: bigint): bigint {
    return this.#byRecorded.get(recorded)?.id ?? recorded;
  }

  /** The password that stands for the recorded one; a wrong one stays as wrong as it was. */
  passwdOf(sessionId: bigint, recorded: Uint8Array | null): Uint8Array | null {
    const session = this.#byRecorded.get(sessionId);
    return session !== undefined && recorded !== null && toHex(recorded) === session.recorded ? session.passwd : recorded;
  }
}

const REPLY_HEADER_BYTES = 16;

interface SaslReply {
  readonly header: string;
  readonly err: number;
  readonly token: Uint8Array | null;
}

class Connection {
  readonly stream: FrameConnection;
  readonly #sessions: Sessions;
  readonly #sasl: SaslTokens;
  readonly #asRecorded: (body: Uint8Array) => Uint8Array;
  #state: "hello" | "welcome" | "open" = "hello";
  #short = false;
  readonly #asked = new Map<number, Op["kind"][]>();

  constructor(stream: FrameConnection, sessions: Sessions, sasl: SaslTokens, asRecorded: (body: Uint8Array) => Uint8Array) {
    this.stream = stream;
    this.#asRecorded = asRecorded;
    this.#sessions = sessions;
    this.#sasl = sasl;
  }

  /** A recorded frame as it is sent in this run. */
  outgoing(frame: Uint8Array): Uint8Array {
    const body = new JuteReader(frame.subarray(4));
    if (this.#state === "hello") return this.#helloOf(frame, body);
    if (body.remaining < 8) return frame;
    const xid = body.int();
    const op = readRequest(body.int(), body);
    this.#asked.set(xid, [...(this.#asked.get(xid) ?? []), op.kind === "unreadable" ? op.op : op.kind]);
    if (op.kind !== "sasl" || op.token === null) return frame;
    const token = this.#sasl.outgoing(op.token);
    return bytesOf((out) => writeRequest(out, xid, { kind: "sasl", token }));
  }

  #helloOf(frame: Uint8Array, body: JuteReader): Uint8Array {
    if (body.remaining < 28) return frame;
    const protocolVersion = body.peekInt();
    const { hello, short } = readHello(body);
    this.#state = "welcome";
    this.#short = short;
    if (hello.sessionId === 0n || protocolVersion !== 0) return frame;
    const sessionId = this.#sessions.idOf(hello.sessionId);
    const passwd = this.#sessions.passwdOf(hello.sessionId, hello.passwd);
    return bytesOf((out) => writeHello(out, { ...hello, sessionId, passwd }, short));
  }

  /** An answer that is not looked at. */
  async passOver(row: ClientRow): Promise<void> {
    if (row.hex === "") return;
    const { xid } = replyHeader(new JuteReader(fromHex(row.hex).subarray(4)));
    this.#asked.get(xid)?.shift();
    await within(this.stream.next());
  }

  /** null if the connection ends, and otherwise what comes instead. */
  async expectEnd(): Promise<string | null> {
    const body = await within(this.stream.next());
    if (body === null) return null;
    return body === "nothing" ? "no end" : `a frame: ${toHex(body)}`;
  }

  /** null if the next frame is as recorded, and otherwise what it is. */
  async compareNext(row: ClientRow): Promise<string | null> {
    const body = await within(this.stream.next());
    if (body === null) return "the connection's end";
    if (body === "nothing") return "nothing";
    return this.#compare(row, this.#asRecorded(body));
  }

  #compare(row: ClientRow, body: Uint8Array): string | null {
    const recorded = fromHex(row.hex).subarray(4);
    if (row.truncatedAt !== undefined) {
      const isSame = body.length === row.fullLength! - 4 && toHex(body.subarray(0, recorded.length)) === toHex(recorded);
      return isSame ? null : `${body.length} bytes: ${toHex(body.subarray(0, recorded.length))}`;
    }
    const [expected, actual] = this.#comparable(recorded, body);
    return expected === actual ? null : `${toHex(body)}, comparably ${actual}, where ${expected} was expected`;
  }

  /** The two bodies with what no two runs share made equal. */
  #comparable(recorded: Uint8Array, actual: Uint8Array): [string, string] {
    if (this.#state === "welcome") {
      this.#state = "open";
      this.#sessions.pair(new JuteReader(recorded), new JuteReader(actual));
      return [this.#welcomeOf(recorded, true), this.#welcomeOf(actual, false)];
    }
    const { xid, err } = replyHeader(new JuteReader(recorded));
    const op = err === 0 && xid === -1 ? undefined : this.#asked.get(xid)?.shift();
    if (op === undefined || err !== 0) return [toHex(recorded), toHex(actual)];
    if (op === "sasl") return this.#saslOf(recorded, actual);
    return [this.#replyOf(recorded, op, true), this.#replyOf(actual, op, false)];
  }

  #welcomeOf(body: Uint8Array, isRecorded: boolean): string {
    const welcome = readWelcome(new JuteReader(body));
    const sessionId = isRecorded ? this.#sessions.idOf(welcome.sessionId) : welcome.sessionId;
    const passwd = isRecorded ? (this.#sessions.passwdOf(welcome.sessionId, welcome.passwd) ?? welcome.passwd) : welcome.passwd;
    const bytes = bytesOf((out) => writeWelcome(out, { ...welcome, sessionId, passwd }, this.#short));
    return toHex(bytes.subarray(4));
  }

  #saslOf(recorded: Uint8Array, actual: Uint8Array): [string, string] {
    const [was, is] = [recorded, actual].map((body) => {
      const reader = new JuteReader(body);
      return { header: toHex(body.subarray(0, REPLY_HEADER_BYTES)), err: replyHeader(reader).err, token: reader.buffer() };
    }) as [SaslReply, SaslReply];
    if (is.err !== 0 || was.token === null || is.token === null) return [toHex(recorded), toHex(actual)];
    const [expected, given] = this.#sasl.comparable(was.token, is.token);
    return [was.header + toHex(expected), is.header + toHex(given)];
  }

  /** Times become 0, recorded sessions those of this run, and lists without an order are put in one. */
  #replyOf(body: Uint8Array, op: Op["kind"], isRecorded: boolean): string {
    const reader = new JuteReader(body);
    const { xid, zxid, err } = replyHeader(reader);
    if (err !== 0) return toHex(body);
    const outcome = readResponse(reader, op, err);
    const same = withSharedParts(outcome, (id) => (isRecorded ? this.#sessions.idOf(id) : id));
    return toHex(bytesOf((out) => writeReply(out, xid, zxid, same)).subarray(4)) + "!".repeat(reader.remaining);
  }
}

function withSharedParts(outcome: Outcome, sessionOf: (id: bigint) => bigint): Outcome {
  const stat = (it: Stat): Stat => ({ ...it, ctime: 0, mtime: 0, ephemeralOwner: sessionOf(it.ephemeralOwner) });
  switch (outcome.kind) {
    case "stat":
    case "data":
    case "acl":
    case "pathStat":
      return { ...outcome, stat: stat(outcome.stat) };
    case "children":
      return { ...outcome, children: outcome.children.toSorted() };
    case "childrenStat":
      return { ...outcome, children: outcome.children.toSorted(), stat: stat(outcome.stat) };
    case "ephemerals":
      return { ...outcome, ephemerals: outcome.ephemerals.toSorted() };
    case "clientInfo":
      return { ...outcome, clientInfo: outcome.clientInfo.toSorted((a, b) => (a.scheme < b.scheme ? -1 : 1)) };
    case "multi":
      return {
        ...outcome,
        results: outcome.results.map((result) => {
          if ("stat" in result) return { ...result, stat: stat(result.stat) };
          return result.kind === "getChildren" ? { ...result, children: result.children.toSorted() } : result;
        }),
      };
    default:
      return outcome;
  }
}

function exchanged(bytes: Uint8Array, pairs: readonly (readonly [from: string, to: string])[]): Uint8Array {
  if (pairs.length === 0) return bytes;
  const text = Buffer.from(bytes).toString("latin1");
  return Buffer.from(
    pairs.reduce((rest, [from, to]) => rest.replaceAll(from, to), text),
    "latin1",
  );
}

const OPEN_ACL_AND_FLAGS = "000000010000001f00000005776f726c6400000006616e796f6e6500000000";

/** A frame too long to be recorded whole: a create whose data is all x, with the open ACL and no flags. */
function wholeFrame(row: ClientRow): Uint8Array {
  const start = fromHex(row.hex);
  if (row.truncatedAt === undefined) return start;
  const frame = new Uint8Array(row.fullLength!).fill(0x78);
  const end = fromHex(OPEN_ACL_AND_FLAGS);
  frame.set(start);
  frame.set(end, frame.length - end.length);
  return frame;
}

async function within<T>(awaited: Promise<T>): Promise<T | "nothing"> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<"nothing">((resolve) => {
    timer = setTimeout(resolve, ANSWER_MS_MAX, "nothing");
  });
  try {
    return await Promise.race([awaited, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
