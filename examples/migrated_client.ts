/** The same program before and after its move from node-zookeeper-client: a queue of jobs, its own server in place of one of Apache's. */
import { createRequire } from "node:module";
import { open } from "zookernel";
import { connect, tcp } from "zookernel/tcp";

await using server = await open();
const { port } = await server.listen(tcp({ port: 0 }));

/** Before. */
function before(servers: string): Promise<string> {
  const zookeeper = createRequire(import.meta.url)("node-zookeeper-client");
  const client = zookeeper.createClient(servers, { sessionTimeout: 10_000 });
  return new Promise((resolve, reject) => {
    client.once("connected", () => {
      client.mkdirp("/jobs", (failure: Error | null) => {
        if (failure) return reject(failure);
        client.create(
          "/jobs/job-",
          Buffer.from("old"),
          zookeeper.CreateMode.PERSISTENT_SEQUENTIAL,
          (error: Error | null, path: string) => {
            if (error) return reject(error);
            client.close();
            resolve(path);
          },
        );
      });
    });
    client.connect();
  });
}

/** After. */
async function after(servers: string): Promise<string> {
  await using zk = await connect(servers, { sessionTimeoutMs: 10_000 });
  await zk.mkdirp("/jobs");
  return await zk.create("/jobs/job-", "new", { mode: "persistent_sequential" });
}

console.log(await before(`127.0.0.1:${port}`)); // /jobs/job-0000000000
console.log(await after(`127.0.0.1:${port}`)); // /jobs/job-0000000001
