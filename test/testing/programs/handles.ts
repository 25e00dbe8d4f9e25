/**
 * Opens test servers and an ensemble, with ports, clients, faults, forks and partitions, closes them all, and prints what of this process is still open: sockets, and what the
 * runtime says keeps it alive. Then it must end by itself.
 */

import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { connect } from "node:net";
import { type TestEnsemble, testEnsemble, testServer } from "../../../adapters/testing/mod.ts";
import { until } from "../../support/until.ts";

/** What is open: Bun's list is always empty, and only Linux shows sockets among its files. */
function open(): { readonly resources: readonly string[]; readonly sockets: number } {
  return { resources: process.getActiveResourcesInfo().filter((name) => name !== "CloseReq"), sockets: sockets() };
}

/** Of the network: what a runtime opens for itself, as Deno does a moment after its start, are pairs of the system's own kind. */
function sockets(): number {
  if (process.platform !== "linux") return 0;
  const ofRuntime = readFileSync("/proc/net/unix", "utf8");
  return readdirSync("/proc/self/fd").filter((fd) => {
    const inode = /^socket:\[(\d+)\]$/.exec(targetOf(`/proc/self/fd/${fd}`))?.[1];
    return inode !== undefined && !new RegExp(` ${inode}( |$)`, "m").test(ofRuntime);
  }).length;
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return ""; // the folder's own, gone by now
  }
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
  const ensemble = await useEnsemble();
  const meanwhile = open();
  await Promise.all([base.close(), fork.close(), ensemble.close()]);
  return meanwhile;
}

/** One member has crashed, one is cut off, one disk hangs, and somebody waits for an answer. */
async function useEnsemble(): Promise<TestEnsemble> {
  const zk = await testEnsemble();
  await zk.listen();
  const client = await zk.connect();
  await zk.crash(1);
  zk.partition([2]);
  zk.member(3).disk.hold();
  client.create("/never").catch(() => {});
  await zk.clock.advance("3s");
  return zk;
}

const before = open();
const meanwhile = await useServers();
// The other ends of the sockets hear of it later. What is left nevertheless is for the test to say.
await until(() => JSON.stringify(open()) === JSON.stringify(before), "all to be closed").catch(() => {});
console.log(JSON.stringify({ before, meanwhile, after: open() }));
