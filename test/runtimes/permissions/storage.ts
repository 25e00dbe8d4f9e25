/** A program that keeps a server's data in the folder that it is given, is killed without a farewell the first time, and finds it the second time. */

import process from "node:process";
import { fileStorage } from "../../../adapters/storage/mod.ts";
import { open } from "../../../mod.ts";

const server = await open({ storage: fileStorage(process.argv[2]!) });
const zk = await server.connect();
if ((await zk.exists("/a")) === null) {
  await zk.create("/a", "storage");
  console.log("created");
  process.exit(0);
}
console.log("found", (await zk.getData("/a")).stat.version);
await zk.close();
await server.close();
