/** A program that keeps a server, and a world for tests, in memory alone. */

import { testServer } from "../../../adapters/testing/mod.ts";
import { open } from "../../../mod.ts";

await using server = await open();
await using zk = await server.connect();
await zk.create("/a", "memory");
await using world = await testServer();
await using client = await world.connect();
await client.create("/b", "memory");
await world.clock.advance("1h");
console.log((await zk.getData("/a")).stat.version, (await client.getData("/b")).stat.version);
