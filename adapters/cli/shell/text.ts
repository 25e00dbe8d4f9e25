/**
 * Text of what a server answers, in the form of zkCli.sh: Stats, lists, access control lists, data, events.
 *
 * Not here: errors (failures.ts). Invariant: nothing here asks for a terminal; what would drive one is escaped where it is written (printer.ts).
 */
import { PERM_LETTERS, permLetters } from "../../../lib/acl/perms.ts";
import { encodeBase64 } from "../../../lib/base/base64.ts";
import type { Acl, AclList, Stat } from "../../../lib/model/types.ts";
import { javaDate } from "../../../lib/report/java_text.ts";
import type { Style } from "./style.ts";

/** The eleven lines of a Stat. */
export function statLines(stat: Stat): string[] {
  return [
    `cZxid = ${hex(stat.czxid)}`,
    `ctime = ${javaDate(stat.ctime)}`,
    `mZxid = ${hex(stat.mzxid)}`,
    `mtime = ${javaDate(stat.mtime)}`,
    `pZxid = ${hex(stat.pzxid)}`,
    `cversion = ${stat.cversion}`,
    `dataVersion = ${stat.version}`,
    `aclVersion = ${stat.aversion}`,
    `ephemeralOwner = ${hex(stat.ephemeralOwner)}`,
    `dataLength = ${stat.dataLength}`,
    `numChildren = ${stat.numChildren}`,
  ];
}

function hex(value: bigint): string {
  return `0x${BigInt.asUintN(64, value).toString(16)}`;
}

/** `[a, b]`. */
export function listText(names: readonly string[]): string {
  return `[${names.join(", ")}]`;
}

/** Two lines an entry: `'world,'anyone` and `: cdrwa`. */
export function aclLines(acl: AclList): string[] {
  return acl.flatMap(({ scheme, id, perms }) => [`'${scheme},'${id}`, `: ${permLetters(perms)}`]);
}

/** A list as it is typed: `world:anyone:r,digest:ada:hash:cdrwa`. What can't be read is told, and left out. */
export function parseAcl(text: string, note: (line: string) => void): Acl[] {
  return text.split(",").flatMap((entry) => {
    const first = entry.indexOf(":");
    const last = entry.lastIndexOf(":");
    if (first !== -1 && first !== last)
      return [
        { scheme: entry.slice(0, first), id: entry.slice(first + 1, last), perms: parsePerms(entry.slice(last + 1), note) },
      ];
    note(`${entry} does not have the form scheme:id:perm`);
    return [];
  });
}

function parsePerms(text: string, note: (line: string) => void): number {
  let perms = 0;
  for (const letter of text) {
    const known = PERM_LETTERS.find(([one]) => one === letter);
    if (known === undefined) note(`Unknown perm type: ${letter}`);
    else perms |= known[1];
  }
  return perms;
}

/** How data is printed: as text, in Base64, or as a table of bytes. */
export type DataForm = "text" | "base64" | "hex";

/** `null` where there are no data at all. */
export function dataText(data: Uint8Array | null, form: DataForm): string {
  if (data === null) return "null";
  if (form === "base64") return encodeBase64(data);
  return form === "hex" ? hexTable(data) : new TextDecoder("utf-8", { ignoreBOM: true }).decode(data);
}

/** Data as JSON has them: text, or Base64 where they are none. */
export function dataJson(data: Uint8Array | null, form: DataForm): { data: string | null; encoding: "utf8" | "base64" } {
  if (data === null) return { data, encoding: "utf8" };
  try {
    if (form === "text")
      return { data: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data), encoding: "utf8" };
  } catch {
    // They are no text.
  }
  return { data: encodeBase64(data), encoding: "base64" };
}

const COLUMNS = 16;
const RULE = "+-------------------------------------------------+";

/** Sixteen bytes a line, and the characters that they would be. */
function hexTable(data: Uint8Array): string {
  if (data.length === 0) return "";
  const digits = Array.from({ length: COLUMNS }, (_, at) => at.toString(16).padStart(2)).join(" ");
  const lines = [`         ${RULE}`, `         | ${digits} |`, `+--------${RULE}----------------+`];
  for (let at = 0; at < data.length; at += COLUMNS) {
    const row = [...data.subarray(at, at + COLUMNS)];
    const bytes = row.map((byte) => ` ${byte.toString(16).padStart(2, "0")}`).join("");
    const characters = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("");
    lines.push(`|${at.toString(16).padStart(8, "0")}|${bytes.padEnd(3 * COLUMNS)} |${characters.padEnd(COLUMNS)}|`);
  }
  return [...lines, `+--------${RULE}----------------+`].join("\n");
}

/** What is printed of an event. */
export interface ShownEvent {
  readonly state: string;
  readonly type: string;
  /** Null for one of the connection. */
  readonly path: string | null;
  /** -1 where there is none. */
  readonly zxid: bigint;
}

/** An event, as zkCli.sh prints it: four lines, of which the first and the third are empty. */
export function eventText({ state, type, path, zxid }: ShownEvent, style: Style): string {
  return `\nWATCHER::\n\nWatchedEvent state:${state} type:${type} path:${path}${style === "3.9" ? ` zxid: ${zxid}` : ""}`;
}
