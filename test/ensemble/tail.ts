/** A leader that dies with txns in its log that nobody else has. */
import { connect } from "../../adapters/tcp/mod.ts";
import { until } from "../support/until.ts";
import type { EnsembleProcesses } from "./processes.ts";

/** `/kept` is everybody's, `/lost-0` to `/lost-4` are the leader's alone, and all members are down afterwards. */
export async function diesWithATail(ensemble: EnsembleProcesses, leader: number): Promise<void> {
  const others = ensemble.ids.filter((id) => id !== leader);
  const zk = await connect(ensemble.connectString(leader), { sessionTimeoutMs: 20_000 });
  await zk.create("/kept", "");
  await until(
    async () => new Set(await Promise.all(ensemble.ids.map((id) => ensemble.zxid(id)))).size === 1,
    "all to be level",
  );
  for (const id of others) ensemble.holdUp(id);
  const lost = Promise.allSettled(Array.from({ length: 5 }, (_, at) => zk.create(`/lost-${at}`, "")));
  await until(() => ensemble.hasLogged(leader, "/lost-4"), "the leader to log what it proposes");
  await Promise.all(others.map((id) => ensemble.kill(id)));
  await until(async () => (await ensemble.mode(leader)) === null, "the leader to see that it is alone");
  await ensemble.kill(leader);
  await zk.close();
  await lost;
}
