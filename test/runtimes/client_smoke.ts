/**
 * A program whose client loses its server, waits for it with nothing else to keep the process alive, finds it again, and closes. Then it ends by
 * itself. No test framework, which would hide both; `test/unit/tcp/connect.test.ts` starts it.
 */
import { setTimeout } from "node:timers";
import { connect, tcp } from "../../adapters/tcp/mod.ts";
import { open } from "../../mod.ts";

const AWAY_MS = 300;

const server = await open();
const listener = tcp({ port: 0 });
const { port } = await server.listen(listener);
const logger = { debug() {}, info() {}, warn() {}, error() {} };
const zk = await connect(`127.0.0.1:${port}`, { sessionTimeoutMs: 20_000, logger });
console.log(zk.state);

const back = new Promise<void>((resolve) => {
  zk.onState(({ state }) => {
    if (state !== "closed") console.log(state);
    if (state === "connected") resolve();
  });
});
await listener.stop();
setTimeout(() => void server.listen(tcp({ port })), AWAY_MS).unref();
await back;
await zk.getData("/");
console.log("read again");
await zk.close();
console.log(zk.state);
await server.close();
