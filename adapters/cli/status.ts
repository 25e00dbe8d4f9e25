/**
 * `zookernel status`: what `zkServer.sh status` says, of any ZooKeeper server that zoo.cfg describes.
 *
 * The file is only searched for where the server is; whether all of it is right is not asked.
 */
import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import process from "node:process";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { join } from "@std/path";
import { parseServerLine } from "../../lib/broadcast/zab/server_line.ts";
import { readSettings } from "./config_file.ts";

const ANSWER_MS_MAX = 5_000;

/** @returns the exit code: 0 if the server answers, 1 if not */
export async function status(file: string | undefined): Promise<number> {
  const found = await clientAddress(file);
  if (typeof found === "string") {
    process.stdout.write(`${found}\n`);
    return 1;
  }
  const { port, address, tls } = found;
  process.stdout.write(`Client port found: ${port}. Client address: ${address}. Client SSL: ${tls !== null}.\n`);
  const answer = await askServer(found).catch(() => "");
  const mode = /^Mode: .*$/m.exec(answer);
  process.stdout.write(`${mode?.[0] ?? "Error contacting service. It is probably not running."}\n`);
  return mode === null ? 1 : 0;
}

/** Where clients are served; `tls` has this server's own key to show, where it is served by TLS alone. */
interface Place {
  readonly address: string;
  readonly port: number;
  readonly tls: Pick<ConnectionOptions, "key" | "cert" | "passphrase"> | null;
}

async function clientAddress(file: string | undefined): Promise<Place | string> {
  if (file === undefined) return { address: "localhost", port: 2181, tls: null };
  process.stderr.write(`Using config: ${file}\n`);
  try {
    const settings = readSettings(file);
    const port = Number(settings.get("clientPort"));
    const securePort = Number(settings.get("secureClientPort"));
    const found = port > 0 ? { port } : await ofMember(settings);
    if (found === null && securePort > 0) {
      const address = settings.get("secureClientPortAddress") ?? "localhost";
      return { address, port: securePort, tls: await ownKey(settings) };
    }
    if (found === null) return "Client port not found in the server configs";
    const host = "host" in found ? found.host : null;
    return { address: settings.get("clientPortAddress") ?? host ?? "localhost", port: found.port, tls: null };
  } catch (error) {
    return `Cannot read ${file}: ${(error as Error).message}`;
  }
}

/** The server's own key and certificate, as servers that ask for certificates trust their own kind; nothing where they can't be read. */
async function ownKey(settings: ReadonlyMap<string, string>): Promise<NonNullable<Place["tls"]>> {
  const text = (key: string): Promise<string | undefined> => {
    const path = settings.get(key);
    return path === undefined ? Promise.resolve(undefined) : readFile(path, "utf8").catch(() => undefined);
  };
  const pem = await text("ssl.keyStore.location");
  if (pem === undefined || !pem.includes("-----BEGIN ")) return {};
  const passphrase = (await text("ssl.keyStore.passwordPath"))?.trim() ?? settings.get("ssl.keyStore.password");
  return { key: pem, cert: pem, ...(passphrase !== undefined && { passphrase }) };
}

/** What the line of this member says of its clients, here or in the file that lists the members. */
async function ofMember(settings: ReadonlyMap<string, string>): Promise<{ host: string | null; port: number } | null> {
  const [dataDir, dynamic] = [settings.get("dataDir"), settings.get("dynamicConfigFile")];
  const isMember = dynamic !== undefined || [...settings.keys()].some((key) => key.startsWith("server."));
  if (dataDir === undefined || !isMember) return null;
  const key = `server.${(await readFile(join(dataDir, "myid"), "utf8")).trim()}`;
  const line = settings.get(key) ?? (dynamic === undefined ? undefined : readSettings(dynamic).get(key));
  return line === undefined ? null : parseServerLine(key, line).client;
}

/** An address to listen on that stands for all of them is none to connect to. */
const CONNECTABLE: Readonly<Record<string, string>> = { localhost: "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1" };

function askServer({ address, port, tls }: Place): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const place = { host: CONNECTABLE[address] ?? address, port };
    const ask = (): boolean => socket.write("srvr");
    // It is asked what it is, and told nothing: whether its certificate is good for this name doesn't matter.
    const socket: Socket =
      tls === null ? connect(place, ask) : connectTls({ ...place, ...tls, rejectUnauthorized: false }, ask);
    socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy(new Error("no answer")));
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  });
}
