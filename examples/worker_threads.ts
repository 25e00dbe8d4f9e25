/** Threads that share one server: it lives in the main thread, and workers come over a port of this machine. Each number is counted, none twice. */
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { open } from "zookernel";
import { counter } from "zookernel/recipes";
import { connect, tcp } from "zookernel/tcp";

const WORKERS = 3;
const EACH = 5;

if (isMainThread) {
  await using server = await open();
  const { port } = await server.listen(tcp({ port: 0 }));
  const ends = Array.from({ length: WORKERS }, () => {
    const worker = new Worker(new URL(import.meta.url), { workerData: `127.0.0.1:${port}` });
    return new Promise<void>((resolve, reject) => worker.once("exit", () => resolve()).once("error", reject));
  });
  await Promise.all(ends);
  await using zk = await server.connect();
  console.log(`counted to ${await counter(zk, "/count").value()}`); // counted to 15
} else {
  await using zk = await connect(workerData as string);
  const count = counter(zk, "/count");
  for (let i = 0; i < EACH; i++) await count.add(1n);
}
