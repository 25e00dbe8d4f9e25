/**
 * `zookernel status`: what `zkServer.sh status` says, of any ZooKeeper server that zoo.cfg describes.
 *
 * The file is only searched for where the server is; whether all of it is right is not asked.
 */
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import process from "node:process";
import { join } from "@std/path";
import { parseServerLine } from "../../lib/broadcast/zab/server_line.ts";
import { parseProperties } from "./properties.ts";

const ANSWER_MS_MAX = 5_000;

/** @returns the exit code: 0 if the server answers, 1 if not */
export async function status(file: string | undefined): Promise<number> {
  const found = await clientAddress(file);
  if (typeof found === "string") {
    process.stdout.write(`${found}\n`);
    return 1;
  }
  process.stdout.write(`Client port found: ${found.port}. Client address: ${found.address}. Client SSL: false.\n`);
  const answer = await askServer(found.address, found.port).catch(() => "");
  const mode = /^Mode: .*$/m.exec(answer);
  process.stdout.write(`${mode?.[0] ?? "Error contacting service. It is probably not running."}\n`);
  return mode === null ? 1 : 0;
}

async function clientAddress(file: string | undefined): Promise<{ address: string; port: number } | string> {
  if (file === undefined) return { address: "localhost", port: 2181 };
  process.stderr.write(`Using config: ${file}\n`);
  try {
    const settings = await readSettings(file);
    const port = Number(settings.get("clientPort"));
    const found = port > 0 ? { port } : await ofMember(settings);
    if (found === null) return "Client port not found in the server configs";
    const host = "host" in found ? found.host : null;
    return { address: settings.get("clientPortAddress") ?? host ?? "localhost", port: found.port };
  } catch (error) {
    return `Cannot read ${file}: ${(error as Error).message}`;
  }
}

async function readSettings(file: string): Promise<ReadonlyMap<string, string>> {
  return new Map(parseProperties(await readFile(file, "utf8")).map(({ key, value }) => [key.trim(), value.trim()]));
}

/** What the line of this member says of its clients, here or in the file that lists the members. */
async function ofMember(settings: ReadonlyMap<string, string>): Promise<{ host: string | null; port: number } | null> {
  const [dataDir, dynamic] = [settings.get("dataDir"), settings.get("dynamicConfigFile")];
  if (dataDir === undefined) return null;
  const key = `server.${(await readFile(join(dataDir, "myid"), "utf8")).trim()}`;
  const line = settings.get(key) ?? (dynamic === undefined ? undefined : (await readSettings(dynamic)).get(key));
  return line === undefined ? null : parseServerLine(key, line).client;
}

/** An address to listen on that stands for all of them is none to connect to. */
const CONNECTABLE: Readonly<Record<string, string>> = { localhost: "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1" };

function askServer(address: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: CONNECTABLE[address] ?? address, port }, () => socket.write("srvr"));
    socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy(new Error("no answer")));
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  });
}
