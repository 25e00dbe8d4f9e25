/**
 * Runs a row of `golden/semantics.jsonl` against a server and says what came out differently; see the README there for the rows.
 *
 * The server is an address: ours or the real one, freshly started with the row's config. Nothing is known here about how.
 */

import { isDeepStrictEqual } from "node:util";
import { ERROR_NUMBERS, errorCodeOf } from "../../lib/model/errors.ts";
import type { MultiResult, Outcome } from "../../lib/model/ops.ts";
import type { Stat } from "../../lib/model/types.ts";
import { writeRequest } from "../../lib/wire/codec.ts";
import { type Address, bytesOf } from "../support/frame_connection.ts";
import { fromHex, toHex } from "../support/golden.ts";
import { ConnectionEnded, RawClient, type Reply } from "../support/raw_client.ts";
import { type GoldenOp, opOf, RawStrings } from "./golden_op.ts";

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

export interface SemanticsRow {
  readonly id: string;
  readonly group: string;
  readonly note?: string;
  readonly config?: { readonly jvm?: readonly string[]; readonly [key: string]: unknown };
  readonly clients: readonly string[];
  readonly setup: readonly GoldenOp[];
  readonly setupResults: readonly Json[];
  readonly keepSetupEvents?: boolean;
  readonly op: GoldenOp;
  readonly result: JsonObject;
  readonly events: readonly JsonObject[];
  readonly waitMs?: number;
  readonly expectNoReply?: boolean;
  readonly closedClients?: readonly string[];
  readonly statAfter?: { readonly [path: string]: Json };
  readonly probe?: readonly { readonly op: GoldenOp; readonly result: JsonObject; readonly events?: readonly JsonObject[] }[];
}

/** Something that is not as recorded. */
export interface Difference {
  readonly where: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

/** Runs one row; an empty list means that all was as recorded. */
export async function runRow(row: SemanticsRow, address: Address): Promise<readonly Difference[]> {
  const run = new Run(row, address);
  try {
    await run.all();
  } finally {
    await run.end();
  }
  return run.differences;
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** How often and how long to look again for what takes time to happen. */
const LOOK_AGAIN_MS = 100;
const LOOK_AGAIN_TIMES = 100;

class Run {
  readonly differences: Difference[] = [];
  readonly #row: SemanticsRow;
  readonly #address: Address;
  readonly #clients = new Map<string, RawClient>();
  /** Clients whose connection the row itself ended. */
  readonly #left = new Set<string>();

  constructor(row: SemanticsRow, address: Address) {
    this.#row = row;
    this.#address = address;
  }

  async all(): Promise<void> {
    const row = this.#row;
    await this.#connectAll();
    const setupResults: Json[] = [];
    for (const op of row.setup) setupResults.push(setupResult(op, await this.#perform(op)));
    this.#compare("setupResults", row.setupResults, setupResults);
    if (!row.keepSetupEvents) await this.#settle();
    this.#forgetReceived();

    this.#compare("result", row.result, await this.#perform(row.op));
    if (row.waitMs !== undefined) await pause(row.waitMs);
    await this.#closings();
    await this.#settle();
    this.#compare("events", row.events, this.#events(row.op.c ?? "A"));
    for (const [path, expected] of Object.entries(row.statAfter ?? {})) await this.#compareStat(path, expected);
    for (const [at, probe] of (row.probe ?? []).entries()) await this.#probe(at, probe);
  }

  async end(): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.drop()));
  }

  async #connectAll(): Promise<void> {
    const connects = this.#row.setup.filter(({ op }) => op === "connect");
    for (const name of this.#row.clients) {
      const timeOut = connects.find(({ c }) => c === name)?.timeout ?? DEFAULT_TIMEOUT_MS;
      this.#clients.set(name, await RawClient.connect(this.#address, { timeOut }));
    }
  }

