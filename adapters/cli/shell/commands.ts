/**
 * Commands of the shell, all of them, and `help` about them.
 *
 * Invariant: what has a name here is what the shell understands, completes and explains.
 */
import { type Answer, type Call, type Command, usageOf } from "./command.ts";
import { ENSEMBLE } from "./ensemble.ts";
import { UsageError } from "./failures.ts";
import { OWN } from "./own.ts";
import { QUOTAS } from "./quotas.ts";
import { READING } from "./reading.ts";
import { WATCHING } from "./watching.ts";
import { WRITING } from "./writing.ts";

const HELP: Command = {
  ...{ name: "help", synopsis: "[command]", flags: {}, least: 0, run: help },
  summary: "Lists all commands, or explains one with an example.",
  example: "help create",
};

/** By name, in alphabetical order as zkCli.sh lists them: capitals first. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map(
  [...READING, ...WRITING, ...WATCHING, ...QUOTAS, ...ENSEMBLE, ...OWN, HELP]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((command) => [command.name, command]),
);

/** The list that `help` prints, and that follows a command that there isn't. */
export function usageLines(): string[] {
  const lines = [...COMMANDS.values()].map((command) => `\t${usageOf(command)}`);
  return ["ZooKeeper -server host:port -client-configuration properties-file cmd args", ...lines];
}

function help({ operands: [name] }: Call): Answer {
  if (name === undefined) return { lines: usageLines(), json: { commands: [...COMMANDS.values()].map(usageOf) } };
  const command = COMMANDS.get(name);
  if (command === undefined) throw new UsageError(`There is no command ${name}`, "help lists them");
  const { summary, example } = command;
  const lines = [usageOf(command), "", `  ${summary}`, "", `  Example: ${example}`];
  return { lines, json: { usage: usageOf(command), summary, example } };
}
