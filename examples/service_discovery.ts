/** Services that find one another: each registers an ephemeral znode, and is gone from the list when it is gone. */
import { open, type ZooKeeper } from "zookernel";

const SERVICE = "/services/mail";

async function register(zk: ZooKeeper, address: string): Promise<void> {
  await zk.mkdirp(SERVICE);
  await zk.create(`${SERVICE}/${address}`, null, { mode: "ephemeral" });
}

/** Calls back with all addresses, now and after each change. */
async function follow(zk: ZooKeeper, changed: (addresses: readonly string[]) => void): Promise<void> {
  const { children } = await zk.getChildren(SERVICE, { watch: () => void follow(zk, changed).catch(() => {}) });
  changed(children.toSorted());
}

await using server = await open();
await using one = await server.connect();
const two = await server.connect();
await register(one, "10.0.0.1:25");
await register(two, "10.0.0.2:25");

await using caller = await server.connect();
let known: readonly string[] = [];
await follow(caller, (addresses) => {
  known = addresses;
});
console.log(known.join(" and ")); // 10.0.0.1:25 and 10.0.0.2:25

await two.close(); // as if its process had ended
while (known.length > 1) await new Promise((resolve) => setTimeout(resolve, 10));
console.log(known.join(" and ")); // 10.0.0.1:25