  /** Performs an op and gives its result in the form of the rows. */
  async #perform(golden: GoldenOp): Promise<JsonObject> {
    const name = golden.c ?? "A";
    const client = this.#clients.get(name)!;
    switch (golden.op) {
      case "connect": // done before anything else, see #connectAll
        return { err: "OK" };
      case "sleep":
        await pause(golden.ms!);
        return { err: "OK" };
      case "drop":
        this.#left.add(name);
        await client.drop();
        return { err: "OK" };
      case "reattach": {
        const { sessionId, passwd, timeOut } = client.welcome;
        await client.drop();
        this.#clients.set(name, await RawClient.connect(this.#address, { sessionId, passwd, timeOut }));
        return { err: "OK" };
      }
      default:
        return await this.#ask(name, client, golden);
    }
  }

  async #ask(name: string, client: RawClient, golden: GoldenOp): Promise<JsonObject> {
    if (golden.op === "closeSession") this.#left.add(name);
    try {
      const asked = this.#send(client, golden);
      // Replies keep the order of requests: once the ping is answered, there is none to come.
      if (golden === this.#row.op && this.#row.expectNoReply) {
        const reply = await Promise.race([asked, client.ping().then(() => null)]);
        return reply === null ? { err: "NO_REPLY" } : this.#resultOf(golden, reply);
      }
      return this.#resultOf(golden, await asked);
    } catch (error) {
      if (error instanceof ConnectionEnded) return { err: "CONNECTION_CLOSED" };
      throw error;
    }
  }

  #send(client: RawClient, golden: GoldenOp): Promise<Reply> {
    if (golden.op === "raw") {
      const { xid = 1, opnum, bytes } = golden;
      const head = bytesOf((out) => {
        out.int(8 + bytes!.length / 2);
        out.int(xid);
        out.int(opnum!);
      });
      return client.requestFrame(Buffer.concat([head, fromHex(bytes!)]), xid, "unknown");
    }
    const strings = new RawStrings();
    const op = opOf(golden, strings);
    if (op.kind === "ping") return client.ping();
    const xid = op.kind === "auth" ? -4 : 1;
    const frame = strings.restore(bytesOf((out) => writeRequest(out, xid, op)));
    return client.requestFrame(golden.noend ? withoutEnd(frame) : frame, xid, op.kind);
  }

  #resultOf(golden: GoldenOp, { zxid, err, outcome, body }: Reply): JsonObject {
    const head = { err: errName(err), zxid: Number(zxid) };
    if (golden.op === "raw") return err !== 0 || body.length === 0 ? head : { ...head, _extra: toHex(body) };
    return { ...head, ...this.#fieldsOf(outcome) };
  }

  #fieldsOf(outcome: Outcome): JsonObject {
    switch (outcome.kind) {
      case "error":
      case "done":
        return {};
      case "path":
        return { path: outcome.path };
      case "pathStat":
        return { path: outcome.path, stat: this.#stat(outcome.stat) };
      case "stat":
        return { stat: this.#stat(outcome.stat) };
      case "data":
        return { data: textOf(outcome.data), stat: this.#stat(outcome.stat) };
      case "acl":
        return { acl: outcome.acl.map(({ perms, scheme, id }) => [perms, scheme, id]), stat: this.#stat(outcome.stat) };
      case "children":
        return { children: outcome.children.toSorted() };
      case "childrenStat":
        return { children: outcome.children.toSorted(), stat: this.#stat(outcome.stat) };
      case "multi":
        return { results: outcome.results.map((result) => this.#multiResult(result)) };
      case "multiRefused":
        return { body: "ffffffff01ffffffff" };
      case "ephemerals":
        return { ephemerals: outcome.ephemerals.toSorted() };
      case "totalNumber":
        return { totalNumber: outcome.totalNumber };
      case "clientInfo":
        return { clientInfo: outcome.clientInfo.map(({ scheme, id }) => [scheme, id]).toSorted() };
      case "watchAdded":
        return { rspErr: 0 };
      case "sasl":
        return { token: textOf(outcome.token) };
    }
  }

  #multiResult(result: MultiResult): JsonObject {
    switch (result.kind) {
      case "error":
        return { type: "error", err: result.code.toUpperCase() };
      case "create":
        return { type: "create", path: result.path };
      case "create2":
        return { type: "create2", path: result.path, stat: this.#stat(result.stat) };
      case "setData":
        return { type: "setData", stat: this.#stat(result.stat) };
      case "getData":
        return { type: "getData", data: textOf(result.data), stat: this.#stat(result.stat) };
      case "getChildren":
        return { type: "getChildren", children: result.children.toSorted() };
      case "delete":
      case "check":
        return { type: result.kind };
    }
  }

  /** Without what no two runs share: times, and session ids, which become the client's name. */
  #stat(stat: Stat): JsonObject {
    const { czxid, mzxid, version, cversion, aversion, ephemeralOwner, dataLength, numChildren, pzxid } = stat;
    const owner = [...this.#clients].find(([, client]) => client.welcome.sessionId === ephemeralOwner);
    return {
      czxid: Number(czxid),
      mzxid: Number(mzxid),
      version,
      cversion,
      aversion,
      ephemeralOwner: owner === undefined ? Number(ephemeralOwner) : `session:${owner[0]}`,
      dataLength,
      numChildren,
      pzxid: Number(pzxid),
    };
  }

  // ── what happens by itself ──

  /** Waits until everybody has got what was under way: replies and events of a connection keep their order. */
  async #settle(): Promise<void> {
    const open = [...this.#clients.values()].filter((client) => !client.isEnded);
    await Promise.all(open.map((client) => client.ping().catch(() => {})));
  }

  #forgetReceived(): void {
    for (const client of this.#clients.values()) client.received.length = 0;
  }

  /** Waits for the connections that the server is to close, and compares. */
  async #closings(): Promise<void> {
    const expected = this.#row.closedClients ?? [];
    await Promise.all(
      expected.map((name) => Promise.race([this.#clients.get(name)!.ended, pause(LOOK_AGAIN_MS * LOOK_AGAIN_TIMES)])),
    );
    const closed = [...this.#clients].filter(([name, client]) => client.isEnded && !this.#left.has(name));
    this.#compare(
      "closedClients",
      expected,
      closed.map(([name]) => name),
    );
  }

  /** All events, client by client, and whether each came before the reply that the acting client waited for. */
  #events(acting: string | null): JsonObject[] {
    return [...this.#clients].flatMap(([client, { received }]) => {
      const reply = received.findIndex(({ kind }) => kind === "reply");
      return received.flatMap((one, at) => {
        if (one.kind === "reply") return [];
        const { type, path } = one.event;
        const base = { client, type, state: 3, path };
        if (acting === null) return [base];
        const isBefore = reply === -1 || at < reply;
        return [{ ...base, when: client !== acting ? "async" : isBefore ? "before-reply" : "after-reply" }];
      });
    });
  }

  /** What takes time to come true is looked at again for a while. */
  async #compareStat(path: string, expected: Json): Promise<void> {
    let actual: Json = null;
    if (this.#clients.get("A")!.isEnded) await this.#perform({ op: "reattach" });
    for (let times = 0; times < (this.#takesTime ? LOOK_AGAIN_TIMES : 1); times++) {
      if (times > 0) await pause(LOOK_AGAIN_MS);
      const result = await this.#perform({ op: "exists", path });
      actual = result.stat ?? result.err!;
      if (isDeepStrictEqual(actual, expected)) return;
    }
    this.differences.push({ where: `statAfter ${path}`, expected, actual });
  }

  get #takesTime(): boolean {
    const { waitMs, setup, op, probe = [] } = this.#row;
    return waitMs !== undefined || [...setup, op, ...probe.map((one) => one.op)].some((one) => one.op === "sleep");
  }

  async #probe(at: number, probe: NonNullable<SemanticsRow["probe"]>[number]): Promise<void> {
    this.#forgetReceived();
    this.#compare(`probe ${at} result`, probe.result, await this.#perform(probe.op));
    await this.#settle();
    this.#compare(`probe ${at} events`, probe.events ?? [], this.#events(null));
  }

  #compare(where: string, expected: unknown, actual: unknown): void {
    if (!isDeepStrictEqual(expected, actual)) this.differences.push({ where, expected, actual });
  }
}

/** What a row says of a setup op: the path that was created, or whether it worked. */
function setupResult({ op }: GoldenOp, result: JsonObject): Json {
  return op.startsWith("create") && result.err === "OK" ? result.path! : result.err!;
}

/** A multi's frame without the header that ends its list. */
function withoutEnd(frame: Uint8Array): Uint8Array {
  const shorter = new Uint8Array(frame.subarray(0, -9));
  new DataView(shorter.buffer).setInt32(0, shorter.length - 4);
  return shorter;
}

function errName(err: number): string {
  const code = errorCodeOf(err);
  return err === 0 ? "OK" : ERROR_NUMBERS[code] === err ? code.toUpperCase() : String(err);
}

/** Bytes as the rows write them: text where all of it can be printed. */
function textOf(bytes: Uint8Array | null): Json {
  if (bytes === null) return null;
  const text = Buffer.from(bytes).toString("latin1");
  return /^[\x20-\x7e]*$/.test(text) ? text : { hex: toHex(bytes) };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
