/**
 * Three servers of one kind as an ensemble, taken for one server: its port is the leader's, its processes are all three.
 *
 * Invariant: the leader comes first, among ports and processes alike.
 */
import { fourLetterWord, freePort } from "../test/support/server_process.ts";
import { type Server, type ServerKind, startServer } from "./servers.ts";

const IDS = [1, 2, 3] as const;
const LIMITS = { initLimit: 10, syncLimit: 5 };

/** @param parent the folder below which the members' own are made. */
export async function startEnsemble(kind: ServerKind, parent: string): Promise<Server> {
  const places: [string, string][] = [];
  for (const id of IDS) places.push([`server.${id}`, `127.0.0.1:${await freePort()}:${await freePort()}`]);
  const config = { ...LIMITS, ...Object.fromEntries(places) };
  const starts = await Promise.allSettled(IDS.map((myid) => startServer(kind, parent, { config, myid })));
  const members = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
  const stop = async (): Promise<void> => void (await Promise.all(members.map((member) => member.stop())));
  try {
    for (const start of starts) if (start.status === "rejected") throw start.reason;
    const leader = await leaderOf(members);
    const all = [leader, ...members.filter((member) => member !== leader)];
    return {
      ...leader,
      ports: all.map(({ port }) => port),
      pids: all.flatMap(({ pids }) => pids),
      isDurable: () => all.every((member) => member.isDurable()),
      snapshotCount: () => all.reduce((sum, member) => sum + member.snapshotCount(), 0),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function leaderOf(members: readonly Server[]): Promise<Server> {
  for (const member of members) if ((await fourLetterWord(member.port, "srvr")).includes("Mode: leader\n")) return member;
  throw new Error("none of the members leads");
}
