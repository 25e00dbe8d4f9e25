/**
 * zoo.cfg → what it asks for: settings, and what to say about the rest.
 *
 * All that is wrong is told at once, each with its place. Invariant: a {@link ZooCfg} has passed every rule that can be judged
 * without opening a port or a folder.
 */
import type { EnsembleConfig, EnsembleMember } from "../../lib/broadcast/zab/ensemble.ts";
import { readHierarchyLine } from "../../lib/broadcast/zab/ensemble_text.ts";
import { parseServerLine } from "../../lib/broadcast/zab/server_line.ts";
import { serverIdProblem } from "../../lib/session/identity.ts";
import type { ExtendedTypes } from "../../lib/tree/znode.ts";
import { versionOfFile } from "./dynamic_config.ts";
import { PropertiesError, type Property, parseProperties } from "./properties.ts";
import { type KeyRule, keyLike, keyRule, type Reason, type ZooSettings } from "./zoo_keys.ts";

/** One setting and where it stands: `zoo.cfg:4`, or `argument 1`. */
export interface Entry {
  readonly key: string;
  readonly value: string;
  readonly place: string;
}

export interface ZooCfg {
  readonly settings: Partial<ZooSettings>;
  /** The ensemble to be a member of; null: the server stands alone. */
  readonly ensemble: EnsembleConfig | null;
  /** To be logged: keys that are not served with the reason, unknown keys, keys set twice. */
  readonly notices: readonly Notice[];
}

export interface Notice {
  readonly level: "info" | "warn";
  readonly message: string;
}

/** A configuration that can't be used; `problems` has one line for each thing wrong. */
export class ZooCfgError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "ZooCfgError";
    this.problems = problems;
  }
}

/**
 * Reads the text of a zoo.cfg; `name` is what to call the file.
 *
 * @param readText reads the file that lists the members, where zoo.cfg names one
 * @throws ZooCfgError
 */
export function parseZooCfg(text: string, name: string, readText: (file: string) => string = nothingToRead): ZooCfg {
  const entries = entriesOf(text, name);
  const file = entries.findLast(({ key }) => key === "dynamicConfigFile")?.value;
  if (file === undefined || file === "") return readEntries(entries, name);
  const problems = entries
    .filter(isOfMembers)
    .map(({ key, place }) => `${place}: ${key} must stand in ${file}, as other members do`);
  const dynamic = entriesOf(readText(file), file);
  for (const { key, place } of dynamic.filter((entry) => !isOfMembers(entry)))
    problems.push(`${place}: ${shown(key)} does not belong in a file that lists members`);
  if (problems.length > 0) throw new ZooCfgError(problems);
  return readEntries([...entries, ...dynamic], name, versionOfFile(file));
}

function nothingToRead(file: string): never {
  throw new Error(`${file} can't be read here`);
}

function isOfMembers({ key }: Entry): boolean {
  return /^(server|group|weight)\./.test(key);
}

/** Apache's other form of start: `port dataDir [tickTime] [maxClientCnxns]`. */
export function zooCfgOfArguments(values: readonly string[]): ZooCfg {
  const keys = ["clientPort", "dataDir", "tickTime", "maxClientCnxns"];
  const entries = values.map((value, at) => ({ key: keys[at] ?? "", value, place: `argument ${at + 1}` }));
  return readEntries(entries, "the command line");
}

function entriesOf(text: string, name: string): Entry[] {
  const entry = ({ key, value, line }: Property): Entry => ({
    key: key.trim(),
    value: value.trim(),
    place: `${name}:${line}`,
  });
  try {
    return parseProperties(text).map(entry);
  } catch (error) {
    if (error instanceof PropertiesError) throw new ZooCfgError([`${name}:${error.line}: ${error.message}`]);
    throw error;
  }
}

function readEntries(entries: readonly Entry[], name: string, version = 0n): ZooCfg {
  const reader = new Reader(version);
  const last = new Map(entries.map((entry) => [entry.key, entry]));
  for (const entry of entries) {
    const winner = last.get(entry.key)!;
    if (winner !== entry) reader.warn(`${entry.place}: ${entry.key} is set again at ${winner.place}, which counts`);
  }
  for (const entry of last.values()) reader.read(entry);
  reader.judgeWhole(name);
  return reader.finish();
}

/** What ZooKeeper has to be told to judge by, and what is judged by here as soon as there are such clients. */
const OWN_PROVIDER = /^authProvider\.\w+=org\.apache\.zookeeper\.server\.auth\.(SASL|X509|Digest|IP)AuthenticationProvider$/;

/** Its scheme is offered only where it is asked for, as in Apache. */
const ENSEMBLE_CLASS = "org.apache.zookeeper.server.auth.EnsembleAuthenticationProvider";

type PlacedServer = EnsembleMember & { readonly place: string };

/** Collects settings, notices and problems, key by key. */
class Reader {
  readonly #settings: Partial<Record<keyof ZooSettings, unknown>> = {};
  readonly #places = new Map<string, string>();
  readonly #servers: PlacedServer[] = [];
  readonly #groups = new Map<bigint, readonly bigint[]>();
  readonly #weights = new Map<bigint, number>();
  readonly #unserved = new Map<Reason, string[]>();
  readonly #notices: Notice[] = [];
  readonly #problems: string[] = [];
  /** Of the members' list. */
  readonly #version: bigint;

