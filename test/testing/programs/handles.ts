/**
 * Opens test servers with ports, clients, faults and forks, closes them all, and prints what of this process is still open: sockets, and what the
 * runtime says keeps it alive. Then it must end by itself.
 */

import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { connect } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { testServer } from "../../../adapters/testing/mod.ts";

/** What is open: Bun's list is always empty, and only Linux shows sockets among its files. */
function open(): { readonly resources: readonly string[]; readonly sockets: number } {
  return { resources: process.getActiveResourcesInfo().filter((name) => name !== "CloseReq"), sockets: sockets() };
}

function sockets(): number {
  const links = (folder: string): string[] =>
    readdirSync(folder).map((fd) => {
      try {
        return readlinkSync(`${folder}/${fd}`);
      } catch {
        return ""; // the folder's own, gone by now
      }
    });
  return process.platform === "linux" ? links("/proc/self/fd").filter((target) => target.startsWith("socket:")).length : 0;
}

async function useServers(): Promise<ReturnType<typeof open>> {
  const base = await testServer();
  const fork = base.fork();
  for (const zk of [base, fork]) {
    const { host, port } = await zk.listen();
    const socket = connect({ host, port }).resume();
    socket.on("error", () => {}); // it may be reset
    await once(socket, "connect");
    socket.write("ruok");
    const client = await zk.connect();
    client.watch("/", { mode: "persistent_recursive" });
    await client.create("/a", null, { mode: "ephemeral" });
    void zk.clock.sleep("1h");
    zk.faults.on({ op: "sync" }).once().delay("1h");
    void client.sync();
    zk.faults.partition(client);
  }
  const meanwhile = open();
  await Promise.all([base.close(), fork.close()]);
  return meanwhile;
}

const before = open();
const meanwhile = await useServers();
// The other ends of the sockets hear of it in a later turn.
for (let turn = 0; turn < 100 && JSON.stringify(open()) !== JSON.stringify(before); turn++) await nextTurn();
console.log(JSON.stringify({ before, meanwhile, after: open() }));
