/**
 * A program that embeds a server, uses it, serves a port, and closes: on every runtime it prints the same lines and then ends by
 * itself, because after `close()` nothing keeps the process alive.
 *
 * No test framework: a runner would end the process and hide what still runs. `smoke.test.ts` starts it.
 */

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { tcp } from "../../adapters/tcp/mod.ts";
import { open, ZkError } from "../../mod.ts";

const server = await open();
const zk = await server.connect({ sessionTimeoutMs: 40_000 });

console.log("created", await zk.create("/smoke-", "data", { mode: "ephemeral_sequential" }));
const events = zk.watch("/smoke-0000000000");
const { data, stat } = await zk.getData("/smoke-0000000000");
console.log("read", new TextDecoder().decode(data ?? new Uint8Array()), "version", stat.version);
await zk.setData("/smoke-0000000000", "more", { version: stat.version });
console.log("event", (await events.next()).value?.type);
await zk.delete("/smoke-0000000000", { version: 7 }).catch((error) => {
  console.log("refused", error instanceof ZkError ? error.code : error);
});

const { port } = await server.listen(tcp({ port: 0 }));
const socket = connect(port, "127.0.0.1");
console.log("handshake", await handshake(socket), "bytes");

// The stream, the session and the connection are left open on purpose: closing the server ends them all.
const cut = once(socket, "close");
await server.close();
await cut;
console.log("state", zk.state);

/** Opens a session as a client of ZooKeeper 3.4 or newer does; the length of the answer. */
async function handshake(to: Socket): Promise<number> {
  const request = Buffer.alloc(49);
  request.writeInt32BE(45, 0);
  request.writeInt32BE(30_000, 16);
  request.writeInt32BE(16, 28);
  to.write(request);
  const [answer] = (await once(to, "data")) as [Buffer];
  return answer.length;
}
