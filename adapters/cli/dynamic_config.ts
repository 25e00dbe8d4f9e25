/**
 * The configuration of an ensemble that changes while it runs, in ZooKeeper's own files beside zoo.cfg: `zoo.cfg.dynamic.VERSION` holds the members,
 * zoo.cfg names that file instead of them, and `zoo.cfg.bak` is the zoo.cfg of before. A reconfiguration that is under way stands in
 * `zoo.cfg.dynamic.next`, which counts as last seen at the next start.
 *
 * Invariant: each file is there whole or not at all, and zoo.cfg names none that is not.
 */
import { realpathSync } from "node:fs";
import { configLines, parseEnsemble } from "../../lib/broadcast/zab/ensemble_text.ts";
import type { ConfigStore, EnsembleConfig } from "../../mod.ts";
import { nodeDisk } from "../storage/node_disk.ts";
import { writeWhole } from "../storage/whole_file.ts";
import { parseProperties } from "./properties.ts";

/** Keeps the configuration beside that zoo.cfg, for the member with this number. */
export class DynamicConfig implements ConfigStore {
  readonly #file: string;
  readonly #id: bigint;

  constructor(file: string, id: bigint) {
    this.#file = realpathSync(file).replaceAll("\\", "/");
    this.#id = id;
  }

  async saveCommitted(config: EnsembleConfig): Promise<void> {
    const dynamic = `${this.#file}.dynamic.${config.version.toString(16)}`;
    await write(dynamic, configLines(config).sort().join("\n"));
    const text = nodeDisk.readText(this.#file) ?? "";
    const tellsClient = config.members.some(({ id, client }) => id === this.#id && client !== null);
    await write(this.#file, withDynamicFile(text, dynamic, tellsClient));
    const proposed = nodeDisk.readText(this.next);
    if (proposed !== null && parse(proposed).version <= config.version) nodeDisk.remove(this.next);
  }

  saveProposed(config: EnsembleConfig): Promise<void> {
    const lines = [...configLines(config), `version=${config.version.toString(16)}`];
    return write(this.next, lines.sort().join("\n"));
  }

  /**
   * What had been proposed when the member went down, or is complete by now; null where there is nothing.
   *
   * @throws Error that says which line is none
   */
  readProposed(): EnsembleConfig | null {
    const text = nodeDisk.readText(this.next);
    return text === null ? null : parse(text);
  }

  /** Keeps the zoo.cfg of before, where the members stand in zoo.cfg itself. */
  backUp(): Promise<void> {
    return write(`${this.#file}.bak`, nodeDisk.readText(this.#file) ?? "");
  }

  /** The file of what is proposed. */
  get next(): string {
    return `${this.#file}.dynamic.next`;
  }
}

function parse(text: string): EnsembleConfig {
  const lines = parseProperties(text).map(({ key, value }) => `${key.trim()}=${value.trim()}`);
  return parseEnsemble(lines.join("\n")).config;
}

function write(path: string, text: string): Promise<void> {
  return writeWhole(nodeDisk, `${path}.tmp`, path, [new TextEncoder().encode(text)]);
}

/** The version that the name of a dynamic file ends with; 0 where it ends with none. */
export function versionOfFile(path: string): bigint {
  const version = path.slice(path.lastIndexOf(".") + 1);
  return /^[0-9a-f]{1,16}$/i.test(version) && path.includes(".") ? BigInt(`0x${version}`) : 0n;
}

/**
 * The text of a zoo.cfg that names the dynamic file instead of the members.
 *
 * @param tellsClient whether that file says where clients find this member: then zoo.cfg says it no more
 */
export function withDynamicFile(text: string, dynamic: string, tellsClient: boolean): string {
  const lines = text.split("\n");
  const kept = lines.map(() => true);
  for (const { key, line } of parseProperties(text)) {
    if (!isOfMembers(key) && !(tellsClient && CLIENT_KEYS.has(key))) continue;
    let at = line - 1;
    while (at < lines.length - 1 && CONTINUED.test(lines[at]!)) kept[at++] = false;
    kept[at] = false;
  }
  const rest = lines.filter((_, at) => kept[at]);
  while (rest.at(-1)?.trim() === "") rest.pop();
  return `${[...rest, `dynamicConfigFile=${dynamic}`].join("\n")}\n`;
}

const CLIENT_KEYS: ReadonlySet<string> = new Set(["clientPort", "clientPortAddress"]);
const CONTINUED = /(?:^|[^\\])(?:\\\\)*\\\r?$/;

function isOfMembers(key: string): boolean {
  return /^(server|group|weight)\./.test(key) || key === "dynamicConfigFile" || key === "peerType";
}