  constructor(version: bigint) {
    this.#version = version;
  }
  #offersEnsembleScheme = false;

  warn(message: string): void {
    this.#notices.push({ level: "warn", message });
  }

  read(entry: Entry): void {
    this.#places.set(entry.key, entry.place);
    const rule = keyRule(entry.key);
    if (entry.key.startsWith("server.")) this.#readServer(entry);
    else if (/^(group|weight)\./.test(entry.key)) this.#readHierarchy(entry);
    else if (OWN_PROVIDER.test(`${entry.key}=${entry.value}`)) return;
    else if (entry.key.startsWith("authProvider.") && entry.value === ENSEMBLE_CLASS) this.#offersEnsembleScheme = true;
    else if (rule === undefined) this.#unknown(entry);
    else this.#readKnown(entry, rule);
  }

  #readKnown(entry: Entry, rule: KeyRule): void {
    const parsed = rule.kind.schema.safeParse(entry.value);
    if (!parsed.success) {
      this.#problem(entry, `allowed: ${rule.kind.allowed}`);
    } else if (rule.rule === "served") {
      this.#take(entry.key, parsed.data);
    } else if (rule.rule === "not served") {
      const keys = this.#unserved.get(rule.reason) ?? [];
      keys.push(`${entry.key} (${entry.place})`);
      this.#unserved.set(rule.reason, keys);
    }
  }

  #take(key: string, value: unknown): void {
    if (/^superUser\b/.test(key)) {
      this.#settings.superUser ??= [];
      for (const user of value as readonly string[]) (this.#settings.superUser as string[]).push(user);
    } else this.#settings[key as keyof ZooSettings] = value;
  }

  #readServer(entry: Entry): void {
    try {
      this.#servers.push({ ...parseServerLine(entry.key, entry.value), place: entry.place });
    } catch (error) {
      this.#problem(entry, (error as Error).message);
    }
  }

  /** `group.<number>=<id>:<id>…` and `weight.<id>=<votes>`. */
  #readHierarchy(entry: Entry): void {
    try {
      readHierarchyLine(entry.key, entry.value, this.#groups, this.#weights);
    } catch {
      this.#problem(entry, "allowed: group.<number>=<id>:<id>… and weight.<id>=<votes>");
    }
  }

  #unknown({ key, place }: Entry): void {
    const like = keyLike(key);
    const hint = like === undefined ? "" : `; did you mean ${like}?`;
    this.warn(`${place}: unknown key ${shown(key)} has no effect${hint}`);
  }

  #problem({ key, value, place }: Entry, why: string): void {
    this.#problems.push(`${place}: ${key}: ${isSecret(key) ? "the value" : shown(value)} is not accepted; ${why}`);
  }

  /** The rules about several keys, and about keys that are missing. */
  judgeWhole(name: string): void {
    this.#judgeServers();
    this.#judgeSessionTimeouts();
    this.#judgeEnsembleScheme();
    if (!this.#places.has("dataDir")) this.#problems.push(`${name}: dataDir is not set; it must name a folder`);
    this.#judgePair("clientPortAddress", "clientPort");
    this.#judgePair("secureClientPortAddress", "secureClientPort");
    this.#judgeEnforcedAuth();
  }

  /** A list without a scheme would let everybody in. */
  #judgeEnforcedAuth(): void {
    if (this.#settings["enforce.auth.enabled"] !== true || this.#settings.sessionRequireClientSASLAuth === true) return;
    this.#judgePair("enforce.auth.enabled", "enforce.auth.schemes");
    const place = this.#places.get("enforce.auth.schemes");
    if (place === undefined || this.#settings["enforce.auth.schemes"] === undefined) return;
    if ((this.#settings["enforce.auth.schemes"] as readonly string[]).length === 0)
      this.#problems.push(
        `${place}: enforce.auth.schemes names no scheme; allowed: authentication schemes, separated by commas`,
      );
  }

  #judgeEnsembleScheme(): void {
    if (this.#offersEnsembleScheme) {
      this.#settings.ensembleAuthName ??= [];
    } else if (this.#settings.ensembleAuthName !== undefined) {
      delete this.#settings.ensembleAuthName;
      this.warn(
        `${this.#places.get("ensembleAuthName")}: ensembleAuthName has no effect without authProvider.1=${ENSEMBLE_CLASS}`,
      );
    }
  }

  #judgePair(key: string, needed: string): void {
    const place = this.#places.get(key);
    if (place === undefined || this.#places.has(needed)) return;
    this.#problems.push(`${place}: ${key} is set but ${needed} is not set`);
  }

  #judgeSessionTimeouts(): void {
    const settings = this.#settings as Partial<ZooSettings>;
    const { minSessionTimeout = -1, maxSessionTimeout = -1, tickTime = DEFAULT_TICK_TIME_MS } = settings;
    const least = minSessionTimeout === -1 ? 2 * tickTime : minSessionTimeout;
    const most = maxSessionTimeout === -1 ? 20 * tickTime : maxSessionTimeout;
    if (least <= most) return;
    const place = this.#places.get("minSessionTimeout") ?? this.#places.get("maxSessionTimeout");
    this.#problems.push(`${place}: minSessionTimeout (${least}) must not be larger than maxSessionTimeout (${most})`);
  }

  #judgeServers(): void {
    const [first] = this.#servers;
    if (first === undefined) return;
    if (this.#isEnsemble) return this.#judgeEnsemble();
    if (first.role === "observer") {
      this.#problems.push(`${first.place}: an observer needs participants to follow, and none is listed`);
    } else {
      this.warn(`${first.place}: only one server is listed: it runs standalone, without a quorum`);
      this.#takeClientAddress(first);
    }
  }

  /** One participant alone is an ensemble only where that is asked for. */
  get #isEnsemble(): boolean {
    const voters = this.#servers.filter(({ role }) => role === "participant").length;
    return voters > 1 || (voters === 1 && (this.#servers.length > 1 || this.#settings.standaloneEnabled === false));
  }

  #judgeEnsemble(): void {
    const ids = new Set<bigint>();
    for (const { id, place } of this.#servers) {
      if (ids.has(id)) this.#problems.push(`${place}: server.${id} is listed a second time`);
      const problem =
        id < 0n || id > 255n ? "the number must be from 0 to 255" : serverIdProblem(id, extendedTypesOf(this.#settings));
      if (problem !== null) this.#problems.push(`${place}: server.${id}: ${problem}`);
      ids.add(id);
    }
    const { place } = this.#servers[0]!;
    for (const key of ["initLimit", "syncLimit"] as const) {
      if (this.#settings[key] === undefined) this.#problems.push(`${place}: an ensemble needs ${key}, which is not set`);
    }
    this.#judgeGroups(ids, place);
  }

  #judgeGroups(ids: ReadonlySet<bigint>, place: string): void {
    const grouped = [...this.#groups.values()].flat();
    const groupsOf = new Map<bigint, number>();
    for (const id of grouped) groupsOf.set(id, (groupsOf.get(id) ?? 0) + 1);
    for (const id of [...grouped, ...this.#weights.keys()]) {
      if (!ids.has(id)) this.#problems.push(`${place}: a group or weight names server ${id}, which is not listed`);
    }
    if (this.#groups.size === 0) return;
    for (const { id, role } of this.#servers) {
      const count = groupsOf.get(id) ?? 0;
      if (count > 1) this.#problems.push(`${place}: server.${id} is in several groups`);
      if (count === 0 && role === "participant") this.#problems.push(`${place}: server.${id} is in no group`);
    }
  }

  get #ensemble(): EnsembleConfig | null {
    if (!this.#isEnsemble) return null;
    const members = this.#servers.map(({ id, addresses, role, client }) => ({ id, addresses, role, client }));
    const hierarchy = this.#groups.size === 0 ? null : { groups: this.#groups, weights: this.#weights };
    return { members, hierarchy, version: this.#version };
  }

  /** A server line may say where its clients connect; it must agree with clientPort then. */
  #takeClientAddress({ client, place }: PlacedServer): void {
    if (client === null) return;
    const { clientPort = client.port, clientPortAddress = client.host } = this.#settings;
    if (clientPort !== client.port || (client.host !== null && clientPortAddress !== client.host)) {
      const [here, there] = [`${client.host ?? ""}:${client.port}`, `${clientPortAddress ?? ""}:${clientPort}`];
      this.#problems.push(`${place}: the client address ${here} differs from that of clientPort, ${there}`);
      return;
    }
    this.#settings.clientPort = clientPort;
    this.#places.set("clientPort", place);
    if (clientPortAddress !== null) this.#settings.clientPortAddress = clientPortAddress;
  }

  finish(): ZooCfg {
    if (this.#problems.length > 0) throw new ZooCfgError(this.#problems);
    const unserved = Array.from(this.#unserved, ([reason, keys]): Notice => {
      return { level: reason.quiet ? "info" : "warn", message: `not served, as ${reason.text}: ${keys.join(", ")}` };
    });
    return {
      settings: this.#settings as Partial<ZooSettings>,
      ensemble: this.#ensemble,
      notices: [...this.#notices, ...unserved],
    };
  }
}

/** Apache's default where zoo.cfg does not say; its sample file says 2000. */
export const DEFAULT_TICK_TIME_MS = 3000;

/** Whether there are TTL znodes, in the words of `open()`. */
export function extendedTypesOf(settings: Partial<Record<keyof ZooSettings, unknown>>): ExtendedTypes {
  if (settings.extendedTypesEnabled !== true) return false;
  return settings.emulate353TTLNodes === true ? "3.5.3" : true;
}

const VALUE_CHARS_SHOWN = 80;

function shown(value: string): string {
  return JSON.stringify(value.length > VALUE_CHARS_SHOWN ? `${value.slice(0, VALUE_CHARS_SHOWN)}…` : value);
}

function isSecret(key: string): boolean {
  return /password|digest$|secret/i.test(key);
}
