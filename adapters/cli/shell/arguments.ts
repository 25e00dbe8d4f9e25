/**
 * Arguments of `zookernel cli`: those of zkCli.sh, then at most one command.
 *
 * Invariant: what follows the first word that is no option belongs to the command, untouched.
 */
import { STYLES, type Style } from "./style.ts";

/** What was asked for. */
export interface ShellArguments {
  readonly servers: string;
  readonly timeoutMs: number;
  readonly canBeReadOnly: boolean;
  /** Waits for the connection as long as the session's timeout. */
  readonly waitsForConnection: boolean;
  /** A file of Java's properties; null for none. */
  readonly clientConfiguration: string | null;
  readonly style: Style;
  readonly json: boolean;
  readonly help: boolean;
  /** One command and its arguments; none: lines from standard input. */
  readonly command: readonly string[];
}

const DEFAULTS: ShellArguments = {
  servers: "localhost:2181",
  timeoutMs: 30_000,
  canBeReadOnly: false,
  waitsForConnection: false,
  clientConfiguration: null,
  style: "3.8",
  json: false,
  help: false,
  command: [],
};

export const SHELL_USAGE = `Usage: zookernel cli [options] [command [arguments]]

A shell for ZooKeeper servers, with the habits of zkCli.sh. Without a command it reads lines from the terminal, or from standard input.

Options:
  -server host:port[,...][/chroot]   Which servers; default localhost:2181
  -timeout ms                        How long the session outlives silence; default 30000
  -r                                 A read-only server will do
  -waitforconnection                 Wait for the connection as long as that, and not for 5 seconds
  -client-configuration file         Java's properties of a client: TLS, SASL
  --style 3.4|3.8|3.9                Whose output: 3.4's get, set, stat print the Stat unasked; default 3.8
  --json                             One JSON document a command
  -h, --help                         This text; "help" lists the commands, "help create" explains one

Exit code: that of the last command: 0 done, 1 refused by ZooKeeper, 2 no connection, 127 unknown command or wrong use.

Example:
  zookernel cli -server zk1:2181,zk2:2181/app get -s /config
`;

/** @returns what was asked for, or what is wrong with it */
export function readShellArguments(args: readonly string[]): ShellArguments | string {
  let read: ShellArguments = DEFAULTS;
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    if (!word.startsWith("-") || word === "-") return { ...read, command: args.slice(at) };
    const [name, inline] = nameAndValue(word);
    const flag = FLAGS.get(name);
    if (flag !== undefined) {
      read = { ...read, ...flag };
      continue;
    }
    const option = VALUES.get(name);
    if (option === undefined) return `there is no option ${word}`;
    const value = inline ?? args[++at];
    if (value === undefined) return `${word} needs a value`;
    const taken = option(value);
    if (typeof taken === "string") return `${word} ${taken}`;
    read = { ...read, ...taken };
  }
  return read;
}

/** `-server` and `--server` are the same, and so is `--server=…`. */
function nameAndValue(word: string): [name: string, value: string | undefined] {
  const text = word.replace(/^--?/, "");
  const equals = text.indexOf("=");
  return equals === -1 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)];
}

const FLAGS: ReadonlyMap<string, Partial<ShellArguments>> = new Map([
  ["r", { canBeReadOnly: true }],
  ["readonly", { canBeReadOnly: true }],
  ["waitforconnection", { waitsForConnection: true }],
  ["json", { json: true }],
  ["h", { help: true }],
  ["help", { help: true }],
]);

const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** Takes a value, or says what is wrong with it. */
type TakeValue = (value: string) => Partial<ShellArguments> | string;

const VALUES: ReadonlyMap<string, TakeValue> = new Map<string, TakeValue>([
  ["server", (servers) => ({ servers })],
  ["timeout", takeTimeout],
  ["client-configuration", (clientConfiguration) => ({ clientConfiguration })],
  ["style", takeStyle],
]);

function takeTimeout(value: string): ReturnType<TakeValue> {
  const timeoutMs = /^\d{1,10}$/.test(value) ? Number(value) : 0;
  return timeoutMs >= 1 && timeoutMs <= TIMEOUT_MS_MAX ? { timeoutMs } : `takes milliseconds such as 30000, not ${value}`;
}

function takeStyle(value: string): ReturnType<TakeValue> {
  const style = STYLES.find((one) => one === value);
  return style === undefined ? `takes ${STYLES.join(" or ")}, not ${value}` : { style };
}
