/**
 * One client of a script on one server: a connection, the session on it, and what came back, as lines in order of arrival.
 *
 * Invariant: when `settled` resolves, everything that the server said to this client because of earlier steps has arrived.
 */

import type { Hello } from "../../lib/kernel/messages.ts";
import { ERROR_NUMBERS } from "../../lib/model/errors.ts";
import type { Op, Outcome } from "../../lib/model/ops.ts";
import { PING_XID, readResponse, readWelcome, writeHello } from "../../lib/wire/codec.ts";
import { JuteReader } from "../../lib/wire/jute.ts";
import { replyHeader } from "../../lib/wire/records.ts";
import { type Address, bytesOf, FrameConnection } from "../support/frame_connection.ts";
import type { SendableOp } from "../support/ops.ts";
import { frameOf, opInPlace, type Request } from "./script.ts";
import { isEvent, type Transcriber } from "./transcript.ts";

interface Session {
  readonly id: bigint;
  readonly passwd: Uint8Array;
}

export class Slot {
  session: Session | null = null;
  /** The newest zxid that the server has told this client. */
  lastZxid = 0n;
  readonly #answerMsMax: number;
  readonly #address: Address;
  readonly #transcriber: Transcriber;
  readonly #lines: string[] = [];
  #connection: FrameConnection | null = null;
  /** Kinds of the requests not yet answered. */
  #asked: Op["kind"][] = [];
  /** Whether the answer to the handshake is still to come, and to which of its two forms. */
  #greeting: "none" | "short" | "long" = "none";
  #lastXid = 0;
  #lastReply: Uint8Array | null = null;
  #wake: () => void = () => {};

  constructor(address: Address, transcriber: Transcriber, answerMsMax: number) {
    this.#answerMsMax = answerMsMax;
    this.#address = address;
    this.#transcriber = transcriber;
  }

  get isConnected(): boolean {
    return this.#connection !== null;
  }

  /** What has come since the last call. */
  takeLines(): string[] {
    return this.#lines.splice(0);
  }

  /** Shakes hands on a new connection. It takes the place of the one before, which the server is to end. */
  async connect(hello: Hello, short = false): Promise<void> {
    const before = this.#connection;
    const connection = await FrameConnection.open(this.#address);
    this.#connection = connection;
    this.#lastReply = null;
    this.#asked = [];
    this.#greeting = short ? "short" : "long";
    connection.onFrame = (body) => this.#hear(connection, body);
    void connection.ended.then(() => this.#end(connection));
    connection.send(bytesOf((out) => writeHello(out, hello, short)));
    await this.#answered();
    if (this.session === null) await this.#within(connection.ended); // refused
    if (before === null) return;
    const isEnded = (await this.#within(before.ended)) !== "nothing";
    this.#lines.push(`the former connection ${isEnded ? "ends" : "stays"}`);
    await before.drop();
  }

  /** Asks for all at once, and waits for the answers. `now` is the newest zxid there is. */
  async ask(requests: readonly Request[], root: string, now: bigint): Promise<void> {
    if (this.#connection === null) return;
    const frames = requests.map(({ op, xid = ++this.#lastXid, bytes }) => {
      this.#asked.push(op.kind);
      return frameOf(opInPlace(op, root, now), xid, bytes);
    });
    this.#connection.send(Buffer.concat(frames));
    await this.#answered();
  }

  /** Asks for one thing and gives what it is answered; null if it is not. */
  async request(op: SendableOp): Promise<Outcome | null> {
    this.#lastReply = null;
    await this.ask([{ op }], "", 0n);
    if (this.#lastReply === null) return null;
    const reader = new JuteReader(this.#lastReply);
    return readResponse(reader, op.kind, replyHeader(reader).err);
  }

  /** A round trip that everything under way has to precede; or the end, where the last answer was one that the server ends with. */
  async settled(): Promise<void> {
    if (this.#lastReply !== null && announcesEnd(this.#lastReply)) await this.endedByServer();
    await this.ask([{ op: { kind: "ping" }, xid: PING_XID }], "", 0n);
  }

  async drop(): Promise<void> {
    const connection = this.#connection;
    this.#connection = null;
    await connection?.drop();
  }

  /** Waits until the server ends the connection. */
  async endedByServer(): Promise<void> {
    if (this.#connection !== null) await this.#within(this.#connection.ended);
  }

  /** Resolves when nothing waits for its answer, or the connection ends; tells if neither comes. */
  async #answered(): Promise<void> {
    const isDone = (): boolean => this.#connection === null || (this.#greeting === "none" && this.#asked.length === 0);
    if (isDone()) return;
    const woken = new Promise<"woken">((resolve) => {
      this.#wake = () => {
        if (isDone()) resolve("woken");
      };
    });
    if ((await this.#within(woken)) === "woken") return;
    this.#lines.push(`no answer in ${this.#answerMsMax} ms to ${this.#asked.join(", ") || "the handshake"}`);
    this.#asked = [];
    this.#greeting = "none";
  }

  #hear(connection: FrameConnection, body: Uint8Array): void {
    if (connection !== this.#connection) return;
    if (this.#greeting !== "none") {
      this.#welcome(body);
    } else if (isEvent(body)) {
      this.#lines.push(this.#transcriber.event(body));
    } else {
      this.#lines.push(this.#transcriber.reply(body, this.#asked.shift() ?? "unknown"));
      this.#lastReply = body;
      const { zxid } = replyHeader(new JuteReader(body));
      if (zxid > this.lastZxid) this.lastZxid = zxid;
    }
    this.#wake();
  }

  #welcome(body: Uint8Array): void {
    const { sessionId, passwd } = readWelcome(new JuteReader(body));
    this.session = sessionId === 0n ? null : { id: sessionId, passwd };
    this.#lines.push(this.#transcriber.welcome(body, this.#greeting === "short"));
    this.#greeting = "none";
  }

  async #within<T>(awaited: Promise<T>): Promise<T | "nothing"> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<"nothing">((resolve) => {
      timer = setTimeout(resolve, this.#answerMsMax, "nothing");
    });
    try {
      return await Promise.race([awaited, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  #end(connection: FrameConnection): void {
    if (connection !== this.#connection) return;
    this.#connection = null;
    this.#asked = [];
    this.#lines.push("the connection ends");
    this.#wake();
  }
}

/** An opcode that is not served, or an identity that is refused: the server ends the connection, if not at once. */
function announcesEnd(reply: Uint8Array): boolean {
  const { zxid, err } = replyHeader(new JuteReader(reply));
  return err === ERROR_NUMBERS.AuthFailed || (err === ERROR_NUMBERS.Unimplemented && zxid === -1n);
}
