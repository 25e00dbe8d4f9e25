/** A server for other programs, whose data outlives it: a port, a folder, and an orderly end. */
import { open } from "zookernel";
import { fileStorage } from "zookernel/storage";
import { connect, tcp } from "zookernel/tcp";

const server = await open({ storage: fileStorage("./zookeeper-data"), limits: { connectionsPerAddressMax: 100 } });
const { host, port } = await server.listen(tcp({ port: Number(process.env.PORT ?? 0) }));
console.log(`serves ${host}, any client of ZooKeeper may come`); // serves 127.0.0.1

const end = (): void => void server.close();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, end);
void server.closed.then((failure) => {
  if (failure !== null) console.error("It could not go on:", failure);
});

// Somebody uses it; in your program the rest is not there.
const client = await connect(`127.0.0.1:${port}`);
await client.mkdirp("/jobs");
await client.create("/jobs/job-", "todo", { mode: "persistent_sequential" });
await client.close();
await server.close();

await using again = await open({ storage: fileStorage("./zookeeper-data") });
console.log(again.inspect("/jobs")?.children.join()); // job-0000000000
