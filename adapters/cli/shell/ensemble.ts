/**
 * Commands about the ensemble: `config`, `reconfig`.
 */
import { readFileSync } from "node:fs";
import { parseJavaLong } from "../../../lib/base/java_long.ts";
import { parseEnsemble } from "../../../lib/broadcast/zab/ensemble_text.ts";
import { clientPlace } from "../../../lib/broadcast/zab/server_line.ts";
import { ZkError } from "../../../lib/model/errors.ts";
import type { Reconfig, Stat } from "../../../mod.ts";
import { parseProperties } from "../properties.ts";
import { type Answer, type Call, type Command, usageOf } from "./command.ts";
import { CommandFailure, EXIT, messageOf, UsageError } from "./failures.ts";
import { statLines } from "./text.ts";

const RECONFIG: Command = {
  name: "reconfig",
  synopsis:
    "[-s] [-v version] [[-file path] | [-members serverID=host:port1:port2;port3[,...]*]] | [-add serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]",
  flags: { s: "flag", v: "value", file: "value", members: "value", add: "value", remove: "value" },
  least: 0,
  run: reconfig,
  summary:
    "Changes who belongs to the ensemble: -add and -remove members, or -members or -file for all of them anew; -v only if the configuration has this version.",
  example: "reconfig -add server.4=10.0.0.4:2888:3888:participant;2181",
};

export const ENSEMBLE: readonly Command[] = [
  {
    ...{ name: "config", synopsis: "[-c] [-w] [-s]", least: 0, run: config },
    flags: { c: "flag", w: "flag", s: "flag" },
    summary:
      "Prints the ensemble's configuration; -c its version and where clients are served, -w prints the next change, -s adds the Stat.",
    example: "config",
  },
  RECONFIG,
];

async function config({ flags, signal, watcher, ...call }: Call): Promise<Answer> {
  const { data, stat } = await (await call.zk()).getConfig({ watch: flags.has("w") ? watcher : undefined, signal });
  const text = new TextDecoder().decode(data ?? new Uint8Array(0));
  const line = flags.has("c") ? clientsOf(text) : text;
  return ofConfig(line, text, flags.has("s") ? statLines(stat) : [], stat);
}

function ofConfig(line: string, config: string, shownStat: readonly string[], stat: Stat): Answer {
  return { lines: [line, ...shownStat], json: { config, stat } };
}

/** The version, and the places where members serve clients. */
function clientsOf(text: string): string {
  if (text === "") return " ";
  const { config } = parseEnsemble(text);
  const places = config.members.flatMap(({ client }) => clientPlace(client) ?? []);
  return `${config.version.toString(16)} ${places.join(",")}`;
}

async function reconfig(call: Call): Promise<Answer> {
  const change = changeOf(call);
  const { data, stat } = await asked((await call.zk()).reconfig(change, { signal: call.signal }));
  const text = new TextDecoder().decode(data ?? new Uint8Array(0));
  return ofConfig(`Committed new configuration:\n${text}`, text, call.flags.has("s") ? statLines(stat) : [], stat);
}

/** Its failures are of no path. */
async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof ZkError)) throw error;
    if (error.code === "NewConfigNoQuorum") throw new CommandFailure(NO_QUORUM, EXIT.refused, { code: error.code });
    throw new ZkError(error.code, { operation: "reconfig", path: "" });
  }
}

/** The text of zkCli.sh. */
const NO_QUORUM =
  "No quorum of new config is connected and up-to-date with the leader of last committed config - try invoking reconfiguration after new servers are connected and synced";

/** @throws UsageError for options that make no sense together */
function changeOf({ flags }: Call): Reconfig {
  const [file, members] = [flags.value("file"), flags.value("members")];
  const [joining, leaving] = [listOf(flags.values("add")), listOf(flags.values("remove"))];
  const incremental = joining.length + leaving.length > 0;
  if (incremental && (file ?? members) !== undefined)
    throw new UsageError(
      "Can't use -file or -members together with -add or -remove (mixing incremental and non-incremental modes is not allowed)",
    );
  if (file !== undefined && members !== undefined)
    throw new UsageError("Can't use -file and -members together (conflicting non-incremental modes)");
  if (!incremental && (file ?? members) === undefined) throw new UsageError(usageOf(RECONFIG));
  const fromConfig = versionOf(flags.value("v"));
  if (!incremental) return { members: members === undefined ? linesOfFile(file!) : listOf([members]), fromConfig };
  return {
    ...(joining.length > 0 && { joining }),
    ...(leaving.length > 0 && { leaving: leaving.map(memberId) }),
    fromConfig,
  };
}

function listOf(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(",")).filter((one) => one.trim() !== "");
}

function memberId(text: string): bigint {
  const id = parseJavaLong(text);
  if (id === null) throw new UsageError(`-remove takes numbers of members, not ${text}`);
  return id;
}

/** Hexadecimal, as configurations have it. */
function versionOf(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  if (/^[0-9a-f]{1,16}$/i.test(text)) return BigInt.asIntN(64, BigInt(`0x${text}`));
  throw new UsageError("-v must be followed by a long (configuration version)");
}

/** The members in a file such as zoo.cfg.dynamic. */
function linesOfFile(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new CommandFailure(`Error processing ${file}: ${messageOf(error)}`, EXIT.refused);
  }
  const lines = parseProperties(text).map(({ key, value }) => `${key.trim()}=${value.trim()}`);
  return lines.filter((line) => /^(server|group|weight)\./.test(line));
}
