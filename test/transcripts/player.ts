/**
 * Plays a kernel transcript: a script of what clients and time do, and the trace of what the member does about it.
 *
 * One line an input; the trace is the member's effects, in order. Clients are named by a letter; their session ids, times and passwords don't show.
 * What is appended is durable at once, unless the script says `hold`; `durable` then lets it be.
 */
import { OPEN_ACL_UNSAFE } from "../../lib/acl/perms.ts";
import { Standalone } from "../../lib/broadcast/standalone.ts";
import { Database } from "../../lib/kernel/database.ts";
import { Kernel } from "../../lib/kernel/kernel.ts";
import { Member, type MemberEffect, type MemberInput } from "../../lib/member/member.ts";
import type { CreateKind, Op, Outcome } from "../../lib/model/ops.ts";
import type { Proposal, Txn } from "../../lib/model/txns.ts";
import type { ConnId, SessionId } from "../../lib/model/types.ts";
import { kernelOptions, type OpenSettings, settingsOf } from "../../lib/options/options.ts";
import { Tree } from "../../lib/tree/tree.ts";

const FIRST_SESSION = 0x100n;
const WALL_AT_START = 1_000_000;
const MODES = ["persistent", "ephemeral", "sequential", "ephemeral_sequential", "container", "ttl"];
const UTF8 = new TextEncoder();

