/**
 * One server and the clients of a script on it. Plays steps, and says what each client has got by them.
 *
 * Beside the script's clients there is a control client, with superuser rights: it makes the root, looks at the outcome, and cleans
 * up. What it is told is compared like everything else.
 */

import type { Hello } from "../../lib/kernel/messages.ts";
import type { Address } from "../support/frame_connection.ts";
import type { SendableOp } from "../support/ops.ts";
import { fourLetterWord } from "../support/server_process.ts";
import { until } from "../support/until.ts";
import { pipelines, type Step } from "./script.ts";
import { Slot } from "./slot.ts";
import { Transcriber } from "./transcript.ts";

/** Clients of a script. */
export const SLOTS = 3;
const CONTROL = SLOTS;
export const SUPER_PASSWORD = "super:test";

const SESSION_TIMEOUT_MS = 60_000;
const OPEN_ACL = [{ perms: 31, scheme: "world", id: "anyone" }];
const BUILT_IN = ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"];

export class Side {
  readonly name: string;
  readonly address: Address;
  readonly transcriber: Transcriber = new Transcriber();
  readonly #slots: readonly Slot[];
  readonly #oneByOne: boolean;

  /** `oneByOne`: nothing is pipelined. `answerMsMax`: how long to wait for an answer before we say that none comes. */
  constructor(name: string, address: Address, oneByOne = false, answerMsMax = 15_000) {
    this.name = name;
    this.address = address;
    this.#oneByOne = oneByOne;
    this.#slots = Array.from({ length: SLOTS + 1 }, () => new Slot(address, this.transcriber, answerMsMax));
  }

  /** Lines that came since the last call: a list for each client, the control client's last. */
  takeLines(): string[][] {
    return this.#slots.map((slot) => slot.takeLines());
  }

  /** The newest zxid that any client knows of. */
  get now(): bigint {
    let newest = 0n;
    for (const { lastZxid } of this.#slots) if (lastZxid > newest) newest = lastZxid;
    return newest;
  }

  async begin(root: string): Promise<void> {
    await this.#open(CONTROL);
    await this.control({ kind: "auth", scheme: "digest", auth: Buffer.from(SUPER_PASSWORD) });
    const nodes = ["", "/a", "/b", "/a/a", "/a/b"].map((end) => root + end);
    await this.control(
      ...nodes.map((path): SendableOp => ({ kind: "create", path, data: null, acl: OPEN_ACL, flags: 0, ttl: 0 })),
    );
    for (let slot = 0; slot < SLOTS; slot++) await this.#open(slot);
  }

  async play(step: Step, root: string): Promise<void> {
    switch (step.kind) {
      case "ask":
        await this.#open(step.slot);
        for (const group of step.atOnce ? [step.requests] : pipelines(step.requests, this.#oneByOne)) {
          await this.#slots[step.slot]!.ask(group, root, this.now);
          // Whether the connection is still there, it says with this.
          await this.#slots[step.slot]!.settled();
        }
        break;
      case "close":
        await this.#close(step.slot);
        break;
      case "drop":
        await this.#drop(step.slot);
        break;
      case "attach":
        await this.#attach(step);
        break;
      case "expire":
        await this.#expire(step);
        break;
    }
    await Promise.all(this.#slots.map((slot) => slot.settled()));
  }

  /** Asks for something as the control client. */
  async control(...ops: readonly SendableOp[]): Promise<void> {
    await this.#slots[CONTROL]!.ask(
      ops.map((op) => ({ op })),
      "",
      0n,
    );
  }

  /** Ends all sessions, removes everything, and opens what is left to all again. */
  async end(): Promise<void> {
    for (let slot = 0; slot < SLOTS; slot++) await this.#close(slot);
    const paths = await this.paths();
    const strangers = paths.filter((path) => !BUILT_IN.includes(path));
    await this.control(...strangers.toReversed().map((path): SendableOp => ({ kind: "delete", path, version: -1 })));
    await this.control(...BUILT_IN.map((path): SendableOp => ({ kind: "setACL", path, acl: OPEN_ACL, version: -1 })));
    await this.#close(CONTROL);
  }

  /** Cuts all connections. */
  async drop(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.drop()));
  }

  /** Reads the whole tree as the control client. */
  async readTree(): Promise<void> {
    const reads = (await this.paths()).flatMap((path): SendableOp[] => [
      { kind: "getData", path, watch: false },
      { kind: "getACL", path },
    ]);
    await this.control(...reads);
  }

  /** Every path there is, parents first, names in order. */
  async paths(): Promise<string[]> {
    const paths: string[] = ["/"];
    for (const path of paths) {
      const outcome = await this.#slots[CONTROL]!.request({ kind: "getChildren", path, watch: false });
      const names = outcome?.kind === "children" ? outcome.children.toSorted() : [];
      for (const name of names) paths.push(path === "/" ? `/${name}` : `${path}/${name}`);
    }
    return paths;
  }

  /** The answer to a four-letter word. */
  word(word: string): Promise<string> {
    return fourLetterWord(this.address.port, word);
  }

  /** Opens what the slot lacks: a session, or a connection for the one it has. */
  async #open(slot: number): Promise<void> {
    const client = this.#slots[slot]!;
    for (let times = 0; !client.isConnected && times < 2; times++) await client.connect(this.#hello(client));
  }

  #hello({ session }: Slot): Hello {
    const { id, passwd } = session ?? { id: 0n, passwd: new Uint8Array(16) };
    return { lastZxidSeen: 0n, timeOut: SESSION_TIMEOUT_MS, sessionId: id, passwd, readOnly: false };
  }

  async #close(slot: number): Promise<void> {
    const client = this.#slots[slot]!;
    if (client.session === null) return;
    await this.#open(slot);
    await client.ask([{ op: { kind: "closeSession" } }], "", 0n);
    await client.endedByServer();
    client.session = null;
  }

  async #drop(slot: number): Promise<void> {
    await this.#slots[slot]!.drop();
    const open = this.#slots.filter(({ isConnected }) => isConnected).length;
    // The one that asks counts, too.
    await until(
      async () => (await this.word("srvr")).includes(`Connections: ${open + 1}\n`),
      `${this.name} forgets a connection`,
    );
  }

  async #attach(step: Extract<Step, { kind: "attach" }>): Promise<void> {
    const client = this.#slots[step.slot]!;
    const { session } = client;
    if (session === null) return await this.#open(step.slot);
    if (step.former === "cut") await this.#drop(step.slot);
    const passwords = { right: session.passwd, wrong: new Uint8Array(16), short: new Uint8Array(3), null: null };
    const zxids = { none: 0n, now: this.now, ahead: this.now + 1000n };
    const passwd = passwords[step.passwd];
    const lastZxidSeen = zxids[step.lastZxidSeen];
    await client.connect({ ...this.#hello(client), timeOut: step.timeOut, passwd, lastZxidSeen }, step.short);
    // Refused is the connection, not the session.
    client.session = session;
  }

  async #expire({ slot, timeOut, connected }: Extract<Step, { kind: "expire" }>): Promise<void> {
    const client = this.#slots[slot]!;
    await this.#open(slot);
    const before = await this.#zxid();
    await client.connect({ ...this.#hello(client), timeOut });
    if (!connected) await this.#drop(slot);
    await until(async () => (await this.#zxid()) > before, `${this.name} expires a session`);
    await client.endedByServer();
    client.session = null;
  }

  async #zxid(): Promise<bigint> {
    const zxid = /^Zxid: 0x([0-9a-f]+)$/m.exec(await this.word("srvr"))?.[1];
    return BigInt(`0x${zxid ?? 0}`);
  }
}
