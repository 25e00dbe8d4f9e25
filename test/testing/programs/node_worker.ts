/**
 * A program written against npm's node-zookeeper-client, as one would write it for a real ensemble: it keeps itself registered as an ephemeral,
 * whatever happens, and says what it sees. It knows nothing of tests.
 *
 *     node_worker HOST:PORT PATH
 *
 * Ends with its standard input.
 */

import { createRequire } from "node:module";

const zookeeper = createRequire(import.meta.url)("node-zookeeper-client");
const [address, path] = process.argv.slice(2);
const SESSION_TIMEOUT_MS = 1000;

function start(): void {
  const client = zookeeper.createClient(address, { sessionTimeout: SESSION_TIMEOUT_MS, spinDelay: 50, retries: 0 });
  client.on("state", (state: { readonly name: string }) => say(state.name));
  client.on("connected", () => register(client));
  client.on("expired", () => {
    client.close();
    start();
  });
  client.connect();
}

// biome-ignore lint/suspicious/noExplicitAny: the library has no types
function register(client: any): void {
  client.create(path, null, zookeeper.CreateMode.EPHEMERAL, (error: { readonly name: string } | null) => {
    say(error === null ? "registered" : error.name);
    // It may be its own, if the answer to an earlier request was lost. After a lost connection the next "connected" tries again.
    if (error?.name === "NODE_EXISTS") checkOwner(client);
  });
}

// biome-ignore lint/suspicious/noExplicitAny: the library has no types
function checkOwner(client: any): void {
  client.exists(path, (error: Error | null, stat: { readonly ephemeralOwner: Buffer } | null) => {
    if (error === null && stat?.ephemeralOwner.equals(client.getSessionId())) say("registered already");
  });
}

function say(line: string): void {
  console.log(line);
}

process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
start();