export async function play(script: string, settings: OpenSettings = {}): Promise<string> {
  const player = new Player(await memberOf(settings));
  for (const line of script.split("\n")) {
    const words = line.replace(/#.*/, "").trim().split(/\s+/);
    if (words[0] !== "") player.line(words);
  }
  return player.trace.join("\n");
}

async function memberOf(given: OpenSettings): Promise<Member> {
  const settings = await settingsOf({ tickTimeMs: 500, ...given }, false);
  const options = kernelOptions(settings);
  const tree = new Tree({ extendedTypes: true, digest: false, counterWraps: false, configNode: true });
  return new Member(new Kernel(new Database(tree), options, FIRST_SESSION, { mono: 0, wall: WALL_AT_START }), new Standalone());
}

class Player {
  readonly trace: string[] = [];
  readonly #member: Member;
  readonly #names = new Map<ConnId, string>();
  readonly #conns = new Map<string, ConnId>();
  readonly #sessions = new Map<SessionId, { name: string; passwd: Uint8Array }>();
  readonly #held: Proposal[] = [];
  #holding = false;
  #nextConn = 1;
  #xid = 0;
  #mono = 0;

  constructor(member: Member) {
    this.#member = member;
  }

  line(words: readonly string[]): void {
    const [verb = "", name = "", ...rest] = words;
    switch (verb) {
      case "hold":
        this.#holding = true;
        return;
      case "durable":
        this.#holding = false;
        for (const { header } of this.#held.splice(0)) this.#step({ kind: "durable", zxid: header.zxid });
        return;
      case "advance":
        return this.#advance(Number(name));
      case "connect":
        return this.#connect(name, 0n, rest);
      case "reattach": {
        const [id, { passwd }] = [...this.#sessions].find(([, session]) => session.name === name)!;
        if (rest.includes("wrong")) return this.#connect(`${name}?`, id, rest);
        return this.#connect(name, id, rest, passwd);
      }
      case "cut":
        return this.#step({ kind: "disconnect", conn: this.#conns.get(name)! });
      default:
        return this.#step({ kind: "request", conn: this.#conns.get(name)!, xid: ++this.#xid, op: opOf(verb, rest) });
    }
  }

  #connect(name: string, sessionId: SessionId, rest: readonly string[], passwd: Uint8Array = new Uint8Array(16)): void {
    const conn = this.#nextConn++;
    this.#names.set(conn, name);
    this.#conns.set(name, conn);
    const timeOut = Number(rest.find((word) => word.startsWith("timeout="))?.slice(8) ?? 10_000);
    const hello = { lastZxidSeen: 0n, timeOut, sessionId, passwd, readOnly: false };
    const peer = { address: "127.0.0.1", label: "/127.0.0.1:1", authIds: [] };
    this.#step({ kind: "connect", conn, hello, peer });
  }

  #advance(ms: number): void {
    const end = this.#mono + ms;
    for (let next = this.#member.deadline; next !== null && next <= end; next = this.#member.deadline) {
      this.#mono = next;
      this.#step({ kind: "tick" });
    }
    this.#mono = end;
  }

  #step(input: MemberInput): void {
    const now = { mono: this.#mono, wall: WALL_AT_START + this.#mono };
    for (const effect of this.#member.step(input, now)) this.#carryOut(effect);
  }

  #carryOut(effect: MemberEffect): void {
    if (effect.kind === "append") {
      const { header, txn } = effect.proposal;
      this.trace.push(`append ${header.zxid} ${this.#txnText(txn, header.session)}`);
      if (this.#holding) this.#held.push(effect.proposal);
      else this.#step({ kind: "durable", zxid: header.zxid });
      return;
    }
    if (!("conn" in effect)) return; // an ensemble's matter
    const name = this.#names.get(effect.conn);
    switch (effect.kind) {
      case "welcome": {
        const { sessionId, timeOut, passwd } = effect.welcome;
        if (sessionId !== 0n) this.#sessions.set(sessionId, { name: name!, passwd });
        this.trace.push(timeOut === 0 ? `refused ${name}` : `welcome ${name} timeout=${timeOut}`);
        return;
      }
      case "reply":
        this.trace.push(`reply ${name} #${effect.xid} at ${effect.zxid}: ${outcomeText(effect.outcome)}`);
        return;
      case "event":
        this.trace.push(`event ${name} ${effect.event.type} ${effect.event.path}`);
        return;
      case "close":
        this.trace.push(`close ${name}`);
    }
  }

  #txnText(txn: Txn, session: SessionId): string {
    const owner = this.#sessions.get(session)?.name ?? (session === 0n ? "-" : "new");
    switch (txn.kind) {
      case "closeSession":
        return `closeSession ${owner} [${txn.paths?.join(" ")}]`;
      case "createSession":
        return `createSession timeout=${txn.timeOut}`;
      case "error":
        return `error ${owner} ${txn.code}`;
      case "multi":
        return `multi ${owner} [${txn.txns.map((sub) => (sub.kind === "error" ? `error ${sub.code}` : `${sub.kind} ${sub.path}`)).join(", ")}]`;
      case "setData":
        return `setData ${owner} ${txn.path} version=${txn.version}`;
      default:
        return `${txn.kind} ${owner} ${txn.path}`;
    }
  }
}

function opOf(verb: string, words: readonly string[]): Op {
  const [path = "", ...rest] = words;
  const watch = rest.includes("watch");
  const version = Number(rest.find((word) => word.startsWith("version="))?.slice(8) ?? -1);
  const data = UTF8.encode(rest.find((word) => word.startsWith("data="))?.slice(5) ?? "");
  switch (verb) {
    case "create":
      return createOp(path, data, rest);
    case "delete":
      return { kind: "delete", path, version };
    case "set":
      return { kind: "setData", path, data, version };
    case "get":
      return { kind: "getData", path, watch };
    case "exists":
      return { kind: "exists", path, watch };
    case "children":
      return { kind: "getChildren", path, watch };
    case "multi":
      return {
        kind: "multi",
        ops: words
          .join(" ")
          .split(" ; ")
          .map((sub) => opOf(sub.split(" ")[0]!, sub.split(" ").slice(1)) as never),
      };
    case "check":
      return { kind: "check", path, version };
    case "addwatch":
      return { kind: "addWatch", path, mode: rest.includes("recursive") ? 1 : 0 };
    case "ping":
      return { kind: "ping" };
    case "sync":
      return { kind: "sync", path };
    case "close":
      return { kind: "closeSession" };
    default:
      throw new Error(`A transcript says "${verb}", which nobody knows`);
  }
}

function createOp(path: string, data: Uint8Array, words: readonly string[]): Op {
  const mode = MODES.findIndex((name) => words.includes(name));
  const kind: CreateKind = words.includes("container") ? "createContainer" : words.includes("ttl") ? "createTTL" : "create";
  const ttl = Number(words.find((word) => word.startsWith("ms="))?.slice(3) ?? 0);
  return { kind, path, data, acl: OPEN_ACL_UNSAFE, flags: Math.max(mode, 0), ttl };
}

function outcomeText(outcome: Outcome): string {
  switch (outcome.kind) {
    case "error":
      return outcome.code;
    case "path":
      return outcome.path ?? "null";
    case "pathStat":
      return outcome.path;
    case "stat":
      return `version ${outcome.stat.version}, cversion ${outcome.stat.cversion}`;
    case "data":
      return `"${new TextDecoder().decode(outcome.data ?? new Uint8Array(0))}" version ${outcome.stat.version}`;
    case "children":
      return `[${[...outcome.children].sort().join(" ")}]`;
    case "multi":
      return outcome.results.map((result) => (result.kind === "error" ? result.code : result.kind)).join(", ");
    default:
      return "ok";
  }
}
